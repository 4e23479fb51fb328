package entity

import (
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// EndBeforeStart is the latency_reason of an observation or a trace that ends before it
// starts.
const EndBeforeStart = "the end is before the start: the clocks that said them disagree"

// latency is end − start in milliseconds; nil without an end, and nil with a reason
// when the end is before the start.
func latency(start, end instant) (ms *float64, reason string) {
	switch {
	case !end.known:
		return nil, ""
	case end.us < start.us:
		return nil, EndBeforeStart
	}
	between := float64(end.us-start.us) / 1000
	return &between, ""
}

// totalTokens is the sum of the parts: nobody's total is believed when they are there.
func totalTokens(sent, prompt, completion *int64) *int64 {
	switch {
	case prompt != nil && completion != nil:
		sum := addTokens(*prompt, *completion)
		return &sum
	case sent != nil:
		return sent
	case prompt != nil:
		return prompt
	}
	return completion
}

// totalCost is the explicit sum, else that of the known parts, else nil.
func totalCost(sent, input, output *float64) *float64 {
	switch {
	case sent != nil:
		return sent
	case input != nil && output != nil:
		sum := addCosts(*input, *output)
		return &sum
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
	// Seqs are the events that it was folded from, in the order of the fold.
	Seqs []Seq `json:"-"`
	// CountsTokens and CountsCost say whether the amounts are part of the trace's sums.
	// They are true until Count is called, as Counted is.
	CountsTokens bool `json:"counts_tokens"`
	CountsCost   bool `json:"counts_cost"`
}

// Observations folds the events that name the observation id into what they are
// observations of: one row for each trace, sorted by trace id.
func (f *Fold) Observations(id string) []ObservationRow {
	parts := f.byTrace()
	rows := make([]ObservationRow, len(parts))
	newest := 0
	for i, p := range parts {
		p.fold(&rows[i], id)
		if p.newer(parts[newest]) {
			newest = i
		}
	}
	if len(rows) > 0 {
		rows[newest].Newest = true
	}
	return rows
}

// Trace folds the events that name the trace id: what the trace says of itself,
// without what its observations and scores add.
func (f *Fold) Trace(id string) *wire.Trace { return ownTrace(f, id) }

// Facts returns the events that the fold reads, in the order in which it reads them.
// Of observations, they are those of all traces.
func (f *Fold) Facts() []*Record {
	items := f.sorted()
	recs := make([]*Record, len(items))
	for i := range items {
		recs[i] = items[i].rec
	}
	return recs
}

// fold makes o the observation id of the part's trace, without children.
func (p *tracePart) fold(o *ObservationRow, id string) {
	s := fold(p.items)
	fill(s, observationSaid, o)
	start, inferred := s.start()
	end := s.end()
	o.ID, o.TraceID, o.Environment = id, p.trace, s.environment()
	o.StartTime, o.StartTimeInferred = start.time(), inferred
	if end.known {
		at := end.time()
		o.EndTime = &at
		o.LatencyMS, o.LatencyReason = latency(start, end)
	}
	if first := s.last[FirstTokenAt]; first != nil && o.TimeToFirstTokenMS == nil && !inferred {
		o.TimeToFirstTokenMS, _ = latency(start, instant{first.Int, true})
	}
	o.TotalTokens = totalTokens(o.TotalTokens, o.PromptTokens, o.CompletionTokens)
	o.TotalCost = totalCost(o.TotalCost, o.InputCost, o.OutputCost)
	o.settle()
	o.noteCall()
	o.InputPreview, o.OutputPreview = Preview(s.text(Input), PreviewLength), Preview(s.text(Output), PreviewLength)
	o.Counted, o.CountsTokens, o.CountsCost = true, true, true
	o.Seqs = make([]Seq, len(p.items))
	for i, item := range p.items {
		o.Seqs[i] = item.rec.Seq
	}
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
	o.Cite()
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

// Score folds the events that name the score id.
func (f *Fold) Score(id string) *wire.Score {
	s := fold(f.sorted())
	c := &wire.Score{}
	fill(s, scoreSaid, c)
	c.ID, c.Environment, c.Timestamp = id, s.environment(), s.any.time()
	if c.DataType == Categorical {
		c.Value = nil
	} else {
		c.StringValue = ""
	}
	return c
}
