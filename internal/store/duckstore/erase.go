package duckstore

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Erase removes the rows of these events of the project in one transaction, in
// which what they were folded into is folded anew, and then checkpoints. Texts are
// overwritten first: a checkpoint keeps the pages of a row that was only deleted, but
// writes changed columns anew.
func (w *Warehouse) Erase(ctx context.Context, project string, seqs []entity.Seq) error {
	list := make([]int64, 0, len(seqs))
	for _, s := range seqs {
		if s <= maxSeq { // else no row has it
			list = append(list, int64(s))
		}
	}
	if len(list) == 0 {
		return ctx.Err()
	}
	err := w.locked(ctx, func() error {
		_, err := w.remove(removal{where: " WHERE project = $1 AND seq IN (SELECT unnest($2::BIGINT[]))", args: []any{project, list}, wipe: true})
		if err != nil {
			return err
		}
		return w.checkpoint()
	})
	if err != nil {
		return fmt.Errorf("erase events: %w", err)
	}
	return nil
}

// removal is some events that go.
type removal struct {
	where string // their condition
	args  []any
	wipe  bool // nothing must stay of them in the file
}

// remove deletes events and folds anew what they were part of, in one transaction. It
// returns how many there were.
func (w *Warehouse) remove(e removal) (gone int64, err error) {
	w.forget() // it knows events that go
	r := w.newRefold(w.cursor, 0)
	r.wipe = e.wipe
	err = w.transact(func() error {
		count, err := w.write.int64s("SELECT count(*) FROM events"+e.where, e.args...)
		if err != nil {
			return err
		}
		gone = count[0]
		var keys []entityKey
		r.without = map[int64]bool{}
		err = w.write.scan("SELECT project, kind, entity_id, seq FROM events"+e.where, e.args, func(b block) {
			for i := range b.rows {
				keys = append(keys, entityKey{b.text(0, i), entity.Kind(b.bytes(1)[i]), b.text(2, i)})
				r.without[b.number(3, i)] = true
			}
		})
		if err != nil {
			return err
		}
		if e.wipe {
			if err := w.write.exec("UPDATE events SET "+blank(w.layout.columns[numFixed:])+e.where, e.args...); err != nil {
				return err
			}
		}
		if err := w.write.exec("DELETE FROM events"+e.where, e.args...); err != nil {
			return err
		}
		if err := r.touch(keys); err != nil {
			return err
		}
		return r.write()
	})
	if err != nil {
		return 0, err
	}
	r.keep()
	return gone, nil
}
