package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
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
	fill    func(*testing.T, *rig.Node)
	most    int64 // resident bytes that the server may have at its peak
}

// The memory of a server does not grow with the number of clients that read much at once. All
// of them get whole answers, or are told to come again.
func TestMemoryOfReaders(t *testing.T) {
	if testing.Short() {
		t.Skip("stores and reads hundreds of megabytes")
	}
	for _, r := range []readers{
		{"a trace of 105 MB", 8, "/v1/traces/big", func(t *testing.T, n *rig.Node) { fillTrace(t, n, 210, 500_000) }, 700 << 20},
		{"a trace of 50 000 steps", 6, "/v1/traces/big", func(t *testing.T, n *rig.Node) { fillTrace(t, n, 50_000, 100) }, 600 << 20},
		{"1000 fat events", 8, "/v1/telemetry/events?limit=1000", func(t *testing.T, n *rig.Node) { fillTrace(t, n, 1000, 100_000) }, 500 << 20},
	} {
		t.Run(r.name, func(t *testing.T) {
			now := r.measure(t, exec.Command(bin.Path))
			line := fmt.Sprintf("%s × %d: %d MiB resident at the peak", r.name, r.clients, now>>20)
			if before := os.Getenv(beforeEnv); before != "" {
				was := r.measure(t, exec.Command(before))
				line += fmt.Sprintf(", %d MiB with %s: a ratio of %.2f", was>>20, before, float64(now)/float64(was))
			}
			t.Log(line)
			if now > r.most {
				t.Errorf("%d MiB are more than the %d allowed", now>>20, r.most>>20)
			}
		})
	}
}

// measure runs the binary, fills it, reads, and returns the peak of its resident memory.
func (r readers) measure(t *testing.T, binary *exec.Cmd) int64 {
	t.Helper()
	cmd := serveCommand(t.TempDir())
	cmd.Path, cmd.Args[0] = binary.Path, binary.Path
	n, err := rig.Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Kill()
	r.fill(t, n)
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
	t.Logf("%d of %d clients have a whole answer, %d MB together", whole.Load(), r.clients, bytesRead.Load()/1e6)
	if whole.Load() != int64(r.clients) {
		t.Errorf("%d of %d clients have a whole answer", whole.Load(), r.clients)
	}
	return peak
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
