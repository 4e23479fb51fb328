package duckstore

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Insert adds the records and moves the cursor to upto, in one transaction; an
// upto behind the cursor leaves it where it is (a record replayed from
// quarantine). Records whose event id is already there are passed over. The
// caller hands records in the order of their Seq. A *store.PoisonError names
// those that can never go in; then nothing went in.
func (w *Warehouse) Insert(ctx context.Context, recs []entity.Record, upto entity.Seq) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.ready(); err != nil {
		return err
	}
	if upto <= w.cursor && len(recs) == 0 {
		return nil
	}
	if upto > maxSeq {
		return fmt.Errorf("insert events: position %d is out of range", upto)
	}
	if err := poison(recs); err != nil {
		return err
	}
	if err := w.writing(func() error { return w.insert(recs, max(upto, w.cursor)) }); err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	return nil
}

// insert adds the events and folds their entities anew, in one transaction.
func (w *Warehouse) insert(recs []entity.Record, upto entity.Seq) error {
	fresh, err := w.unknown(recs)
	if err != nil {
		return err
	}
	r := w.newRefold(upto, len(fresh))
	err = w.transact(func() error {
		if err := r.insert(fresh); err != nil {
			return err
		}
		return w.write.exec("UPDATE meta SET cursor = " + strconv.FormatUint(uint64(upto), 10))
	})
	if err != nil {
		return err
	}
	r.keep()
	w.cursor = upto
	w.reached.Store(uint64(upto))
	w.inserted += len(fresh)
	w.checkpointWhenMuch()
	return nil
}

// insert adds the events and brings the entities in step.
func (r *refold) insert(recs []*entity.Record) error {
	keys := make([]entityKey, len(recs))
	slims := make([]*entity.Record, len(recs))
	for i, rec := range recs {
		slims[i] = slim(rec, r.w.layout)
		keys[i] = entityKey{rec.Project, rec.Fields.Kind, slims[i].Fields.EntityID}
	}
	if err := r.touch(keys); err != nil {
		return err
	}
	for i, k := range keys {
		if b := r.bundles[k]; b != nil {
			b.add(slims[i])
		}
	}
	err := r.w.append("events", r.w.chunks.events, len(recs), func(c *chunk, i int) { r.w.row(c, recs[i]) })
	if err != nil {
		return err
	}
	return r.write()
}

// row writes the record into the chunk's next row.
func (w *Warehouse) row(c *chunk, rec *entity.Record) {
	fs := rec.Fields
	ts := rec.Event.Timestamp.UnixMicro()
	c.setText(colProject, rec.Project)
	c.setInt(colSeq, int64(rec.Seq))
	c.setText(colEventID, rec.Event.ID)
	c.setText(colEventType, string(rec.Event.Type))
	c.setByte(colKind, uint8(fs.Kind))
	c.setByte(colRank, uint8(fs.Rank))
	c.setText(colEntityID, fs.EntityID)
	c.setInt(colTS, ts)
	c.setInt(colReceived, rec.ReceivedAt.UnixMicro())
	c.setText(colBatchEnvironment, cmp.Or(rec.Environment, "default"))
	c.setUint(colContent, fs.Content)
	c.setUint(colFact, factKey(rec.Event.ID, fs.Content))
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
	case entity.JSON:
		c.setText(col, entity.Preview(v.Text, entity.PreviewLength))
	}
}
