package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

const (
	sdkFileEnv = "BROKLE_E2E_SDK_FILE"
	sdkRateEnv = "BROKLE_E2E_SDK_PAUSE"
)

// sdkProcess is an application: it submits the events of a file through the
// SDK, closes the client, and prints its accounting.
func sdkProcess(file string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	pause, err := time.ParseDuration(os.Getenv(sdkRateEnv))
	if err != nil {
		return fail(err)
	}
	client, err := brokle.New(brokle.Config{BatchFlushInterval: 100 * time.Millisecond, MaxRetries: 50})
	if err != nil {
		return fail(err)
	}
	f, err := os.Open(file)
	if err != nil {
		return fail(err)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for n := 1; lines.Scan(); n++ {
		var e brokle.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fail(err)
		}
		if _, err := client.SubmitEvent(e); err != nil {
			return fail(err)
		}
		if n%100 == 0 {
			<-time.After(pause)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := client.Close(ctx); err != nil {
		return fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(client.ProcessorMetrics()); err != nil {
		return fail(err)
	}
	return 0
}

// freePort is an address that a server can be started on again and again.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// The real input through the SDK: three processes send all of it at once while
// the server is SIGKILLed twice. Each process has an outcome for every event,
// and the warehouse has each event once.
func TestRealInputThroughSDK(t *testing.T) {
	if _, err := os.Stat(realInput); err != nil {
		t.Skipf("skipped: the real input is not beside this clone (%v)", err)
	}
	dir, address := t.TempDir(), freePort(t)
	events := filepath.Join(dir, "events.jsonl")
	convert(t, events)
	data := filepath.Join(dir, "data")
	n := startNode(t, data, "--listen", address)

	var wg sync.WaitGroup
	var running atomic.Int32
	for range 3 {
		running.Add(1)
		wg.Go(func() {
			defer running.Add(-1)
			runSDKProcess(t, events, n.URL)
		})
	}
	for range 2 {
		sleep(t, 700*time.Millisecond)
		n.Kill()
		if running.Load() == 0 {
			t.Error("all processes were done before the server was killed")
		}
		n = startNode(t, data, "--listen", address)
	}
	wg.Wait()
	checkRealInput(t, n)
}

func runSDKProcess(t *testing.T, events, url string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sdkFileEnv+"="+events, sdkRateEnv+"=20ms", "BROKLE_API_KEY="+rig.Key, "BROKLE_HOST="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("SDK process: %v", err)
		return
	}
	var m brokle.Metrics
	if err := json.Unmarshal(out, &m); err != nil {
		t.Errorf("SDK process: %v in %s", err, out)
		return
	}
	if m.Accepted != 11871 || m.Delivered+m.Duplicate != 11871 || m.Pending != 0 {
		t.Errorf("SDK process: %+v", m)
	}
	t.Logf("SDK process: %d delivered, %d duplicate, %d retries", m.Delivered, m.Duplicate, m.Retries)
}

// faultyProxy stands between SDK and server. By turns it answers 503, cuts the
// connection before or after the server has the batch, and delays.
type faultyProxy struct {
	to     atomic.Pointer[rig.Node]
	count  atomic.Int64
	client http.Client
}

func (p *faultyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	n := p.count.Add(1)
	switch n % 10 {
	case 0:
		w.Header().Set("Retry-After", "0")
		http.Error(w, `{"error":{"code":"unavailable","message":"scripted"}}`, http.StatusServiceUnavailable)
		return
	case 3:
		panic(http.ErrAbortHandler)
	case 6:
		<-time.After(20 * time.Millisecond)
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, p.to.Load().URL+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Header = r.Header.Clone()
	resp, err := p.client.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = resp.Body.Close() }()
	if n%10 == 8 {
		panic(http.ErrAbortHandler) // the server has it, the client does not know
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// Properties 14, 19, 32 and 33 from the client's side: 503s, hang-ups before and
// after the server has the batch, delays, one event in a hundred that is refused, and the
// real server SIGKILLed. accepted = delivered + duplicate + rejected at the end,
// the accounting adds up whenever it is looked at, and the warehouse has each event once.
func TestSDKUnderFaults(t *testing.T) {
	const total = 6000
	rng := chance.Of(t)
	dir := t.TempDir()
	n := startNode(t, dir)
	proxy := &faultyProxy{}
	proxy.to.Store(n)
	front := httptest.NewServer(proxy)
	defer front.Close()
	client, err := brokle.New(brokle.Config{APIKey: rig.Key, Host: front.URL, BatchFlushInterval: 100 * time.Millisecond, MaxRetries: 50})
	if err != nil {
		t.Fatal(err)
	}
	rejected := int64(0)
	for i := range total {
		payload := map[string]any{"id": fmt.Sprint("o", i), "trace_id": fmt.Sprint("t", rng.IntN(200)), "name": "step"}
		if rng.IntN(100) == 0 {
			delete(payload, "name") // the server refuses it
			rejected++
		}
		if _, err := client.SubmitBatchEvent(brokle.ObservationCreate, payload); err != nil {
			t.Fatal(err)
		}
		checkAccounting(t, client)
		if i%2000 == 1999 {
			n.Kill()
			n = startNode(t, dir)
			proxy.to.Store(n)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := client.Flush(ctx); err != nil {
		t.Error(err)
	}
	if err := client.Close(ctx); err != nil {
		t.Error(err)
	}
	m := client.ProcessorMetrics()
	if m.Accepted != total || m.Rejected != rejected || m.Delivered+m.Duplicate+m.Rejected != total || m.Pending != 0 {
		t.Errorf("rejected by design %d; accounting %+v", rejected, m)
	}
	t.Logf("%d delivered, %d duplicate, %d rejected, %d retries", m.Delivered, m.Duplicate, m.Rejected, m.Retries)
	waitEvents(t, n, int(total-rejected))
	var page struct{ Data []struct{ Count int } }
	n.GetJSON(t, "/v1/stats?metrics=count&of=observations", &page)
	if len(page.Data) != 1 || page.Data[0].Count != int(total-rejected) {
		t.Errorf("observations: %+v, want %d", page.Data, total-rejected)
	}
}

func checkAccounting(t *testing.T, client *brokle.Client) {
	t.Helper()
	m := client.ProcessorMetrics()
	sum := m.Delivered + m.Duplicate + m.Rejected + m.Pending
	for _, n := range m.Dropped {
		sum += n
	}
	if m.Accepted != sum {
		t.Fatalf("accepted %d, accounted for %d: %+v", m.Accepted, sum, m)
	}
}
