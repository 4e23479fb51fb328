package daemon

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/standin"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// ask sends a request that is answered with 200, or another status.
func (n *testNode) ask(t *testing.T, method, path, body string, want int) string {
	t.Helper()
	status, raw, err := n.request(t.Context(), method, path, body)
	if err != nil || status != want {
		t.Fatalf("%s %s: %d %s %v", method, path, status, raw, err)
	}
	return string(raw)
}

// judges sets a judge that scores quality, with more members.
func (n *testNode) judges(t *testing.T, name, members string) {
	t.Helper()
	n.ask(t, "PUT", "/v1/judges/"+name, `{"quiet":"1s","score":{"name":"quality","data_type":"NUMERIC","min":0,"max":1},`+members+`}`, 200)
}

// totals waits until a judge has decided so much.
func (n *testNode) totals(t *testing.T, name string, want judge.Decided) (row judge.Standing) {
	t.Helper()
	watch.Until(t, fmt.Sprintf("%s has decided %+v", name, want), func() bool {
		row = told[judge.Standing](t, n, "/v1/judges/"+name)
		return row.Total == want
	})
	return row
}

// tell sends a trace that asks something.
func (n *testNode) tell(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		n.ask(t, "POST", "/v1/telemetry/batch", fmt.Sprintf(`{"events":[{"event_id":"e-%s","event_type":"trace_create","payload":{"id":%q,"name":"ask","input":"why is %s?","output":"because"}}]}`, id, id, id), 200)
	}
}

// New traces are judged by a model, each once, over a start and in a copy from a backup too; the judge's own calls are traces of the project, with a price,
// which nobody judges.
func TestTracesAreJudged(t *testing.T) {
	t.Parallel()
	provider := standin.New()
	model := httptest.NewServer(provider)
	defer model.Close()
	top := t.TempDir()
	cfg := Config{DataDir: filepath.Join(top, "data"), BootstrapAPIKey: testKey, JudgePrivate: true, WarehouseMemory: 96 << 20}
	n := start(t, cfg)
	n.tell(t, "before")
	n.judges(t, "good", `"kind":"llm","url":"`+model.URL+`/v1/chat/completions","key":"sk-judge","model":"gpt-4o-mini-verdict","prompt":"Q: {{input}}\nA: {{output}}","parameters":{"temperature":0}`)
	n.tell(t, "t0", "t1", "t2")
	row := n.totals(t, "good", judge.Decided{Judged: 3})
	if row.Key != "********" || strings.Contains(row.URL, "completions") || row.Today.Calls != 3 || row.Today.Cost <= 0 || row.Fault != "" {
		t.Errorf("%+v", row)
	}
	var scores []wire.Score
	watch.Until(t, "the scores are there", func() bool {
		scores = told[wire.Page[wire.Score]](t, n, "/v1/scores?name=quality").Data
		return len(scores) == 3
	})
	if s := scores[0]; *s.Value != 0.75 || s.EvaluatorName != "good" || s.Source != "EVAL" || s.Comment != "It is right." || s.EvaluatorVersion == "" || !strings.HasPrefix(s.ID, "judge_") {
		t.Errorf("%+v", s)
	}
	own := told[wire.Page[wire.TraceSummary]](t, n, "/v1/traces?tag="+judge.Tag).Data
	if len(own) != 3 || own[0].TotalCost == nil || *own[0].TotalCost <= 0 || own[0].Environment != "judge" || own[0].TotalTokens != 150 {
		t.Errorf("its own traces: %+v", own)
	}
	requests := provider.Requests()
	if r := requests[0]; r.Header.Get("Authorization") != "Bearer sk-judge" || !strings.Contains(r.Raw, `why is `) || !strings.Contains(r.Raw, `\nA: because`) || !strings.Contains(r.Raw, `"temperature":0`) {
		t.Errorf("%+v", r)
	}
	// It looks at what there is again and again, its own traces too, and asks about nothing twice.
	n.tell(t, "later")
	n.totals(t, "good", judge.Decided{Judged: 4})
	if _, err := n.takeBackup(t, filepath.Join(top, "backup"), nil); err != nil {
		t.Fatal(err)
	}
	copied := cfg
	copied.DataDir = filepath.Join(top, "copy")
	if _, err := Restore(t.Context(), Config{DataDir: copied.DataDir}, filepath.Join(top, "backup"), slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	for i, cfg := range []Config{cfg, copied} {
		whole(t, cfg.DataDir)
		n := start(t, cfg)
		n.tell(t, "last")
		n.totals(t, "good", judge.Decided{Judged: 5})
		if got := len(provider.Requests()); got != 5+i {
			t.Errorf("%s: %d requests", cfg.DataDir, got)
		}
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// What the day has no room for is left out; what fails is tried again, traced, and told.
func TestJudgesHaveABudget(t *testing.T) {
	t.Parallel()
	model := httptest.NewServer(standin.New())
	defer model.Close()
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, JudgePrivate: true, WarehouseMemory: 96 << 20})
	llm := func(model, url string) string {
		return `"kind":"llm","url":"` + url + `/v1/chat/completions","model":"` + model + `","prompt":"{{input}}"`
	}
	n.judges(t, "two", llm("gpt-4o-mini-verdict", model.URL)+`,"max_calls_per_day":2`)
	n.judges(t, "refused", llm("gpt-4o-mini-400", model.URL)+`,"filter":"id:t0"`)
	n.judges(t, "broken", llm("gpt-4o-mini-500", model.URL)+`,"filter":"id:t1"`)
	n.judges(t, "off", llm("gpt-4o-mini-verdict", model.URL)+`,"disabled":true`)
	n.tell(t, "t0", "t1", "t2", "t3", "t4")
	if row := n.totals(t, "two", judge.Decided{Judged: 2, Over: 3}); row.Today.Calls != 2 {
		t.Errorf("%+v", row)
	}
	if row := n.totals(t, "refused", judge.Decided{GivenUp: 1}); row.Today.Calls != 1 || !strings.Contains(row.Fault, "400") {
		t.Errorf("%+v", row)
	}
	watch.Until(t, "what failed is tried again", func() bool {
		row := told[judge.Standing](t, n, "/v1/judges/broken")
		return row.Today.Calls >= 2 && strings.Contains(row.Fault, "the judge answered 500")
	})
	watch.Until(t, "calls that failed are traced", func() bool {
		return len(told[wire.Page[wire.TraceSummary]](t, n, "/v1/traces?has_error=true&tag=judge:broken").Data) >= 2
	})
	if row := told[judge.Standing](t, n, "/v1/judges/off"); row.Total != (judge.Decided{}) || row.Today.Calls != 0 {
		t.Errorf("a judge that is disabled: %+v", row)
	}
}

// A program of the project's own judges, too. Addresses of the server's own network are refused, unless the operator says otherwise.
func TestProgramsJudge(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked.Add(1)
		switch {
		case r.Header.Get("Authorization") != "Bearer mine" || !strings.Contains(string(body), `"judge":"mine"`):
			w.WriteHeader(http.StatusForbidden)
		case strings.Contains(string(body), "why is skip?"):
			w.WriteHeader(http.StatusNoContent)
		default:
			_, _ = io.WriteString(w, `{"value":"Good","reason":"as it should be"}`)
		}
	}))
	defer program.Close()
	body := `{"quiet":"1s","score":{"name":"tone","data_type":"CATEGORICAL","categories":["good","rude"]},"kind":"webhook","url":"` + program.URL + `","key":"mine"}`
	closed := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, WarehouseMemory: 96 << 20})
	if raw := closed.ask(t, "PUT", "/v1/judges/mine", body, 400); !strings.Contains(raw, "--judge-private") {
		t.Errorf("a private address: %s", raw)
	}
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, JudgePrivate: true, WarehouseMemory: 96 << 20})
	n.ask(t, "PUT", "/v1/judges/mine", body, 200)
	n.tell(t, "kind", "skip")
	n.totals(t, "mine", judge.Decided{Judged: 1, Nothing: 1})
	watch.Until(t, "the score is there", func() bool {
		scores := told[wire.Page[wire.Score]](t, n, "/v1/scores?name=tone").Data
		return len(scores) == 1 && scores[0].StringValue == "good" && scores[0].TraceID == "kind" && scores[0].Comment == "as it should be"
	})
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
	n.ask(t, "DELETE", "/v1/judges/mine", "", 204)
	n.ask(t, "GET", "/v1/judges/mine", "", 404)
}
