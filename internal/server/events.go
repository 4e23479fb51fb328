package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Bounds of one page of events. A page ends at the first of them, with a cursor:
// it may then hold fewer rows than the limit, even none.
const (
	eventsPageBytes = 8 << 20         // of payloads; one larger event goes alone
	eventsPageTime  = 2 * time.Second // of looking for rows among those of others
)

// eventsQuery is what GET /v1/telemetry/events asks for.
type eventsQuery struct {
	store.EventFilter
	limit int
	after entity.Seq // the last event of the page before
	until entity.Seq // the end of the Log when the first page was asked for
}

// wanted are those of recs that the query asks for, in memory of their own: a client may take long to read them.
func (q *eventsQuery) wanted(recs []entity.Record) []entity.Record {
	var wanted []entity.Record
	for i := range recs {
		if recs[i].Seq <= q.until && q.Has(&recs[i]) {
			wanted = append(wanted, owned(recs[i]))
		}
	}
	return wanted
}

// listEvents pages through the stored events in the order of the Log: what an
// export needs to make the same entities elsewhere: media are in their payloads again. The page is written while it is read.
func listEvents(ctx context.Context, s *Server, c *call) (*answer, error) {
	q, _, err := query.Parse(query.Events, c.params)
	if err != nil {
		return nil, err
	}
	of := store.EventFilter{Project: c.caller.Project, From: q.From, To: q.To, Environment: q.Environment, KeyID: q.KeyID}
	eq := eventsQuery{EventFilter: of, limit: q.Limit, until: s.o.Events.Head()}
	if q.Cursor != "" && !eq.resume(s.places(), q.Cursor) {
		return nil, badParameter("cursor", "must be the next_cursor of a page of the same query")
	}
	read := s.logEvents
	if q.TraceID != "" {
		seqs, err := store.TraceEvents(ctx, s.o.Warehouse, eq.Project, q.TraceID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		slices.Sort(seqs)
		first, _ := slices.BinarySearch(seqs, eq.after+1)
		read = s.eventsOf(seqs[first:])
	}
	if err := c.question.need(ctx, streamWeight(eventCopies, max(readBytes, int64(s.o.Limits.MaxPayloadBytes)), 0)); err != nil {
		return nil, err
	}
	return ok(&streamed{write: func(ctx context.Context, enc *jsontext.Encoder) error {
		q := eq // it may be written again
		return writePage(enc, func(add func(*wire.StoredEvent) error) (*string, error) {
			page := &eventsPage{q: &q, size: s.wholeSize, add: func(rec *entity.Record, size int) error {
				if err := s.makeWhole(ctx, c, rec, size); err != nil {
					return err
				}
				row := storedEvent(rec)
				return add(&row)
			}}
			full, err := read(ctx, page)
			if err != nil || !full {
				return nil, err
			}
			cursor := s.places().seal(ofEvents, q.Project, q.after, q.until)
			return &cursor, nil
		}, nil)
	}}, nil)
}

// eventCopies is how often each byte of an event's payload is there while a page of events is written.
const eventCopies = 3

// logEvents reads the Log itself, or what all nodes have, so that an event counts as soon as it is accepted. more says that the page ends before the Log does.
func (s *Server) logEvents(ctx context.Context, page *eventsPage) (more bool, err error) {
	q := page.q
	var worked time.Duration // without what the client takes
	for next := s.o.FirstRead; q.after < q.until; {
		if worked >= eventsPageTime {
			return true, nil
		}
		began := s.o.Now()
		// Read waits only where there is nothing behind after; until was the Head once.
		recs, upto, err := s.o.Events.ReadOf(ctx, &q.EventFilter, q.after, next)
		if err != nil {
			return false, err
		}
		next = nextRead(next, recs)
		recs = q.wanted(recs)
		worked += s.o.Now().Sub(began)
		if full, err := page.take(recs); full || err != nil {
			return full, err
		}
		q.after = upto
	}
	return false, nil
}

// eventsOf gets the events of one trace, of which the Warehouse knows the places.
func (s *Server) eventsOf(seqs []entity.Seq) func(context.Context, *eventsPage) (bool, error) {
	return func(ctx context.Context, page *eventsPage) (more bool, err error) {
		broken := s.steps(ctx, seqs, func(step []entity.Record) bool {
			more, err = page.take(page.q.wanted(step))
			return !more && err == nil
		})
		return more, cmp.Or(err, broken)
	}
}

// eventsPage is a page that is being written.
type eventsPage struct {
	q     *eventsQuery
	size  func(*entity.Record) int // of the payload with its media, which go out with it
	add   func(rec *entity.Record, size int) error
	rows  int
	bytes int
}

// take writes records, or says that the page is full before the last of them.
func (p *eventsPage) take(recs []entity.Record) (full bool, err error) {
	for i := range recs {
		rec := &recs[i]
		size := p.size(rec)
		if p.rows == p.q.limit || p.rows > 0 && p.bytes+size > eventsPageBytes {
			return true, nil
		}
		p.rows++
		p.bytes += size
		p.q.after = rec.Seq
		if err := p.add(rec, size); err != nil {
			return false, err
		}
		*rec = entity.Record{} // its payload has been written
	}
	return false, nil
}

// writePage writes a wire.Page of rows that come one after another, with more members behind it.
func writePage[R any](enc *jsontext.Encoder, rows func(add func(*R) error) (next *string, err error), more func() error) error {
	tokens := func(tokens ...jsontext.Token) (err error) {
		for _, t := range tokens {
			err = cmp.Or(err, enc.WriteToken(t))
		}
		return err
	}
	if err := tokens(jsontext.BeginObject, jsontext.String("data"), jsontext.BeginArray); err != nil {
		return err
	}
	next, err := rows(func(row *R) error { return json.MarshalEncode(enc, row) })
	if err != nil {
		return err
	}
	end := jsontext.Null
	if next != nil {
		end = jsontext.String(*next)
	}
	if err := tokens(jsontext.EndArray, jsontext.String("next_cursor"), end); err != nil {
		return err
	}
	if more != nil {
		if err := more(); err != nil {
			return err
		}
	}
	return tokens(jsontext.EndObject)
}

// resume sets the query behind a cursor that more made. The Log may have been put
// back to an older copy since: then the place is not there.
func (q *eventsQuery) resume(sealing *positions, cursor string) bool {
	head := q.until
	return sealing.open(cursor, ofEvents, q.Project, &q.after, &q.until) && q.after <= q.until && q.until <= head
}
