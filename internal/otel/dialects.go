package otel

import "strings"

// dialect is a convention: which spans follow it, and how they are read.
type dialect struct {
	name   string
	speaks func(*Span) bool
	read   func(*reader)
}

// dialects in the order in which they are tried: the marks that only one library sets come
// first, then scopes, then what many share.
var dialects = []dialect{
	{"mlflow", attribute("mlflow.spanType"), mlflow},
	{"langfuse", attribute("langfuse.observation.type"), langfuse},
	{"openinference", attribute("openinference.span.kind"), openinference},
	{"langsmith", attribute("langsmith.span.kind"), langsmith},
	{"logfire", func(s *Span) bool { return scope(s, "logfire") || s.has("logfire.span_type") }, logfire},
	{"litellm", func(s *Span) bool { return scope(s, "litellm") }, litellm},
	{"openlit", func(s *Span) bool { return scope(s, "openlit") }, openlit},
	{"brokle", func(s *Span) bool { return scope(s, "brokle") || s.has("brokle.span.type") }, brokle},
	{"anthropic", func(s *Span) bool { return s.Scope == "com.anthropic.sdk.python" }, anthropic},
	{"gen_ai", attribute("gen_ai.operation.name"), genai},
	{"traceloop", func(s *Span) bool {
		return s.has("llm.request.type") || s.prefixed("gen_ai.prompt.") || s.has("traceloop.span.kind")
	}, traceloop},
	{"span", func(*Span) bool { return true }, func(*reader) {}},
}

func attribute(key string) func(*Span) bool { return func(s *Span) bool { return s.has(key) } }

// scope says whether the span's scope is name, or below it.
func scope(s *Span, name string) bool {
	rest, ok := strings.CutPrefix(s.Scope, name)
	return ok && (rest == "" || rest[0] == '.')
}
