package otel

import "strings"

// dialect is a convention: which spans follow it, and how they are read.
type dialect struct {
	name   string
	speaks func(*reader) bool
	read   func(*reader)
}

// dialects in the order in which they are tried: the marks that only one library sets come
// first, then scopes, then what many share.
var dialects = []dialect{
	{"mlflow", attribute("mlflow.spanType"), mlflow},
	{"langfuse", attribute("langfuse.observation.type"), langfuse},
	{"openinference", attribute("openinference.span.kind"), openinference},
	{"langsmith", attribute("langsmith.span.kind"), langsmith},
	{"logfire", func(r *reader) bool { return scope(r, "logfire") || r.has("logfire.span_type") }, logfire},
	{"litellm", func(r *reader) bool { return scope(r, "litellm") }, litellm},
	{"openlit", func(r *reader) bool { return scope(r, "openlit") }, openlit},
	{"brokle", func(r *reader) bool { return scope(r, "brokle") || r.has("brokle.span.type") }, brokle},
	{"anthropic", func(r *reader) bool { return r.Scope == "com.anthropic.sdk.python" }, anthropic},
	{"vercel", attribute("ai.operationId"), vercel},
	{"genkit", func(r *reader) bool { return r.Scope == "genkit-tracer" || r.has("genkit:type") }, genkit},
	{"gen_ai", attribute("gen_ai.operation.name"), genai},
	{"traceloop", func(r *reader) bool {
		return r.has("llm.request.type") || r.prefixed("gen_ai.prompt.") || r.has("traceloop.span.kind")
	}, traceloop},
	{"span", func(*reader) bool { return true }, func(*reader) {}},
}

func attribute(key string) func(*reader) bool { return func(r *reader) bool { return r.has(key) } }

// scope says whether the span's scope is name, or below it.
func scope(r *reader, name string) bool {
	rest, ok := strings.CutPrefix(r.Scope, name)
	return ok && (rest == "" || rest[0] == '.')
}
