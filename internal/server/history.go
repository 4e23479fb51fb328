package server

import (
	"cmp"
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// entityHistory is the answer of a history.
type entityHistory struct {
	wire.Page[wire.ObservationEvent]
	Ambiguous bool `json:"ambiguous,omitempty"` // as brokle.Observation.Ambiguous
}

// history is an entityHistory whose rows are read while they are written: the facts that an entity was folded from, in the order in which the fold reads them: the last present value wins.
type history struct {
	*reading
	kind        entity.Kind
	id, traceID string
	briefs      entity.Briefs
	seqs        []entity.Seq
	sizes       map[entity.Seq]int32
	ambiguous   bool // as brokle.Observation.Ambiguous
}

// getHistory lists the facts of an entity of the kind.
func getHistory(kind entity.Kind) handler {
	return func(ctx context.Context, s *Server, c *call) (*answer, error) {
		id, err := pathID(c)
		if err != nil {
			return nil, err
		}
		q := query.Reader{Values: c.params}
		h := &history{kind: kind, id: id, traceID: q.Text("trace_id")} // no parameter of other kinds
		if q.Err != nil {
			return nil, q.Err
		}
		seqs, err := s.entityEvents(ctx, c, kind, id)
		if err != nil {
			return nil, err
		}
		if h.reading, err = s.sketched(ctx, c, seqs, eventCopies, h); err != nil {
			return nil, err
		}
		return ok(&streamed{light: h.kept != nil, write: h.write}, nil)
	}
}

func (h *history) begin() { h.briefs = entity.Briefs{Whole: true} }

func (h *history) add(rec *entity.Record) int64 {
	h.briefs.Add(rec)
	return h.briefs.Bytes()
}

func (h *history) end() (largest, bytes int64, err error) {
	h.seqs, h.ambiguous, err = h.briefs.History(h.kind, h.id, h.traceID)
	h.sizes = h.briefs.Sizes()
	h.briefs = entity.Briefs{}
	for _, size := range h.sizes {
		largest = max(largest, int64(size))
	}
	return largest, 48 * int64(len(h.sizes)), err
}

func (h *history) write(ctx context.Context, enc *jsontext.Encoder) error {
	rows := func(add func(*wire.ObservationEvent) error) (*string, error) {
		for rest := h.seqs; len(rest) > 0; {
			n, bytes := 0, 0
			for ; n < len(rest) && n < windowRows; n++ {
				if bytes += int(h.sizes[rest[n]]); bytes > h.s.window && n > 0 {
					break
				}
			}
			recs, err := h.get(ctx, rest[:n])
			if err != nil {
				return nil, err
			}
			at := make(map[entity.Seq]*entity.Record, n)
			for i := range recs {
				at[recs[i].Seq] = &recs[i]
			}
			for _, seq := range rest[:n] {
				row := storedEvent(at[seq])
				if err := add(&row); err != nil {
					return nil, err
				}
			}
			rest = rest[n:]
		}
		return nil, nil
	}
	return writePage(enc, rows, func() error {
		if !h.ambiguous {
			return nil
		}
		return cmp.Or(enc.WriteToken(jsontext.String("ambiguous")), enc.WriteToken(jsontext.True))
	})
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

// storedEvent is a record as answers show it.
func storedEvent(rec *entity.Record) wire.StoredEvent {
	return wire.StoredEvent{
		EventID: rec.Event.ID, EventType: rec.Event.Type, Timestamp: rec.Event.Timestamp.Time, ReceivedAt: rec.ReceivedAt,
		BatchID: rec.BatchID, Environment: rec.Environment, KeyID: rec.KeyID, Payload: rec.Event.Payload,
	}
}
