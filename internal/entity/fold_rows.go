package entity

import (
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

// list returns tags as an answer gives them: never nil.
func (s *folded) list() []string {
	if s.tags == nil {
		return []string{}
	}
	return s.tags
}

// ObservationRow is a folded observation as a Warehouse keeps it: what answers
// show of it, and what only filters and sums ask for.
type ObservationRow struct {
	wire.Observation
	UserID, SessionID, Release string
	// Newest says that what names the observation but no trace means this one. Of the
	// rows with one id it is exactly one.
	Newest bool
	// Seqs are the events that it was folded from, in the order of the fold.
	Seqs []Seq
	// CountsTokens and CountsCost say whether the amounts are part of the trace's sums.
	// They are true until Count is called, as Counted is.
	CountsTokens, CountsCost bool
}

// Observations folds the events that name the observation id into what they are
// observations of: one row for each trace, sorted by trace id.
func (f *Fold) Observations(id string) []ObservationRow {
	parts := f.byTrace()
	rows := make([]ObservationRow, len(parts))
	newest := 0
	for i, p := range parts {
		rows[i] = p.row(id)
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
func (f *Fold) Trace(id string) *wire.Trace { return ownTrace(f, nil, id) }

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

// row is the folded observation id of the part's trace.
func (p *tracePart) row(id string) ObservationRow {
	s := fold(p.items)
	row := ObservationRow{
		Observation: *s.observation(id, p.trace), UserID: s.text(UserID, ""), SessionID: s.text(SessionID, ""),
		Release: s.text(Release, ""), Seqs: make([]Seq, len(p.items)), CountsTokens: true, CountsCost: true,
	}
	for i, item := range p.items {
		row.Seqs[i] = item.rec.Seq
	}
	return row
}

// observation is the folded observation id of the trace, without children.
func (s *folded) observation(id, trace string) *wire.Observation {
	start, inferred := s.start()
	end := s.end()
	o := &wire.Observation{
		ID: id, TraceID: trace, ParentObservationID: s.text(ParentObservationID, ""),
		Type: s.text(ObservationType, "span"), Name: s.text(Name, ""), Environment: s.environment(),
		StartTime: start.time(), StartTimeInferred: inferred,
		Level: s.text(Level, "DEFAULT"), StatusMessage: s.text(StatusMessage, ""), Version: s.text(Version, ""),
		Model: s.text(Model, ""), RequestedModel: s.text(RequestedModel, ""), Provider: s.text(Provider, ""),
		FinishReason: s.text(FinishReason, ""),
		PromptTokens: s.integer(PromptTokens), CompletionTokens: s.integer(CompletionTokens),
		CacheReadTokens: s.integer(CacheReadTokens), CacheWriteTokens: s.integer(CacheWriteTokens),
		ReasoningTokens: s.integer(ReasoningTokens), AudioInputTokens: s.integer(AudioInputTokens),
		AudioOutputTokens: s.integer(AudioOutputTokens),
		InputCost:         s.number(InputCost), OutputCost: s.number(OutputCost), Counted: true, QualityScore: s.number(QualityScore),
		Tags: s.list(), InputPreview: Preview(s.text(Input, ""), PreviewLength),
		OutputPreview: Preview(s.text(Output, ""), PreviewLength), ModelParameters: s.json(ModelParameters),
		Metadata: FoldMetadata(s.metadata), Input: s.json(Input), Output: s.json(Output),
	}
	o.TotalTokens = totalTokens(s.integer(TotalTokens), o.PromptTokens, o.CompletionTokens)
	o.TotalCost = totalCost(s.number(TotalCost), o.InputCost, o.OutputCost)
	if end.known {
		at := end.time()
		o.EndTime = &at
		o.LatencyMS, o.LatencyReason = latency(start, end)
	} else {
		o.LatencyMS = s.number(LatencyMS)
	}
	return o
}

// Score folds the events that name the score id.
func (f *Fold) Score(id string) *wire.Score {
	s := fold(f.sorted())
	c := &wire.Score{
		ID: id, TraceID: s.text(TraceID, ""), ObservationID: s.text(ObservationID, ""), Name: s.text(Name, ""),
		DataType: s.text(DataType, ""), Source: s.text(Source, ""), EvaluatorName: s.text(EvaluatorName, ""),
		EvaluatorVersion: s.text(EvaluatorVersion, ""), Comment: s.text(Comment, ""),
		AuthorUserID: s.text(AuthorUserID, ""), Environment: s.environment(), Timestamp: s.any.time(),
		Metadata: FoldMetadata(s.metadata),
	}
	if c.DataType == Categorical {
		c.StringValue = s.text(StringValue, "")
	} else {
		c.Value = s.number(Value)
	}
	return c
}
