package idindex

import "math"

// entry is what is kept of one id.
type entry struct {
	key     uint64
	seq     uint64 // of the event, or of the block; 0: no entry
	expires int64  // Unix µs
}

// before is the order of entries: by key, and of those with one key the later first.
func (e *entry) before(o *entry) bool { return e.key < o.key || e.key == o.key && e.seq > o.seq }

// table is the entries in memory: open addressing in the order of keys, so that a run is written as they stand. It has
// no pointers to give to the garbage collector.
type table struct {
	slots       []entry
	span        int // slots that the keys share; those behind take what comes too late
	n, marks    int
	first, last int64 // of the entries' expiries
}

const entryMemory = 24

func newTable(span int) *table {
	const slack = 64
	return &table{slots: make([]entry, span+span/16+slack), span: span}
}

// full says that the table had better be written out; it takes more all the same.
func (t *table) full() bool { return t.n >= t.span/10*7 }

// put takes in an entry. One that it has is not taken twice: many events of one request may fail under one id.
func (t *table) put(e entry) {
	if t.has(&e) {
		return
	}
	if t.n >= t.span/10*8 || !t.insert(e) {
		t.grow()
		t.put(e)
		return
	}
	if t.n == 0 {
		t.first, t.last = e.expires, e.expires
	}
	t.first, t.last = min(t.first, e.expires), max(t.last, e.expires)
	t.n++
	if Kind(e.key%uint64(kinds)) == KindEvent {
		t.marks++
	}
}

// has says whether there is an entry of the same key and Seq. It looks no further than the first of the key that is not
// later: entries mostly come in the order of their Seqs.
func (t *table) has(e *entry) bool {
	for i := place(e.key, t.span); i < len(t.slots) && t.slots[i].seq != 0; i++ {
		if s := &t.slots[i]; !s.before(e) {
			return s.key == e.key && s.seq == e.seq
		}
	}
	return false
}

// insert moves later entries on by one. It fails when the slots end.
func (t *table) insert(e entry) bool {
	i := place(e.key, t.span)
	for i < len(t.slots) && t.slots[i].seq != 0 && t.slots[i].before(&e) {
		i++
	}
	j := i
	for j < len(t.slots) && t.slots[j].seq != 0 {
		j++
	}
	if j == len(t.slots) {
		return false
	}
	copy(t.slots[i+1:j+1], t.slots[i:j])
	t.slots[i] = e
	return true
}

func (t *table) grow() { *t = *t.copy(2*len(t.slots), math.MinInt64) }

// copy is the table with other slots, without what nobody asks for at now.
func (t *table) copy(span int, now int64) *table {
	c := newTable(span)
	for _, e := range t.slots {
		if e.seq != 0 && !dead(e.expires, now) {
			c.put(e)
		}
	}
	return c
}

// get calls yield for the entries with a key, the latest first, until that returns false.
func (t *table) get(key uint64, yield func(entry) bool) {
	for i := place(key, t.span); i < len(t.slots) && t.slots[i].seq != 0 && t.slots[i].key <= key; i++ {
		if t.slots[i].key == key && !yield(t.slots[i]) {
			return
		}
	}
}
