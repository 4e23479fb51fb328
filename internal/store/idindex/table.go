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

func (e *entry) kind() Kind { return Kind(e.key) % kinds }

// supersedes says whether nobody asks for an entry any more when there is e, which is not earlier: both are receipts of one id.
func supersedes(e, earlier *entry) bool { return e.key == earlier.key && e.kind() != KindEvent }

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

// put takes in an entry. A receipt takes the place of an earlier one of its id: many requests may fail under one id, and only the
// last is asked for. Entries come in the order of their Seqs.
func (t *table) put(e entry) {
	i := place(e.key, t.span)
	for i < len(t.slots) && t.slots[i].seq != 0 && t.slots[i].before(&e) {
		i++
	}
	if i < len(t.slots) && t.slots[i].seq != 0 && supersedes(&e, &t.slots[i]) {
		t.slots[i] = e
		t.last = max(t.last, e.expires)
		return
	}
	end := i // later entries move on by one, up to the next free slot
	for end < len(t.slots) && t.slots[end].seq != 0 {
		end++
	}
	if t.n >= t.span/10*8 || end == len(t.slots) {
		t.grow()
		t.put(e)
		return
	}
	copy(t.slots[i+1:end+1], t.slots[i:end])
	t.slots[i] = e
	if t.n == 0 {
		t.first, t.last = e.expires, e.expires
	}
	t.first, t.last = min(t.first, e.expires), max(t.last, e.expires)
	t.n++
	if e.kind() == KindEvent {
		t.marks++
	}
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
