package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/sample"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const testKey = "bk_test_0123456789abcdef"

// testNode is a node that runs in this process.
type testNode struct {
	url  string
	key  string // the key it printed, or ""
	log  *watch.Output
	free atomic.Int64
	stop func() error // SIGTERM's way: ends the context and waits
	down atomic.Bool  // the warehouse takes nothing

	leaves bool // its stop leaves something, which is no failure of the test
}

// start runs a node on cfg with a free port, and waits until it listens.
func start(t *testing.T, cfg Config) *testNode {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	cfg.WarehouseMemory, cfg.IndexCache = 96<<20, 8<<20
	n := &testNode{log: &watch.Output{}}
	n.free.Store(100 << 30)
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, cfg, slog.New(slog.NewTextHandler(n.log, nil)), in,
			outside{free: func(string) (Bytes, error) { return Bytes(n.free.Load()), nil }, warehouse: n.before})
		_ = in.CloseWithError(errors.Join(err, io.EOF))
		ended <- err
	}()
	n.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := n.stop(); err != nil && !n.leaves {
			t.Errorf("node ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", n.log)
		}
	})
	if n.url, n.key = rig.Greeting(out); n.url == "" {
		t.Fatal("node did not listen")
	}
	return n
}

// stoppable is a Warehouse that takes nothing while down is set.
type stoppable struct {
	store.Warehouse
	down *atomic.Bool
}

func (s stoppable) Insert(ctx context.Context, recs []entity.Record, upto entity.Seq) error {
	if s.down.Load() {
		return errors.New("injected: the warehouse is stopped")
	}
	return s.Warehouse.Insert(ctx, recs, upto)
}

func (n *testNode) before(w store.Warehouse) store.Warehouse { return stoppable{w, &n.down} }

// get reads path and returns the status and the body.
func (n *testNode) get(t *testing.T, key, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// post sends one trace and returns the status, Retry-After and the answer.
func (n *testNode) post(t *testing.T, key, id string) (int, string, wire.BatchResponse) {
	t.Helper()
	resp := n.postJSON(t, key, "/v1/telemetry/batch", fmt.Sprintf(`{"events":[{"event_id":%q,"event_type":"trace_create","payload":{"id":%q,"name":"n"}}]}`, id, id))
	defer func() { _ = resp.Body.Close() }()
	var answer wire.BatchResponse
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Retry-After"), answer
}

// postJSON posts a body; the caller closes the answer's body.
func (n *testNode) postJSON(t *testing.T, key, path, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestStopAndStartKeepsEverything(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	if status, _, answer := n.post(t, testKey, "t1"); status != http.StatusOK || answer.ProcessedEvents != 1 {
		t.Fatalf("post: %d %+v", status, answer)
	}
	if status, _, answer := n.post(t, testKey, "t1"); status != http.StatusOK || answer.DuplicateEvents != 1 {
		t.Fatalf("post again: %d %+v", status, answer)
	}
	if err := n.stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if _, err := http.Get(n.url + "/healthz"); err == nil {
		t.Error("a stopped node answers")
	}

	n = start(t, cfg)
	// The drain let the indexer catch up, so the first query has it.
	if status, body := n.get(t, testKey, "/v1/traces/t1"); status != http.StatusOK || !strings.Contains(body, `"name":"n"`) {
		t.Errorf("after the restart: %d %s", status, body)
	}
	if status, _, answer := n.post(t, testKey, "t1"); status != http.StatusOK || answer.DuplicateEvents != 1 {
		t.Errorf("post after the restart: %d %+v", status, answer)
	}
}

func TestDiskFullAndBack(t *testing.T) {
	t.Parallel()
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey})
	n.free.Store(1<<30 - 1)
	watch.Until(t, "readyz says that the disk is full", func() bool {
		status, body := n.get(t, "", "/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "disk: down: 1023 MiB free, minimum 1024 MiB")
	})
	if status, retryAfter, _ := n.post(t, testKey, "t1"); status != http.StatusServiceUnavailable || retryAfter == "" {
		t.Errorf("post to a full disk: %d, Retry-After %q", status, retryAfter)
	}
	if status, _ := n.get(t, testKey, "/v1/traces"); status != http.StatusOK {
		t.Errorf("reading from a full disk: %d", status)
	}
	n.free.Store(2 << 30)
	watch.Until(t, "the same request is taken", func() bool {
		status, _, answer := n.post(t, testKey, "t1")
		return status == http.StatusOK && answer.ProcessedEvents == 1
	})
	if status, body := n.get(t, "", "/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, body)
	}
}

func TestFirstStartMakesOneKey(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir()}
	n := start(t, cfg)
	first := n.key
	if status, _, _ := n.post(t, first, "t1"); status != http.StatusOK {
		t.Fatalf("post with the printed key %q: %d", first, status)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	n = start(t, cfg)
	if n.key != "" {
		t.Error("the second start makes another key")
	}
	if status, _ := n.get(t, first, "/v1/traces"); status != http.StatusOK {
		t.Errorf("the first key on the second start: %d", status)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	cfg.Dev = true
	if n = start(t, cfg); n.key == "" || n.key == first {
		t.Error("--dev makes no key of its own")
	}
	dev := n.key
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(cfg.DataDir, datadir.DevKeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of the key of --dev: %v, %v; want one that only its owner reads", info, err)
	}
	if n = start(t, cfg); n.key != dev {
		t.Error("the next start with --dev makes another key")
	}
	if status, _ := n.get(t, dev, "/v1/traces"); status != http.StatusOK {
		t.Errorf("the key of --dev after a restart: %d", status)
	}
	if strings.Contains(n.log.String(), "bk_") {
		t.Error("a key is in the log")
	}
}

func TestSampleIsLoadedOnce(t *testing.T) {
	t.Parallel()
	now := time.Now()
	want := 0
	for _, b := range sample.Batches(now) {
		want += len(b.Events)
	}
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, Sample: true}
	for _, loaded := range []string{
		fmt.Sprintf("new_events=%d known_events=0", want), fmt.Sprintf("new_events=0 known_events=%d", want),
	} {
		n := start(t, cfg)
		watch.Until(t, "the sample is loaded", func() bool { return strings.Contains(n.log.String(), "sample loaded") })
		if time.Now().UTC().Day() != now.UTC().Day() {
			t.Skip("skipped: midnight UTC passed, and a new day has a new sample")
		}
		if !strings.Contains(n.log.String(), loaded) {
			t.Errorf("the log does not say %s", loaded)
		}
		watch.Until(t, "the sample is queryable, once", func() bool {
			_, body := n.get(t, testKey, "/v1/stats?of=events&metrics=count")
			return strings.Contains(body, fmt.Sprintf(`"count":%d}`, want))
		})
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpsListen(t *testing.T) {
	t.Parallel()
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, OpsListen: "127.0.0.1:0"})
	if status, _ := n.get(t, testKey, "/metrics"); status != http.StatusNotFound {
		t.Errorf("metrics on the API's address although they have their own: %d", status)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	logger := slog.New(slog.DiscardHandler)
	err := Run(t.Context(), Config{DataDir: t.TempDir(), MaxEvents: -3}, logger, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "BROKLE_MAX_EVENTS") {
		t.Errorf("a bad setting: %v", err)
	}
	dir := t.TempDir()
	start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	err = Run(t.Context(), Config{DataDir: dir, Listen: "127.0.0.1:0"}, logger, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "open elsewhere") {
		t.Errorf("a directory in use: %v", err)
	}
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey})
	err = Run(t.Context(), Config{DataDir: t.TempDir(), Listen: strings.TrimPrefix(n.url, "http://")}, logger, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "listen") {
		t.Errorf("a port in use: %v", err)
	}
}

func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	var accepted sync.Map
	var told atomic.Int64
	var clients sync.WaitGroup
	for c := range 4 {
		clients.Go(func() {
			client, err := brokle.New(brokle.Config{Host: n.url, APIKey: testKey})
			if err != nil {
				t.Error(err)
				return
			}
			for i := 0; ; i++ {
				id := fmt.Sprintf("c%d-%d", c, i)
				_, err := client.SendBatch(t.Context(), &wire.BatchRequest{Events: []wire.Event{
					{ID: id, Type: wire.TraceCreate, Payload: fmt.Appendf(nil, `{"id":%q,"name":"n"}`, id)}}})
				var refused *brokle.RequestError
				if errors.As(err, &refused) && (refused.StatusCode == 0 || refused.StatusCode == http.StatusServiceUnavailable) {
					return // stopping: refused, or 503
				}
				if err != nil {
					t.Errorf("while stopping: %v", err)
					return
				}
				accepted.Store(id, true)
				told.Add(1)
			}
		})
	}
	watch.Until(t, "200 events are accepted", func() bool { return told.Load() >= 200 })
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	clients.Wait()

	n = start(t, cfg)
	_, body := n.get(t, testKey, "/v1/stats?of=events&metrics=count")
	var page struct{ Data []struct{ Count int64 } }
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Data) != 1 {
		t.Fatalf("%v in %s", err, body)
	}
	// A request may have been stored whose answer did not arrive, never the other way.
	if got := page.Data[0].Count; got < told.Load() || got > told.Load()+4 {
		t.Errorf("%d events stored, %d answered with 200", got, told.Load())
	}
	accepted.Range(func(id, _ any) bool {
		status, body := n.get(t, testKey, "/v1/telemetry/events/"+id.(string))
		if status != http.StatusOK {
			t.Errorf("event %s was answered with 200 and its receipt says %d %s", id, status, body)
		}
		return !t.Failed()
	})
}
