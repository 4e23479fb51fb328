package duckstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Erase removes the rows of these events of the project in one transaction, in
// which what they were folded into is settled anew, and then checkpoints. Their texts are overwritten first: a checkpoint keeps the
// pages of a row that was only deleted, but writes changed columns anew.
func (w *Warehouse) Erase(ctx context.Context, project string, seqs []store.Seq) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil || len(seqs) == 0 {
		return err
	}
	err := w.ready()
	if err == nil {
		err = w.thread.do(func() error { return w.erase(project, seqList(seqs)) })
	}
	if w.broken(err) {
		w.detach()
	}
	if err != nil {
		return fmt.Errorf("erase events: %w", err)
	}
	return nil
}

// seqList is the seqs as one parameter, for ofSeqs.
func seqList(seqs []store.Seq) string {
	var b strings.Builder
	for _, s := range seqs {
		if s > maxSeq {
			continue // no row has it
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(s), 10))
	}
	return b.String()
}

// ofSeqs is the condition of rows of the project $1 that have one of the seqs $2.
const ofSeqs = " WHERE project = $1 AND seq IN (SELECT unnest(string_split($2, ',')::BIGINT[]))"

func (w *Warehouse) erase(project, seqs string) error {
	if seqs == "" {
		return nil
	}
	err := w.transact(func() error {
		for _, statement := range []string{
			"INSERT INTO late SELECT project, kind, entity_id, seq FROM events" + ofSeqs,
			"UPDATE events SET " + w.layout.blank() + ofSeqs,
			"DELETE FROM events" + ofSeqs,
		} {
			if err := w.write.exec(statement, project, seqs); err != nil {
				return err
			}
		}
		return w.moveFrontier(w.settled, w.settled)
	})
	if err != nil {
		return err
	}
	w.isSettled(w.settled)
	return w.checkpoint()
}

// blank sets every text of a field to NULL.
func (l *layout) blank() string {
	var set []string
	for _, c := range l.columns[numFixed:] {
		if c.typ == "VARCHAR" {
			set = append(set, `"`+c.name+`" = NULL`)
		}
	}
	return strings.Join(set, ", ")
}
