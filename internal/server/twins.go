package server

import (
	"context"
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

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
