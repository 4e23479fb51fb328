package entity

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// EndBeforeStart is the latency_reason of an observation or a trace that ends before it
// starts.
const EndBeforeStart = "the end is before the start: the clocks that said them disagree"

// latency is end − start in milliseconds, in made; nil with a reason when the end is before the start.
func latency(start, end instant, made *float64) (ms *float64, reason string) {
	if end.us < start.us {
		return nil, EndBeforeStart
	}
	*made = float64(end.us-start.us) / 1000
	return made, ""
}

// totalTokens is the sum of the parts, in made: nobody's total is believed when they are there.
func totalTokens(sent, prompt, completion, made *int64) *int64 {
	switch {
	case prompt != nil && completion != nil:
		*made = addTokens(*prompt, *completion)
		return made
	case sent != nil:
		return sent
	case prompt != nil:
		return prompt
	}
	return completion
}

// totalCost is the explicit sum, else that of the known parts, in made, else nil.
func totalCost(sent, input, output, made *float64) *float64 {
	switch {
	case sent != nil:
		return sent
	case input != nil && output != nil:
		*made = addCosts(*input, *output)
		return made
	case input != nil:
		return input
	}
	return output
}

// ObservationRow is a folded observation as a Warehouse keeps it: what answers
// show of it, and what only filters and sums ask for.
type ObservationRow struct {
	wire.Observation
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id"`
	Release   string `json:"release"`
	TraceName string `json:"trace_name"`
	// TraceInput and TraceOutput are of the whole trace, where it says them.
	TraceInput  json.RawMessage `json:"trace_input"`
	TraceOutput json.RawMessage `json:"trace_output"`
	// The four of Source.
	Door         string `json:"door"`
	Scope        string `json:"scope"`
	ScopeVersion string `json:"scope_version"`
	SDK          string `json:"sdk"`
	// PromptKey and Twin are what Twins compares.
	PromptKey string `json:"prompt_key"`
	Twin      string `json:"twin"`
	// Newest says that what names the observation but no trace means this one. Of the
	// rows with one id it is exactly one.
	Newest bool `json:"newest"`
	// Newness decides which it is: see Newness.
	Newness int64 `json:"newness"`
	// Floating says that events of it name no trace.
	Floating bool `json:"floating"`
	// Seqs are the events that it was folded from, in the order of the fold.
	Seqs []Seq `json:"-"`
	// CountsTokens and CountsCost say whether the amounts are part of the trace's sums.
	// They are true until Count is called, as Counted is.
	CountsTokens bool `json:"counts_tokens"`
	CountsCost   bool `json:"counts_cost"`

	priced Costs // what Computed made, to which the costs point
}

// made is what a Folder made last.
type made struct {
	rows  []ObservationRow
	holds []held
	seqs  []Seq
	trace wire.Trace
	score wire.Score
}

// held is what an observation's row points to that is in no event.
type held struct {
	end                    time.Time
	latency, toFirst, cost float64
	tokens                 int64
	source                 wire.ObservationSource
}

// Observations folds the events that name the observation id into what they are
// observations of: one row for each trace, sorted by trace id.
func (f *Folder) Observations(id string) []ObservationRow {
	items := f.sorted()
	if trace, one := oneTrace(items); one {
		f.made.grow(min(1, len(items)))
		if len(items) > 0 {
			f.observation(0, id, trace, items)
			f.made.rows[0].Newest = true
		}
		return f.made.rows
	}
	parts, newest := byTrace(items)
	f.made.grow(len(parts))
	for i, p := range parts {
		f.observation(i, id, p.trace, p.items)
		f.made.rows[i].Newest = p == newest
	}
	return f.made.rows
}

// grow makes room for n rows.
func (m *made) grow(n int) {
	if n > cap(m.rows) {
		m.rows, m.holds = make([]ObservationRow, n), make([]held, n)
	}
	m.rows, m.holds, m.seqs = m.rows[:n], m.holds[:n], m.seqs[:0]
}

// observation makes the ith row: of the events that speak of one trace, which stand in their order.
func (f *Folder) observation(i int, id, trace string, items []foldItem) {
	s, o, h := &f.state, &f.made.rows[i], &f.made.holds[i]
	fold(s, observationShape, o, items)
	start, inferred := s.start()
	end := s.end()
	o.ID, o.TraceID, o.Environment = id, trace, cmp.Or(o.Environment, s.batchEnv, defaultEnvironment)
	o.StartTime, o.StartTimeInferred = start.time(), inferred
	if end.known {
		h.end = end.time()
		o.EndTime = &h.end
		o.LatencyMS, o.LatencyReason = latency(start, end, &h.latency)
	}
	if first := s.said[firstTokenSaid]; first.known && o.TimeToFirstTokenMS == nil && !inferred {
		o.TimeToFirstTokenMS, _ = latency(start, first, &h.toFirst)
	}
	o.TotalTokens = totalTokens(o.TotalTokens, o.PromptTokens, o.CompletionTokens, &h.tokens)
	o.TotalCost = totalCost(o.TotalCost, o.InputCost, o.OutputCost, &h.cost)
	o.settle()
	o.Source = &h.source
	h.source = wire.ObservationSource{Door: o.Door, Scope: o.Scope, ScopeVersion: o.ScopeVersion, SDK: o.SDK}
	o.noteCall()
	if len(s.collected) > 0 {
		o.InputPreview, o.OutputPreview = Preview(s.text(Input), PreviewLength), Preview(s.text(Output), PreviewLength)
	}
	o.Counted, o.CountsTokens, o.CountsCost = true, true, true
	o.Newness = Unnamed
	from := len(f.made.seqs)
	for i := range items {
		f.made.seqs = append(f.made.seqs, items[i].seq)
		if items[i].trace == "" {
			o.Floating = true
		} else {
			o.Newness = Newness(o.Newness, items[i].at, items[i].rank)
		}
	}
	o.Seqs = f.made.seqs[from:len(f.made.seqs):len(f.made.seqs)]
}

// Trace folds the events that name the trace id: what the trace says of itself,
// without what its observations and scores add.
func (f *Folder) Trace(id string) *wire.Trace {
	t := &f.made.trace
	fold(&f.state, traceShape, t, f.sorted())
	t.ID, t.Environment, t.StartTime = id, cmp.Or(t.Environment, f.state.batchEnv, defaultEnvironment), f.state.inferredStart().time()
	return t
}

// Score folds the events that name the score id.
func (f *Folder) Score(id string) *wire.Score {
	c := &f.made.score
	fold(&f.state, scoreShape, c, f.sorted())
	c.ID, c.Environment, c.Timestamp = id, cmp.Or(c.Environment, f.state.batchEnv, defaultEnvironment), f.state.any.time()
	if c.DataType == Categorical {
		c.Value = nil
	} else {
		c.StringValue = ""
	}
	return c
}

// settle fills in what follows from the fields, for events that do not say it.
func (o *ObservationRow) settle() {
	if o.Status == "" {
		o.Status = StatusOK
		if o.Level == "ERROR" {
			o.Status = StatusError
		}
	}
	if o.TokenSource == "" {
		o.TokenSource = sourceOf(o.PromptTokens != nil || o.CompletionTokens != nil || o.TotalTokens != nil)
	}
	o.CostSource = sourceOf(o.TotalCost != nil)
	if o.TotalCost == nil && isCall(o.Type) {
		o.CostReason = CostNotSent
	}
}

// The values of an observation's status.
const (
	StatusOK      = "ok"
	StatusError   = "error"
	StatusAborted = "aborted"
)

func sourceOf(said bool) string {
	if said {
		return "reported"
	}
	return "none"
}

// Cite makes Source of the fields that a warehouse keeps of it.
func (o *ObservationRow) Cite() {
	o.Source = &wire.ObservationSource{Door: o.Door, Scope: o.Scope, ScopeVersion: o.ScopeVersion, SDK: o.SDK}
}
