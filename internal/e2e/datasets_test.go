package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleeval"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// cli runs a command of the built binary against a node.
func cli(t *testing.T, n *rig.Node, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(bin.Path, append(args, "--host", n.URL, "--api-key", rig.Key)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	raw, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(raw) + complaints.String(), cmd.ProcessState.ExitCode()
}

// solved is what an item's metadata have of a model.
type solved struct {
	Correct  bool `json:"is_correct"`
	Solution string
}

// Issue 19, point 3: 1 319 real questions with the real answers of four models, of which it is known whether each is right, as a dataset: experiments over it in go test come to the
// figures of the labels, and so does what lays two side by side.
func TestExperimentsOfRealInput(t *testing.T) {
	if _, err := os.Stat(realInput); err != nil {
		t.Skipf("skipped: the real input is not beside this clone (%v)", err)
	}
	n := startNode(t, filepath.Join(t.TempDir(), "data"))
	models := map[string]int{"6b_finetuning": 286, "6b_verification": 515, "175b_finetuning": 458, "175b_verification": 742}
	columns := "input:question,expected:ground_truth,metadata:6b_finetuning,metadata:6b_verification,metadata:175b_finetuning,metadata:175b_verification"
	if out, code := cli(t, n, "datasets", "import", "--columns", columns, "gsm8k", realInput); code != 0 || !strings.Contains(out, "1319 new, 0 changed, 0 as they were, 0 wrong") {
		t.Fatalf("%d %s", code, out)
	}
	if out, code := cli(t, n, "datasets", "import", "--columns", columns, "gsm8k", realInput); code != 0 || !strings.Contains(out, "version 1: 0 new, 0 changed, 1319 as they were") {
		t.Errorf("imported twice: %d %s", code, out)
	}
	runs := map[string]*brokleeval.Result{}
	for _, model := range []string{"175b_finetuning", "175b_verification"} {
		r := runOver(t, n, model)
		runs[model] = r
		if m := r.Mean("answer"); m.N != 1319 || m.Mean != float64(models[model])/1319 || m.Low >= m.Mean || m.High <= m.Mean {
			t.Errorf("%s: %+v, %d of 1319 are labelled right", model, m, models[model])
		}
		ideal := r.Called / 16
		t.Logf("%s: took %v; the calls themselves, 16 at once, %v: %.3f times as long", model, r.Took, ideal, float64(r.Took)/float64(ideal))
	}
	a, b := runs["175b_finetuning"], runs["175b_verification"]
	better, worse := 0, 0
	for i := range a.Rows {
		var of map[string]solved
		if err := json.Unmarshal(a.Rows[i].Item.Metadata, &of); err != nil {
			t.Fatal(err)
		}
		switch before, after := of["175b_finetuning"].Correct, of["175b_verification"].Correct; {
		case after && !before:
			better++
		case before && !after:
			worse++
		}
	}
	c := brokleeval.Compare(a, b)
	if len(c) != 1 || !c[0].Significant || len(c[0].Better) != better || len(c[0].Worse) != worse || better-worse != 742-458 {
		t.Errorf("%d better, %d worse by the labels: %+v", better, worse, c)
	}
	var told struct {
		Data struct {
			Scores []struct {
				N, Better, Worse int
				MeanA            float64 `json:"mean_a"`
				MeanB            float64 `json:"mean_b"`
				Low, High        float64
				Significant      bool
			}
			Counts map[string]int
			Total  int
			Rows   []struct {
				Change string
				A      struct {
					Output string `json:"output_preview"`
				}
			}
		}
	}
	n.GetJSON(t, "/v1/experiments/compare?a="+a.ExperimentID+"&b="+b.ExperimentID, &told)
	d := told.Data
	if len(d.Scores) != 1 || d.Total != 1319 || d.Counts["better"] != better || d.Counts["worse"] != worse || d.Counts["same"] != 1319-better-worse {
		t.Fatalf("%d better, %d worse by the labels: %+v %v of %d", better, worse, d.Scores, d.Counts, d.Total)
	}
	s := d.Scores[0]
	if s.N != 1319 || s.Better != better || s.Worse != worse || math.Abs(s.MeanA-458.0/1319) > 1e-12 || math.Abs(s.MeanB-742.0/1319) > 1e-12 || !s.Significant || s.Low != c[0].Low || s.High != c[0].High {
		t.Errorf("the server says %+v, brokleeval %+v", s, c[0])
	}
	if d.Rows[0].Change != "worse" || d.Rows[0].A.Output == "" {
		t.Errorf("those that got worse come first: %+v", d.Rows[0])
	}
	if out, code := cli(t, n, "eval", "compare", "--fail-worse", "175b_finetuning", "175b_verification"); code != 0 || !strings.Contains(out, "better") || !strings.Contains(out, fmt.Sprintf("%d worse, %d better", worse, better)) {
		t.Errorf("%d %s", code, out)
	}
	if out, code := cli(t, n, "eval", "compare", "--fail-worse", "175b_verification", "175b_finetuning"); code != 1 || !strings.Contains(out, "worse") {
		t.Errorf("the other way round: %d %s", code, out)
	}
	if out, code := cli(t, n, "eval", "show", "175b_verification"); code != 0 || !strings.Contains(out, "1319 results") || !strings.Contains(out, "0.562547") {
		t.Errorf("%d %s", code, out)
	}
	if n := traceCount(t, n, "experiment:"+a.ExperimentID); n != 1319 {
		t.Errorf("%d traces have the tag", n)
	}
}

// runOver runs an experiment in which a provider answers with the solutions of a model, whose last line is held against the right one's.
func runOver(t *testing.T, n *rig.Node, model string) *brokleeval.Result {
	t.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body) // all of it, before the answer begins
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		<-time.NewTimer(10 * time.Millisecond).C // a fast model
		_, _ = w.Write(text)
	}))
	defer provider.Close()
	e := brokleeval.Experiment{
		Name: model, Parallel: 16, Metadata: map[string]any{"model": model},
		Config: brokle.Config{APIKey: rig.Key, Host: n.URL},
	}
	return e.Run(t, brokleeval.Named("gsm8k"), func(ctx context.Context, it brokleeval.Item) (any, error) {
		var of map[string]solved
		if err := json.Unmarshal(it.Metadata, &of); err != nil {
			return nil, err
		}
		ctx, call := brokle.StartGeneration(ctx, "solve", brokle.Model(model), brokle.Input(it.Text()))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, provider.URL, strings.NewReader(of[model].Solution))
		if err != nil {
			return nil, err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(res.Body)
		call.End(brokle.Output(string(text)))
		return string(text), err
	}, brokleeval.Called("answer", brokleeval.Captured(`A: *([^\n]+)`)))
}

func traceCount(t *testing.T, n *rig.Node, tag string) int {
	t.Helper()
	var page struct{ Data []struct{ Count int } }
	n.GetJSON(t, "/v1/stats?of=traces&metrics=count&tag="+tag, &page)
	if len(page.Data) != 1 {
		t.Fatalf("%+v", page)
	}
	return page.Data[0].Count
}

// What is in datasets is there after a SIGKILL, in a backup and what is restored of it, and verify reads it.
func TestDatasetsAreKept(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	n := startNode(t, data)
	rows := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(rows, []byte("id,input,expected\na,one,1\nb,two\nc,three,3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := cli(t, n, "datasets", "import", "kept", rows); code != 1 || !strings.Contains(out, "2 new") || !strings.Contains(out, "line 3: it has 2 cells, and the head 3") {
		t.Errorf("%d %s", code, out)
	}
	if out, code := cli(t, n, "datasets", "import", "kept", filepath.Join(dir, "absent.jsonl")); code != 1 {
		t.Errorf("%d %s", code, out)
	}
	n.Kill()
	n = startNode(t, data)
	exported, code := cli(t, n, "datasets", "export", "kept")
	if code != 0 || strings.Count(exported, "\n") != 2 || !strings.Contains(exported, `"input":"three"`) {
		t.Fatalf("%d %s", code, exported)
	}
	if out, code := cli(t, n, "backup", "--to", filepath.Join(dir, "copy")); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	if code := terminate(t, n); code != 0 {
		t.Errorf("exit code %d", code)
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(bin.Path, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	restored := filepath.Join(dir, "restored")
	run("restore", "--from", filepath.Join(dir, "copy"), "--data", restored)
	if out := run("verify", "--data", restored); !strings.Contains(out, "1 datasets of 2 items, and 0 experiments") {
		t.Errorf("verify says nothing of datasets: %s", out)
	}
	n = startNode(t, restored)
	if again, code := cli(t, n, "datasets", "export", "kept"); code != 0 || again != exported {
		t.Errorf("%d %s", code, again)
	}
	for _, args := range [][]string{{"list"}, {"items", "kept"}, {"versions", "kept"}} {
		if out, code := cli(t, n, append([]string{"datasets"}, args...)...); code != 0 || !strings.Contains(out, "kept") && !strings.Contains(out, "three") && !strings.Contains(out, "MADE") {
			t.Errorf("%v: %d %s", args, code, out)
		}
	}
}

// checkDatasetsClient has Brokle's published Python client make datasets and run experiments.
func checkDatasetsClient(t *testing.T, n *rig.Node, key, python string) {
	req := &brokle.BatchRequest{Events: []brokle.Event{{ID: brokle.NewID(), Type: brokle.TraceCreate, Payload: json.RawMessage(`{"id":"of-a-trace","name":"asked","input":{"q":"Chile?"},"output":"Santiago"}`)}}}
	if res, status, err := n.Post(t.Context(), http.DefaultClient, req); err != nil || status != http.StatusOK || res.ProcessedEvents != 1 {
		t.Fatalf("%d %v", status, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, filepath.Join("testdata", "client_datasets.py"))
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "BROKLE_") }),
		"BROKLE_API_KEY="+key, "BROKLE_BASE_URL="+n.URL, "TRACE=of-a-trace")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, complaints.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var seen map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	third, one := 1.0/2, 1.0 // of the items that the task knew
	for name, want := range map[string]any{
		"inserted": 3, "again": 0, "length": 3, "items": []any{[]any{"France?", "Paris", "sdk"}, []any{"Italy?", "Rome", "sdk"}, []any{"Spain?", "Madrid", "sdk"}},
		"listed": []any{"capitals"}, "found": "of countries", "renamed": "of Europe", "twice": "Failed to create dataset: Dataset: the project has a dataset of this name",
		"version": []any{3, "three capitals"}, "json": []any{1, 1}, "csv": []any{1, 0, []any{"line 3: it has 1 cells, and the head 3"}},
		"traces": []any{1, []any{"trace nowhere: there is none of this id in the project of this key"}},
		"exported": []any{
			map[string]any{"q": "France?"}, map[string]any{"q": "Italy?"}, map[string]any{"q": "Spain?"}, map[string]any{"question": "Norway?"}, map[string]any{"value": "Peru?"}, map[string]any{"q": "Chile?"},
		},
		"versions": []any{6, 5, 4, 3, 3}, "then": 3, "pinned": []any{3, 2, 5},
		"few": []any{third, 3, "completed"}, "all": []any{one, 3, "completed"}, "experiments": []any{"all", "few"}, "compared": map[string]any{"few": third, "all": one},
		"rerun": "pending", "deleted": []any{"capitals"},
	} {
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var is any
		if err := json.Unmarshal(raw, &is); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(seen[name], is) {
			t.Errorf("%s: %v, not %v", name, seen[name], is)
		}
	}
	if refused, _ := seen["refused"].(string); !strings.Contains(refused, "item 1: input: it must be there, and not null") {
		t.Errorf("refused: %s", refused)
	}
	if diff, _ := seen["diff"].(map[string]any); diff["direction"] != "up" || diff["difference"] != 0.5 {
		t.Errorf("diff: %v", seen["diff"])
	}
	runs, _ := seen["runs"].([]any)
	if len(runs) != 2 || traceCount(t, n, "experiment:"+fmt.Sprint(runs[0])) != 3 {
		t.Errorf("its results are no traces: %v", runs)
	}
}
