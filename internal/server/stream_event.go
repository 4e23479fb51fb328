package server

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// liveEvent is one event on its way to any number of streams.
type liveEvent struct {
	rec *entity.Record

	once    sync.Once // makes what follows
	fields  *entity.Fields
	message []byte // as it is sent; nil for an event that cannot be read
}

// streamed is the data of a message: a brokle.Event and where it came from.
type streamed struct {
	wire.Event
	ReceivedAt  time.Time `json:"received_at"`
	BatchID     string    `json:"batch_id"`
	Environment string    `json:"environment"`
	TraceID     string    `json:"trace_id,omitempty"`
	EntityID    string    `json:"entity_id,omitempty"`
}

// prepare extracts the fields and encodes the message, the first time.
func (e *liveEvent) prepare(s *Server) {
	e.once.Do(func() {
		if e.fields = e.rec.Fields; e.fields == nil {
			fields, failure := extract.Extract(&e.rec.Event)
			if failure != nil { // what no query can show either
				return
			}
			e.fields = fields
		}
		data, err := s.encode(streamed{
			Event: e.rec.Event, ReceivedAt: e.rec.ReceivedAt, BatchID: e.rec.BatchID,
			Environment: e.environment(), TraceID: e.traceID(), EntityID: e.fields.EntityID,
		})
		if err != nil {
			s.o.Logger.Error("encode a streamed event", "seq", e.rec.Seq, "error", err)
			return
		}
		// A line break between two tokens of a payload would end the message's line.
		data = bytes.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, data)
		e.message = slices.Concat([]byte("id: "+s.streamID(e.rec.Project, e.rec.Seq)+"\nevent: event\ndata: "), data, []byte("\n\n"))
	})
}

func (e *liveEvent) text(f entity.Field) string {
	v, _ := e.fields.Get(f)
	return v.Text
}

func (e *liveEvent) environment() string {
	if env := e.text(entity.Environment); env != "" {
		return env
	}
	return e.rec.Environment
}

func (e *liveEvent) traceID() string {
	if e.fields.Kind == entity.TraceKind {
		return e.fields.EntityID
	}
	return e.text(entity.TraceID)
}

// eventFilter is what a stream asks of a single event.
type eventFilter struct {
	texts     []textCondition
	tag       string
	hasError  *bool
	eventType []wire.EventType
}

type textCondition struct {
	of   func(*liveEvent) string
	want string
}

func streamParams() []string {
	return []string{"name", "user_id", "session_id", "environment", "tag", "model", "type", "level", "trace_id", "has_error",
		"event_type", "last_event_id"}
}

// eventFilter reads the conditions of a stream; all must hold.
func (q *query) eventFilter() eventFilter {
	f := eventFilter{tag: q.text("tag"), hasError: q.boolean("has_error")}
	field := func(name string, field entity.Field) {
		f.add(q.text(name), func(e *liveEvent) string { return e.text(field) })
	}
	field("name", entity.Name)
	field("user_id", entity.UserID)
	field("session_id", entity.SessionID)
	field("model", entity.Model)
	field("type", entity.ObservationType)
	f.add(q.text("environment"), (*liveEvent).environment)
	f.add(q.text("trace_id"), (*liveEvent).traceID)
	f.add(strings.ToUpper(q.text("level")), func(e *liveEvent) string { return e.text(entity.Level) })
	for _, name := range q.list("event_type", maxEventTypes) {
		typ, ok := wire.EventType(name).Canonical()
		if !ok {
			q.fail("event_type", "must be a comma list of event types such as trace_create")
		}
		f.eventType = append(f.eventType, typ)
	}
	return f
}

func (f *eventFilter) add(want string, of func(*liveEvent) string) {
	if want != "" {
		f.texts = append(f.texts, textCondition{of: of, want: want})
	}
}

// takes says whether a prepared event meets all conditions.
func (f *eventFilter) takes(e *liveEvent) bool {
	for _, c := range f.texts {
		if c.of(e) != c.want {
			return false
		}
	}
	if f.tag != "" {
		tags, _ := e.fields.Get(entity.Tags)
		if !slices.Contains(tags.List, f.tag) {
			return false
		}
	}
	if f.hasError != nil && *f.hasError != (e.text(entity.Level) == "ERROR") {
		return false
	}
	return len(f.eventType) == 0 || slices.Contains(f.eventType, e.rec.Event.Type)
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
