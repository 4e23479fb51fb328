package idindex

import (
	"errors"
	"fmt"
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
	now     int64
	keys    []uint64
	hits    []entry // parallel: the latest that has not expired
	message []byte
	page    []byte
	near    uint64
}

// find looks ids up. Where a hash is known, it makes sure of the id, and holds nobody up meanwhile.
func (x *Index) find(kind Kind, project string, ids []string, now time.Time, out []Entry) error {
	l := x.lookups.Get().(*lookup)
	defer x.lookups.Put(l)
	l.now, l.keys, l.hits = now.UnixMicro(), l.keys[:0], l.hits[:0]
	for _, id := range ids {
		l.keys = append(l.keys, x.hash.key(kind, project, id, &l.message))
	}
	if err := x.search(l); err != nil {
		return err
	}
	for i, e := range l.hits {
		if e.seq != 0 && x.o.Names != nil {
			var err error
			if e, err = x.confirm(l, e, kind, project, ids[i]); err != nil {
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

// search finds the latest entry of each key: the later it is, the sooner.
func (x *Index) search(l *lookup) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(l.keys) > 1 { // all waits for memory at once
		for _, key := range l.keys {
			l.near += x.active.slots[place(key, x.active.span)].key
		}
		for _, r := range x.runs {
			for i := 0; r.filter != nil && i < len(l.keys); i++ {
				l.near += r.filter.Touch(l.keys[i])
			}
		}
	}
	for _, key := range l.keys {
		var hit entry
		if err := x.visit(l, key, func(e entry) bool { hit = e; return false }); err != nil {
			return err
		}
		l.hits = append(l.hits, hit)
	}
	return nil
}

// visit calls yield for the entries with a key that have not expired, the latest first, until it returns false. x.mu is held.
func (x *Index) visit(l *lookup, key uint64, yield func(entry) bool) error {
	more := true
	take := func(e entry) bool {
		if live(e.expires, l.now) {
			more = yield(e)
		}
		return more
	}
	x.active.get(key, take)
	if more && x.frozen != nil {
		x.frozen.get(key, take)
	}
	for i := len(x.runs) - 1; i >= 0 && more; i-- {
		r := x.runs[i]
		if !live(r.last, l.now) || !r.has(key) {
			continue
		}
		if err := r.get(key, &l.page, take); err != nil {
			if errors.Is(err, errDamaged) {
				x.damaged()
			}
			return err
		}
	}
	return nil
}

// confirm returns the entry of an id, given the latest one with its hash: that one nearly always, another with the same hash,
// or none.
func (x *Index) confirm(l *lookup, e entry, kind Kind, project, id string) (entry, error) {
	same, err := x.o.Names(kind, entity.Seq(e.seq), project, id)
	if err != nil || same {
		return e, err
	}
	var all []entry
	x.mu.RLock()
	err = x.visit(l, e.key, func(e entry) bool { all = append(all, e); return true })
	x.mu.RUnlock()
	for i := 0; err == nil && i < len(all); i++ {
		if same, err = x.o.Names(kind, entity.Seq(all[i].seq), project, id); same {
			return all[i], err
		}
	}
	return entry{}, err
}
