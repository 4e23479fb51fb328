package server

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// getSpan answers with all exports of an observation's span and its log records, as they were received. What came as
// no span has none.
func getSpan(ctx context.Context, s *Server, c *call) (*answer, error) {
	_, recs, err := s.wholeObservation(ctx, c)
	if err != nil {
		return nil, err
	}
	return spansOr404(outgoing.Received(recs))
}

// getExplanation says by which rule each field of an observation has its value.
func getExplanation(ctx context.Context, s *Server, c *call) (*answer, error) {
	row, recs, err := s.wholeObservation(ctx, c)
	if err != nil {
		return nil, err
	}
	why := detail.Explain(row, recs)
	own := row.Observation
	if err := s.markTwins(ctx, c, row); err != nil {
		return nil, err
	}
	why.Twins(&own, &row.Observation)
	prices := s.o.Prices.Freeze()
	how := prices.Explain(c.caller.Project, row)
	entity.Tariff{Prices: prices, Project: c.caller.Project}.Price(row)
	why.Costs(&row.Observation, how.Line())
	return ok(why, nil)
}

// traceAsOTLP answers with a whole trace as OTLP, whichever doors it came by.
func (s *Server) traceAsOTLP(ctx context.Context, c *call, id string) (*answer, error) {
	o, err := s.outline(ctx, c, outlining{id: id, copies: detailCopies, otlp: true})
	if err != nil {
		return nil, err
	}
	if o.plan.Spans() == 0 {
		return nil, store.ErrNotFound
	}
	return ok(&streamed{light: o.kept != nil, write: func(ctx context.Context, enc *jsontext.Encoder) error {
		return o.plan.WriteTo(enc, s.window, func(seqs []entity.Seq) (map[entity.Seq]entity.Record, error) { return o.bySeq(ctx, seqs) })
	}}, nil)
}

func spansOr404(r *outgoing.Request) (*answer, error) {
	if r.Spans == 0 {
		return nil, store.ErrNotFound
	}
	return ok(r, nil)
}
