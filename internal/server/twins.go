package server

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// tariff prices the calls of the request's project, all by what holds at this moment.
func (s *Server) tariff(c *call) entity.Tariff {
	return entity.Tariff{Prices: s.o.Prices.Freeze(), Project: c.caller.Project}
}

// whole makes the row what all answers show: twins fill its gaps, or it is marked as one, and it has its costs.
func (s *Server) whole(ctx context.Context, c *call, row *entity.ObservationRow) error {
	if err := s.markTwins(ctx, c, row); err != nil {
		return err
	}
	s.tariff(c).Price(row)
	return nil
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
	seqs, err := s.duplicates(ctx, c, twins, func(kept, _ entity.Ref) bool { return kept == self })
	if err != nil {
		return err
	}
	recs, err := s.readAll(ctx, c, seqs)
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
