package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// request makes a request with the test's key and reads the answer.
func (n *testNode) request(ctx context.Context, method, path, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, n.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-API-Key", testKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, err
}

// takeBackup receives a backup into dir. around, when not nil, wraps the stream.
func (n *testNode) takeBackup(t *testing.T, dir string, around func(io.Reader) io.Reader) (*backup.Manifest, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+"/v1/backup", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(resp.Body)
		t.Fatalf("%d %s", resp.StatusCode, raw)
	}
	var r io.Reader = resp.Body
	if around != nil {
		r = around(r)
	}
	return backup.Receive(r, dir, nil)
}

// whole fails the test unless verify finds the directory whole.
func whole(t *testing.T, dir string) *verify.Report {
	t.Helper()
	v, err := Verify(context.Background(), Config{DataDir: dir, WarehouseMemory: 96 << 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.State != verify.Whole {
		raw, _ := json.MarshalIndent(v, "", " ")
		t.Fatalf("%s is not whole: %s", dir, raw)
	}
	return v
}

// storedEvents counts every stored event of the node by id, and keeps its payload.
func storedEvents(t *testing.T, n *testNode) (times map[string]int, payloads map[string]string) {
	t.Helper()
	times, payloads = map[string]int{}, map[string]string{}
	client, err := brokle.New(brokle.Config{APIKey: testKey, Host: n.url})
	if err != nil {
		t.Fatal(err)
	}
	for ev, err := range client.Events.List(t.Context(), brokle.EventQuery{Limit: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		times[ev.EventID]++
		payloads[ev.EventID] = string(ev.Payload)
	}
	return times, payloads
}

func caughtUp(t *testing.T, n *testNode) {
	t.Helper()
	watch.Until(t, "the warehouse is at the head", func() bool {
		_, body := n.get(t, testKey, "/metrics")
		return metric(body, "brokle_indexer_lag_seqs") == "0"
	})
}

// traffic posts traces of two events until it is stopped, and erases some of them.
type traffic struct {
	n  *testNode
	wg sync.WaitGroup

	mu     sync.Mutex        // guards all below
	acked  map[string]string // payload by event id, of what was answered with 200
	erased map[string]bool   // ids of erased events, when the DELETE was sent
	gone   map[string]bool   // and when it was answered
	errs   []error
}

func (w *traffic) run(ctx context.Context, rng *rand.Rand, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		trace := fmt.Sprintf("%s-%d", name, i)
		payloads := map[string]string{}
		var events []string
		for _, typ := range []string{"trace_create", "observation_create"} {
			id := trace + "-" + typ[:1]
			p := fmt.Sprintf(`{"id":%q,"trace_id":%q,"name":"n","type":"span","input":"%x"}`, trace, trace, rng.Uint64())
			payloads[id] = p
			events = append(events, fmt.Sprintf(`{"event_id":%q,"event_type":%q,"payload":%s}`, id, typ, p))
		}
		status, raw, err := w.n.request(context.Background(), "POST", "/v1/telemetry/batch", `{"events":[`+strings.Join(events, ",")+`]}`)
		if err != nil || status != http.StatusOK {
			w.fail(fmt.Errorf("post: %d %s %w", status, raw, err))
			return
		}
		w.mu.Lock()
		maps.Copy(w.acked, payloads)
		w.mu.Unlock()
		if rng.IntN(40) == 0 {
			w.erase(trace)
		}
	}
}

func (w *traffic) erase(trace string) {
	note := func(set map[string]bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		set[trace+"-t"], set[trace+"-o"] = true, true
	}
	note(w.erased)
	status, raw, err := w.n.request(context.Background(), "DELETE", "/v1/traces/"+trace, "")
	if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
		w.fail(fmt.Errorf("delete: %d %s %w", status, raw, err))
		return
	}
	if status == http.StatusOK {
		note(w.gone)
	}
}

func (w *traffic) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

// Under load, with erasures and the recompression that follows them, a backup has every event that was
// acknowledged before it began, once, with its payload, and nothing that had been erased.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	rng := chance.From(seed, 0)
	top := t.TempDir()
	n := start(t, Config{DataDir: filepath.Join(top, "data"), BootstrapAPIKey: testKey})
	w := &traffic{n: n, acked: map[string]string{}, erased: map[string]bool{}, gone: map[string]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	defer w.wg.Wait()
	defer stop()
	for i := range 3 {
		r := chance.From(seed, uint64(1+i))
		w.wg.Go(func() { w.run(ctx, r, fmt.Sprint("w", i)) })
	}
	type taken struct {
		dir    string
		must   map[string]string // acknowledged before it began …
		erased map[string]bool   // … of which these may be gone …
		gone   map[string]bool   // … and these must be
		head   uint64
	}
	var all []taken
	for i := range 4 {
		pause := time.NewTimer(time.Duration(100+rng.IntN(900)) * time.Millisecond)
		<-pause.C
		b := taken{dir: filepath.Join(top, fmt.Sprint("b", i))}
		w.mu.Lock()
		b.must, b.gone = maps.Clone(w.acked), maps.Clone(w.gone)
		w.mu.Unlock()
		m, err := n.takeBackup(t, b.dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		b.erased = maps.Clone(w.erased)
		w.mu.Unlock()
		b.head = m.Head
		all = append(all, b)
	}
	stop()
	w.wg.Wait()
	if len(w.errs) > 0 {
		t.Fatal(w.errs)
	}
	for i, b := range all {
		whole(t, b.dir)
		cfg := Config{DataDir: filepath.Join(top, fmt.Sprint("r", i)), BootstrapAPIKey: testKey}
		if _, err := Restore(t.Context(), cfg, b.dir, slog.New(slog.DiscardHandler), nil); err != nil {
			t.Fatal(err)
		}
		whole(t, cfg.DataDir)
		again := start(t, cfg)
		caughtUp(t, again)
		times, payloads := storedEvents(t, again)
		for id, payload := range b.must {
			switch {
			case b.gone[id] && times[id] != 0:
				t.Fatalf("backup %d brought the erased %s back", i, id)
			case !b.erased[id] && (times[id] != 1 || payloads[id] != payload):
				t.Fatalf("backup %d: %s is there %d times, %q instead of %q", i, id, times[id], payloads[id], payload)
			}
		}
		for id, k := range times {
			if k != 1 {
				t.Fatalf("backup %d: %s is there %d times", i, id, k)
			}
		}
		// A retry within the ttl is a duplicate, as it was before.
		for id := range b.must {
			if b.erased[id] {
				continue
			}
			body := fmt.Sprintf(`{"events":[{"event_id":%q,"event_type":"trace_create","payload":{"id":"x","name":"n"}}]}`, id)
			_, raw, err := again.request(t.Context(), "POST", "/v1/telemetry/batch", body)
			if err != nil || !bytes.Contains(raw, []byte(`"duplicate_events":1`)) {
				t.Errorf("a retry of %s: %s %v", id, raw, err)
			}
			break
		}
		if err := again.stop(); err != nil {
			t.Fatal(err)
		}
		whole(t, cfg.DataDir)
		t.Logf("backup %d: %d events acknowledged before it, %d of them erased, head %d, %d restored", i, len(b.must), len(b.gone), b.head, len(times))
	}
}

// An erasure that comes and ends while the backup is on its way, whose segment was sent before it, is done
// again by the restore: not a byte of the payload is left.
func TestBackupDoesNotResurrect(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	top := t.TempDir()
	n := start(t, Config{DataDir: filepath.Join(top, "data"), BootstrapAPIKey: testKey})
	post := func(id, input string) {
		t.Helper()
		status, raw, err := n.request(t.Context(), "POST", "/v1/telemetry/batch",
			fmt.Sprintf(`{"events":[{"event_id":%q,"event_type":"trace_create","payload":{"id":%q,"name":"n","input":%q}}]}`, id, id, input))
		if err != nil || status != http.StatusOK || !bytes.Contains(raw, []byte(`"processed_events":1`)) {
			t.Fatalf("%d %s %v", status, raw, err)
		}
	}
	const secret = "Mnemosyne-4711-in-the-first-segment"
	post("secret", secret)
	noise := make([]byte, 400<<10)
	for i := range 30 { // more than the sockets hold
		_, _ = rng.Read(noise)
		post(fmt.Sprint("noise", i), fmt.Sprintf("%x", noise))
	}
	dir := filepath.Join(top, "b")
	_, err := n.takeBackup(t, dir, func(r io.Reader) io.Reader {
		begun := make([]byte, 1<<20)
		if _, err := io.ReadFull(r, begun); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(begun, []byte(secret)) {
			t.Fatal("the first segment does not come first: the test tests nothing")
		}
		status, raw, err := n.request(t.Context(), "DELETE", "/v1/traces/secret", "")
		if err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, raw, err)
		}
		return io.MultiReader(bytes.NewReader(begun), r)
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := whole(t, dir); len(v.Parts[2].Notes) != 1 || v.Parts[2].Name != datadir.PartErasing {
		t.Errorf("the backup's erasure: %+v", v.Parts)
	}
	cfg := Config{DataDir: filepath.Join(top, "r"), BootstrapAPIKey: testKey}
	if _, err := Restore(t.Context(), cfg, dir, slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(cfg.DataDir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(p)
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%s holds the erased payload", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again := start(t, cfg)
	caughtUp(t, again)
	if times, _ := storedEvents(t, again); len(times) != 30 || times["secret"] != 0 {
		t.Errorf("%d events", len(times))
	}
	if status, _ := again.get(t, testKey, "/v1/traces/secret"); status != 404 {
		t.Errorf("status %d", status)
	}
}
