package server

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// getSpan answers with all exports of an observation's span and its log records, as they were received. What came as
// no span has none.
func getSpan(ctx context.Context, s *Server, c *call) (*answer, error) {
	_, recs, err := s.askedObservation(ctx, c)
	if err != nil {
		return nil, err
	}
	return spansOr404(outgoing.Received(recs))
}

// getExplanation says by which rule each field of an observation has its value.
func getExplanation(ctx context.Context, s *Server, c *call) (*answer, error) {
	row, recs, err := s.askedObservation(ctx, c)
	if err != nil {
		return nil, err
	}
	why := detail.Explain(row, recs)
	own := row.Observation
	if err := s.markTwins(ctx, c, row); err != nil {
		return nil, err
	}
	why.Twins(&own, &row.Observation)
	return ok(why, nil)
}

// traceAsOTLP answers with a whole trace as OTLP, whichever doors it came by.
func traceAsOTLP(recs []entity.Record, id string) (*answer, error) {
	return spansOr404(outgoing.OfTrace(recs, id))
}

func spansOr404(r *outgoing.Request) (*answer, error) {
	if r.Spans == 0 {
		return nil, store.ErrNotFound
	}
	return ok(r, nil)
}

// fillTrace gives each observation of a trace what the answer about it alone has.
func fillTrace(t *wire.Trace, recs []entity.Record) {
	of := map[string][]entity.Record{}
	for i := range recs {
		if f := recs[i].Fields; f != nil && f.Kind == entity.ObservationKind {
			of[f.EntityID] = append(of[f.EntityID], recs[i])
		}
	}
	var fill func([]*wire.Observation)
	fill = func(observations []*wire.Observation) {
		for _, o := range observations {
			// Both are there: the trace was folded from them.
			if fold, err := entity.FoldOf(of[o.ID], entity.ObservationKind, o.ID); err == nil {
				if row, err := fold.Observation(o.ID, t.ID); err == nil {
					detail.Fill(o, only(fold.Facts(), row.Seqs))
				}
			}
			fill(o.Children)
		}
	}
	fill(t.Observations)
}
