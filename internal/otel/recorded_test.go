package otel_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the recorded spans of other libraries mean into testdata")

// libraries are those whose spans testdata/recorded holds: one run of each, in November 2026, against a
// stand-in for the providers that answered as in the cases of testdata/otlp.
var libraries = map[string]string{
	"C": "openinference langchain 0.1.80 with openinference openai",
	"E": "Vercel's AI SDK (ai 6.0.326)",
	"G": "logfire 5.4.0",
	"K": "Genkit for Go 1.12.0, with its plugins for OpenAI, Anthropic and Google",
	"L": "openlit 1.45.0 with anthropic 2.14.0",
	"M": "mlflow 3.17.2",
	"S": "langsmith 0.14.17 with anthropic 2.14.0",
	"X": "traceloop-sdk 0.45.6 with anthropic 2.14.0",
	"Z": "litellm 1.110.2",
}

// What the other libraries sent reads as testdata/recorded says. Each line was read against what the
// stand-in had answered before it was kept.
func TestOtherLibraries(t *testing.T) {
	t.Parallel()
	for letter, library := range libraries {
		spans := recorded(t, filepath.Join("recorded", letter))
		var b strings.Builder
		calls := callsOf(t, spans)
		fmt.Fprintf(&b, "%s: %d spans, %d calls\n", library, len(spans), len(calls))
		for _, r := range calls {
			line(&b, r)
		}
		path := filepath.Join("testdata", "recorded", letter+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(b.String(), "\n"); b.String() != string(want) {
			for i, w := range strings.Split(string(want), "\n") {
				if i >= len(got) || got[i] != w {
					t.Fatalf("%s: line %d is other than recorded, want\n%s\ngot\n%s", library, i+1, w, got[min(i, len(got)-1)])
				}
			}
		}
	}
}

// line writes a call: what it is, models, tokens, the outcome, and what was said.
func line(b *strings.Builder, r report) {
	c := callOf(r)
	n := func(p *int64) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprint(*p)
	}
	fmt.Fprintf(b, "%s %s, %s asked, %s of %s answered: %s in (%s read, %s written), %s out (%s reasoning), %s; %s; %s %s",
		r.Dialect, r.Type, r.RequestedModel, r.Model, r.Provider, n(c.PromptTokens), n(c.CacheRead), n(c.CacheWrite),
		n(c.CompletionTokens), n(c.Reasoning), r.TokenSource, r.FinishReason, r.Status, r.ErrorType)
	if r.FirstToken.Sent {
		b.WriteString("; first token")
	}
	if r.TotalCost.Sent {
		fmt.Fprintf(b, "; cost %g", r.TotalCost.V)
	}
	if r.SessionID+r.UserID != "" {
		fmt.Fprintf(b, "; session %s, user %s", r.SessionID, r.UserID)
	}
	fmt.Fprintf(b, "\n  %v\n  %v\n", c.Input, c.Output)
}
