package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// sharing is two nodes with one Redis and one ClickHouse, and what they acknowledged. The second one asks ClickHouse over HTTP.
type sharing struct {
	server *clickhousetest.Server
	client *http.Client
	dirs   [2]string
	urls   [2]string // of the warehouse
	args   []string

	mu     sync.RWMutex // guards nodes
	nodes  [2]*rig.Node
	sent   []string // traces whose events were all acknowledged
	sentMu sync.Mutex
}

// stepsOf is how many observations each trace has, and costOf what each costs.
const (
	stepsOf = 3
	costOf  = 0.125
)

func startSharing(t *testing.T, args ...string) *sharing {
	t.Helper()
	server := clickhousetest.Start(t)
	server.Supervise(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of clickhouse: %s", server.Output())
		}
	})
	return startOn(t, server, [2]string{server.URL("brokle"), server.HTTPURL("brokle")}, args...)
}

// startOn starts two nodes, each with its URL. The database is not there yet: whichever comes first makes it.
func startOn(t *testing.T, server *clickhousetest.Server, urls [2]string, args ...string) *sharing {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	s := &sharing{server: server, urls: urls, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
	s.args = []string{"--redis-url", redistest.Start(t).URL(), "--drain-timeout", "20s"}
	s.args = append(s.args, args...)
	var both sync.WaitGroup
	for i := range s.nodes {
		s.dirs[i] = t.TempDir()
		both.Go(func() { s.start(t, i) })
	}
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return s
}

// start runs a node on its directory.
func (s *sharing) start(t *testing.T, i int) {
	n, err := rig.Launch(bin.Command(s.dirs[i], append([]string{"--warehouse-url", s.urls[i]}, s.args...)...))
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() {
		n.Kill()
		if t.Failed() {
			t.Logf("log of node %d:\n%s", i, n.LogEnd())
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[i] = n
}

func (s *sharing) node(i int) *rig.Node {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.nodes[i%len(s.nodes)]
}

// eventsOf are the events of a trace.
func eventsOf(t testing.TB, trace string) []brokle.Event {
	events := []brokle.Event{{ID: trace + "-t", Type: brokle.TraceCreate, Payload: raw(t, map[string]any{"id": trace, "name": "shared", "user_id": "u-" + trace})}}
	for step := range stepsOf {
		events = append(events, brokle.Event{ID: fmt.Sprintf("%s-%d", trace, step), Type: brokle.ObservationCreate, Payload: raw(t, map[string]any{
			"id": fmt.Sprintf("%s-o%d", trace, step), "trace_id": trace, "type": "generation", "name": "step", "model": "m", "total_cost": costOf,
			"input": fmt.Sprintf("asked %s number%d", trace, step), "start_time": time.Now().UTC().Format(time.RFC3339Nano),
		})})
	}
	return events
}

func raw(t testing.TB, v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// deliver sends events, first to node i and then to the one and the other, until all have an outcome. It sends some of them again to the other node, as a client
// does that lost the answer.
func (s *sharing) deliver(ctx context.Context, rng *rand.Rand, i int, events []brokle.Event) error {
	again := rng.IntN(3) == 0
	rest := events
	for len(rest) > 0 {
		answer, _, err := s.node(i).Post(ctx, s.client, &brokle.BatchRequest{Events: rest})
		if ctx.Err() != nil {
			return fmt.Errorf("no outcome: %w (%w)", ctx.Err(), err)
		}
		if err == nil {
			pending := map[string]bool{}
			for _, e := range answer.Errors {
				if !e.Retryable {
					return fmt.Errorf("event %s: %+v", e.EventID, e)
				}
				pending[e.EventID] = true
			}
			var left []brokle.Event
			for _, e := range rest {
				if pending[e.ID] {
					left = append(left, e)
				}
			}
			rest = left
		}
		if i++; len(rest) == 0 && again {
			rest, again = events, false
		}
		if len(rest) > 0 {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// run has clients send traces until stop is closed.
func (s *sharing) run(t *testing.T, rng *rand.Rand, name string, stop <-chan struct{}) *sync.WaitGroup {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	var work sync.WaitGroup
	for c := range 4 {
		mine := chance.From(rng.Uint64(), 0)
		work.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				trace := fmt.Sprintf("%s-%d-%d", name, c, n)
				if err := s.deliver(ctx, mine, mine.IntN(2), eventsOf(t, trace)); err != nil {
					t.Error(err)
					return
				}
				s.sentMu.Lock()
				s.sent = append(s.sent, trace)
				s.sentMu.Unlock()
			}
		})
	}
	t.Cleanup(cancel)
	return &work
}

// check has a node answer for everything that was acknowledged, by whichever node.
func (s *sharing) check(t *testing.T, what string, n *rig.Node) {
	t.Helper()
	want := len(s.sent)
	var stats struct {
		Data []struct {
			Count int
			Cost  float64
		}
	}
	// What the other node has inserted is in the sums once that node has folded it, too.
	var last string
	redistest.Eventually(t, 2*time.Minute, func() bool {
		count, err := n.Count(t.Context(), "")
		if err != nil {
			last = err.Error()
			return false
		}
		last = fmt.Sprint(count)
		if count < want*(1+stepsOf) {
			return false
		}
		n.GetJSON(t, "/v1/stats?of=observations&metrics=count,cost", &stats)
		if len(stats.Data) != 1 || stats.Data[0].Count < want*stepsOf {
			return false
		}
		var traces struct{ Data []struct{ Count int } } // their rows come after those of their observations
		n.GetJSON(t, "/v1/stats?of=traces&metrics=count", &traces)
		return len(traces.Data) == 1 && traces.Data[0].Count >= want
	})
	if len(stats.Data) != 1 || stats.Data[0].Count != want*stepsOf || math.Abs(stats.Data[0].Cost-float64(want*stepsOf)*costOf) > 1e-9 {
		t.Errorf("%s: %d traces have %+v (%s events)", what, want, stats.Data, last)
	}
	if count := countEvents(t, n); count != want*(1+stepsOf) {
		t.Errorf("%s: %d events, want %d", what, count, want*(1+stepsOf))
	}
	listed := map[string]int{}
	for cursor := ""; ; {
		var page struct {
			Data       []struct{ ID string }
			NextCursor *string `json:"next_cursor"`
		}
		n.GetJSON(t, "/v1/traces?limit=200&cursor="+cursor, &page)
		for _, row := range page.Data {
			listed[row.ID]++
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	for i, trace := range s.sent {
		if listed[trace] != 1 {
			t.Errorf("%s: trace %s is %d times in the list", what, trace, listed[trace])
		}
		if i%25 != 0 {
			continue
		}
		var whole brokle.Trace
		n.GetJSON(t, "/v1/traces/"+trace, &whole)
		inputs := map[string]bool{}
		for _, o := range whole.Observations {
			inputs[string(o.Input)] = true
		}
		if len(whole.Observations) != stepsOf || !inputs[fmt.Sprintf("%q", "asked "+trace+" number1")] {
			t.Errorf("%s: trace %s has %d observations, %v", what, trace, len(whole.Observations), inputs)
		}
	}
	if len(listed) != want {
		t.Errorf("%s: %d traces are listed, %d were acknowledged", what, len(listed), want)
	}
}

// Two nodes, of which one is killed and started again and ClickHouse too, while clients send and send again: what was acknowledged is there once, from either
// node, and from the one that is left.
func TestNodesShareAWarehouse(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it runs two nodes, a Redis and a ClickHouse, and kills them")
	}
	s := startSharing(t)
	rng := chance.Of(t)
	stop := make(chan struct{})
	work := s.run(t, rng, "a", stop)
	sleep(t, 2*time.Second)
	s.node(0).Kill()
	sleep(t, time.Second)
	s.start(t, 0)
	sleep(t, 2*time.Second)
	s.server.Kill()
	before := s.acknowledged()
	sleep(t, 3*time.Second)
	if during := s.acknowledged() - before; during == 0 {
		t.Error("nothing was acknowledged while ClickHouse was away")
	}
	s.readyzSays(t, 1, "clickhouse: ")
	s.server.Restart()
	sleep(t, time.Second)
	s.node(1).Kill() // with what it has of the backlog
	s.start(t, 1)
	sleep(t, time.Second)
	close(stop)
	work.Wait()
	t.Logf("%d traces were acknowledged", len(s.sent))
	for i := range s.nodes {
		s.check(t, fmt.Sprintf("node %d", i), s.node(i))
	}

	// What one node was told the other one knows soon.
	if err := s.deliver(t.Context(), rng, 1, eventsOf(t, "at-once")); err != nil {
		t.Fatal(err)
	}
	for i := range s.nodes {
		redistest.Eventually(t, time.Minute, func() bool {
			status, body, err := s.node(i).Do(t.Context(), s.client, http.MethodGet, "/v1/traces/at-once", nil)
			if err != nil {
				t.Fatal(err)
			}
			return status == http.StatusOK && strings.Contains(string(body), "number2")
		})
	}
	s.sent = append(s.sent, "at-once")

	s.node(0).Kill()
	s.check(t, "the node that is left", s.node(1))
	s.start(t, 0)
	s.erase(t)
}

func (s *sharing) acknowledged() int {
	s.sentMu.Lock()
	defer s.sentMu.Unlock()
	return len(s.sent)
}

func (s *sharing) readyzSays(t *testing.T, i int, what string) {
	t.Helper()
	status, body, err := s.node(i).Do(t.Context(), s.client, http.MethodGet, "/readyz", nil)
	if err != nil || status != http.StatusOK || !strings.Contains(string(body), what) || strings.Contains(string(body), clickhousetest.Password) {
		t.Errorf("readyz: %d %v\n%s", status, err, body)
	}
}

// erase erases a trace on one node, whose events the other one took, and looks for it everywhere.
func (s *sharing) erase(t *testing.T) {
	t.Helper()
	trace := s.sent[len(s.sent)/2]
	redistest.Eventually(t, 2*time.Minute, func() bool { // 503 while the node, which was just started, inserts again what it had not noted as inserted
		status, body, err := s.node(0).Do(t.Context(), s.client, http.MethodDelete, "/v1/traces/"+trace, nil)
		if err != nil || status/100 != 2 && status != http.StatusServiceUnavailable {
			t.Fatalf("erase: %d %v %s", status, err, body)
		}
		return status/100 == 2
	})
	for i := range s.nodes {
		if status, body, err := s.node(i).Do(t.Context(), s.client, http.MethodGet, "/v1/traces/"+trace, nil); err != nil || status != http.StatusNotFound {
			t.Errorf("node %d has the erased trace: %d %v %.200s", i, status, err, body)
		}
	}
	if n := s.server.Do(t, "SELECT count() FROM brokle.events WHERE position(payload, 'asked "+trace+" ') > 0"); n != "0" {
		t.Errorf("%s events of the erased trace are in the tables", n)
	}
	redistest.Eventually(t, time.Minute, func() bool { return s.server.Do(t, "SELECT count() FROM brokle.erasures FINAL WHERE done = 0") == "0" })
	s.sent = append(s.sent[:len(s.sent)/2], s.sent[len(s.sent)/2+1:]...)
	s.check(t, "after an erasure", s.node(1))
}

// brokleSays runs a command, and returns what it prints and its exit code.
func brokleSays(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(bin.Path, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if strings.Contains(string(out), clickhousetest.Password) || strings.Contains(string(out), "secret%20of") {
		t.Errorf("the password is in what `brokle %s` prints", args[0])
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// A node starts without its warehouse, says what is wrong with it, keeps what comes, and inserts it once it can; its tables are looked at and compared by commands.
func TestANodeWaitsForItsWarehouse(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: it runs a node and a ClickHouse")
	}
	server := clickhousetest.Start(t)
	server.Supervise(t)
	s := &sharing{server: server, client: &http.Client{Timeout: 30 * time.Second}}
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "url")
	write := func(url string) {
		t.Helper()
		if err := os.WriteFile(secret, []byte(url+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server.Kill()
	write(server.URL("waiting"))
	n := startNode(t, dir, "--warehouse-url", "@"+secret)
	s.nodes[0], s.nodes[1] = n, n
	if err := s.deliver(t.Context(), chance.Of(t), 0, eventsOf(t, "early")); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, time.Minute, func() bool {
		status, body, err := n.Do(t.Context(), s.client, http.MethodGet, "/readyz", nil)
		if err != nil || status != http.StatusOK {
			t.Fatalf("readyz: %d %v\n%s", status, err, body)
		}
		return strings.Contains(string(body), "warehouse: degraded: ") && strings.Contains(string(body), "clickhouse cannot be reached")
	})
	if status, body, err := n.Do(t.Context(), s.client, http.MethodGet, "/v1/traces", nil); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("a question: %d %v %s", status, err, body)
	}
	if code := terminate(t, n); code != 3 { // something is left
		t.Errorf("a stop without a warehouse ends with %d", code)
	}
	server.Restart()

	write("clickhouse://brokle:wrong@" + clickhousetest.Refuse(t, 516, "brokle: Authentication failed") + "/waiting")
	n = startNode(t, dir, "--warehouse-url", "@"+secret)
	s.nodes[0] = n
	redistest.Eventually(t, time.Minute, func() bool {
		_, body, err := n.Do(t.Context(), s.client, http.MethodGet, "/readyz", nil)
		return err == nil && strings.Contains(string(body), "clickhouse refuses the user or the password")
	})
	n.Kill()

	write(server.URL("waiting"))
	if out, code := brokleSays(t, "warehouse", "status", "--warehouse-url", "@"+secret); code == 0 {
		t.Errorf("status before there are tables: %s", out)
	}
	if out, code := brokleSays(t, "warehouse", "init", "--warehouse-url", "@"+secret); code != 0 {
		t.Errorf("init: %d %s", code, out)
	}
	n = startNode(t, dir, "--warehouse-url", "@"+secret)
	s.nodes[0] = n
	s.sent = []string{"early"}
	s.check(t, "once there is a warehouse", n)
	if code := terminate(t, n); code != 0 {
		t.Errorf("the stop ends with %d", code)
	}
	if strings.Contains(n.Log(), clickhousetest.Password) {
		t.Error("the password is in the log")
	}
	if out, code := brokleSays(t, "warehouse", "status", "--warehouse-url", "@"+secret); code != 0 || !strings.Contains(out, "as they must be") {
		t.Errorf("status: %d %s", code, out)
	}
	if out, code := brokleSays(t, "verify", "--warehouse", "--data", dir, "--warehouse-url", "@"+secret); code != 0 || !strings.Contains(out, "4 events of the log compared") || !strings.Contains(out, "0 missing") {
		t.Errorf("verify: %d %s", code, out)
	}
	if out, code := brokleSays(t, "verify", "--data", dir); code != 0 {
		t.Errorf("verify of the directory alone: %d %s", code, out)
	}
	server.Do(t, "ALTER TABLE waiting.events DELETE WHERE event_id = 'early-1' SETTINGS mutations_sync = 2")
	if out, code := brokleSays(t, "verify", "--warehouse", "--data", dir, "--warehouse-url", "@"+secret); code != 1 || !strings.Contains(out, "1 missing") {
		t.Errorf("verify of tables that lost an event: %d %s", code, out)
	}
	server.Do(t, "TRUNCATE TABLE waiting.traces") // and all rows of a kind
	if out, code := brokleSays(t, "verify", "--warehouse", "--repair", "--data", dir, "--warehouse-url", "@"+secret); code != 0 || !strings.Contains(out, "1 events inserted again") || !strings.Contains(out, "0 missing") {
		t.Errorf("repair: %d %s", code, out)
	}
	if out, code := brokleSays(t, "verify", "--warehouse", "--data", dir, "--warehouse-url", "@"+secret); code != 0 {
		t.Errorf("verify of what was repaired: %d %s", code, out)
	}
	n = startNode(t, dir, "--warehouse-url", "@"+secret)
	s.nodes[0] = n
	s.check(t, "once it is repaired", n)
	if code := terminate(t, n); code != 0 {
		t.Errorf("the stop ends with %d", code)
	}
	if out, code := brokleSays(t, "warehouse", "init", "--print", "--cluster", "c"); code != 0 || !strings.Contains(out, "ON CLUSTER `c`") {
		t.Errorf("print: %d %s", code, out)
	}
}
