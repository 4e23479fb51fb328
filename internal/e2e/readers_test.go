package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// beforeEnv names another binary, such as one of an earlier release, to compare with.
const beforeEnv = "BROKLE_BEFORE"

// readers is a way of reading much, by so many clients at once.
type readers struct {
	name    string
	clients int
	path    string
}

// perReader is what each of many readers may add to the resident memory, whatever the size of its answer, in bytes.
const perReader = 16 << 20

// What a reader takes of a server's memory does not depend on how large its answer is, and all readers together stay within one bound. All
// of them get whole answers, or are told to come again.
func TestMemoryOfReaders(t *testing.T) {
	if testing.Short() {
		t.Skip("stores and reads hundreds of megabytes")
	}
	for name, fill := range map[string]struct {
		fill func(*testing.T, *rig.Node)
		read []readers
	}{
		"105 MB": {func(t *testing.T, n *rig.Node) { fillTrace(t, n, 210, 500_000); fillHistory(t, n, 210, 100_000) }, []readers{
			{"a trace", 8, "/v1/traces/big"}, {"a trace in full", 8, "/v1/traces/big?full=true"}, {"a trace as OTLP", 8, "/v1/traces/big?format=otlp"},
			{"its events", 8, "/v1/telemetry/events?limit=1000&trace_id=big"}, {"a history", 8, "/v1/observations/grown/history"}, {"a trace", 32, "/v1/traces/big"},
		}},
		"50 000 steps":    {func(t *testing.T, n *rig.Node) { fillTrace(t, n, 50_000, 100) }, []readers{{"a trace", 6, "/v1/traces/big"}, {"a trace as OTLP", 6, "/v1/traces/big?format=otlp"}}},
		"1000 fat events": {func(t *testing.T, n *rig.Node) { fillTrace(t, n, 1000, 100_000) }, []readers{{"a page", 8, "/v1/telemetry/events?limit=1000"}}},
	} {
		t.Run(name, func(t *testing.T) {
			binaries := []string{bin.Path}
			if before := os.Getenv(beforeEnv); before != "" {
				binaries = append(binaries, before)
			}
			took := map[string][]int64{}
			for _, binary := range binaries {
				cmd := serveCommand(t.TempDir())
				cmd.Path, cmd.Args[0] = binary, binary
				n, err := rig.Launch(cmd)
				if err != nil {
					t.Fatal(err)
				}
				defer n.Kill()
				fill.fill(t, n)
				for _, r := range fill.read {
					took[binary] = append(took[binary], r.measure(t, n))
				}
				n.Kill()
			}
			for i, r := range fill.read {
				now := took[bin.Path][i]
				line := fmt.Sprintf("%s × %d: %.1f MiB for each", r.name, r.clients, float64(now)/float64(r.clients)/(1<<20))
				if len(binaries) > 1 && took[binaries[1]][i] > 1<<20 {
					was := took[binaries[1]][i]
					line += fmt.Sprintf(", with %s %.1f: a ratio of %.2f", binaries[1], float64(was)/float64(r.clients)/(1<<20), float64(now)/float64(was))
				}
				t.Log(line)
				if now > perReader*int64(r.clients) {
					t.Errorf("%s × %d take %d MiB", r.name, r.clients, now>>20)
				}
			}
		})
	}
}

// measure reads, and returns by how much the peak of the resident memory is above what it was before, in bytes.
func (r readers) measure(t *testing.T, n *rig.Node) int64 {
	t.Helper()
	before := residentNow(t, n)
	var all sync.WaitGroup
	var whole, bytesRead atomic.Int64
	for range r.clients {
		all.Go(func() {
			for whole := false; !whole; {
				var err error
				var read int64
				if whole, read, err = readWhole(t.Context(), n, r.path); err != nil {
					t.Error(err)
					return
				}
				bytesRead.Add(read)
			}
			whole.Add(1)
		})
	}
	all.Wait()
	peak := peakOf(t, n)
	t.Logf("%s × %d: %d have a whole answer, %d MB together; %d MiB before, %d at the peak", r.name, r.clients, whole.Load(), bytesRead.Load()/1e6, before>>20, peak>>20)
	if whole.Load() != int64(r.clients) {
		t.Errorf("%d of %d clients have a whole answer", whole.Load(), r.clients)
	}
	return max(0, peak-before)
}

// residentNow is how many bytes are resident; the peak counts from now on.
func residentNow(t *testing.T, n *rig.Node) int64 {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", n.Cmd.Process.Pid), []byte("5"), 0); err != nil {
		t.Skip("this system does not begin the peak of a process's memory anew")
	}
	return peakOf(t, n)
}

// fillHistory stores an observation of so many updates with metadata of so many bytes.
func fillHistory(t *testing.T, n *rig.Node, updates, size int) {
	t.Helper()
	text := strings.Repeat("x", size)
	for at := 0; at < updates; {
		req := &brokle.BatchRequest{}
		for ; at < updates && len(req.Events) < 50; at++ {
			req.Events = append(req.Events, brokle.Event{
				ID: fmt.Sprint("h", at), Type: brokle.ObservationCreate,
				Payload: fmt.Appendf(nil, `{"id":"grown","trace_id":"other","name":"call","metadata":{"k%d":%q}}`, at, text),
			})
		}
		if res, status, err := n.Post(t.Context(), http.DefaultClient, req); err != nil || status != http.StatusOK || res.ProcessedEvents != len(req.Events) {
			t.Fatal(res, status, err)
		}
	}
	waitEvents(t, n, 210+updates)
}

// readWhole reads an answer to its end, or waits as long as a 503 says.
func readWhole(ctx context.Context, n *rig.Node, path string) (whole bool, read int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URL+path, nil)
	if err != nil {
		return false, 0, err
	}
	req.Header.Set("X-API-Key", rig.Key)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false, 0, err
	}
	defer res.Body.Close()
	if read, err = io.Copy(io.Discard, res.Body); err != nil {
		return false, read, err
	}
	if res.StatusCode == http.StatusOK {
		return true, read, nil
	}
	wait, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if res.StatusCode != http.StatusServiceUnavailable || err != nil {
		return false, read, fmt.Errorf("status %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
	timer := time.NewTimer(time.Duration(wait) * time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return false, read, ctx.Err()
	}
	return false, read, nil
}

// fillTrace stores one trace of so many observations with inputs of so many bytes.
func fillTrace(t *testing.T, n *rig.Node, observations, size int) {
	t.Helper()
	input := `"` + strings.Repeat("a prompt of some words ", size/23+1)[:size] + `"`
	each := max(1, min(1000, 8_000_000/(size+300)))
	for at := 0; at < observations; {
		req := &brokle.BatchRequest{}
		for ; at < observations && len(req.Events) < each; at++ {
			req.Events = append(req.Events, brokle.Event{
				ID: fmt.Sprint("e", at), Type: brokle.ObservationCreate,
				Payload: fmt.Appendf(nil, `{"id":"o%d","trace_id":"big","name":"call","input":%s}`, at, input),
			})
		}
		if res, status, err := n.Post(t.Context(), http.DefaultClient, req); err != nil || status != http.StatusOK || res.ProcessedEvents != len(req.Events) {
			t.Fatal(res, status, err)
		}
	}
	waitEvents(t, n, observations)
}

// peakOf is the most memory that the process ever had resident, in bytes.
func peakOf(t *testing.T, n *rig.Node) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.Cmd.Process.Pid))
	if err != nil {
		t.Skip("this system does not tell the memory of a process")
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(string(rest)), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
