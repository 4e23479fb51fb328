package otel_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
)

// call is a generation of testdata/otlp/expected.json.
type call struct {
	RequestedModel   *string `json:"requested_model"`
	Model            *string `json:"model"`
	PromptTokens     *int64  `json:"prompt_tokens"`
	CompletionTokens *int64  `json:"completion_tokens"`
	TotalTokens      *int64  `json:"total_tokens"`
	CacheRead        *int64  `json:"cache_read_tokens"`
	CacheWrite       *int64  `json:"cache_write_tokens"`
	Reasoning        *int64  `json:"reasoning_tokens"`
	Estimated        bool    `json:"estimated"`
	FinishReason     *string `json:"finish_reason"`
	Status           string  `json:"status"`
	ErrorType        *string `json:"error_type"`
	HasFirstToken    bool    `json:"has_first_token"`
	Input            []any   `json:"input"`
	Output           []any   `json:"output"`
	TraceID          string  `json:"trace_id"`
	SpanID           string  `json:"span_id"`
	Scope            string  `json:"scope"`
}

// Every recorded case reads as expected.json says.
func TestRecordedCases(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/otlp/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct {
		Spans       int
		Generations []call
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 144 {
		t.Fatalf("%d cases", len(cases))
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans := recorded(t, filepath.Join("otlp", name))
			if len(spans) != want.Spans {
				t.Errorf("%d spans, want %d", len(spans), want.Spans)
			}
			got := callsOf(t, spans)
			if len(got) != len(want.Generations) {
				t.Fatalf("%d calls, want %d", len(got), len(want.Generations))
			}
			for _, w := range want.Generations {
				i := slices.IndexFunc(got, func(r report) bool { return r.Span.SpanID == w.SpanID })
				if i < 0 {
					t.Fatalf("span %s is no call", w.SpanID)
				}
				compare(t, callOf(got[i]), w)
			}
		})
	}
}

// recorded reads the spans of a file below testdata with the log records that belong to them.
func recorded(t *testing.T, name string) []*otel.Span {
	t.Helper()
	var spans []*otel.Span
	body, err := os.ReadFile(filepath.Join("testdata", name+".traces.pb"))
	if err == nil {
		err = spansOf(false, body, func(s *otel.Span, err error) {
			if err != nil {
				t.Fatal(err)
			}
			spans = append(spans, s)
		})
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	body, err = os.ReadFile(filepath.Join("testdata", name+".logs.pb"))
	if errors.Is(err, os.ErrNotExist) {
		return spans
	}
	if err == nil {
		err = logsOf(false, body, func(l *otlp.Log, err error) {
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range spans {
				if s.TraceID == l.TraceID && s.SpanID == l.SpanID {
					s.Logs = append(s.Logs, l.Event)
				}
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return spans
}

func callOf(r report) call {
	in, out, _ := r.Messages()
	status := r.Status
	if status == "aborted" {
		status = "error" // expected.json knows two statuses
	}
	return call{opt(r.RequestedModel), opt(r.Model), count(r.Prompt), count(r.Completion), count(r.Total), count(r.CacheRead), count(r.CacheWrite),
		count(r.Reasoning), r.TokenSource == "estimated", opt(r.FinishReason), status, opt(r.ErrorType), r.FirstToken.Sent,
		brief(in), brief(out), r.Span.TraceID, r.Span.SpanID, r.Scope}
}

func opt(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func count(c otel.Count) *int64 {
	if !c.Sent {
		return nil
	}
	return &c.N
}

// brief is the form of expected.json: role, text, and the calls of tools.
func brief(messages []otel.Message) []any {
	all := []any{}
	for _, m := range messages {
		var text strings.Builder
		calls := []any{}
		for _, p := range m.Parts {
			switch p.Type {
			case "text", "tool_result":
				text.WriteString(p.Text)
			case "medium":
				text.WriteString("[" + p.Modality + "]")
			case "tool_call":
				calls = append(calls, []any{p.Name, spaced(p.Arguments)})
			}
		}
		all = append(all, []any{m.Role, text.String(), calls})
	}
	return all
}

// spaced writes JSON as Python does.
func spaced(raw json.RawMessage) string {
	return strings.NewReplacer(`":"`, `": "`, `","`, `", "`).Replace(string(raw))
}

func compare(t *testing.T, got, want call) {
	t.Helper()
	if want.Scope == "langfuse-sdk" {
		// The span carries completion_start_time, which expected.json leaves out.
		want.HasFirstToken = got.HasFirstToken
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		a, _ := json.Marshal(g.Field(i).Interface())
		b, _ := json.Marshal(w.Field(i).Interface())
		if string(a) != string(b) {
			t.Errorf("%s is %s, want %s", g.Type().Field(i).Tag.Get("json"), a, b)
		}
	}
}

func spansOf(inJSON bool, body []byte, each func(*otel.Span, error)) error {
	return otlp.Spans(body, inJSON, func(i *otlp.Item) {
		s := *i.Span // the next one is read into the same memory
		s.Attributes = append([]otel.Attribute(nil), s.Attributes...)
		each(&s, i.Err)
	})
}

func logsOf(inJSON bool, body []byte, each func(*otlp.Log, error)) error {
	return otlp.Logs(body, inJSON, func(i *otlp.Item) { each(i.Log, i.Err) })
}
