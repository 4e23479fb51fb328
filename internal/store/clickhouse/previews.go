package clickhouse

import (
	"context"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Previews of input and output are of no table: only a page of observations shows them. They are folded from the events of the page's rows.

// readAtOnce is how many events are read at a time: they come with their payloads.
const readAtOnce = 64

// previews fills in the previews of the rows. Of payloads that are gone there are none.
func (v *view) previews(ctx context.Context, rows map[place]*observationRow, seqs map[place][]uint64) error {
	of := map[entity.Seq]place{}
	var all []entity.Seq
	for p, own := range seqs {
		v.found(entity.ObservationKind, p.id, own)
		for _, s := range own {
			of[entity.Seq(s)] = p
			all = append(all, entity.Seq(s))
		}
	}
	slices.Sort(all)
	folds := make(map[place]*entity.Fold, len(rows))
	for some := range slices.Chunk(all, readAtOnce) {
		recs, err := v.w.Records(ctx, some)
		if err != nil {
			return err
		}
		for i := range recs {
			rec := &recs[i]
			if rec.Project != v.project {
				continue
			}
			f := folds[of[rec.Seq]]
			if f == nil {
				f = &entity.Fold{}
				folds[of[rec.Seq]] = f
			}
			shown := entity.Previewed(rec)
			f.Add(shown, shown.Fields)
		}
	}
	for p, f := range folds {
		for _, folded := range f.Observations(p.id) {
			if folded.TraceID == p.trace {
				rows[p].InputPreview, rows[p].OutputPreview = folded.InputPreview, folded.OutputPreview
			}
		}
	}
	return nil
}
