package server

import (
	"context"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/live"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// getStream is GET /v1/telemetry/stream: the project's events as they are accepted.
func getStream(_ context.Context, s *Server, c *call) (*answer, error) {
	q := query.Reader{Values: c.params}
	st := live.Stream{
		Project: c.caller.Project, Filter: eventFilter(&q), After: s.o.Log.Head(), Stopping: s.stopping,
		Allowed: func() bool { return s.desk.Still(c.caller, keyring.ScopeRead) },
	}
	last := c.r.Header.Get("Last-Event-ID")
	if last == "" {
		last = q.Text("last_event_id")
	}
	if last != "" {
		at, ok := s.parseStreamID(c.caller.Project, last)
		if !ok || at > st.After {
			q.Fail("last_event_id", "is no id of this node's stream; begin without one")
		}
		st.After = at
	}
	if q.Err != nil {
		return nil, q.Err
	}
	if s.stopping.Err() != nil || s.live.Streams() >= s.o.MaxStreams {
		p := s.unavailable(nil)
		p.code = codeOverloaded
		p.message = "there are as many streams as there may be"
		if s.stopping.Err() != nil {
			p.code, p.message = codeUnavailable, "the server stops"
		}
		return nil, p
	}
	return &answer{status: http.StatusOK, stream: func() { s.live.Serve(c.r.Context(), c.w, st) }}, nil
}

// eventFilter reads the conditions of a stream.
func eventFilter(q *query.Reader) live.Filter {
	f := live.Filter{Filter: q.Filter(query.Stream)}
	for _, name := range q.List("event_type", query.MaxEventTypes) {
		typ, ok := wire.EventType(name).Canonical()
		if !ok {
			q.Fail("event_type", "must be a comma list of event types such as trace_create")
		}
		f.EventTypes = append(f.EventTypes, typ)
	}
	return f
}

// streamBegin is the place before the first event.
const streamBegin = "0"

// streamID is a place in the Log as the project sees it.
func (s *Server) streamID(project string, at entity.Seq) string {
	return s.positions.seal(ofStream, project, at)
}

func (s *Server) parseStreamID(project, id string) (at entity.Seq, ok bool) {
	if id == streamBegin {
		return 0, true
	}
	ok = s.positions.open(id, ofStream, project, &at)
	return at, ok
}
