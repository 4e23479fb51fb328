package e2e

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// realInput lies beside the repository where the project is developed; it is
// not part of the project.
const realInput = "../../../shared/data/gsm8k-solutions.jsonl"

// The real input: 1 319 questions, the answers of four models, a label each,
// converted by examples/gsm8k, sent by `brokle send`, read back through the API.
func TestRealInput(t *testing.T) {
	if _, err := os.Stat(realInput); err != nil {
		t.Skipf("skipped: the real input is not beside this clone (%v)", err)
	}
	dir := t.TempDir()
	events := filepath.Join(dir, "events.jsonl")
	convert(t, events)
	n := startNode(t, filepath.Join(dir, "data"))

	if got := send(t, n, events); got.Processed != 11871 || got.Duplicate != 0 || got.Failed != 0 {
		t.Fatalf("first send: %+v", got)
	}
	waitEvents(t, n, 11871)
	checkRealInput(t, n)
	checkEveryQuestion(t, n)
	if got := send(t, n, events); got.Processed != 0 || got.Duplicate != 11871 || got.Failed != 0 {
		t.Fatalf("second send: %+v", got)
	}
	checkRealInput(t, n)
	n.Kill()
	n = startNode(t, filepath.Join(dir, "data"))
	checkRealInput(t, n)
}

func convert(t *testing.T, to string) {
	t.Helper()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command("go", "run", "../../examples/gsm8k", realInput)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}

type sendCounts struct {
	Processed int `json:"processed"`
	Duplicate int `json:"duplicate"`
	Failed    int `json:"failed"`
}

func send(t *testing.T, n *rig.Node, file string) sendCounts {
	t.Helper()
	cmd := exec.Command(bin.Path, "send", "--json", "--host", n.URL, "--api-key", rig.Key, file)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("brokle send: %v\n%s", err, out)
	}
	var c sendCounts
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatalf("brokle send --json: %v in %s", err, out)
	}
	return c
}

func checkRealInput(t *testing.T, n *rig.Node) {
	t.Helper()
	waitEvents(t, n, 11871)
	for of, want := range map[string]int{"traces": 1319, "observations": 5276, "scores": 5276} {
		var page struct{ Data []struct{ Count int } }
		n.GetJSON(t, "/v1/stats?metrics=count&of="+of, &page)
		if len(page.Data) != 1 || page.Data[0].Count != want {
			t.Errorf("%s: %+v, want %d", of, page.Data, want)
		}
	}
	var stats struct {
		Data []struct {
			Model   string
			Count   int
			Correct float64 `json:"score_avg:correct"`
		}
	}
	n.GetJSON(t, "/v1/stats?group_by=model&metrics=count,score_avg:correct", &stats)
	want := map[string]float64{"6b_finetuning": 286, "6b_verification": 515, "175b_finetuning": 458, "175b_verification": 742}
	if len(stats.Data) != len(want) {
		t.Errorf("stats by model: %+v", stats.Data)
	}
	for _, row := range stats.Data {
		if row.Count != 1319 || math.Abs(row.Correct-want[row.Model]/1319) > 1e-12 {
			t.Errorf("%s: %d generations, score_avg:correct %v; want 1319 and %v", row.Model, row.Count, row.Correct, want[row.Model]/1319)
		}
	}
}

// checkEveryQuestion reads all traces, page by page, and finds every question
// of the file in exactly one of them.
func checkEveryQuestion(t *testing.T, n *rig.Node) {
	t.Helper()
	file, err := os.ReadFile(realInput)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]int{}
	for line := range strings.Lines(string(file)) {
		var q struct{ Question string }
		if err := json.Unmarshal([]byte(line), &q); err != nil {
			t.Fatal(err)
		}
		open[q.Question]++
	}
	for cursor := ""; ; {
		var page struct {
			Data       []struct{ ID string }
			NextCursor *string `json:"next_cursor"`
		}
		n.GetJSON(t, "/v1/traces?limit=500&cursor="+cursor, &page)
		for _, row := range page.Data {
			var trace struct{ Input json.RawMessage }
			n.GetJSON(t, "/v1/traces/"+row.ID, &trace)
			var question string
			if json.Unmarshal(trace.Input, &question) != nil {
				question = string(trace.Input)
			}
			open[question]--
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	wrong := 0
	for q, left := range open {
		if left != 0 {
			if wrong++; wrong <= 3 {
				t.Errorf("question %.60q: %d times too few", q, left)
			}
		}
	}
}
