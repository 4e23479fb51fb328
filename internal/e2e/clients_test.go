package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// What TestPublishedClients installs; the one place to change a version. The newest clients
// bring what the older ones need, which are put beside them without their dependencies.
const (
	newestClient    = "0.4.0"
	langfusePython  = "5.0.4"
	langfusePython2 = "2.60.10"
	langfuseJS      = "5.11.1"
	langfuseJS3     = "3.39.2"
)

var (
	pythonPackages = []string{
		"brokle==" + newestClient, "langfuse==" + langfusePython, "openai==2.9.0",
		"openinference-instrumentation-openai==0.1.66", "opentelemetry-instrumentation-openai==0.62.4",
	}
	nodePackages = []string{
		"langfuse@" + langfuseJS3, "@langfuse/client@" + langfuseJS, "@langfuse/otel@" + langfuseJS, "@langfuse/tracing@" + langfuseJS, "@opentelemetry/sdk-node@0.223.0",
	}
)

// longNames are the event types of the clients before 0.2.9.
const longNames = "trace_create,observation_create,quality_score_create"

// batchClients are the clients of the batch endpoint, and the one of the bulk endpoint before it.
var batchClients = []batchClient{
	{version: "0.2.0", events: 3},
	{version: "0.2.7", types: longNames, events: 6, env: "WITHOUT_ULID=1"},
	{version: "0.2.8", types: longNames, events: 6},
	{version: "0.2.9", types: "trace,observation,quality_score", events: 7, wraps: true},
}

type batchClient struct {
	version string
	types   string // the names of the events that the program submits by hand; "" when this version cannot
	events  int    // how many the program makes it send
	wraps   bool   // it can wrap a provider's client
	env     string
}

// environment is the one in which the client's events are.
func (c batchClient) environment() string { return "v" + strings.ReplaceAll(c.version, ".", "-") }

// told is what a program prints: what its client was told.
type told struct {
	Version   string
	Validated json.RawMessage
	Refused   bool
	TraceID   string `json:"trace_id"`
	Wrapped   string
	Chat      string
	Flushed   bool
	Auth      bool
	Trace     string // the id of the agent's
	Read      []any  // of what was sent, read back
	Scores    []any
	Raised    string
	Errors    []string
	Metrics   struct {
		Processed int     `json:"items_processed"`
		Failed    int     `json:"items_failed"`
		LastError *string `json:"last_error"`
	}
}

// Issue 11, points 2 to 5, and issue 13, point 5: published clients and instrumentations, as their users have them, against
// the built binary and a key that it made: what they send is stored once, and means what their users meant.
func TestPublishedClients(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short leaves out what installs packages")
	}
	dir := t.TempDir()
	python := installClients(t, dir)
	installNode(t, dir)
	data := filepath.Join(dir, "data")
	n := startNode(t, data, "--cost", "as-sent") // what clients say of costs is what is looked at
	key := newKey(t, data, "clients", "ingest,read")
	if !regexp.MustCompile(`^bk_[a-zA-Z0-9]{40}$`).MatchString(key) { // what the JavaScript client takes, and nothing else
		t.Errorf("a new key of %d characters", len(key))
	}
	provider := httptest.NewServer(http.HandlerFunc(answerChat))
	defer provider.Close()

	t.Run("clients", func(t *testing.T) {
		for _, c := range batchClients {
			t.Run(c.version, func(t *testing.T) {
				t.Parallel()
				out := runClient(t, python, filepath.Join("testdata", "client_v02.py"), "PYTHONPATH="+filepath.Join(dir, c.version), "BROKLE_API_KEY="+key, "BROKLE_HOST="+n.URL,
					"BROKLE_ENVIRONMENT="+c.environment(), "PROVIDER="+provider.URL, "EVENT_TYPES="+c.types, fmt.Sprint("EVENTS=", c.events), c.env)
				c.checkTold(t, out)
			})
		}
		for i := range agents {
			a := &agents[i]
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				a.run(t, n, key, python, dir, provider.URL)
			})
		}
	})
	if t.Failed() {
		return
	}
	total := 0
	for _, c := range batchClients {
		total += c.events
	}
	for i := range agents {
		if agents[i].told != nil {
			total += agents[i].events
		}
	}
	waitEvents(t, n, total) // and no more: nothing was sent again as something else
	for i := range agents {
		if a := &agents[i]; a.told != nil {
			t.Run("stored "+a.name, func(t *testing.T) { a.check(t, n) })
		}
	}
	for _, c := range batchClients {
		t.Run("stored "+c.version, func(t *testing.T) { c.checkStored(t, n) })
	}
	t.Run("prompts", func(t *testing.T) { checkPrompts(t, n, python, data) })
	t.Run("datasets", func(t *testing.T) {
		checkDatasetsClient(t, n, newKey(t, data, "datasets", "ingest,read,admin"), python)
	})
}

// installClients installs the clients below dir and returns the interpreter that has the newest.
// Where the registry cannot be reached the test is skipped.
func installClients(t *testing.T, dir string) (python string) {
	t.Helper()
	python = pythonWith(t, dir, pythonPackages...)
	for _, c := range batchClients {
		pip(t, dir, python, "--no-deps", "--target", filepath.Join(dir, c.version), "brokle=="+c.version)
	}
	pip(t, dir, python, "--no-deps", "--target", filepath.Join(dir, "langfuse2"), "langfuse=="+langfusePython2)
	return python
}

// pythonWith is an interpreter of its own below dir, with these packages.
func pythonWith(t *testing.T, dir string, packages ...string) (python string) {
	t.Helper()
	venv := filepath.Join(dir, "venv")
	install(t, dir, "python3", "-m", "venv", venv)
	python = filepath.Join(venv, "bin", "python")
	pip(t, dir, python, packages...)
	return python
}

func pip(t *testing.T, dir, python string, args ...string) {
	t.Helper()
	install(t, dir, python, append([]string{"-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"}, args...)...)
}

// installNode installs the JavaScript clients in dir/node.
func installNode(t *testing.T, dir string) {
	t.Helper()
	to := filepath.Join(dir, "node")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	install(t, to, "npm", append([]string{"install", "--prefix", to, "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries", "1"}, nodePackages...)...)
}

// install runs a command that fetches packages.
func install(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	for _, sign := range []string{
		"connection broken", "Connection refused", "NewConnectionError", "Name or service not known", "Temporary failure in name resolution",
		"Network is unreachable", "timed out", "ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ENETUNREACH",
	} {
		if strings.Contains(string(out), sign) {
			t.Skipf("skipped: the package registry cannot be reached, so NO published client was tried (%s)", sign)
		}
	}
	t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
}

// newKey makes a key as an operator does.
func newKey(t *testing.T, data, name, scope string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin.Path, "keys", "create", "--data", data, "--name", name, "--scope", scope)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("keys create: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// runClient runs a program of testdata to its end.
func runClient(t *testing.T, interpreter, program string, env ...string) (what told) {
	t.Helper()
	if out := runProgram(t, interpreter, program, env...); json.Unmarshal(out, &what) != nil {
		t.Fatalf("%s: %s", program, out)
	}
	return what
}

// runProgram runs a program of a client, and returns the last line that it prints.
func runProgram(t *testing.T, interpreter, program string, env ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, interpreter, program)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "BROKLE_") || strings.HasPrefix(s, "LANGFUSE_") || strings.HasPrefix(s, "OTEL_") || strings.HasPrefix(s, "PYTHON")
	})
	cmd.Env = append(cmd.Env, env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", program, err, out, complaints.String())
	}
	if complaints.Len() > 0 {
		t.Logf("the client says:\n%s", complaints.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return []byte(lines[len(lines)-1])
}

// checkTold checks what the client knows when its program ends.
func (c batchClient) checkTold(t *testing.T, out told) {
	t.Helper()
	var key struct {
		Environment    string
		OrganizationID string `json:"organization_id"`
	}
	if err := json.Unmarshal(out.Validated, &key); err != nil || key.Environment != c.environment() || key.OrganizationID != "default" {
		t.Errorf("validate-key: %s", out.Validated)
	}
	if out.Version != c.version || out.Wrapped != "because" || out.Chat != "gpt-4o-mini-2024-07-18" || !out.Flushed {
		t.Errorf("the program did not run as it should: %+v", out)
	}
	if m := out.Metrics; m.Processed != c.events || m.Failed != 0 || m.LastError != nil {
		t.Errorf("the client was told of failures: %+v", m)
	}
}

// checkStored checks what a reader sees of the client's events.
func (c batchClient) checkStored(t *testing.T, n *rig.Node) {
	if got, err := n.Count(t.Context(), "&environment="+c.environment()); err != nil || got != c.events {
		t.Errorf("%d events stored, want %d (%v)", got, c.events, err)
	}
	traces := c.traces(t, n)
	c.checkObserved(t, traces["answer"])
	if c.types != "" {
		c.checkManual(t, traces["checkout"])
	}
	if c.wraps {
		c.checkCalls(t, n)
	}
}

// traces are the client's traces by name, with all that is in them.
func (c batchClient) traces(t *testing.T, n *rig.Node) map[string]*brokle.Trace {
	t.Helper()
	var page brokle.Page[brokle.TraceSummary]
	n.GetJSON(t, "/v1/traces?environment="+c.environment(), &page)
	byName := make(map[string]*brokle.Trace)
	for _, summary := range page.Data {
		var trace brokle.Trace
		n.GetJSON(t, "/v1/traces/"+summary.ID, &trace)
		byName[trace.Name] = &trace
	}
	return byName
}

// checkObserved checks the trace of the functions under @observe: its options, what went in and came out, the error of the inner one.
func (c batchClient) checkObserved(t *testing.T, trace *brokle.Trace) {
	t.Helper()
	if trace == nil {
		t.Fatal("no trace has the name of its root")
	}
	if trace.UserID != "user-2" || trace.SessionID != "session-2" || !slices.Equal(trace.Tags, []string{"chat", "prod"}) || trace.ErrorCount != 1 {
		t.Errorf("trace: user %q, session %q, tags %q, %d errors", trace.UserID, trace.SessionID, trace.Tags, trace.ErrorCount)
	}
	if len(trace.Observations) != 1 || len(trace.Observations[0].Children) != 1 {
		t.Fatalf("%d roots", len(trace.Observations))
	}
	root, inner := trace.Observations[0], trace.Observations[0].Children[0]
	in := string(root.Input)
	if root.Name != "answer" || !strings.Contains(in, `"why?"`) || !strings.Contains(in, `"long"`) || string(root.Output) != `"because"` ||
		root.Level == brokle.LevelError || root.EndTime == nil || root.LatencyMS == nil {
		t.Errorf("root %+v, input %s, output %s", root, root.Input, root.Output)
	}
	if inner.Name != "look-up" || inner.Level != brokle.LevelError || !strings.Contains(inner.StatusMessage, "nothing found for why?") ||
		!strings.Contains(inner.StatusMessage, "ValueError") || !strings.Contains(string(inner.Input), "why?") {
		t.Errorf("inner %+v, input %s", inner, inner.Input)
	}
}

// checkManual checks the trace of the events submitted by hand.
func (c batchClient) checkManual(t *testing.T, trace *brokle.Trace) {
	t.Helper()
	if trace == nil {
		t.Fatal("the trace is not there")
	}
	if trace.UserID != "user-1" || trace.SessionID != "session-1" || !slices.Equal(trace.Tags, []string{"manual"}) || trace.TotalTokens != 15 || trace.Scores["quality"] != 0.9 {
		t.Errorf("%+v", trace.TraceSummary)
	}
}

// checkCalls checks what a wrapped call and a call through the client leave.
func (c batchClient) checkCalls(t *testing.T, n *rig.Node) {
	t.Helper()
	var page brokle.Page[brokle.Observation]
	n.GetJSON(t, "/v1/observations?environment="+c.environment(), &page)
	byName := make(map[string]brokle.Observation)
	for _, o := range page.Data {
		byName[o.Name] = o
	}
	wrapped, ok := byName["chat_completion"]
	if !ok || wrapped.Type != brokle.TypeGeneration || wrapped.Model != "gpt-4o-mini-2024-07-18" || wrapped.Provider != "openai" ||
		count(wrapped.PromptTokens) != 20 || count(wrapped.CompletionTokens) != 5 || count(wrapped.TotalTokens) != 25 || wrapped.LatencyMS == nil {
		t.Errorf("wrapped call: %v %+v", ok, wrapped)
	}
	call, ok := byName["POST /v1/chat/completions"]
	if !ok || call.LatencyMS == nil || call.EndTime == nil {
		t.Errorf("call through the client: %v %+v", ok, call)
	}
}

func count(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}
