package e2e

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// What TestExporters installs; the Go exporters are in testdata/otlpgo/go.mod.
var (
	pythonExporters = []string{"opentelemetry-exporter-otlp-proto-http==1.45.2", "opentelemetry-exporter-otlp-proto-grpc==1.45.2", "opentelemetry-sdk==1.45.2"}
	nodeExporters   = []string{"@opentelemetry/exporter-trace-otlp-http@0.223.1", "@opentelemetry/exporter-trace-otlp-proto@0.223.1",
		"@opentelemetry/sdk-trace-base@2.12.1", "@opentelemetry/resources@2.12.1", "@opentelemetry/api@1.9.0"}
)

// exporter is a program that sends an agent for each line that it reads, and answers with its trace when
// the server has taken it.
type exporter struct {
	name, door string
	command    []string
	env        []string
	taken      []string
}

// agentsTaken is how many of each program are to be taken; killedAt is how many have been when the server is killed.
const agentsTaken, killedAt = 30, 10

// Issue 13: OpenTelemetry's own exporters of three languages, by every door, against the built binary, which is
// killed while all of them send: what they were told is taken is there, once and whole.
func TestExporters(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short leaves out what installs packages")
	}
	dir := t.TempDir()
	data, api, grpc := filepath.Join(dir, "data"), freePort(t), freePort(t)
	args := []string{"--listen", api, "--otlp-grpc-listen", grpc}
	programs := installExporters(t, dir)
	n := startNode(t, data, args...)
	var ready sync.WaitGroup // until each has had killedAt agents taken
	ready.Add(len(programs))
	t.Run("programs", func(t *testing.T) {
		for _, p := range programs {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				p.run(t, &ready, "HTTP_URL="+n.URL, "GRPC_ADDR="+grpc, "KEY="+rig.Key)
			})
		}
		t.Run("kill", func(t *testing.T) {
			t.Parallel()
			ready.Wait()
			n.Kill()
			var err error
			if n, err = rig.Launch(bin.Command(data, args...)); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Cleanup(func() { n.Kill() })
	if t.Failed() {
		return
	}
	for _, p := range programs {
		t.Run("stored "+p.name, func(t *testing.T) { p.check(t, n) })
	}
	runSnippets(t, n, filepath.Join(dir, "otel-venv", "bin", "python"))
	n.Kill()
}

// run has agents taken by the server that stands at env.
func (p *exporter) run(t *testing.T, ready *sync.WaitGroup, env ...string) {
	told := sync.OnceFunc(ready.Done)
	defer told()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "OTEL_") || strings.HasPrefix(s, "PYTHON") })
	cmd.Env = append(append(cmd.Env, env...), append(p.env, "DOOR="+p.door, "ENVIRONMENT="+p.name)...)
	complaints := &watch.Output{}
	cmd.Stderr = complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	for len(p.taken) < agentsTaken {
		if _, err = io.WriteString(in, "\n"); err != nil || !answers.Scan() {
			break
		}
		switch id := strings.TrimSpace(answers.Text()); id {
		case "-":
			sleep(t, 100*time.Millisecond)
		default:
			p.taken = append(p.taken, id)
		}
		if len(p.taken) == killedAt {
			told()
		}
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil || len(p.taken) < agentsTaken {
		t.Errorf("%d of %d agents were taken, %v:\n%.4000s", len(p.taken), agentsTaken, err, complaints)
	}
}

// check checks that what the program was told is taken is there, once and whole, and nothing in pieces.
func (p *exporter) check(t *testing.T, n *rig.Node) {
	var page brokle.Page[brokle.TraceSummary]
	watch.Within(t, rig.Patience, "all that was taken can be read", func() bool {
		n.GetJSON(t, "/v1/traces?limit=1000&environment="+p.name, &page)
		return len(page.Data) >= len(p.taken)
	})
	listed := map[string]int{}
	for _, trace := range page.Data {
		listed[trace.ID]++
		if trace.ObservationCount != 4 || trace.ErrorCount != 1 || trace.TotalTokens != 72 || trace.Name != "invoke_agent" {
			t.Errorf("trace %+v", trace)
		}
	}
	for _, id := range p.taken {
		if listed[id] != 1 {
			t.Errorf("trace %s was taken and is listed %d times", id, listed[id])
		}
	}
	var trace brokle.Trace
	n.GetJSON(t, "/v1/traces/"+p.taken[0], &trace)
	if len(trace.Observations) != 1 || len(trace.Observations[0].Children) != 3 {
		t.Fatalf("trace %s is no tree of an agent: %+v", p.taken[0], trace)
	}
	root := trace.Observations[0]
	slices.SortFunc(root.Children, func(a, b *brokle.Observation) int { return int(count(a.PromptTokens) - count(b.PromptTokens)) }) // JavaScript's starts are whole milliseconds
	tool, first, second := root.Children[0], root.Children[1], root.Children[2]
	if root.Type != "agent" || first.Type != brokle.TypeGeneration || first.Model != "m-1-2026" || first.RequestedModel != "m-1" || first.Provider != "openai" ||
		count(first.PromptTokens) != 20 || count(first.CompletionTokens) != 5 || count(second.TotalTokens) != 47 || first.LatencyMS == nil {
		t.Errorf("root %+v\nfirst %+v\nsecond %+v", root, first, second)
	}
	if tool.Type != "tool" || tool.Level != brokle.LevelError || tool.StatusMessage != "nothing found" {
		t.Errorf("tool %+v", tool)
	}
}

// installExporters makes the programs, with what they need below dir. Where a registry cannot be reached
// the test is skipped.
func installExporters(t *testing.T, dir string) []*exporter {
	t.Helper()
	goBinary, modules, venv := filepath.Join(dir, "otlpgo"), filepath.Join(dir, "node"), filepath.Join(dir, "otel-venv")
	python := filepath.Join(venv, "bin", "python")
	install(t, filepath.Join("testdata", "otlpgo"), "go", "build", "-o", goBinary, ".")
	install(t, "", "python3", "-m", "venv", venv)
	install(t, "", python, append([]string{"-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"}, pythonExporters...)...)
	install(t, "", "npm", append([]string{"install", "--prefix", modules, "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"}, nodeExporters...)...)
	py, js := []string{python, filepath.Join("testdata", "otlp_exporters.py")}, []string{"node", filepath.Join("testdata", "otlp_exporters.mjs")}
	node := []string{"MODULES=" + modules}
	return []*exporter{
		{name: "go-http", door: "http", command: []string{goBinary}}, {name: "go-grpc", door: "grpc", command: []string{goBinary}},
		{name: "python-http", door: "http", command: py}, {name: "python-grpc", door: "grpc", command: py},
		{name: "js-json", door: "json", command: js, env: node}, {name: "js-proto", door: "proto", command: js, env: node},
	}
}
