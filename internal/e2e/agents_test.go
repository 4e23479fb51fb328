package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// agentClient is a client that reports the agent of testdata/agent.py, or the same in JavaScript.
type agentClient struct {
	name    string
	program string
	node    bool
	env     string
	events  int    // that it makes, scores among them, with nothing twice
	door    string // by which they come
	sdk     string // what Source.SDK begins with
	scope   string
	trace   string // its name
	tool    string // the type of the tool's observation
	version string // of the agent
	scores  map[string]any
	tags    []string
	cost    float64
	parts   bool // the cached and the reasoning tokens are sent, or only counts of the whole
	answer  bool // the reasoning tokens of the streamed answer are sent
	first   bool // the time of the first token is sent
	media   bool // it also reports an image, which is not kept

	told *told
}

var agents = []agentClient{
	{
		name: "langfuse-python-5", program: "agent_langfuse5.py", events: 8, door: "langfuse", sdk: "langfuse-python/" + langfusePython, scope: "langfuse-sdk",
		trace: "support", tool: "tool", version: "v7", scores: map[string]any{"quality": 0.9, "label": "fine"}, tags: []string{"chat", "prod"}, parts: true, answer: true, first: true, media: true,
	},
	{
		name: "langfuse-python-2", program: "agent_langfuse2.py", env: "PYTHONPATH=langfuse2", events: 26, door: "langfuse", sdk: "langfuse-python/" + langfusePython2,
		trace: "support", tool: "span", scores: map[string]any{"quality": 0.9}, tags: []string{"chat", "prod"}, parts: true, answer: true, first: true, media: true,
	},
	{
		name: "langfuse-js-5", program: "agent_langfuse5.mjs", node: true, events: 7, door: "langfuse", sdk: "langfuse-javascript/" + langfuseJS, scope: "langfuse-sdk",
		trace: "support", tool: "tool", version: "v7", scores: map[string]any{"quality": 0.9}, tags: []string{"chat", "prod"}, cost: 0.75, parts: true, first: true, media: true,
	},
	{
		name: "langfuse-js-3", program: "agent_langfuse3.mjs", node: true, events: 16, door: "langfuse", sdk: "langfuse-js/" + langfuseJS3,
		trace: "support", tool: "span", version: "v7", scores: map[string]any{"quality": 0.9, "label": "fine"}, tags: []string{"chat", "prod"}, cost: 0.75, parts: true, answer: true, first: true, media: true,
	},
	{
		name: "openinference", program: "agent_instrumented.py", env: "INSTRUMENTATION=openinference.instrumentation.openai", events: 5, door: "otlp", sdk: "opentelemetry-python/",
		scope: "openinference.instrumentation.openai", trace: "support-agent", tool: "span", parts: true, answer: true, first: true,
	},
	{
		name: "traceloop", program: "agent_instrumented.py", env: "INSTRUMENTATION=opentelemetry.instrumentation.openai", events: 5, door: "otlp", sdk: "opentelemetry-python/",
		scope: "opentelemetry.instrumentation.openai.v1", trace: "support-agent", tool: "span", parts: true, first: true,
	},
	{
		name: "brokle-python-0-4", program: "client_v04.py", events: 8, door: "otlp", sdk: "opentelemetry-python/", scope: "brokle",
		trace: "support-agent", tool: "span", scores: map[string]any{"quality": 0.9, "passed": 1.0, "label": "fine"}, first: true,
	},
}

// environment is the one in which the client's observations are.
func (a *agentClient) environment() string { return "of-" + a.name }

// run runs the client's program to its end.
func (a *agentClient) run(t *testing.T, n *rig.Node, key, python, dir, provider string) {
	interpreter, program := python, filepath.Join("testdata", a.program)
	if a.node {
		interpreter = "node"
		program = copied(t, program, filepath.Join(dir, "node", a.program)) // beside the packages that it imports
	}
	out := runClient(t, interpreter, program, "KEY="+key, "HOST="+n.URL, "ENVIRONMENT="+a.environment(), "PROVIDER="+provider,
		"BROKLE_API_KEY="+key, "BROKLE_BASE_URL="+n.URL, "BROKLE_ENVIRONMENT="+a.environment(),
		"PYTHONPYCACHEPREFIX="+filepath.Join(dir, "pycache"), strings.Replace(a.env, "PYTHONPATH=", "PYTHONPATH="+dir+"/", 1))
	a.told = &out
	switch {
	case out.Trace == "" || len(out.Errors) > 0:
		t.Errorf("the program did not run as it should: %+v", out)
	case strings.HasPrefix(a.name, "langfuse-python") && !out.Auth:
		t.Error("the key was not taken")
	case a.name == "langfuse-python-2" && fmt.Sprint(out.Read) != "[by-hand map[q:1] map[a:2] 0.875 [EVENT GENERATION SPAN] label]":
		t.Errorf("read back %v", out.Read)
	case a.name == "brokle-python-0-4":
		a.checkBrokle(t)
	}
}

// checkBrokle checks what the SDK was told of its key and, the second time, of its scores.
func (a *agentClient) checkBrokle(t *testing.T) {
	out := a.told
	if out.Version != newestClient || string(out.Validated) != "true" || out.Refused {
		t.Errorf("a good key was taken: %s, a bad one: %v", out.Validated, out.Refused)
	}
	if out.Raised != "ScoreError" || len(out.Scores) != 2 {
		t.Fatalf("raised %q for a bad score; scores %v", out.Raised, out.Scores)
	}
	one, many := out.Scores[0].(map[string]any), out.Scores[1].(map[string]any)
	if one["duplicate"] != true || many["created"] != 0.0 || many["duplicates"] != 2.0 || many["failed"] != 1.0 {
		t.Errorf("sent twice: %v", out.Scores)
	}
}

// costs says whether a trace costs what the client says; nothing is known when it says 0.
func (a *agentClient) costs(total *float64) bool {
	if a.cost == 0 {
		return total == nil
	}
	return total != nil && *total == a.cost
}

// check checks what a reader sees of the agent.
func (a *agentClient) check(t *testing.T, n *rig.Node) {
	var trace brokle.Trace
	n.GetJSON(t, "/v1/traces/"+a.told.Trace, &trace)
	if trace.Name != a.trace || trace.UserID != "user-1" || trace.SessionID != "session-1" || trace.Environment != a.environment() || trace.Status != "ok" ||
		!slices.Equal(trace.Tags, a.tags) || trace.TotalTokens != 300 || trace.ErrorCount != 1 || !a.costs(trace.TotalCost) {
		t.Errorf("trace %+v", trace.TraceSummary)
	}
	if !maps.Equal(trace.Scores, a.scores) && len(trace.Scores)+len(a.scores) > 0 {
		t.Errorf("scores %v, want %v", trace.Scores, a.scores)
	}
	if len(trace.Observations) != 1 || trace.Observations[0].Name != "support-agent" || trace.Observations[0].Version != a.version {
		t.Fatalf("%d roots: %+v", len(trace.Observations), trace.Observations)
	}
	var asked, answer, refused *brokle.Observation // of one millisecond for some clients: their order says nothing
	for _, o := range trace.Observations[0].Children {
		switch {
		case o.Type == brokle.TypeGeneration && o.Level == brokle.LevelError && refused == nil:
			refused = o
		case o.Type == brokle.TypeGeneration && strings.Contains(string(o.Output), "get_weather") && asked == nil:
			asked = o
		case o.Type == brokle.TypeGeneration && answer == nil:
			answer = o
		case o.Name == "get_weather" && o.Type == a.tool:
		case o.Name == "noticed" && o.Type == brokle.TypeEvent:
		default:
			t.Errorf("a %s %s", o.Type, o.Name)
		}
		if s := o.Source; s == nil || s.Door != a.door || !strings.HasPrefix(s.SDK, a.sdk) || o.Type == brokle.TypeGeneration && s.Scope != a.scope {
			t.Errorf("%s came by %+v", o.Name, s)
		}
	}
	if asked == nil || answer == nil || refused == nil {
		t.Fatalf("a call is missing: %+v", trace.Observations[0].Children)
	}
	a.checkCalls(t, asked, answer, refused)
	if a.media {
		a.checkMedia(t, n)
	}
}

// checkCalls checks the call that asks for a tool, the streamed answer and the call that was refused.
func (a *agentClient) checkCalls(t *testing.T, asked, answer, refused *brokle.Observation) {
	for _, o := range []*brokle.Observation{asked, answer} {
		if o.Model != "gpt-4o-mini-2024-07-18" || count(o.PromptTokens) != 100 || count(o.CompletionTokens) != 50 || count(o.TotalTokens) != 150 || o.Status != "ok" ||
			a.parts && count(o.CacheReadTokens) != 80 || o.LatencyMS == nil {
			t.Errorf("call %+v", o)
		}
		if !strings.Contains(string(o.Input), "How is the weather?") {
			t.Errorf("input %s", o.Input)
		}
	}
	if a.parts && count(asked.ReasoningTokens) != 30 || a.answer && count(answer.ReasoningTokens) != 30 {
		t.Errorf("reasoning %d and %d", count(asked.ReasoningTokens), count(answer.ReasoningTokens))
	}
	if !strings.Contains(string(asked.ModelParameters), `"temperature"`) || !strings.Contains(string(answer.Output), "It rains.") {
		t.Errorf("outputs %s and %s, parameters %s", asked.Output, answer.Output, asked.ModelParameters)
	}
	if known := answer.TimeToFirstTokenMS != nil; known != a.first || asked.TimeToFirstTokenMS != nil {
		t.Errorf("first tokens %v and %v", asked.TimeToFirstTokenMS, answer.TimeToFirstTokenMS)
	}
	if refused.Level != brokle.LevelError || refused.Status != "error" || !strings.Contains(refused.StatusMessage, "429") || refused.TotalTokens != nil || refused.TotalCost != nil {
		t.Errorf("refused %+v", refused)
	}
}

// checkMedia checks that what an image stands in is there without it.
func (a *agentClient) checkMedia(t *testing.T, n *rig.Node) {
	var page brokle.Page[brokle.TraceSummary]
	n.GetJSON(t, "/v1/traces?name=look&environment="+a.environment(), &page)
	if len(page.Data) != 1 {
		t.Fatalf("%d traces look at an image", len(page.Data))
	}
	var trace brokle.Trace
	n.GetJSON(t, "/v1/traces/"+page.Data[0].ID, &trace)
	if in := string(trace.Input); !strings.Contains(in, "@@@langfuseMedia:") && !strings.Contains(in, "LangfuseMedia of type image/png") {
		t.Errorf("input %s", in)
	}
}

// copied copies a file and returns where to.
func copied(t *testing.T, from, to string) string {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}
