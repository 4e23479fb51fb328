package server

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// ok is the 200 of a body, or the error.
func ok[T any](body *T, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: body}, nil
}

// records returns every event that folds into the trace, payloads and all.
func (s *Server) records(ctx context.Context, c *call, traceID string) ([]entity.Record, error) {
	seqs, err := store.TraceEvents(ctx, s.o.Warehouse, c.caller.Project, traceID)
	if err != nil {
		return nil, err
	}
	return s.readAll(ctx, c, seqs)
}

func getTrace(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	twins, err := s.o.Warehouse.Twins(ctx, c.caller.Project, store.EventRef{TraceID: id})
	if err != nil {
		return nil, err
	}
	recs, err := s.records(ctx, c, id)
	if err != nil {
		return nil, err
	}
	others, err := s.duplicates(ctx, c, twins, func(kept, twin entity.Ref) bool { return kept.TraceID == id && twin.TraceID != id })
	if err != nil {
		return nil, err
	}
	return ok(entity.FoldTraceWith(append(recs, others...), id, twins))
}

// duplicates returns the events of those duplicates that fill the gaps of what is wanted.
func (s *Server) duplicates(ctx context.Context, c *call, twins entity.Twins, wanted func(kept, twin entity.Ref) bool) ([]entity.Record, error) {
	ids := map[string]bool{}
	for twin, kept := range twins {
		if wanted(kept, twin) {
			ids[twin.ID] = true
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	seqs, err := store.EntityEvents(ctx, s.o.Warehouse, c.caller.Project, entity.ObservationKind, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	all := slices.Concat(slices.Collect(maps.Values(seqs))...)
	slices.Sort(all)
	return s.readAll(ctx, c, all)
}

// markTwins says of which observation the row is a duplicate, or fills its gaps from its duplicates.
func (s *Server) markTwins(ctx context.Context, c *call, row *entity.ObservationRow) error {
	if row.Call() == nil {
		return nil
	}
	twins, err := s.o.Warehouse.Twins(ctx, c.caller.Project, store.EventRef{IDs: []string{row.ID}})
	if err != nil {
		return err
	}
	self := entity.Ref{TraceID: row.TraceID, ID: row.ID}
	recs, err := s.duplicates(ctx, c, twins, func(kept, _ entity.Ref) bool { return kept == self })
	if err != nil {
		return err
	}
	rows := []*entity.ObservationRow{row}
	for twin, kept := range twins {
		if kept != self {
			continue
		}
		fold, err := entity.FoldOf(recs, entity.ObservationKind, twin.ID)
		if err == nil {
			other, err := fold.Observation(twin.ID, twin.TraceID)
			if err == nil {
				rows = append(rows, other)
			}
		}
	}
	twins.Mark(rows)
	return nil
}

// ownEvents collects the entity's own events, which hold the payloads that the
// Warehouse's row does not. An entity without any is not found.
func (s *Server) ownEvents(ctx context.Context, c *call, kind entity.Kind, id string) (*entity.Fold, error) {
	seqs, err := store.EntityEvents(ctx, s.o.Warehouse, c.caller.Project, kind, []string{id})
	if err != nil {
		return nil, err
	}
	if len(seqs[id]) == 0 {
		return nil, store.ErrNotFound
	}
	recs, err := s.readAll(ctx, c, seqs[id])
	if err != nil {
		return nil, err
	}
	return entity.FoldOf(recs, kind, id)
}

// observation folds the observation id of the trace, or of the newest that has one.
func (s *Server) observation(ctx context.Context, c *call, id, traceID string) (*entity.ObservationRow, error) {
	fold, err := s.ownEvents(ctx, c, entity.ObservationKind, id)
	if err != nil {
		return nil, err
	}
	return fold.Observation(id, traceID)
}

func getObservation(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query.Reader{Values: c.params}
	traceID := q.Text("trace_id")
	if q.Err != nil {
		return nil, q.Err
	}
	row, err := s.observation(ctx, c, id, traceID)
	if err != nil {
		return nil, err
	}
	if err := s.markTwins(ctx, c, row); err != nil {
		return nil, err
	}
	if row.TraceID == "" {
		return ok(&row.Observation, nil)
	}
	// Whether it counts depends on what is below it, which only its trace knows.
	page, err := query.ListObservations(ctx, s.o.Warehouse, c.caller.Project, store.Query{
		Filter: store.Filter{ID: id, TraceID: row.TraceID}, Order: store.Order{Limit: 1},
	})
	if err != nil {
		return nil, err
	}
	if len(page.Data) > 0 {
		row.Counted = page.Data[0].Counted
	}
	return ok(&row.Observation, nil)
}
