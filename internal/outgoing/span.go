package outgoing

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Scope names the instrumentation of spans that are made here.
const Scope = "brokle.export"

// span is one of OTLP in JSON.
type span struct {
	TraceID    string            `json:"traceId"`
	SpanID     string            `json:"spanId"`
	ParentID   string            `json:"parentSpanId,omitempty"`
	Name       string            `json:"name"`
	Kind       int               `json:"kind"`
	Start      string            `json:"startTimeUnixNano"`
	End        string            `json:"endTimeUnixNano"`
	Attributes []json.RawMessage `json:"attributes"`
	Status     status            `json:"status"`
}

type status struct {
	Message string `json:"message,omitempty"`
	Code    int    `json:"code,omitempty"`
}

// The numbers of OTLP.
const (
	kindInternal = 1
	kindClient   = 3
	codeError    = 2
)

// operations are the values of gen_ai.operation.name by type.
var operations = map[string]string{
	"generation": "chat", "llm": "chat", "embedding": "embeddings", "tool": "execute_tool", "agent": "invoke_agent", "retrieval": "retrieval", "reranker": "rerank",
}

// ofObservation is the span of an observation. below says that its trace has a span of its own.
func ofObservation(project string, o *entity.ObservationRow, below bool) *otlp.Item {
	trace := o.TraceID
	if trace == "" { // of no trace yet: one of its own
		trace = o.ID
	}
	s := &span{TraceID: traceID(trace), SpanID: spanID(trace, o.ID), Name: cmp.Or(o.Name, "unnamed"), Kind: kindInternal}
	switch {
	case o.ParentObservationID != "":
		s.ParentID = spanID(trace, o.ParentObservationID)
	case below:
		s.ParentID = rootID(trace)
	}
	s.times(o.StartTime, o.EndTime, o.LatencyMS)
	a := &attributes{}
	if s.SpanID != o.ID {
		a.text("brokle.id", o.ID)
	}
	if s.TraceID != o.TraceID {
		a.text("brokle.trace_id", o.TraceID)
	}
	a.text("brokle.span.type", o.Type)
	a.text("gen_ai.operation.name", operations[o.Type])
	s.outcome(a, o)
	if operations[o.Type] == "chat" || operations[o.Type] == "embeddings" {
		s.Kind = kindClient
	}
	a.call(o)
	a.text("session.id", o.SessionID)
	a.text("user.id", o.UserID)
	a.text("brokle.version", o.Version)
	a.text("brokle.release", o.Release)
	a.texts("tags", o.Tags)
	a.content(o)
	a.payload("metadata", o.Metadata)
	a.payload("brokle.usage", o.Usage)
	a.number("brokle.quality_score", o.QualityScore)
	a.members("", o.Attributes)
	return s.item(project, o.Environment, a)
}

// stretch is from when to when something went on, and whether its outermost part failed.
type stretch struct {
	start  time.Time
	end    *time.Time
	failed bool
}

// with adds an observation.
func (s *stretch) with(start time.Time, end *time.Time, failed bool) {
	if start.Before(s.start) {
		s.start = start
	}
	if end != nil && (s.end == nil || end.After(*s.end)) {
		s.end = end
	}
	s.failed = s.failed || failed
}

// ofTrace is the span of what a trace says of itself; over is its own time and that of the observations below it.
func ofTrace(project string, t *wire.Trace, over stretch) *otlp.Item {
	s := &span{TraceID: traceID(t.ID), SpanID: rootID(t.ID), Name: cmp.Or(t.Name, "trace"), Kind: kindInternal}
	s.times(over.start, over.end, nil)
	if over.failed {
		s.Status.Code = codeError
	}
	a := &attributes{}
	if s.TraceID != t.ID {
		a.text("brokle.trace_id", t.ID)
	}
	a.text("brokle.span.type", "span")
	a.text("session.id", t.SessionID)
	a.text("user.id", t.UserID)
	a.text("brokle.version", t.Version)
	a.text("brokle.release", t.Release)
	a.text("brokle.parent_trace_id", t.ParentTraceID)
	a.texts("tags", t.Tags)
	a.payload("input.value", t.Input)
	a.payload("output.value", t.Output)
	a.payload("metadata", t.Metadata)
	return s.item(project, t.Environment, a)
}

// times sets start and end. OTLP knows no span without an end: it ends when it starts.
func (s *span) times(start time.Time, end *time.Time, latencyMS *float64) {
	last := start
	switch {
	case end != nil:
		last = *end
	case latencyMS != nil:
		last = start.Add(time.Duration(*latencyMS * float64(time.Millisecond)))
	}
	s.Start, s.End = nanos(start), nanos(last)
}

// nanos are nanoseconds since 1970; what was before is 0, which is not known.
func nanos(t time.Time) string { return strconv.FormatInt(max(t.UnixNano(), 0), 10) }

// outcome sets how the observation ended.
func (s *span) outcome(a *attributes, o *entity.ObservationRow) {
	a.text("error.type", o.ErrorType)
	if o.Level != "DEFAULT" {
		a.text("brokle.span.level", o.Level)
	}
	if o.Status == entity.StatusOK {
		a.text("brokle.status_message", o.StatusMessage)
		return
	}
	s.Status = status{o.StatusMessage, codeError}
	if o.Status == entity.StatusAborted {
		a.text("brokle.status", o.Status)
	}
}

// item is the span under its resource and scope.
func (s *span) item(project, environment string, a *attributes) *otlp.Item {
	if s.Attributes = a.list; a.list == nil {
		s.Attributes = []json.RawMessage{}
	}
	return &otlp.Item{Resource: resourceOf(project, environment), Scope: ownScope(), Raw: encoded(s)}
}

// resourceOf is the resource of spans that are made here.
func resourceOf(project, environment string) json.RawMessage {
	resource := &attributes{}
	resource.text("service.name", cmp.Or(project, "brokle"))
	if environment != "default" {
		resource.text("deployment.environment.name", environment)
	}
	return encoded(map[string]any{"attributes": resource.list})
}

func ownScope() json.RawMessage { return encoded(map[string]any{"name": Scope}) }
