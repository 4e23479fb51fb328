package duckstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Previews of input and output are of no table: only a page of observations shows them, and the Log has
// what they are of. They are folded from the events of the page's rows.

// previews fills in the previews of the rows. Of payloads that the Log has no longer there are none.
func (w *Warehouse) previews(ctx context.Context, project string, rows []wholeRow[observationRow]) error {
	of := map[entity.Seq][]int{} // places in rows; what names no trace may be of several
	for i := range rows {
		rows[i].events.each(func(seq entity.Seq) { of[seq] = append(of[seq], i) })
	}
	seqs := make([]entity.Seq, 0, len(of))
	for seq := range of {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs) // what is stored together is read once
	folds := make([]entity.Fold, len(rows))
	for some := range slices.Chunk(seqs, readAtOnce) {
		recs, err := w.options.Records(ctx, some)
		if err != nil {
			return fmt.Errorf("read previews: %w", err)
		}
		for i := range recs {
			rec := &recs[i]
			if rec.Fields == nil || rec.Project != project {
				continue
			}
			shown := entity.Previewed(rec)
			for _, at := range of[rec.Seq] {
				folds[at].Add(shown, shown.Fields)
			}
		}
	}
	for i := range rows {
		row := &rows[i].row
		for _, folded := range folds[i].Observations(row.ID) {
			if folded.TraceID == row.TraceID {
				row.InputPreview, row.OutputPreview = folded.InputPreview, folded.OutputPreview
			}
		}
	}
	return nil
}
