package brokleeval_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleeval"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

// alone keeps an experiment from recording, whatever the environment says.
func alone(name string) brokleeval.Experiment {
	return brokleeval.Experiment{Name: name, Config: brokle.Config{Disabled: true}}
}

// numbers are items 0 to n-1, each with its double expected.
func numbers(n int) brokleeval.Items {
	var items brokleeval.Items
	for i := range n {
		items = append(items, brokleeval.NewItem(fmt.Sprint("n", i), i, 2*i))
	}
	return items
}

func double(_ context.Context, it brokleeval.Item) (any, error) {
	var n int
	if err := it.Decode(&n); err != nil {
		return nil, err
	}
	switch n {
	case 3:
		return nil, errors.New("three is hard")
	case 4:
		panic("four is harder")
	case 5:
		return 11, nil
	}
	return 2 * n, nil
}

func TestRun(t *testing.T) {
	t.Parallel()
	e := alone("double")
	r, err := e.Do(t.Context(), numbers(20), double, brokleeval.AtLeast(0.9, brokleeval.Exact()), brokleeval.Called("near", brokleeval.Numeric(0.2)))
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Mean("exact"); m.N != 20 || m.Mean != 0.85 || m.Low >= 0.85 || m.High <= 0.85 || m.Low < 0.6 {
		t.Errorf("%+v", m)
	}
	if m := r.Mean("near"); m.Mean != 0.9 {
		t.Errorf("%+v", m)
	}
	faults := r.Faults()
	if len(faults) != 1 {
		t.Fatalf("%q", faults)
	}
	for _, says := range []string{"exact: the mean is 0.8500", "below 0.9", "item n3: the task failed: three is hard", "item n4: the task failed: it panicked: four is harder", `item n5: "11" instead of "10"`} {
		if !strings.Contains(faults[0], says) {
			t.Errorf("%q does not say %q", faults[0], says)
		}
	}
	if strings.Contains(faults[0], "n6") {
		t.Errorf("an item that is right is named: %s", faults[0])
	}
	if len(r.Rows) != 20 || r.Rows[7].Item.ID != "n7" || string(r.Rows[7].JSON) != "14" || r.ExperimentID != "" {
		t.Errorf("rows are in the order of the items: %+v", r.Rows[7])
	}
}

func TestItemsRunInParallel(t *testing.T) {
	t.Parallel()
	e := alone("parallel")
	e.Parallel = 6
	var meet sync.WaitGroup
	meet.Add(6)
	var calls atomic.Int32
	_, err := e.Do(t.Context(), numbers(12), func(context.Context, brokleeval.Item) (any, error) {
		if calls.Add(1) <= 6 { // six are there at once, or this never ends
			meet.Done()
			meet.Wait()
		}
		return 1, nil
	})
	if err != nil || calls.Load() != 12 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	e := alone("cached")
	e.CacheDir, e.CacheKey = t.TempDir(), "v1"
	var calls atomic.Int32
	task := func(ctx context.Context, it brokleeval.Item) (any, error) {
		calls.Add(1)
		return double(ctx, it)
	}
	run := func(items brokleeval.Items) *brokleeval.Result {
		t.Helper()
		calls.Store(0)
		r, err := e.Do(t.Context(), items, task, brokleeval.Exact())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := run(numbers(8))
	again := run(numbers(8))
	if calls.Load() != 2 || !again.Rows[1].Cached || again.Rows[3].Cached { // what failed is tried again
		t.Errorf("%d calls", calls.Load())
	}
	if first.Mean("exact") != again.Mean("exact") {
		t.Errorf("%v, from the cache %v", first.Mean("exact"), again.Mean("exact"))
	}
	other := numbers(8)
	other[0].Input = json.RawMessage("100")
	other[1].ID = "another id, the same content"
	if run(other); calls.Load() != 3 {
		t.Errorf("%d calls when one item is another", calls.Load())
	}
	e.CacheKey = "v2"
	if run(numbers(8)); calls.Load() != 8 {
		t.Errorf("%d calls when the task is another", calls.Load())
	}
	e.CacheKey = ""
	if run(numbers(8)); calls.Load() != 8 {
		t.Errorf("%d calls without a key", calls.Load())
	}
}

func TestTrialsAndTimeout(t *testing.T) {
	t.Parallel()
	e := alone("tries")
	e.Trials, e.Timeout = 3, 20*time.Millisecond
	r, err := e.Do(t.Context(), numbers(2), func(ctx context.Context, it brokleeval.Item) (any, error) {
		if it.ID == "n1" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return 0, nil
	}, brokleeval.Exact())
	if err != nil || len(r.Rows) != 6 || r.Rows[2].Trial != 3 || !errors.Is(r.Rows[4].Error, context.DeadlineExceeded) || r.Mean("exact").Mean != 0.5 {
		t.Errorf("%v %+v", err, r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := alone("ended").Do(ctx, numbers(3), double, brokleeval.Exact()); err != nil || r.Rows[0].Error == nil {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestScorers(t *testing.T) {
	t.Parallel()
	score := func(s brokleeval.Scorer, output, expected any) (float64, string) {
		t.Helper()
		it := brokleeval.NewItem("x", "in", expected)
		raw, err := json.Marshal(output)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Score(t.Context(), brokleeval.Case{Item: it, Output: output, JSON: raw})
		if err != nil {
			return -1, err.Error()
		}
		return got.Value, got.Reason
	}
	type object = map[string]any
	for i, c := range []struct {
		s                brokleeval.Scorer
		output, expected any
		want             float64
		says             string
	}{
		{brokleeval.Exact(), " yes\n", "yes", 1, ""},
		{brokleeval.Exact(), "no", "yes", 0, `"no" instead of "yes"`},
		{brokleeval.Exact(), "18", 18, 1, ""},
		{brokleeval.Exact(), "x", nil, -1, "nothing that is expected"},
		{brokleeval.Regexp(`^\d+$`), "12", nil, 1, ""},
		{brokleeval.Regexp(`^\d+$`), "12a", nil, 0, "does not match"},
		{brokleeval.Captured(`#### (\S+)`), "x #### 1\ny\n#### 1,234.", "so\n#### 1234", 1, ""},
		{brokleeval.Captured(`#### (\S+)`), "x", "#### 1", 0, "nothing in the output"},
		{brokleeval.Captured(`#### (\S+)`), "#### 7", "7", 1, ""},
		{brokleeval.JSON(), `{"b":[1,2.0],"a":null}`, object{"a": nil, "b": []int{1, 2}}, 1, ""},
		{brokleeval.JSON(), object{"a": object{"b/c": 1}}, object{"a": object{"b/c": 2}}, 0, `/a/b~1c is "1" instead of "2"`},
		{brokleeval.JSON(), object{"a": 1, "x": 1}, object{"a": 1}, 0, "/x is not expected"},
		{brokleeval.JSON(), []int{1}, []int{1, 2}, 0, "it has 1 elements instead of 2"},
		{brokleeval.JSON(), "not json", object{}, 0, "the output is not JSON"},
		{brokleeval.Numeric(0.01), "$1,000.5", 1000, 1, ""},
		{brokleeval.Numeric(0), 3, "4", 0, "3 instead of 4"},
		{brokleeval.Numeric(0), "many", 4, 0, "is no number"},
		{brokleeval.Numeric(0), 1, "many", -1, "what is expected is no number"},
	} {
		got, says := score(c.s, c.output, c.expected)
		if got != c.want || !strings.Contains(says, c.says) {
			t.Errorf("%d, %s: %v %q, not %v %q", i, c.s.Name(), got, says, c.want, c.says)
		}
	}
}

// A judge by OpenAI's wire, and what becomes of refusals and of answers that are no verdict.
func TestJudge(t *testing.T) {
	t.Parallel()
	provider := standin.New()
	srv := httptest.NewServer(provider)
	defer srv.Close()
	at := brokleeval.Endpoint{URL: srv.URL + "/v1", Key: "sk-test", Tries: 1}
	e := alone("judged")
	e.CacheDir = t.TempDir()
	items := brokleeval.Items{brokleeval.NewItem("1", "capital of France?", "Paris"), brokleeval.NewItem("2", "capital of Italy?", "Rome")}
	answer := func(_ context.Context, it brokleeval.Item) (any, error) { return "It is Paris.", nil }
	judges := []brokleeval.Scorer{
		brokleeval.Judge{Endpoint: at, Model: "gpt-4o-judge"},
		brokleeval.Judge{Label: "words", Endpoint: at, Model: "gpt-4o-judge-words", Choices: map[string]float64{"Correct": 1, "wrong": 0.25}},
		brokleeval.Judge{Label: "chatty", Endpoint: at, Model: "gpt-4o-mini"},
		brokleeval.Judge{Label: "away", Endpoint: at, Model: "gpt-4o-500"},
		brokleeval.Embedding{Endpoint: at, Model: "text-embedding-3-small"},
	}
	r, err := e.Do(t.Context(), items, answer, judges...)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"judge": 0.5, "words": 0.625, "embedding": 1} {
		if m := r.Mean(name); m.Mean != want || m.N != 2 {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if got := r.Rows[0].Scores["judge"].Reason; got != "it has what is expected" {
		t.Error(got)
	}
	faults := strings.Join(r.Faults(), "\n")
	for _, says := range []string{"chatty: 2 of 2 have no score, because: the judge answered without a score", "away: 2 of 2", "answered 500", "items 1, 2"} {
		if !strings.Contains(faults, says) {
			t.Errorf("%q does not say %q", faults, says)
		}
	}
	asked := provider.Requests()
	if len(asked) != 10 || asked[0].Header.Get("Authorization") != "Bearer sk-test" {
		t.Errorf("%d requests", len(asked))
	}
	if !slices.ContainsFunc(asked, func(q standin.Request) bool {
		return strings.Contains(q.Raw, `\u003cexpected\u003e\nRome`) && strings.Contains(q.Raw, `"temperature":0`)
	}) {
		t.Error("nobody was asked about Rome")
	}
	if _, err := e.Do(t.Context(), items, answer, judges[0], judges[4]); err != nil {
		t.Error(err)
	}
	if again := provider.Requests(); len(again) != 10 {
		t.Errorf("%d requests for what is known", len(again)-10)
	}
}

func TestEndpointTriesAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(`{"choices":[{"message":{"content":"Thus: {\"reason\": \"a {b}\", \"score\": \"0.5\"}"}}]}`))
	}))
	defer srv.Close()
	s, err := brokleeval.Judge{Endpoint: brokleeval.Endpoint{URL: srv.URL}, Model: "m"}.Score(t.Context(), brokleeval.Case{JSON: []byte(`"x"`)})
	if err != nil || s.Value != 0.5 || s.Reason != "a {b}" || calls.Load() != 2 {
		t.Errorf("%+v, %v, %d calls", s, err, calls.Load())
	}
}

// A verdict that there is not is no score.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	said := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		raw, _ := json.Marshal(<-said)
		_, _ = fmt.Fprintf(w, `{"choices":[{"message":{"content":%s}}]}`, raw)
	}))
	defer srv.Close()
	at := brokleeval.Endpoint{URL: srv.URL, Tries: 1}
	number := brokleeval.Judge{Endpoint: at, Model: "m"}
	words := brokleeval.Judge{Endpoint: at, Model: "m", Choices: map[string]float64{"good": 1, "bad": 0}}
	for _, c := range []struct {
		j      brokleeval.Judge
		answer string
		want   float64
		says   string
	}{
		{number, `{"score": 1}`, 1, ""},
		{number, "```json\n{\"reason\": \"so\", \"score\": 0.25}\n```", 0.25, ""},
		{number, `{"score": 0} on second thought {"score": 1}`, 1, ""},
		{number, `{"score": 7}`, 0, "gave the score"},
		{number, `{"score": -1}`, 0, "gave the score"},
		{number, `{"score": "high"}`, 0, "gave the score"},
		{number, `{"reason": "none"}`, 0, "without a score"},
		{number, ``, 0, "without a score"},
		{words, `{"score": "Good"}`, 1, ""},
		{words, `{"score": "fair"}`, 0, "gave the score"},
	} {
		said <- c.answer
		s, err := c.j.Score(t.Context(), brokleeval.Case{JSON: []byte(`"x"`)})
		if s.Value != c.want || c.says == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", c.answer, s, err)
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "items.jsonl")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"id":"a","input":1,"expected":2}` + "\n\n" + `{"input":2,"expected":null,"metadata":{"k":1}}` + "\n")
	r, err := alone("file").Do(t.Context(), brokleeval.File(file), double)
	if err != nil || len(r.Rows) != 2 || r.Rows[0].Item.ID != "a" || r.Rows[1].Item.ID != "2" || r.Rows[1].Item.Expected != nil {
		t.Errorf("%v, %+v", err, r)
	}
	write(`{"input":1}` + "\nnot json\n")
	if _, err := alone("file").Do(t.Context(), brokleeval.File(file), double); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
	if _, err := alone("server").Do(t.Context(), brokleeval.Named("d"), double); err == nil || !strings.Contains(err.Error(), "BROKLE_API_KEY") {
		t.Error(err)
	}
	if _, err := alone("twice").Do(t.Context(), numbers(1), double, brokleeval.Exact(), brokleeval.Exact()); err == nil || !strings.Contains(err.Error(), "Called") {
		t.Error(err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	run := func(wrong ...int) *brokleeval.Result {
		r, err := alone("x").Do(t.Context(), numbers(60), func(_ context.Context, it brokleeval.Item) (any, error) {
			var n int
			if err := it.Decode(&n); err != nil {
				return nil, err
			}
			if slices.Contains(wrong, n) {
				return -1, nil
			}
			return 2 * n, nil
		}, brokleeval.Exact())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	few := run(1)
	many := run(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
	c := brokleeval.Compare(few, many)
	if len(c) != 1 || c[0].N != 60 || !c[0].Significant || c[0].Difference >= 0 || len(c[0].Worse) != 16 || !slices.Equal(c[0].Better, []string{"n1"}) {
		t.Errorf("%+v", c)
	}
	if c := brokleeval.Compare(few, run(2)); c[0].Significant || c[0].Difference != 0 || c[0].P != 1 {
		t.Errorf("%+v", c)
	}
}
