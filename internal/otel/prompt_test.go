package otel_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/otel"
)

// slowly is what PromptText gives, by way of the messages.
func slowly(m *otel.Meaning) string {
	var b strings.Builder
	in, _, _ := m.Messages()
	for i := range in {
		for _, p := range in[i].Parts {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func promptOf(m *otel.Meaning) (text string, some bool) {
	var b strings.Builder
	some = m.PromptText(func(text []byte) { b.Write(text) })
	return b.String(), some
}

// The text that went in is that of the messages, for every recorded span and every form of a message.
func TestPromptText(t *testing.T) {
	t.Parallel()
	spans := 0
	for _, dir := range []string{"otlp", "recorded"} {
		names, err := filepath.Glob(filepath.Join("testdata", dir, "*.traces.pb"))
		if err != nil || len(names) == 0 {
			t.Fatal(dir, err)
		}
		for _, name := range names {
			for _, s := range recorded(t, filepath.Join(dir, strings.TrimSuffix(filepath.Base(name), ".traces.pb"))) {
				m := otel.Read(s)
				spans++
				if got, some := promptOf(m); got != slowly(m) || some != (got != "") {
					t.Errorf("%s, span %s: %q, %v, want %q", name, s.SpanID, got, some, slowly(m))
				}
			}
		}
	}
	if spans < 200 {
		t.Errorf("%d spans", spans)
	}
	for _, input := range []string{
		`[{"role":"user","content":"a\u00e9\"b"}]`, `[{"role":"user","parts":[{"type":"text","content":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":[{"type":"text","text":"c"}]}]`,
		`[{"role":"user","content":"a","parts":[{"type":"text","content":"b"}]}]`, `[{"role":"user","parts":[{"type":"text","content":"b"}],"content":"a"}]`,
		`[{"role":"tool","tool_call_id":"t","content":"r"}]`, `[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"y"}]}]`,
		`[{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}]`,
		`[{"role":"user","parts":[{"type":"reasoning","content":"r"}]}]`, `[[{"role":"user","content":"nested"}]]`, `{"messages":[{"role":"user","content":"whole"}]}`,
		`"bare"`, `bare`, `[]`, `[{}]`, `[{"role":"user","content":""}]`, `[{"role":"user"`, `[{'role': 'user', 'content': 'python'}]`, `[1,"x"]`,
		`[{"role":"user","content":"twice"},{"role":"user","content":"twice"}]`, `[{"type":"message","role":"user","content":"typed"}]`,
	} {
		m := otel.Read(&otel.Span{Scope: "x", Attributes: []otel.Attribute{text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", input)}})
		if got, some := promptOf(m); got != slowly(m) || some != (got != "") {
			t.Errorf("%s: %q, %v, want %q", input, got, some, slowly(m))
		}
	}
}
