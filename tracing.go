package brokle

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/payload"
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
	start time.Time
	done  atomic.Bool

	mu     sync.Mutex // guards pieces
	pieces *pieces    // nil until one came
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
		d := t.c.gather(opts)
		d.id = t.id
		t.submit(d)
	}
}

// End says that the trace is over, and adds what the options say. Only the first End counts.
func (t *ActiveTrace) End(opts ...Option) {
	if t != nil && !t.done.Swap(true) {
		d := t.c.gather(opts)
		d.id = t.id
		d.orNow(&d.end)
		t.submit(d)
	}
}

// submit sends what d says of the trace, and frees d.
func (t *ActiveTrace) submit(d *details) {
	told := d.trace()
	told.Status = d.outcome
	t.c.proc.Record(TraceUpdate, d.now, told, d.err)
	t.c.free(d)
}

// Score records a quality score of the trace. value is a number, a bool or a
// text; Comment, Evaluator and Source are the options that mean something.
func (t *ActiveTrace) Score(name string, value any, opts ...Option) {
	if t != nil {
		t.score(Score{TraceID: t.id, Name: name}, value, opts)
	}
}

func (t *ActiveTrace) score(s Score, value any, opts []Option) {
	d := t.c.gather(opts)
	d.score(&s, value)
	t.c.proc.Record(QualityScoreCreate, d.now, &s, d.err)
	t.c.free(d)
}

// ID is the observation's id; "" for nil.
func (o *ActiveObservation) ID() string { return strings.Clone(o.named()) } // what lies in o would keep its context in memory

func (o *ActiveObservation) named() string {
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
		d := o.trace.c.gather(opts)
		o.submit(ObservationUpdate, d, d.observation(o.trace.id, o.id))
	}
}

// End says that the observation is over, and adds what the options say. Only the first End counts.
func (o *ActiveObservation) End(opts ...Option) {
	if o != nil && !o.done.Swap(true) {
		d := o.trace.c.gather(opts)
		d.orNow(&d.end)
		o.finish(d)
		o.submit(ObservationComplete, d, d.observation(o.trace.id, o.id))
	}
}

// submit sends what d says of the observation, and frees d.
func (o *ActiveObservation) submit(typ EventType, d *details, told *payload.Told) {
	if d.levelWord != "" || d.outcome == outcomeAborted { // an error's status follows from its level
		told.Status = d.outcome
	}
	o.trace.c.proc.Record(typ, d.now, told, d.err)
	o.trace.c.free(d)
}

// Score records a quality score of the observation. See ActiveTrace.Score.
func (o *ActiveObservation) Score(name string, value any, opts ...Option) {
	if o != nil {
		o.trace.score(Score{TraceID: o.trace.id, ObservationID: o.id, Name: name}, value, opts)
	}
}

// orNow makes t, a time of d's, the present where nobody said another.
func (d *details) orNow(t *time.Time) {
	if t.IsZero() {
		d.now = time.Now()
		*t = d.now.UTC()
	}
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
	s.AuthorUserID = d.userID
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
