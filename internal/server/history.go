package server

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// getHistory lists the events that an entity of the kind was folded from, in the
// order in which the fold reads them: the last present value wins.
func getHistory(kind store.Kind) handler {
	return func(ctx context.Context, s *Server, c *call) (*answer, error) {
		id, err := pathID(c)
		if err != nil {
			return nil, err
		}
		recs, err := s.ownRecords(ctx, c.caller.Project, kind, id)
		if err != nil {
			return nil, err
		}
		events := history(recs, kind, id)
		if len(events) == 0 { // erased meanwhile
			return nil, store.ErrNotFound
		}
		return ok(&brokle.Page[brokle.ObservationEvent]{Data: events}, nil)
	}
}

func history(recs []store.Record, kind store.Kind, id string) []brokle.ObservationEvent {
	type ranked struct {
		brokle.ObservationEvent
		rank store.Rank
	}
	var events []ranked
	for i := range recs {
		rec := &recs[i]
		fields, failure := store.Extract(&rec.Event)
		if failure != nil || fields.Kind != kind || fields.EntityID != id {
			continue
		}
		events = append(events, ranked{rank: fields.Rank, ObservationEvent: brokle.ObservationEvent{
			EventID: rec.Event.ID, EventType: rec.Event.Type, Timestamp: rec.Event.Timestamp.Time, ReceivedAt: rec.ReceivedAt,
			BatchID: rec.BatchID, Environment: rec.Environment, Payload: rec.Event.Payload,
		}})
	}
	slices.SortFunc(events, func(a, b ranked) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.rank, b.rank), strings.Compare(a.EventID, b.EventID))
	})
	rows := make([]brokle.ObservationEvent, len(events))
	for i := range events {
		rows[i] = events[i].ObservationEvent
	}
	return rows
}
