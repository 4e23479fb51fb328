package brokle

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// ActiveTrace is a trace being recorded. A nil one takes every call and does nothing,
// so that code need not ask whether telemetry is on. It is safe for concurrent use.
type ActiveTrace struct {
	c    *Client
	id   string
	done atomic.Bool
}

// ActiveObservation is an observation being recorded: a generation, a span, a
// tool call. A nil one takes every call and does nothing. It is safe for concurrent use.
type ActiveObservation struct {
	trace *ActiveTrace
	id    string
	done  atomic.Bool
}

// The observation types that the wire names. Others are kept as sent.
const (
	TypeSpan       = "span"
	TypeGeneration = "generation"
	TypeLLM        = "llm"
	TypeEvent      = "event"
	TypeRetrieval  = "retrieval"
	TypeEmbedding  = "embedding"
	TypeAgent      = "agent"
	TypeTool       = "tool"
	TypeChain      = "chain"
)

type contextKey struct{}

// scope is what a context carries: where the next observation belongs.
type scope struct {
	trace  *ActiveTrace
	parent *ActiveObservation
}

func scopeOf(ctx context.Context) scope {
	s, _ := ctx.Value(contextKey{}).(scope)
	return s
}

// TraceFromContext returns the trace that ctx carries, or nil.
func TraceFromContext(ctx context.Context) *ActiveTrace { return scopeOf(ctx).trace }

// ObservationFromContext returns the innermost observation that ctx carries, or nil.
func ObservationFromContext(ctx context.Context) *ActiveObservation { return scopeOf(ctx).parent }

// StartTrace begins a trace and returns a context that carries it: the
// observations started with that context belong to it. ID, StartedAt, UserID, SessionID, Tags, Input,
// Metadata, CodeVersion and Release are the options that mean something for a trace.
func (c *Client) StartTrace(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveTrace) {
	if !c.enabled() {
		return ctx, nil
	}
	d := gather(opts)
	d.name, d.start = name, orNow(d.start)
	if d.id == "" {
		d.id = NewID()
	}
	t := &ActiveTrace{c: c, id: d.id}
	t.submit(TraceCreate, d, d.trace())
	return context.WithValue(ctx, contextKey{}, scope{trace: t}), t
}

// ID is the trace's id; "" for nil.
func (t *ActiveTrace) ID() string {
	if t == nil {
		return ""
	}
	return t.id
}

// Update adds to the trace what the options say.
func (t *ActiveTrace) Update(opts ...Option) {
	if t != nil {
		d := gather(opts)
		d.id = t.id
		t.submit(TraceUpdate, d, d.trace())
	}
}

// End says that the trace is over, and adds what the options say. Only the first End counts.
func (t *ActiveTrace) End(opts ...Option) {
	if t != nil && !t.done.Swap(true) {
		d := gather(opts)
		d.id, d.end = t.id, orNow(d.end)
		t.submit(TraceUpdate, d, d.trace())
	}
}

// Score records a quality score of the trace. value is a number, a bool or a
// text; Comment, Evaluator and Source are the options that mean something.
func (t *ActiveTrace) Score(name string, value any, opts ...Option) {
	if t != nil {
		t.score(Score{TraceID: t.id, Name: name}, value, opts)
	}
}

func (t *ActiveTrace) score(s Score, value any, opts []Option) {
	d := gather(opts)
	d.score(&s, value)
	t.submit(QualityScoreCreate, d, &s)
}

// submit hands a payload to the background. Tracing has nobody to return an
// error to: a refused event is in the metrics and in the log.
func (t *ActiveTrace) submit(typ EventType, d *details, payload any) {
	if d.err != nil {
		t.c.proc.gate.refused[refusedInvalid].Add(1)
		t.c.proc.log.warn("tracing", "telemetry value cannot be encoded", "error", d.err)
		return
	}
	if _, err := t.c.SubmitBatchEvent(typ, payload); err != nil {
		t.c.proc.log.warn("tracing", "telemetry event not taken", "type", string(typ), "error", err)
	}
}

// StartGeneration begins an observation of type "generation": one call of a
// language model. See StartObservation.
func StartGeneration(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveObservation) {
	return StartObservation(ctx, TypeGeneration, name, opts...)
}

// StartSpan begins an observation of type "span". See StartObservation.
func StartSpan(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveObservation) {
	return StartObservation(ctx, TypeSpan, name, opts...)
}

// StartObservation begins an observation below what ctx carries, and returns a
// context that carries it. A context without a trace gets one of the same name from GetClient.
func StartObservation(ctx context.Context, typ, name string, opts ...Option) (context.Context, *ActiveObservation) {
	s := scopeOf(ctx)
	if s.trace == nil {
		if ctx, s.trace = GetClient().StartTrace(ctx, name); s.trace == nil {
			return ctx, nil
		}
	}
	d := gather(opts)
	d.name, d.start = name, orNow(d.start)
	if d.id == "" {
		d.id = NewID()
	}
	o := &ActiveObservation{trace: s.trace, id: d.id}
	payload := d.observation(o)
	payload.Type, payload.ParentObservationID = typ, s.parent.ID()
	s.trace.submit(ObservationCreate, d, payload)
	return context.WithValue(ctx, contextKey{}, scope{trace: s.trace, parent: o}), o
}

// ID is the observation's id; "" for nil.
func (o *ActiveObservation) ID() string {
	if o == nil {
		return ""
	}
	return o.id
}

// TraceID is the id of its trace; "" for nil.
func (o *ActiveObservation) TraceID() string {
	if o == nil {
		return ""
	}
	return o.trace.id
}

// Update adds to the observation what the options say.
func (o *ActiveObservation) Update(opts ...Option) {
	if o != nil {
		d := gather(opts)
		o.trace.submit(ObservationUpdate, d, d.observation(o))
	}
}

// End says that the observation is over, and adds what the options say. Only the first End counts.
func (o *ActiveObservation) End(opts ...Option) {
	if o != nil && !o.done.Swap(true) {
		d := gather(opts)
		d.end = orNow(d.end)
		o.trace.submit(ObservationComplete, d, d.observation(o))
	}
}

// Score records a quality score of the observation. See ActiveTrace.Score.
func (o *ActiveObservation) Score(name string, value any, opts ...Option) {
	if o != nil {
		o.trace.score(Score{TraceID: o.trace.id, ObservationID: o.id, Name: name}, value, opts)
	}
}

// Observe runs fn as a span and returns its error. A returned error and a
// panic, which goes on, become level ERROR with the error's text as status message.
func Observe(ctx context.Context, name string, fn func(context.Context) error, opts ...Option) (err error) {
	ctx, span := StartSpan(ctx, name, opts...)
	ended := false
	defer func() {
		if !ended { // a panic is on its way, or runtime.Goexit
			span.End(Level(LevelError), StatusMessage("panicked"))
		}
	}()
	err = fn(ctx)
	ended = true
	if err != nil {
		span.End(Level(LevelError), StatusMessage(err.Error()))
	} else {
		span.End()
	}
	return err
}

func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().UTC()
	}
	return t
}

// score fills in the value and what the options say.
func (d *details) score(s *Score, value any) {
	switch v := value.(type) {
	case string:
		s.StringValue, s.DataType = v, "CATEGORICAL"
	case bool:
		n := 0.0
		if v {
			n = 1
		}
		s.Value, s.DataType = &n, "BOOLEAN"
	default:
		n, ok := number(v)
		if !ok {
			d.err = fmt.Errorf("score %s: a %T is no number, bool or text", s.Name, value)
		}
		s.Value, s.DataType = &n, "NUMERIC"
	}
	s.ID, s.Comment, s.Source, s.Metadata = d.id, d.comment, d.source, d.metadata
	s.EvaluatorName, s.EvaluatorVersion = d.evaluator, d.version
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case float32:
		return float64(n), true
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case int32:
		return float64(n), true
	}
	return 0, false
}
