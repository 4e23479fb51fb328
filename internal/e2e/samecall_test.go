package e2e

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

// What TestTheSameCall installs beside the programs in testdata/callsgo, whose go.mod pins them.
var instrumentations = []string{
	"openai==2.9.0", "anthropic==2.14.0", "openinference-instrumentation-openai==0.1.66", "openinference-instrumentation-anthropic==3.1.0",
	"opentelemetry-instrumentation-openai==0.62.4", "opentelemetry-instrumentation-openai-v2==2.4b0", "opentelemetry-util-genai==0.4b0", "httpx==0.28.1",
	"opentelemetry-exporter-otlp-proto-http==1.45.2",
}

// way is one in which a program's calls are recorded.
type way struct {
	door string // the environment, and of Go's programs what they are told
	of   string // which call it makes
	// python is the class that instruments; "" of Go's programs.
	python string
	// differs is what its answers say otherwise than the others', by field; by "stream " and the field of the stream only. docs/instrument.md says why.
	differs map[string]string
	reports int // how many observations it makes of a call; 0 is 1
}

var ways = []way{
	{door: "go-openai", of: "openai"},
	{door: "go-openai-http", of: "openai"},
	{door: "py-openinference", of: "openai", python: "openinference.instrumentation.openai.OpenAIInstrumentor"},
	{door: "py-traceloop", of: "openai", python: "opentelemetry.instrumentation.openai.OpenAIInstrumentor", differs: map[string]string{"stream reasoning_tokens": "null"}},
	{door: "py-otel", of: "openai", python: "opentelemetry.instrumentation.openai_v2.OpenAIInstrumentor", differs: map[string]string{
		"cache_read_tokens": "null", "reasoning_tokens": "null", "total_cost": "more: what a cache gave is taken for new", "stream first token": "false"}},
	{door: "go-anthropic", of: "anthropic"},
	{door: "go-anthropic-http", of: "anthropic"},
	{door: "go-anthropic-otel", of: "anthropic"},
	{door: "go-anthropic-both", of: "anthropic", reports: 2},
	{door: "py-openinference-anthropic", of: "anthropic", python: "openinference.instrumentation.anthropic.AnthropicInstrumentor", reports: 2}, // the client has spans of its own
}

// sameCall is what every way says of a call.
var sameCall = map[string]map[string]string{
	"openai": {
		"type": `"generation"`, "requested_model": `"gpt-4o-mini"`, "model": `"gpt-4o-mini-2024-07-18"`, "provider": `"openai"`, "response_id": `"chatcmpl-1"`, "finish_reason": `"stop"`,
		"prompt_tokens": "100", "completion_tokens": "50", "total_tokens": "150", "cache_read_tokens": "80", "reasoning_tokens": "30", "status": `"ok"`,
		"messages": "system: Be short.; user: Why is the sky blue?; assistant: The sky is blue.", "first token": "false", "stream first token": "true",
	},
	"anthropic": {
		"type": `"generation"`, "requested_model": `"claude-sonnet-4-5"`, "model": `"claude-sonnet-4-5"`, "provider": `"anthropic"`, "response_id": `"msg_1"`, "finish_reason": `"stop"`,
		"prompt_tokens": "110", "completion_tokens": "50", "total_tokens": "160", "cache_read_tokens": "80", "cache_write_tokens": "10", "status": `"ok"`,
		"messages": "system: Be short.; user: Why is the sky blue?; assistant: The sky is blue.", "first token": "false", "stream first token": "true",
	},
}

// Issue 17, "What it must show", 2, and one call of a client that makes spans of its own: the same call, recorded in every way there is, is
// one generation that says the same; where a library says less, it is exactly what is written here.
func TestTheSameCall(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: -short leaves out what installs packages")
	}
	dir := t.TempDir()
	program, venv := filepath.Join(dir, "callsgo"), filepath.Join(dir, "venv")
	python := filepath.Join(venv, "bin", "python")
	install(t, filepath.Join("testdata", "callsgo"), "go", "build", "-o", program, ".")
	install(t, "", "python3", "-m", "venv", venv)
	install(t, "", python, append([]string{"-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"}, instrumentations...)...)
	n := startNode(t, filepath.Join(dir, "data"))
	provider := httptest.NewServer(standin.New())
	defer provider.Close()
	costs := map[string]any{}
	for _, w := range ways {
		cmd := exec.CommandContext(t.Context(), program)
		if w.python != "" {
			cmd = exec.CommandContext(t.Context(), python, filepath.Join("testdata", "call_instrumented.py"))
		}
		cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
			return strings.HasPrefix(s, "BROKLE_") || strings.HasPrefix(s, "OTEL_") || strings.HasPrefix(s, "PYTHON")
		})
		cmd.Env = append(cmd.Env, "DOOR="+w.door, "PROVIDER="+provider.URL, "BROKLE_HOST="+n.URL, "BROKLE_API_KEY="+rig.Key,
			"HOST="+n.URL, "KEY="+rig.Key, "ENVIRONMENT="+w.door, "INSTRUMENTATION="+w.python, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", w.door, err, out)
		}
		w.check(t, n, costs)
	}
}

// check looks at both calls of the way.
func (w *way) check(t *testing.T, n *rig.Node, costs map[string]any) {
	t.Helper()
	type row struct {
		ID    string `json:"id"`
		Trace string `json:"trace_id"`
	}
	var calls, all struct{ Data []row }
	n.GetJSON(t, "/v1/observations?type=generation&environment="+w.door, &calls)
	n.GetJSON(t, "/v1/observations?type=generation&duplicates=true&environment="+w.door, &all)
	if len(calls.Data) != 2 || len(all.Data) != 2*max(1, w.reports) {
		t.Errorf("%s: 2 calls are %d in %d reports, want %d a call", w.door, len(calls.Data), len(all.Data), max(1, w.reports))
		return
	}
	for i, stream := range []string{"stream ", ""} { // the newest comes first
		var got map[string]any
		n.GetJSON(t, "/v1/observations/"+calls.Data[i].ID+"?trace_id="+calls.Data[i].Trace, &got)
		got["messages"], got["first token"] = spoken(got), got["time_to_first_token_ms"] != nil
		for field, want := range sameCall[w.of] {
			field, ofStream := strings.CutPrefix(field, "stream ")
			if ofStream && stream == "" {
				continue
			}
			if _, own := sameCall[w.of]["stream "+field]; own && !ofStream && stream != "" {
				continue
			}
			for _, key := range []string{field, stream + field} {
				if other, differs := w.differs[key]; differs {
					want = other
				}
			}
			said := fmt.Sprint(got[field])
			if field != "messages" && field != "first token" {
				b, _ := json.Marshal(got[field])
				said = string(b)
			}
			if said != want {
				t.Errorf("%s: %s%s is %s, want %s", w.door, stream, field, said, want)
			}
		}
		if known, ok := costs[w.of]; !ok {
			costs[w.of] = got["total_cost"]
		} else if w.differs["total_cost"] == "" && fmt.Sprint(known) != fmt.Sprint(got["total_cost"]) || got["total_cost"] == nil {
			t.Errorf("%s: %scosts %v, want %v", w.door, stream, got["total_cost"], known)
		}
	}
}

// spoken is what was said, by whom.
func spoken(o map[string]any) string {
	in, _ := o["messages_in"].([]any)
	out, _ := o["messages_out"].([]any)
	var said []string
	for _, m := range append(slices.Clone(in), out...) {
		m := m.(map[string]any)
		parts, _ := m["parts"].([]any)
		text := ""
		for _, p := range parts {
			if p := p.(map[string]any); p["type"] == "text" {
				text += fmt.Sprint(p["text"])
			}
		}
		said = append(said, fmt.Sprintf("%v: %s", m["role"], text))
	}
	return strings.Join(said, "; ")
}
