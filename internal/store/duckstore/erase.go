package duckstore

import (
	"context"
	"fmt"
	"slices"

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
		_, err := w.remove(removal{project: project, where: " WHERE project = $1 AND seq IN (SELECT unnest($2::BIGINT[]))", args: []any{project, list}, wipe: true})
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
	project string
	where   string // their condition
	args    []any
	wipe    bool // nothing must stay of them in the file
}

// remove deletes events and folds anew what they were part of, in one transaction. It
// returns how many there were.
func (w *Warehouse) remove(e removal) (gone int64, err error) {
	w.forget() // it knows events that go
	r := w.newRefold(max(w.lastWritten, int64(w.cursor)), 0)
	r.wipe = e.wipe
	r.without = map[int64]bool{}
	err = w.transact(func() error {
		var seqs []int64
		err := w.write.scan("SELECT seq FROM events"+e.where, e.args, func(b block) {
			seqs = append(seqs, b.int64s(0)...)
		})
		if err != nil || len(seqs) == 0 {
			return err
		}
		gone = int64(len(seqs))
		for _, seq := range seqs {
			r.without[seq] = true
		}
		keys, err := w.foldedFrom(e.project, seqs)
		if err != nil {
			return err
		}
		if e.wipe {
			if err := w.write.exec("UPDATE events SET fact = 0, "+blank(w.layout.columns[numFixed:])+e.where, e.args...); err != nil {
				return err
			}
		}
		if err := w.write.exec("DELETE FROM events"+e.where, e.args...); err != nil {
			return err
		}
		if _, err := r.touch(keys); err != nil {
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

// foldedFrom finds the entities of a project that were folded from some of these events.
func (w *Warehouse) foldedFrom(project string, seqs []int64) (keys []entityKey, err error) {
	for _, kind := range entityKinds {
		// The numbers stand in the text, so that DuckDB passes over row groups of other events.
		among := fmt.Sprintf("%s WHERE project = $1 AND first_seq <= %d AND last_seq >= %d", tableOf(kind), slices.Max(seqs), slices.Min(seqs))
		names := "'' AS trace, id"
		if kind == entity.ObservationKind {
			names = "coalesce(trace_id, '') AS trace, id"
		}
		statement := fmt.Sprintf("SELECT DISTINCT trace, id FROM (SELECT %s, unnest(seqs) AS seq FROM %s AND seqs IS NOT NULL) WHERE seq IN (SELECT unnest($2::BIGINT[]))", names, among)
		if kind != entity.TraceKind { // which has all of its own in seqs
			statement += fmt.Sprintf(" UNION SELECT %s FROM %s AND seqs IS NULL AND (first_seq IN (SELECT unnest($2::BIGINT[])) OR last_seq IN (SELECT unnest($2::BIGINT[])))", names, among)
		}
		err := w.write.scan(statement, []any{project, seqs}, func(b block) {
			for i := range b.rows {
				keys = append(keys, entityKey{project, kind, b.text(0, i), b.text(1, i)})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}
