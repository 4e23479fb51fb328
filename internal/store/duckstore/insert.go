package duckstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Insert takes the records, of which it reads Row and not Fields, up to upto of the Log; an upto before an earlier one
// changes nothing (a record replayed from quarantine). They are hot now: a question, or Flush,
// writes them. Records whose fact is already there are passed over. The caller hands records in the order of their Seq.
// A *store.PoisonError names those that can never go in; then nothing was taken.
func (w *Warehouse) Insert(ctx context.Context, recs []entity.Record, upto entity.Seq) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.closing.Load() {
		return store.ErrClosed
	}
	if upto > maxSeq {
		return fmt.Errorf("insert events: position %d is out of range", upto)
	}
	if err := store.Poisoned(recs, maxSeq); err != nil {
		return err
	}
	if err := w.take(ctx, recs, upto); err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	return nil
}

// foldAtOnce is about how many events are folded at a time: the rows of their entities are in memory.
const foldAtOnce = 10_000

// insert adds what is hot and folds its entities anew, in one transaction.
func (w *Warehouse) insert(h *hot) error {
	fresh, err := w.unknown(h)
	if err != nil {
		return err
	}
	upto := max(h.upto, w.cursor)
	written := max(w.lastWritten, int64(upto))
	for _, i := range fresh { // when others that came before stay behind, it is more than upto
		written = max(written, h.events[i].seq)
	}
	err = w.transact(func() error {
		err := w.append("events", w.chunks.events, len(fresh), func(c *chunk, i int) { w.row(c, h, int(fresh[i])) })
		if err != nil {
			return err
		}
		x := w.folding.index
		if err := x.build(h, fresh, written, w); err != nil {
			return err
		}
		if err := w.simple(x); err != nil {
			return err
		}
		for some := range slices.Chunk(x.long(nil), foldAtOnce) {
			r := w.newRefold(written, len(some))
			if err := r.insert(x, some); err != nil {
				return err
			}
			r.keep() // a failure makes the caches forget
		}
		return w.write.exec("UPDATE meta SET cursor = " + strconv.FormatUint(uint64(upto), 10))
	})
	if err != nil {
		return err
	}
	w.cursor, w.lastWritten = upto, written
	w.reached.Store(uint64(upto))
	w.owed += int64(len(fresh))
	if w.inserted += len(fresh); w.muchToCheckpoint() {
		w.rouse()
	}
	return nil
}

// insert brings the entities in step with events that were added.
func (r *refold) insert(x *index, events []int32) error {
	h, keys := x.h, make([]entityKey, len(events))
	for i, at := range events {
		s := &x.entities[x.of[at]]
		keys[i] = keyOf(h.project(int(at)), h.row(int(at)))
		r.isNew(x.lead(s), keys[i].all())
		if s.trace >= 0 {
			if trace := &x.entities[s.trace]; trace.fresh {
				r.isNew(trace, x.entity(trace))
			}
		}
	}
	if _, err := r.touch(keys); err != nil {
		return err
	}
	for i, k := range keys {
		if b := r.bundles[r.place(k)]; b != nil {
			e := &h.events[events[i]]
			b.add(e.seq, e.ts, h.names[e.environment], h.row(int(events[i])))
		}
	}
	return r.write()
}

// isNew notes that nothing was known of an entity, the first time.
func (r *refold) isNew(s *hotEntity, k entityKey) {
	if s.fresh {
		r.fresh[k], s.fresh = true, false
	}
}

// knows says whether there may be something of the entity, of observations any with the id, and remembers it from now on.
func (w *Warehouse) knows(project, id string, kind entity.Kind) bool {
	return w.seen.add(w.seen.entityKey(project, id, uint8(kind)))
}

// row writes an event into the chunk's next row.
func (w *Warehouse) row(c *chunk, h *hot, i int) {
	e, row := &h.events[i], h.row(i)
	fs := &w.folding.fields
	_ = row.View(fs) // poison has seen it
	c.setText(colProject, h.names[e.project])
	c.setInt(colSeq, e.seq)
	c.setText(colEventType, h.names[e.type_])
	c.setInt(colTS, e.ts)
	c.setInt(colReceived, e.received)
	c.setText(colBatchEnvironment, cmp.Or(h.names[e.environment], "default"))
	c.setUint(colFact, e.fact)
	for i := range fs.Values {
		w.value(c, &fs.Values[i])
	}
}

func (w *Warehouse) value(c *chunk, v *entity.FieldValue) {
	col := w.layout.of[v.Field]
	if col < 0 {
		return
	}
	switch v.Field.Type() {
	case entity.Text:
		c.setText(col, v.Text)
	case entity.Integer, entity.Time:
		c.setInt(col, v.Int)
	case entity.Float:
		c.setFloat(col, v.Num)
	case entity.List:
		c.setList(col, v.List)
	}
}
