package server

import (
	"context"
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What the texts beside a page's rows may cost: they are read of few of the events of a row that has many.
const (
	mostPreviewed = 32 // own events of a trace, of which a half are its first
	mostMarked    = 64 // events of a row that are asked whether they match
	stepsMarked   = 4  // observations that match, for each trace of the page
)

// previews fills in what a page of traces begins with and ends with: what their own events say, else the outermost observation.
func (s *Server) previews(ctx context.Context, project string, rows []wire.TraceSummary) error {
	at := make(map[string]*wire.TraceSummary, len(rows))
	ids := make([]string, len(rows))
	for i := range rows {
		at[rows[i].ID], ids[i] = &rows[i], rows[i].ID
	}
	own, err := store.EntityEvents(ctx, s.o.Warehouse, project, entity.TraceKind, ids)
	if err != nil {
		return err
	}
	folds := make(map[string]*entity.Fold, len(own))
	of := map[entity.Seq]string{}
	for id, seqs := range own {
		folds[id] = &entity.Fold{}
		for _, seq := range few(seqs, mostPreviewed) {
			of[seq] = id
		}
	}
	err = readOf(ctx, s, project, of, func(rec *entity.Record) {
		shown := entity.Previewed(rec)
		folds[of[rec.Seq]].Add(shown, shown.Fields)
	})
	if err != nil {
		return err
	}
	var bare []string
	for id, row := range at {
		if f := folds[id]; f != nil {
			t := f.Trace(id)
			row.InputPreview, row.OutputPreview = entity.Preview(string(t.Input), entity.PreviewLength), entity.Preview(string(t.Output), entity.PreviewLength)
		}
		if row.InputPreview == "" && row.OutputPreview == "" {
			bare = append(bare, id)
		}
	}
	return s.rootPreviews(ctx, project, bare, at)
}

// few are at most so many of a list: the first and the last.
func few(seqs []entity.Seq, most int) []entity.Seq {
	if len(seqs) <= most {
		return seqs
	}
	return slices.Concat(seqs[:most/2], seqs[len(seqs)-most/2:])
}

// readOf reads the records of the project that of has, in the order of the Log, with what they say.
func readOf[V any](ctx context.Context, s *Server, project string, of map[entity.Seq]V, f func(*entity.Record)) error {
	seqs := slices.Sorted(maps.Keys(of)) // what is stored together is read once
	return s.steps(ctx, seqs, func(step []entity.Record) bool {
		extract.Fill(step)
		for i := range step {
			if step[i].Fields != nil && step[i].Project == project {
				f(&step[i])
			}
		}
		return true
	})
}

// rootPreviews are those of traces whose own events say nothing.
func (s *Server) rootPreviews(ctx context.Context, project string, ids []string, at map[string]*wire.TraceSummary) error {
	if len(ids) == 0 {
		return nil
	}
	page, err := query.ListObservations(ctx, s.o.Warehouse, project, store.Query{
		Filter: store.Filter{Terms: []store.Condition{among("trace_id", ids), {Column: "parent_observation_id", Op: store.Present, Not: true}}},
		Order:  store.Order{By: "start_time", Asc: true, Limit: min(2*len(ids), query.MaxLimit)},
	})
	if err != nil {
		return err
	}
	for i := range page.Data {
		o := &page.Data[i]
		if row := at[o.TraceID]; row.InputPreview == "" && row.OutputPreview == "" {
			row.InputPreview, row.OutputPreview = o.InputPreview, o.OutputPreview
		}
	}
	return nil
}

func among(column string, values []string) store.Condition {
	return store.Condition{Column: column, Op: store.OneOf, Value: store.Texts{Equal: values}}
}
