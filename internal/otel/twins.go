package otel

import (
	"cmp"
	"slices"
	"strings"
)

// Report is a span with what it means.
type Report struct {
	*Span
	*Meaning
}

// ownSDK is the scope of the SDK whose calls others wrap: it knows the provider's counts best
// and, as a rule, says the least of the content.
const ownSDK = "com.anthropic.sdk.python"

// frameworks are scopes above the SDKs of providers: what they report, an instrumentation of the
// SDK reports again.
var frameworks = []string{
	"openinference.instrumentation.langchain", "opentelemetry.instrumentation.langchain", "langsmith", "litellm", "openlit.instrumentation.langchain",
	"openinference.instrumentation.llama_index", "openlit.instrumentation.litellm", "opentelemetry.instrumentation.llamaindex", "ai",
}

// level is how far a scope stands above the wire: the provider's own SDK, what instruments such
// an SDK, and a framework that calls one.
func level(scopeName string) int {
	if scopeName == ownSDK {
		return 0
	}
	if slices.ContainsFunc(frameworks, func(f string) bool {
		rest, ok := strings.CutPrefix(scopeName, f)
		return ok && (rest == "" || rest[0] == '.')
	}) {
		return 2
	}
	return 1
}

// SameCall says whether two spans of a project report one call of a provider: they come from
// different scopes and overlap in time, and the provider's id of the response is the
// same; where one of them does not know it, one stands above the other, holds it in time, and
// they say the same of what went in: the prompt, or where that was not sent all counts.
func SameCall(a, b Report) bool {
	if a.Call() && b.Call() && (streamPair(a, b) || streamPair(b, a)) {
		return true
	}
	if !a.Call() || !b.Call() || a.Scope == b.Scope || a.Start > b.End || b.Start > a.End {
		return false
	}
	if a.ResponseID != "" && b.ResponseID != "" {
		return a.ResponseID == b.ResponseID
	}
	outer, inner := a, b
	if level(b.Scope) > level(a.Scope) {
		outer, inner = b, a
	}
	if level(outer.Scope) == level(inner.Scope) || inner.Start < outer.Start || inner.End > outer.End ||
		!agree(outer.Prompt, inner.Prompt) || !agree(outer.Completion, inner.Completion) {
		return false
	}
	x, y := prompt(outer), prompt(inner)
	if x != "" && y != "" {
		return x == y
	}
	return outer.Prompt.Sent && outer.Prompt == inner.Prompt && outer.Completion == inner.Completion
}

// agree: counts are equal or not known.
func agree(a, b Count) bool { return !a.Sent || !b.Sent || a.N == b.N }

// prompt is the text that went in.
func prompt(r Report) string {
	in, _, _ := r.Messages()
	var b strings.Builder
	for i := range in {
		for _, p := range in[i].Parts {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// Better orders two reports of one call: the one to keep comes first. It is the one with more content; the
// provider's own SDK comes last; between equals the earlier, then the lesser id.
func Better(a, b Report) int {
	return cmp.Or(
		cmp.Compare(min(level(b.Scope), 1), min(level(a.Scope), 1)),
		cmp.Compare(len(b.Input)+len(b.Output), len(a.Input)+len(a.Output)),
		cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.TraceID+a.SpanID, b.TraceID+b.SpanID),
	)
}

// Fill gives the kept report what only its twin knows. The counts of the provider's own SDK hold in
// either case.
func (m *Meaning) Fill(twin Report) {
	if twin.Model != "" && (m.Model == "" || m.Model == m.RequestedModel) {
		m.Model = twin.Model
	}
	for _, p := range []struct{ to, from *string }{
		{&m.RequestedModel, &twin.RequestedModel}, {&m.ResponseID, &twin.ResponseID}, {&m.Provider, &twin.Provider},
		{&m.FinishReasonOriginal, &twin.FinishReasonOriginal}, {&m.FinishReason, &twin.FinishReason},
		{&m.SessionID, &twin.SessionID}, {&m.UserID, &twin.UserID},
	} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
	own := twin.Scope == ownSDK
	for _, p := range []struct{ to, from *Count }{
		{&m.Prompt, &twin.Prompt}, {&m.Completion, &twin.Completion}, {&m.CacheRead, &twin.CacheRead},
		{&m.CacheWrite, &twin.CacheWrite}, {&m.Reasoning, &twin.Reasoning},
	} {
		if p.from.Sent && (own || !p.to.Sent) {
			*p.to = *p.from
		}
	}
	if own && twin.Prompt.Sent {
		m.UsageIncomplete = false
	}
	if !m.FirstToken.Sent {
		m.FirstToken = twin.FirstToken
	}
	if twin.Dialect == "logfire" && twin.Kind == Client && m.Dialect == "logfire" {
		m.FirstToken = Number{float64(twin.End-twin.Start) / 1e6, true} // its span ends at the first byte
	}
	if m.Total = (Count{}); m.Prompt.Sent || m.Completion.Sent {
		m.Total = Count{m.Prompt.N + m.Completion.N, true}
	}
}

// Calls are the calls among the reports, each once and in the order of their starts: of twins
// the better one, filled from the others.
func Calls(reports []Report) []Report {
	calls := slices.DeleteFunc(slices.Clone(reports), func(r Report) bool { return !r.Call() })
	slices.SortFunc(calls, Better)
	var kept []Report
	var scopes [][]string // by kept report: those of its twins, for a scope reports a call once
	for _, r := range calls {
		twin := -1
		for i := range kept {
			if SameCall(kept[i], r) && (r.Dialect == "logfire" || !slices.Contains(scopes[i], r.Scope)) {
				twin = i
				break
			}
		}
		if twin < 0 {
			kept, scopes = append(kept, r), append(scopes, nil)
			continue
		}
		kept[twin].Fill(r)
		scopes[twin] = append(scopes[twin], r.Scope)
	}
	slices.SortFunc(kept, func(a, b Report) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.SpanID, b.SpanID))
	})
	return kept
}
