package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/live"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// getStream is GET /v1/telemetry/stream: the project's events as they are accepted.
func getStream(_ context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	st := live.Stream{
		Project: c.caller.Project, Filter: q.eventFilter(), After: s.o.Log.Head(), Stopping: s.stopping,
		Allowed: func() bool { return s.desk.Still(c.caller, keyring.ScopeRead) },
	}
	last := c.r.Header.Get("Last-Event-ID")
	if last == "" {
		last = q.text("last_event_id")
	}
	if last != "" {
		at, ok := s.parseStreamID(c.caller.Project, last)
		if !ok || at > st.After {
			q.fail("last_event_id", "is no id of this node's stream; begin without one")
		}
		st.After = at
	}
	if q.err != nil {
		return nil, q.err
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

func streamParams() []string {
	return []string{"name", "user_id", "session_id", "environment", "tag", "model", "type", "level", "trace_id", "has_error",
		"event_type", "last_event_id"}
}

// eventFilter reads the conditions of a stream.
func (q *query) eventFilter() live.Filter {
	f := live.Filter{
		Name: q.text("name"), UserID: q.text("user_id"), SessionID: q.text("session_id"), Environment: q.text("environment"),
		Model: q.text("model"), Type: q.text("type"), TraceID: q.text("trace_id"), Level: strings.ToUpper(q.text("level")),
		Tag: q.text("tag"), HasError: q.boolean("has_error"),
	}
	for _, name := range q.list("event_type", maxEventTypes) {
		typ, ok := wire.EventType(name).Canonical()
		if !ok {
			q.fail("event_type", "must be a comma list of event types such as trace_create")
		}
		f.EventTypes = append(f.EventTypes, typ)
	}
	return f
}

// streamBegin is the place before the first event.
const streamBegin = "0"

// streamID is a place in the Log as the project sees it.
func (s *Server) streamID(project string, at entity.Seq) string {
	return s.positions.seal(streamPlace, project, at)
}

func (s *Server) parseStreamID(project, id string) (at entity.Seq, ok bool) {
	if id == streamBegin {
		return 0, true
	}
	ok = s.positions.open(id, streamPlace, project, &at)
	return at, ok
}
