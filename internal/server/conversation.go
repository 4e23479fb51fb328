package server

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Bounds of one answer of a session: its traces come with their payloads.
const (
	maxSessionTraces = 200
	maxSessionBytes  = 16 << 20 // of payloads; one trace comes however large it is
)

// getTraceSession is the session with its traces, oldest first, as many as fit.
func getTraceSession(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query.Reader{Values: c.params}
	cursor := q.Text("cursor")
	if q.Err != nil {
		return nil, q.Err
	}
	of := store.Filter{SessionID: id}
	page, err := query.ListSessions(ctx, s.o.Warehouse, c.caller.Project, store.Query{Filter: of, Order: store.Order{Limit: 1}})
	if err != nil {
		return nil, err
	}
	if len(page.Data) == 0 {
		return nil, store.ErrNotFound
	}
	session := &conversation{reading: reading{s: s, kept: map[entity.Seq]entity.Record{}}, Session: wire.Session{SessionSummary: page.Data[0]}}
	tq := store.Query{Filter: of, Order: store.Order{By: "start_time", Asc: true, Limit: maxSessionTraces, Cursor: cursor}}
	if err := session.find(ctx, c, tq); err != nil {
		return nil, err
	}
	return ok(&streamed{light: session.kept != nil, write: session.write}, nil)
}

// conversation is a session as its answer. Input and output of its traces are read while it is written.
type conversation struct {
	reading
	wire.Session
	seqs  map[string][]entity.Seq // a trace's own events
	bytes int64                   // of their payloads that were weighed
}

// find finds the traces of the page. When they are too large together, as many as fit are asked for again: that page has the right cursor.
func (v *conversation) find(ctx context.Context, c *call, tq store.Query) error {
	page, err := query.ListTraces(ctx, v.s.o.Warehouse, c.caller.Project, tq)
	if err != nil {
		return err
	}
	n, err := v.fit(ctx, c, page.Data)
	if err != nil {
		return err
	}
	if n < len(page.Data) {
		tq.Limit = n
		if page, err = query.ListTraces(ctx, v.s.o.Warehouse, c.caller.Project, tq); err != nil {
			return err
		}
	}
	v.Traces, v.NextCursor = make([]wire.SessionTrace, len(page.Data)), page.NextCursor
	for i := range page.Data {
		v.Traces[i].TraceSummary = page.Data[i]
	}
	return nil
}

// fit is how many of the traces have, with what went in and came out, at most maxSessionBytes together, and one in any case. It takes the
// room for an answer with them.
func (v *conversation) fit(ctx context.Context, c *call, summaries []wire.TraceSummary) (n int, err error) {
	ids := make([]string, len(summaries))
	for i := range summaries {
		ids[i] = summaries[i].ID
	}
	if v.seqs, err = store.EntityEvents(ctx, v.s.o.Warehouse, c.caller.Project, entity.TraceKind, ids); err != nil {
		return 0, err
	}
	most := int64(0)
	for room := maxSessionBytes; n < len(ids); n++ {
		events, err := v.weigh(ctx, v.seqs[ids[n]])
		if err != nil {
			return 0, err
		}
		if needs := streamWeight(eventCopies, max(most, events), smallAnswer); needs > c.question.bytes {
			if err := c.question.need(ctx, needs); err != nil {
				return 0, err
			}
		}
		trace, err := v.fold(ctx, ids[n])
		if err != nil {
			return 0, err
		}
		if room -= len(trace.Input) + len(trace.Output); room < 0 && n > 0 {
			break
		}
		most = max(most, events)
	}
	return n, nil
}

// weigh is how many bytes of payloads events have. They are kept while those of all traces are few.
func (v *conversation) weigh(ctx context.Context, seqs []entity.Seq) (bytes int64, err error) {
	err = v.s.steps(ctx, seqs, func(step []entity.Record) bool {
		for i := range step {
			bytes += int64(len(step[i].Event.Payload))
			if v.bytes += int64(len(step[i].Event.Payload)); v.bytes > int64(v.s.window) {
				v.kept = nil
			}
			if v.kept != nil {
				v.kept[step[i].Seq] = owned(step[i])
			}
		}
		return true
	})
	return bytes, err
}

// fold is a trace as its own events say it: it may have none.
func (v *conversation) fold(ctx context.Context, id string) (*wire.Trace, error) {
	recs, err := v.get(ctx, v.seqs[id])
	if err != nil {
		return nil, err
	}
	extract.Fill(recs)
	detail.Join(recs)
	trace, err := entity.FoldTrace(recs, id)
	if errors.Is(err, store.ErrNotFound) {
		return &wire.Trace{}, nil
	}
	return trace, err
}

// sessionTrace is one that is written as it is.
type sessionTrace wire.SessionTrace

func (v *conversation) write(ctx context.Context, enc *jsontext.Encoder) error {
	one := func(enc *jsontext.Encoder, t wire.SessionTrace) error {
		whole, err := v.fold(ctx, t.ID)
		if err != nil {
			return err
		}
		t.Input, t.Output = whole.Input, whole.Output
		return json.MarshalEncode(enc, sessionTrace(t))
	}
	return json.MarshalEncode(enc, &v.Session, json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(one), times())))
}
