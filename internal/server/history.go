package server

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// entityHistory is the answer of a history.
type entityHistory struct {
	wire.Page[wire.ObservationEvent]
	Ambiguous bool `json:"ambiguous,omitempty"` // as brokle.Observation.Ambiguous
}

// getHistory lists the facts that an entity of the kind was folded from, in the
// order in which the fold reads them: the last present value wins.
func getHistory(kind entity.Kind) handler {
	return func(ctx context.Context, s *Server, c *call) (*answer, error) {
		id, err := pathID(c)
		if err != nil {
			return nil, err
		}
		q := query.Reader{Values: c.params}
		traceID := q.Text("trace_id") // no parameter of other kinds
		if q.Err != nil {
			return nil, q.Err
		}
		fold, err := s.ownEvents(ctx, c, kind, id)
		if err != nil {
			return nil, err
		}
		if kind != entity.ObservationKind {
			return ok(&entityHistory{Page: historyPage(fold.Facts())}, nil)
		}
		row, err := fold.Observation(id, traceID)
		if err != nil {
			return nil, err
		}
		return ok(&entityHistory{Page: historyPage(only(fold.Facts(), row.Seqs)), Ambiguous: row.Ambiguous}, nil)
	}
}

// only returns the records of seqs, in the order of recs.
func only(recs []*entity.Record, seqs []entity.Seq) []*entity.Record {
	wanted := make(map[entity.Seq]bool, len(seqs))
	for _, seq := range seqs {
		wanted[seq] = true
	}
	var out []*entity.Record
	for _, rec := range recs {
		if wanted[rec.Seq] {
			out = append(out, rec)
		}
	}
	return out
}

func historyPage(recs []*entity.Record) wire.Page[wire.ObservationEvent] {
	rows := make([]wire.ObservationEvent, len(recs))
	for i, rec := range recs {
		rows[i] = storedEvent(rec)
	}
	return wire.Page[wire.ObservationEvent]{Data: rows}
}

// storedEvent is a record as answers show it.
func storedEvent(rec *entity.Record) wire.StoredEvent {
	return wire.StoredEvent{
		EventID: rec.Event.ID, EventType: rec.Event.Type, Timestamp: rec.Event.Timestamp.Time, ReceivedAt: rec.ReceivedAt,
		BatchID: rec.BatchID, Environment: rec.Environment, Payload: rec.Event.Payload,
	}
}
