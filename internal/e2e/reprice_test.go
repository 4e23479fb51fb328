package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

const (
	repriceKills  = 3  // while a repricing is under way
	repriceRounds = 40 // at most, to get there
	repriceDays   = 8
	repriceTraces = 40 // a day, each an agent with five calls below it
)

// A server killed in the middle of a repricing ends it at its next start, and whoever asks meanwhile sees each day as it was before or as it is after,
// in observations as in traces, also while calls of these days come in. A second repricing has nothing to do, and a warehouse that is
// built anew from the log has the same costs.
func TestKilledWhileRepricing(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	dir := t.TempDir()
	n := startNode(t, dir)
	first := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -repriceDays)
	events := 0
	for day := range repriceDays {
		events += postCalls(t, n, rng, first.AddDate(0, 0, day))
	}
	waitEvents(t, n, events)
	price, caught := 0, 0
	var took time.Duration // of one that nobody disturbs
	for round := 0; caught < repriceKills; round++ {
		if round == repriceRounds {
			t.Fatalf("of %d kills only %d came while a repricing was under way", round, caught)
		}
		was := price
		price++
		setPrice(t, n, price)
		begin := time.Now()
		if took == 0 {
			if state := reprice(t, n, 202); state != "running" && state != "done" {
				t.Fatal(state)
			}
			awaitRepriced(t, n, was, price)
			took = time.Since(begin)
			continue
		}
		reprice(t, n, 202)
		sleep(t, time.Duration(rng.Int64N(int64(took))))
		n.Kill()
		if underway(t, dir) {
			caught++
		}
		n = startNode(t, dir)
		events += postCalls(t, n, rng, first.AddDate(0, 0, rng.IntN(repriceDays))) // they cost what theirs do
		awaitRepriced(t, n, was, price)
		waitEvents(t, n, events)
	}
	if state := reprice(t, n, 200); state != "nothing" {
		t.Errorf("a second repricing is %s", state)
	}
	for range 2 {
		checkDays(t, n, price, price)
		if code := terminate(t, n); code != 0 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
		if out, err := exec.Command(bin.Path, "verify", "--data", dir).CombinedOutput(); err != nil {
			t.Errorf("verify: %v\n%s", err, out)
		}
		if err := os.Remove(filepath.Join(dir, "warehouse.duckdb")); err != nil {
			t.Fatal(err)
		}
		n = startNode(t, dir)
		waitEvents(t, n, events)
	}
	checkDays(t, n, price, price)
}

// postCalls sends traces of a day: each an agent that says a cost of its own and calls of a model with a million tokens, and says how many events that is.
func postCalls(t *testing.T, n *rig.Node, rng *rand.Rand, day time.Time) (events int) {
	t.Helper()
	req := &brokle.BatchRequest{}
	add := func(payload map[string]any) {
		raw, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		req.Events = append(req.Events, brokle.Event{ID: brokle.NewID(), Type: brokle.ObservationCreate, Payload: raw})
	}
	for range repriceTraces {
		trace, at := fmt.Sprintf("trace_%016x", rng.Uint64()), day.Add(time.Duration(rng.Int64N(int64(23*time.Hour)))).Format(time.RFC3339Nano)
		add(map[string]any{"id": trace + "-agent", "trace_id": trace, "name": "agent", "type": "agent", "start_time": at})
		for k := range 5 {
			add(map[string]any{"id": fmt.Sprint(trace, "-", k), "trace_id": trace, "parent_observation_id": trace + "-agent", "name": "call", "type": "generation", "model": "our-model", "start_time": at, "prompt_tokens": 1_000_000, "completion_tokens": 0})
		}
	}
	answer, _, err := n.Post(t.Context(), http.DefaultClient, req)
	if err != nil || answer.ProcessedEvents != len(req.Events) {
		t.Fatal(answer, err)
	}
	return len(req.Events)
}

// setPrice makes a million tokens cost so many USD, for calls that come.
func setPrice(t *testing.T, n *rig.Node, usd int) {
	t.Helper()
	status, body, err := n.Do(t.Context(), http.DefaultClient, http.MethodPut, "/v1/prices", fmt.Appendf(nil, `[{"model":"our-model","input":%d,"output":%d}]`, usd, usd))
	if err != nil || status != http.StatusOK {
		t.Fatalf("PUT: %d %.300s %v", status, body, err)
	}
}

// reprice begins to reprice all calls, and says what became of it.
func reprice(t *testing.T, n *rig.Node, want int) (state string) {
	t.Helper()
	status, body, err := n.Do(t.Context(), http.DefaultClient, http.MethodPost, "/v1/prices/reprice", nil)
	var row struct{ State string }
	if err == nil {
		err = json.Unmarshal(body, &row)
	}
	if err != nil || status != want {
		t.Fatalf("POST: %d %.300s %v", status, body, err)
	}
	return row.State
}

// awaitRepriced waits until no repricing is under way, and looks at all days meanwhile.
func awaitRepriced(t *testing.T, n *rig.Node, was, price int) {
	t.Helper()
	for deadline := time.Now().Add(rig.Patience); ; sleep(t, 5*time.Millisecond) {
		var list brokle.Page[struct{ State string }]
		n.GetJSON(t, "/v1/prices/reprice", &list)
		checkDays(t, n, was, price)
		if len(list.Data) > 0 && list.Data[0].State == "done" {
			checkDays(t, n, price, price)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is still %+v", list.Data)
		}
	}
}

// checkDays compares what each day costs with a USD for each call, or with b; 0 is that nothing has a cost.
func checkDays(t *testing.T, n *rig.Node, a, b int) {
	t.Helper()
	var days brokle.Page[struct {
		Time  time.Time
		Count int
		Cost  *float64
	}]
	for _, of := range []string{"observations&type=generation", "traces"} {
		n.GetJSON(t, "/v1/stats?metrics=count,cost&interval=1d&of="+of, &days)
		if len(days.Data) != repriceDays {
			t.Fatalf("%d days of %s", len(days.Data), of)
		}
		for _, day := range days.Data {
			calls := day.Count
			if of == "traces" {
				calls *= 5
			}
			got := 0.0
			if day.Cost != nil {
				got = *day.Cost
			}
			if got != float64(a*calls) && got != float64(b*calls) {
				t.Fatalf("%s of %s: %d calls cost %v, want %d or %d for each", of, day.Time.Format(time.DateOnly), calls, got, a, b)
			}
		}
	}
}

// underway says whether the journal has a repricing that has not ended.
func underway(t *testing.T, dir string) bool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "prices", "journal.json"))
	if err != nil {
		t.Fatal(err)
	}
	var journal struct {
		Entries []struct {
			Reprice *struct{ To, Done time.Time }
		}
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&journal); err != nil {
		t.Fatal(err)
	}
	for _, e := range journal.Entries {
		if e.Reprice != nil && !e.Reprice.Done.Equal(e.Reprice.To) {
			return true
		}
	}
	return false
}
