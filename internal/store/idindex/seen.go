package idindex

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Entry is what the index knows of one stored event.
type Entry struct {
	Seq     entity.Seq // 0: not known
	Expires time.Time  // end of the mark, UTC, microseconds
}

// Seen looks every id up and fills out, which is as long as ids: the entry of an
// id that is marked, the zero Entry for one that is not or whose mark
// has expired at now (Expires ≤ now). now may lag behind the index's clock by less
// than a minute. After an error out says nothing.
func (x *Index) Seen(project string, ids []string, now time.Time, out []Entry) error {
	if len(out) != len(ids) {
		return fmt.Errorf("look up ids: %d ids but room for %d", len(ids), len(out))
	}
	if err := x.find(KindEvent, project, ids, now, out); err != nil {
		return fmt.Errorf("look up ids: %w", err)
	}
	return nil
}

// Event finds a stored event whose mark has not expired.
func (x *Index) Event(project, id string) (Entry, bool, error) {
	e, err := x.one(KindEvent, project, id, x.o.Now())
	if err != nil {
		return Entry{}, false, fmt.Errorf("find event: %w", err)
	}
	return e, e.Seq != 0, nil
}

// FailedEvent finds the block that says why an event failed, for store.ReceiptTTL.
func (x *Index) FailedEvent(project, id string) (entity.Seq, bool, error) {
	return x.receipt(KindFailed, project, id)
}

// Batch finds the block that says what became of a batch: for store.ReceiptTTL,
// and of a batch whose job is pending the block of its request.
func (x *Index) Batch(project, batchID string) (entity.Seq, bool, error) {
	at, _, err := x.receipt(KindBatch, project, batchID)
	at = max(at, x.pendingBatch(project, batchID))
	return at, at != 0 && err == nil, err
}

func (x *Index) receipt(kind Kind, project, id string) (entity.Seq, bool, error) {
	e, err := x.one(kind, project, id, x.o.Now())
	if err != nil {
		return 0, false, fmt.Errorf("find receipt: %w", err)
	}
	return e.Seq, e.Seq != 0, nil
}

func (x *Index) one(kind Kind, project, id string, now time.Time) (Entry, error) {
	var out [1]Entry
	err := x.find(kind, project, []string{id}, now, out[:])
	return out[0], err
}

func live(expires, now int64) bool { return expires > now }

// lookup is the memory of one call of find.
type lookup struct {
	x       *Index
	now     int64
	keys    []uint64
	hits    []entry // parallel; the latest with the key
	todo    []int32 // those without a hit
	message []byte
	page    []byte
	near    uint64
}

// find looks ids up. Where a hash is known, it makes sure of the id, without holding anything up meanwhile.
func (x *Index) find(kind Kind, project string, ids []string, now time.Time, out []Entry) error {
	l := x.lookups.Get().(*lookup)
	defer x.lookups.Put(l)
	l.begin(kind, project, ids, now.UnixMicro())
	if err := l.search(); err != nil {
		return err
	}
	for i := range ids {
		e := l.hits[i]
		var err error
		if e.seq != 0 && x.o.Names != nil {
			if e, err = l.confirm(e, kind, project, ids[i]); err != nil {
				return err
			}
		}
		out[i] = Entry{}
		if e.seq != 0 {
			out[i] = Entry{Seq: entity.Seq(e.seq), Expires: time.UnixMicro(e.expires).UTC()}
		}
	}
	return nil
}

func (l *lookup) begin(kind Kind, project string, ids []string, now int64) {
	l.now = now
	l.keys, l.todo = l.keys[:0], l.todo[:0]
	l.hits = slices.Grow(l.hits[:0], len(ids))[:len(ids)]
	clear(l.hits)
	for i, id := range ids {
		l.keys = append(l.keys, l.x.hash.key(kind, project, id, &l.message))
		l.todo = append(l.todo, int32(i))
	}
}

// search finds the latest entry of each key that has not expired: the later, the sooner it is found.
func (l *lookup) search() error {
	l.x.mu.RLock()
	defer l.x.mu.RUnlock()
	l.inTable(l.x.active)
	if l.x.frozen != nil {
		l.inTable(l.x.frozen.table)
	}
	for i := len(l.x.runs) - 1; i >= 0 && len(l.todo) > 0; i-- {
		if err := l.inRun(l.x.runs[i]); err != nil {
			return err
		}
	}
	return nil
}

// hit takes the first live entry of a key.
func (l *lookup) hit(k int32) func(entry) bool {
	return func(e entry) bool {
		if live(e.expires, l.now) {
			l.hits[k] = e
			return false
		}
		return true
	}
}

func (l *lookup) inTable(t *table) {
	rest := l.todo[:0]
	for _, k := range l.todo {
		if t.get(l.keys[k], l.hit(k)) {
			rest = append(rest, k)
		}
	}
	l.todo = rest
}

func (l *lookup) inRun(r *run) error {
	if !live(r.last, l.now) {
		return nil
	}
	if r.filter != nil && len(l.todo) > 1 {
		for _, k := range l.todo {
			l.near += r.filter.Touch(l.keys[k])
		}
	}
	rest := l.todo[:0]
	for _, k := range l.todo {
		if r.has(l.keys[k]) {
			if err := l.x.read(r, l.keys[k], &l.page, l.hit(k)); err != nil {
				return err
			}
		}
		if l.hits[k].seq == 0 {
			rest = append(rest, k)
		}
	}
	l.todo = rest
	return nil
}

// read gets a key from a run, and takes note of damage.
func (x *Index) read(r *run, key uint64, buf *[]byte, yield func(entry) bool) error {
	err := r.get(key, buf, yield)
	if errors.Is(err, errDamaged) {
		x.damaged()
	}
	return err
}

// confirm returns the entry of an id, given the latest one with its hash: that one nearly always, another with the same hash,
// or none.
func (l *lookup) confirm(e entry, kind Kind, project, id string) (entry, error) {
	same, err := l.x.o.Names(kind, entity.Seq(e.seq), project, id)
	if err != nil || same {
		return e, err
	}
	all, err := l.all(e.key)
	if err != nil {
		return entry{}, err
	}
	for _, o := range all {
		if o.seq == e.seq {
			continue
		}
		if same, err := l.x.o.Names(kind, entity.Seq(o.seq), project, id); err != nil || same {
			return o, err
		}
	}
	return entry{}, nil
}

// all are the entries with a key that have not expired, the latest first.
func (l *lookup) all(key uint64) (all []entry, err error) {
	l.x.mu.RLock()
	defer l.x.mu.RUnlock()
	take := func(e entry) bool {
		if live(e.expires, l.now) {
			all = append(all, e)
		}
		return true
	}
	l.x.active.get(key, take)
	if l.x.frozen != nil {
		l.x.frozen.get(key, take)
	}
	for _, r := range l.x.runs {
		if r.has(key) && err == nil {
			err = l.x.read(r, key, &l.page, take)
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return int(b.seq) - int(a.seq) })
	return all, err
}
