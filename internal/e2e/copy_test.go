package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

var (
	moveEvents   = flag.Int("move.events", 4000, "how many random events TestMoveToASharedWarehouseAndBack moves")
	moveMixtures = flag.Int("move.mixtures", 12, "how many mixtures of parameters it asks of each list")
)

// sendHistory sends events of a random history, some of them as a client that deduplicates and some as one that does not: ids return, with the same content and with other. What
// is the same is not stored twice, though: the events of a node's log are listed as often as they were stored, those of a shared warehouse once.
func sendHistory(t *testing.T, n *rig.Node, rng *rand.Rand, seed uint64, events int) (stored int) {
	t.Helper()
	recs := storetest.History(seed, events)
	sent, unmarked := map[string]bool{}, map[string]bool{}
	for from := 0; from < len(recs); {
		to := min(len(recs), from+1+rng.IntN(900))
		d := brokle.DefaultDeduplication()
		d.Enabled = rng.IntN(3) > 0
		req := &brokle.BatchRequest{Environment: []string{"", "production", "staging"}[rng.IntN(3)], Deduplication: &d}
		for _, r := range recs[from:to] {
			fact := fmt.Sprintf("%s %s %s", r.Event.ID, r.Event.Type, r.Event.Payload)
			if unmarked[fact] || !d.Enabled && sent[fact] {
				continue
			}
			req.Events = append(req.Events, r.Event)
			sent[fact] = true
			unmarked[fact] = !d.Enabled
		}
		answer, _, err := n.Post(t.Context(), http.DefaultClient, req)
		if err != nil || answer.FailedEvents > 0 {
			t.Fatal(answer, err)
		}
		stored += answer.ProcessedEvents
		from = to
	}
	return stored
}

// must asks for something that must answer 2xx.
func must(t *testing.T, n *rig.Node, method, path, body string) {
	t.Helper()
	status, answer, err := n.Do(t.Context(), http.DefaultClient, method, path, []byte(body))
	if err != nil || status/100 != 2 {
		t.Fatalf("%s %s: %d %v %s", method, path, status, err, answer)
	}
}

// repriceAll prices calls again, and waits until that has ended.
func repriceAll(t *testing.T, n *rig.Node, which string) {
	t.Helper()
	must(t, n, http.MethodPost, "/v1/prices/reprice"+which, "")
	redistest.Eventually(t, time.Minute, func() bool {
		var rows struct{ Data []struct{ State string } }
		n.GetJSON(t, "/v1/prices/reprice?wait=10s", &rows)
		return len(rows.Data) == 0 || rows.Data[0].State == "done"
	})
}

// setUp gives a node events, own prices, of which some came later, a repricing, budgets, and erases a trace and a user.
func setUp(t *testing.T, n *rig.Node, rng *rand.Rand, events int) {
	t.Helper()
	seed := rng.Uint64()
	sendHistory(t, n, rng, seed, events/2)
	must(t, n, http.MethodPut, "/v1/prices", `[{"model":"m-small","input":0.25,"output":2},{"model":"m-large","input":3,"output":15}]`)
	repriceAll(t, n, "?to=2026-03-01T00:05:00Z")
	sendHistory(t, n, rng, seed+1, events-events/2)
	must(t, n, http.MethodPut, "/v1/prices", `[{"model":"m-small","input":1,"output":4},{"model":"m-large","input":3,"output":15}]`)
	repriceAll(t, n, "?model=m-small&from=2026-03-01")
	must(t, n, http.MethodPut, "/v1/budgets", `[{"name":"all","period":"month","warn":100000}]`)
	must(t, n, http.MethodDelete, "/v1/traces/trace-2", "")
}

// copying runs `brokle warehouse copy`; with kill it is ended by SIGKILL after that long.
func copying(t *testing.T, kill time.Duration, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(bin.Path, append([]string{"warehouse", "copy"}, args...)...)
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if kill > 0 {
		timer := time.AfterFunc(kill, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	_ = cmd.Wait() // its exit code says it
	if strings.Contains(text.String(), clickhousetest.Password) || strings.Contains(text.String(), "secret%20of") {
		t.Error("the password is in what the copy prints")
	}
	return text.String(), cmd.ProcessState.ExitCode()
}

// A node's data go to a shared warehouse while it runs, whatever is killed meanwhile, and back to a directory of its own: it answers everything as before, stores no retry twice,
// and what was erased, repriced and stored after the copy is right, too.
func TestMoveToASharedWarehouseAndBack(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it runs nodes and a ClickHouse")
	}
	rng := chance.Of(t)
	server := clickhousetest.Start(t)
	server.Supervise(t)
	dir, url := t.TempDir(), server.URL("moved")
	patient := []string{"--query-timeout", "5m"} // so that answers do not depend on what else the machine does
	n := startNode(t, dir, patient...)
	setUp(t, n, rng, *moveEvents)
	began := time.Now()

	kills := 0
	var down *time.Timer // ends ClickHouse
	for {
		wait := time.Duration(rng.IntN(1500)+200) * time.Millisecond
		if kills >= 4 {
			wait = 0
		}
		switch kills {
		case 1:
			n.Kill()
			n = startNode(t, dir, patient...)
		case 2:
			down = time.AfterFunc(wait/2, server.Kill)
		case 3:
			if !down.Stop() {
				server.Restart()
			}
		}
		out, code := copying(t, wait, "--host", n.URL, "--api-key", rig.Key, "--warehouse-url", url)
		if code == 0 {
			t.Logf("copied after %d kills in %s: %s", kills, time.Since(began), out)
			if kills >= 4 {
				break
			}
		} else if kills >= 4 {
			t.Fatalf("copy: exit code %d: %s", code, out)
		}
		kills++
	}

	// What happens afterwards the shared warehouse is told when the node comes to it.
	sendHistory(t, n, rng, rng.Uint64(), 500)
	must(t, n, http.MethodDelete, "/v1/traces/trace-5", "")
	must(t, n, http.MethodDelete, "/v1/users/u-9", "")
	repriceAll(t, n, "?model=m-large")
	paths := everyQuery(t, n, rng, *moveEvents, *moveMixtures)
	before, events := record(t, n, paths), exported(t, n)
	t.Logf("%d answers of the embedded node after %s", len(paths), time.Since(began))
	if code := terminate(t, n); code != 0 {
		t.Fatalf("the stop ends with %d", code)
	}

	n = startNode(t, dir, append(patient, "--warehouse-url", url)...)
	redistest.Eventually(t, 2*time.Minute, func() bool {
		out, code := brokleSays(t, "warehouse", "status", "--json", "--warehouse-url", url)
		var is struct {
			Nodes []struct{ Cursor, Head uint64 }
		}
		return code == 0 && json.Unmarshal([]byte(out), &is) == nil && len(is.Nodes) == 1 && is.Nodes[0].Cursor >= is.Nodes[0].Head
	})
	sameAnswers(t, "from the shared warehouse", record(t, n, paths), before)
	if got := exported(t, n); got != events {
		t.Errorf("%d bytes are exported from the shared warehouse instead of %d", len(got), len(events))
	}
	t.Logf("%d answers of the shared warehouse after %s", len(paths), time.Since(began))
	if code := terminate(t, n); code != 0 {
		t.Fatalf("the stop ends with %d", code)
	}
	if out, code := brokleSays(t, "verify", "--warehouse", "--data", dir, "--warehouse-url", url); code != 0 {
		t.Errorf("verify: %d %s", code, out)
	}

	back := filepath.Join(t.TempDir(), "back")
	for kills := 0; ; kills++ {
		wait := time.Duration(rng.IntN(1500)+100) * time.Millisecond
		if kills >= 4 {
			wait = 0
		}
		out, code := copying(t, wait, "--back", "--data", back, "--from", dir, "--warehouse-url", url)
		if code == 0 {
			t.Logf("copied back after %d kills in %s: %s", kills, time.Since(began), out)
			break
		}
		if wait == 0 && (kills > 10 || !strings.Contains(out, "clickhouse cannot be reached")) { // the server of the tests may end with a greeting that breaks off; it is run again
			t.Fatalf("copy back: exit code %d: %s", code, out)
		}
		redistest.Eventually(t, time.Minute, func() bool {
			_, code := brokleSays(t, "warehouse", "status", "--warehouse-url", url)
			return code == 0
		})
		if cmd := serveCommand(back); kills == 2 {
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "did not end") {
				t.Errorf("a server starts on a copy that has not ended: %v %s", err, out)
			}
		}
	}
	n = startNode(t, back, patient...)
	sameAnswers(t, "from the new directory", record(t, n, paths), before)
	if got := exported(t, n); got != events {
		t.Errorf("%d bytes are exported from the new directory instead of %d", len(got), len(events))
	}
	again := eventsAgain(t, events)
	answer, _, err := n.Post(t.Context(), http.DefaultClient, &brokle.BatchRequest{Events: again})
	if err != nil || answer.DuplicateEvents != len(again) {
		t.Errorf("a retry of %d events on the new directory: %+v, %v", len(again), answer, err)
	}
	if code := terminate(t, n); code != 0 {
		t.Fatalf("the stop ends with %d", code)
	}
	if out, code := brokleSays(t, "verify", "--data", back); code != 0 {
		t.Errorf("verify of the new directory: %d %s", code, out)
	}
	t.Logf("all in %s", time.Since(began))
}

// eventsAgain are events of an export, as a client sends them again.
func eventsAgain(t *testing.T, exported string) (again []brokle.Event) {
	t.Helper()
	met := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSpace(exported), "\n") {
		var e brokle.Event
		if i%37 != 0 || len(again) == 500 {
			continue
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if !met[e.ID] {
			met[e.ID] = true
			again = append(again, e)
		}
	}
	if len(again) == 0 {
		t.Fatal("nothing was exported")
	}
	return again
}
