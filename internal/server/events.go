package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Bounds of one page of events. A page ends at the first of them, with a cursor:
// it may then hold fewer rows than the limit, even none.
const (
	eventsPageBytes = 8 << 20         // of payloads; one larger event goes alone
	eventsPageTime  = 2 * time.Second // of looking for rows among those of others
	eventsRead      = 500             // records in one read of the Log
)

// eventsQuery is what GET /v1/telemetry/events asks for.
type eventsQuery struct {
	project     string
	from, to    time.Time // of the event's timestamp
	environment string
	limit       int
	after       entity.Seq // the last event of the page before
	until       entity.Seq // the end of the Log when the first page was asked for
}

func (q *eventsQuery) wants(rec *entity.Record) bool {
	at := rec.Event.Timestamp.Time
	return rec.Project == q.project &&
		(q.environment == "" || rec.Environment == q.environment) &&
		(q.from.IsZero() || !at.Before(q.from)) && (q.to.IsZero() || at.Before(q.to))
}

// listEvents pages through the stored events in the order of the Log: what an
// export needs to make the same entities elsewhere.
func listEvents(ctx context.Context, s *Server, c *call, q store.Query) (*wire.Page[wire.StoredEvent], error) {
	eq := &eventsQuery{
		project: c.caller.Project, from: q.From, to: q.To, environment: q.Environment, limit: q.Limit, until: s.o.Log.Head(),
	}
	if q.Cursor != "" && !eq.resume(s.positions, q.Cursor) {
		return nil, badParameter("cursor", "must be the next_cursor of a page of the same query")
	}
	if err := c.question.need(ctx, eventsAnswer); err != nil {
		return nil, err
	}
	if q.TraceID != "" {
		return s.traceEvents(ctx, eq, q.TraceID)
	}
	return s.logEvents(ctx, eq)
}

// logEvents reads the Log itself, so that an event counts as soon as it is accepted.
func (s *Server) logEvents(ctx context.Context, q *eventsQuery) (*wire.Page[wire.StoredEvent], error) {
	page := newEventsPage(q, s.positions)
	end := s.o.Now().Add(eventsPageTime)
	for q.after < q.until && s.o.Now().Before(end) {
		// Read waits only where there is nothing behind after; until was the Head once.
		recs, upto, err := s.o.Log.Read(ctx, q.after, eventsRead)
		if err != nil {
			return nil, err
		}
		for i := range recs {
			if recs[i].Seq > q.until || !q.wants(&recs[i]) {
				continue
			}
			if !page.add(&recs[i]) {
				return page.more(), nil
			}
		}
		q.after = upto
	}
	if q.after < q.until {
		return page.more(), nil
	}
	return &page.Page, nil
}

// traceEvents gets the events that fold into one trace, of which the Warehouse
// knows the places.
func (s *Server) traceEvents(ctx context.Context, q *eventsQuery, traceID string) (*wire.Page[wire.StoredEvent], error) {
	page := newEventsPage(q, s.positions)
	seqs, err := store.TraceEvents(ctx, s.o.Warehouse, q.project, traceID)
	if errors.Is(err, store.ErrNotFound) {
		return &page.Page, nil
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(seqs)
	first, _ := slices.BinarySearch(seqs, q.after+1)
	full := false
	err = s.steps(ctx, seqs[first:], func(step []entity.Record) bool {
		for i := range step {
			if full = q.wants(&step[i]) && !page.add(&step[i]); full {
				return false
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	if full {
		return page.more(), nil
	}
	return &page.Page, nil
}

// eventsPage is a page that is being filled.
type eventsPage struct {
	wire.Page[wire.StoredEvent]
	q         *eventsQuery
	positions *positions
	bytes     int
}

func newEventsPage(q *eventsQuery, sealing *positions) *eventsPage {
	return &eventsPage{q: q, positions: sealing, Page: wire.Page[wire.StoredEvent]{Data: []wire.StoredEvent{}}}
}

// add takes rec, or says that the page is full.
func (p *eventsPage) add(rec *entity.Record) bool {
	if len(p.Data) == p.q.limit || len(p.Data) > 0 && p.bytes+len(rec.Event.Payload) > eventsPageBytes {
		return false
	}
	p.bytes += len(rec.Event.Payload)
	p.q.after = rec.Seq
	p.Data = append(p.Data, storedEvent(new(owned(*rec))))
	return true
}

// more is the page, to be continued behind its last event.
func (p *eventsPage) more() *wire.Page[wire.StoredEvent] {
	cursor := p.positions.seal(ofEvents, p.q.project, p.q.after, p.q.until)
	p.NextCursor = &cursor
	return &p.Page
}

// resume sets the query behind a cursor that more made. The Log may have been put
// back to an older copy since: then the place is not there.
func (q *eventsQuery) resume(sealing *positions, cursor string) bool {
	head := q.until
	return sealing.open(cursor, ofEvents, q.project, &q.after, &q.until) && q.after <= q.until && q.until <= head
}
