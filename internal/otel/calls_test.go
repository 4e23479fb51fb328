package otel_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// report is a span with what it means, and with what its twins add.
type report struct {
	*otel.Span
	*otel.Meaning
}

// callsOf are the calls that the spans report, each once and in the order of their starts: as the
// observations that they become say it, in whatever order they come.
func callsOf(t *testing.T, spans []*otel.Span) []report {
	t.Helper()
	var recs []entity.Record
	traces := map[string]bool{}
	bySpan := map[string]*otel.Span{}
	for i, s := range spans {
		ev := wire.Event{ID: s.TraceID + s.SpanID, Type: wire.ObservationCreate, Timestamp: wire.At(time.Unix(0, s.End))}
		fields := extract.Item(&ev, otlp.Origin{Door: "otlp"}, &otlp.Item{Span: s})
		recs = append(recs, entity.Record{Seq: entity.Seq(i + 1), Project: "p", Event: ev, Fields: fields})
		traces[s.TraceID], bySpan[s.SpanID] = true, s
	}
	rng := chance.Of(t)
	rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	var calls []report
	var walk func([]*wire.Observation)
	walk = func(list []*wire.Observation) {
		for _, o := range list {
			if (o.Type == "generation" || o.Type == "embedding") && o.DuplicateOf == "" {
				calls = append(calls, reportOf(bySpan[o.ID], o))
			}
			walk(o.Children)
		}
	}
	for id := range traces {
		trace, err := entity.FoldTrace(recs, id)
		if err != nil {
			t.Fatal(err)
		}
		walk(trace.Observations)
	}
	slices.SortFunc(calls, func(a, b report) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.SpanID, b.SpanID))
	})
	return calls
}

func reportOf(s *otel.Span, o *wire.Observation) report {
	m := otel.Read(s)
	m.Model, m.RequestedModel, m.Provider, m.ResponseID, m.Status, m.ErrorType = o.Model, o.RequestedModel, o.Provider, o.ResponseID, o.Status, o.ErrorType
	m.FinishReason, m.FinishReasonOriginal, m.TokenSource = o.FinishReason, o.FinishReasonOriginal, o.TokenSource
	for _, c := range []struct {
		to   *otel.Count
		from *int64
	}{
		{&m.Prompt, o.PromptTokens}, {&m.Completion, o.CompletionTokens}, {&m.Total, o.TotalTokens}, {&m.CacheRead, o.CacheReadTokens},
		{&m.CacheWrite, o.CacheWriteTokens}, {&m.Reasoning, o.ReasoningTokens},
	} {
		*c.to = otel.Count{}
		if c.from != nil {
			*c.to = otel.Count{N: *c.from, Sent: true}
		}
	}
	m.FirstToken, m.TotalCost = number(o.TimeToFirstTokenMS), number(o.TotalCost)
	return report{s, m}
}

func number(f *float64) otel.Number {
	if f == nil {
		return otel.Number{}
	}
	return otel.Number{V: *f, Sent: true}
}
