package otel_test

import (
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/otel"
)

// What Genkit runs beside models: types, what went in and came out, and how it ended. A tool that asks first has not failed, and a reader who left a
// stream neither.
func TestStepsOfGenkit(t *testing.T) {
	t.Parallel()
	got := map[string][5]string{}
	for _, s := range recorded(t, filepath.Join("recorded", "K")) {
		if m := otel.Read(s); m.Dialect == "genkit" {
			got[m.Name] = [5]string{m.Type, m.Input, m.Output, m.Status, m.Level}
		}
	}
	for name, want := range map[string][5]string{
		"answer":      {"chain", `"What is the weather?"`, `"The sky is blue."`, "ok", ""},
		"think":       {"span", "", `"hm"`, "ok", ""},
		"own/library": {"retrieval", `{"query":{"content":[{"text":"What is the weather?"}]}}`, `{"documents":[{"content":[{"text":"air scatters"}]}]}`, "ok", ""},
		"get_weather": {"tool", `{"city":"Oslo"}`, `"sunny in Oslo"`, "ok", ""},
		"pay":         {"tool", `{"city":"Oslo"}`, "", "ok", ""},
		"openai/text-embedding-3-small": {"embedding", `{"input":[{"content":[{"text":"a"}]},{"content":[{"text":"b"}]}]}`,
			`{"dimensions":3,"embeddings":2}`, "ok", ""},
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if of := got["openai/m"]; of[3] != "aborted" || of[4] != "" {
		t.Errorf("a stream that was left: %q", of)
	}
	if of := got["openai/m-cut"]; of[3] != "error" || of[4] != "ERROR" {
		t.Errorf("a stream that broke: %q", of)
	}
}

// An agent's session, and parameters without their secret.
func TestSessionsAndParametersOfGenkit(t *testing.T) {
	t.Parallel()
	for _, at := range []otel.Attribute{text("genkit:init", `{"sessionId":"s1"}`), text("genkit:init", `{"state":{"sessionId":"s1"}}`),
		text("genkit:output", `{"sessionId":"s1"}`), text("genkit:sessionId", "s1")} {
		m := otel.Explain(&otel.Span{Scope: "genkit-tracer", Name: "chat", Attributes: []otel.Attribute{text("genkit:type", "action"), text("genkit:metadata:subtype", "agent"), at}})
		if m.Type != "agent" || m.SessionID != "s1" || m.Why["session_id"] == "" {
			t.Errorf("%s: %s, session %q by %q", at.Key, m.Type, m.SessionID, m.Why["session_id"])
		}
	}
	m := otel.Read(&otel.Span{Scope: "genkit-tracer", Name: "googleai/gemini", Attributes: []otel.Attribute{text("genkit:name", "googleai/gemini"), text("genkit:metadata:subtype", "model"),
		text("genkit:input", `{"config":{"apiKey":"sk-secret","topK":3,"version":"gemini-001"}}`)}})
	if m.Parameters != `{"topK":3}` || m.RequestedModel != "gemini-001" || m.Provider != "google" {
		t.Errorf("%s, %s of %s", m.Parameters, m.RequestedModel, m.Provider)
	}
}

// The parts of Genkit's messages.
func TestPartsOfGenkit(t *testing.T) {
	t.Parallel()
	in, out, tools := otel.Conversation("generation", `{"messages":[{"role":"user","content":[{"text":"a"},{"media":{"contentType":"image/png","url":"https://x.test/a.png"}}]},
		{"role":"tool","content":[{"toolResponse":{"name":"f","ref":"c1","output":{"n":1}}}]}],"tools":[{"name":"f","description":"d","inputSchema":{"type":"object"}}]}`,
		`{"role":"model","content":[{"reasoning":"hm"},{"toolRequest":{"name":"f","ref":"c2","input":{"x":1}}}]}`)
	if len(in) != 2 || len(out) != 1 || len(tools) != 1 || tools[0].Name != "f" {
		t.Fatalf("%v, %v, %v", in, out, tools)
	}
	if p := in[0].Parts; len(p) != 2 || p[1].Type != "medium" || p[1].MediaType != "image/png" || p[1].URI != "https://x.test/a.png" || p[1].Modality != "image" {
		t.Errorf("%+v", p)
	}
	if p := in[1].Parts[0]; p.Type != "tool_result" || p.ID != "c1" || p.Name != "f" || p.Text != `{"n":1}` {
		t.Errorf("%+v", p)
	}
	if p := out[0].Parts; out[0].Role != "assistant" || len(p) != 2 || p[0].Type != "reasoning" || p[0].Text != "hm" || p[1].ID != "c2" || string(p[1].Arguments) != `{"x":1}` {
		t.Errorf("%+v", p)
	}
}
