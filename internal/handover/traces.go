package handover

import (
	"context"
	"errors"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// sample is the ids of traces from both ends of several orders.
func (c *Comparison) sample(ctx context.Context, project string) (ids []string, err error) {
	met := map[string]bool{}
	for _, by := range []string{"start_time", "total_cost", "latency_ms", "observation_count"} {
		for _, asc := range []bool{false, true} {
			page, err := query.ListTraces(ctx, c.Of, project, store.Query{Order: store.Order{By: by, Asc: asc, Limit: sampledTraces}})
			if err != nil {
				return nil, fmt.Errorf("sample traces: %w", err)
			}
			for _, row := range page.Data {
				if !met[row.ID] {
					met[row.ID] = true
					ids = append(ids, row.ID)
				}
			}
		}
	}
	return ids, nil
}

// trace compares a trace: its row, those of its observations and of its scores, which of these are one call, and its events with their payloads.
func (c *Comparison) trace(ctx context.Context, project, id string) error {
	c.found.Traces++
	events := 0
	err := c.ask(ctx, fmt.Sprintf("%s: trace %s", project, id), func(ctx context.Context, s *Side) (answer, error) {
		a, n, err := traceOf(ctx, s, project, id)
		events = n
		return a, err
	})
	c.found.Events += events
	return err
}

func traceOf(ctx context.Context, s *Side, project, id string) (answer, int, error) {
	yes := true
	q := store.Query{Filter: store.Filter{TraceID: id, Duplicates: &yes}, Order: store.Order{Limit: mostRows}}
	observations, err := query.ListObservations(ctx, s, project, q)
	all, err := rowsOf(observations, err, func(r *wire.Observation) string { return "observation " + r.ID })
	if err != nil {
		return nil, 0, err
	}
	q.Duplicates = nil
	page, err := query.ListScores(ctx, s, project, q)
	scores, err := rowsOf(page, err, func(r *wire.Score) string { return "score " + r.ID })
	if err != nil {
		return nil, 0, err
	}
	for key, row := range scores {
		all[key] = row
	}
	refs, err := s.Twins(ctx, project, store.EventRef{TraceID: id})
	if err != nil {
		return nil, 0, err
	}
	for of, kept := range refs {
		all[fmt.Sprintf("twin %s %s", of.TraceID, of.ID)] = kept.TraceID + " " + kept.ID
	}
	n, err := eventsOf(ctx, s, project, id, all)
	return all, n, err
}

// eventsOf adds the events of a trace, as they were sent.
func eventsOf(ctx context.Context, s *Side, project, id string, all answer) (n int, err error) {
	seqs, err := store.TraceEvents(ctx, s, project, id)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	recs, err := s.Records.Get(ctx, seqs)
	if err != nil {
		return 0, err
	}
	for place, r := range recs { // in their order, which decides between equal times
		e := &r.Event
		all[fmt.Sprintf("event %d", place)] = fmt.Sprintf("%q %q %d %q %q %q %d %q %s", e.ID, e.Type, e.Timestamp.UnixMicro(), r.Environment, r.BatchID, r.KeyID, r.ReceivedAt.UnixMicro(), r.Notes, e.Payload)
	}
	return len(recs), nil
}
