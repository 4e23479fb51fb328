package otel

import (
	"strconv"
	"strings"
)

// Meaning is what a span says, in the terms that all doors share. What was not sent is empty or
// not Sent, never 0.
type Meaning struct {
	// Dialect is the convention that the span was read by.
	Dialect string
	// Type is generation, embedding, tool, agent, chain, retrieval, reranker, guardrail,
	// evaluator, event or span.
	Type string
	Name string

	Status        string // ok, error or aborted
	Level         string // DEBUG, INFO, WARN, ERROR or ""
	StatusMessage string
	ErrorType     string // without its module

	Model, RequestedModel, Provider    string
	ResponseID                         string
	FinishReason, FinishReasonOriginal string // one vocabulary, and the word as it was sent
	Parameters                         string // a JSON object, or ""
	// ServiceTier is what the answer says, RequestedServiceTier what was asked for: entity.Tier.
	ServiceTier, RequestedServiceTier string

	// Prompt includes CacheRead and CacheWrite, Completion includes Reasoning, Total is the
	// sum of the two.
	Prompt, Completion, Total       Count
	CacheRead, CacheWrite           Count
	CacheWrite1h                    Count // of CacheWrite, kept for an hour
	Reasoning, AudioInput, AudioOut Count
	TokenSource                     string // reported, estimated or none
	// UsageIncomplete: the library is known to leave out the cache's part of Prompt.
	UsageIncomplete bool

	TotalCost, InputCost, OutputCost  Number // in USD
	CacheReadCost, CacheWriteCost     Number
	FirstToken                        Number // milliseconds after the start
	SessionID, UserID                 string
	Environment, Release, CodeVersion string
	Tags                              []string
	TraceName                         string
	PromptName, PromptVersion         string // of the prompt that the input was made from
	TraceInput, TraceOutput           string // of the whole trace, where a span says them
	Input, Output                     string // as sent: JSON, or text that is none
	Metadata                          string // a JSON object, or ""

	// Notes say of what was sent and cannot be that it was left out.
	Notes []string
	// Inner marks a span that is part of a call which another span reports: it never counts.
	Inner bool
	// Why says of a field by which rule it has its value; filled by Explain only.
	Why map[string]string

	messages func() (in, out []Message, tools []Tool)
	// plainIn says that nothing but Input holds what went in.
	plainIn bool
}

// reader fills a Meaning from a Span.
type reader struct {
	*Span
	keys keys // of the span's attributes
	m    *Meaning
}

// why notes the rule of a field, whose parts it puts together, when somebody asks.
func (r *reader) why(field string, rule ...string) {
	if r.m.Why != nil {
		r.m.Why[field] = strings.Join(rule, "")
	}
}

// Read says what the span means. The result shares the span's memory.
func Read(s *Span) *Meaning { return read(s, nil) }

// Explain is Read, with the rules that gave the fields.
func Explain(s *Span) *Meaning { return read(s, map[string]string{}) }

func read(s *Span, why map[string]string) *Meaning {
	reading := &struct { // one piece of memory
		r reader
		m Meaning
	}{}
	r, m := &reading.r, &reading.m
	*r = reader{s, keysOf(s.Attributes), m}
	m.Name, m.Type, m.Why = s.Name, "span", why
	for i := range dialects {
		if d := &dialects[i]; d.speaks(r) {
			m.Dialect = d.name
			r.why("type", "dialect ", d.name)
			r.common()
			d.read(r)
			break
		}
	}
	r.finish()
	if m.Why != nil {
		r.explain()
		if s.Dropped > 0 {
			m.Why["attributes"] = strconv.Itoa(s.Dropped) + " were left out by the SDK before it sent the span, at its limit (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT)"
		}
	}
	return m
}

// Messages are the messages that went in and came out, and the tools that were offered.
func (m *Meaning) Messages() (in, out []Message, tools []Tool) {
	if m.messages == nil {
		return nil, nil, nil
	}
	return m.messages()
}

// Call says whether the span is a call of a model.
func (m *Meaning) Call() bool { return (m.Type == "generation" || m.Type == "embedding") && !m.Inner }
