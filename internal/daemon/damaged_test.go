package daemon

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/harm"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const batchEvents = 1000

// A byte of the id index that turns over, and is found by a look-up, ends nothing: the
// node opens again by itself, and what was stored is a duplicate as before.
func TestDamagedIndexUnderNode(t *testing.T) {
	rng := chance.Of(t)
	const batches, rounds = 5, 60
	dir, address := t.TempDir(), freeAddress(t)
	stop, n := startAgain(t, dir, address)
	for i := range batches {
		if got := n.resend(t, i); got.ProcessedEvents != batchEvents {
			t.Fatalf("%+v", got)
		}
	}
	for round := 0; !strings.Contains(n.log.String(), "the node opens again"); round++ {
		if round == rounds {
			t.Fatalf("none of %d damages was met by a look-up", rounds)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		harm.Any(t, rng, filepath.Join(dir, "log", "index", "*.run"), harm.FlipAny(rng))
		stop, n = startAgain(t, dir, address)
		for i := range batches {
			if got := n.resend(t, i); got.DuplicateEvents != batchEvents {
				t.Fatalf("round %d, batch %d: %+v", round, i, got)
			}
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the node that opened again ended with: %v", err)
	}
}

// A byte of the warehouse's file that turns over, and is met by a question, is answered
// with 503 at most, and the node opens again by itself: everything is shown as before.
func TestDamagedWarehouseUnderNode(t *testing.T) {
	rng := chance.Of(t)
	const batches, rounds = 5, 60
	dir, address := t.TempDir(), freeAddress(t)
	stop, n := startAgain(t, dir, address)
	for i := range batches {
		n.resend(t, i)
	}
	n.awaitObservations(t, batches*batchEvents)
	for round := 0; !strings.Contains(n.log.String(), "the node opens again"); round++ {
		if round == rounds {
			t.Fatalf("none of %d damages was met by a question", rounds)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		harm.Any(t, rng, filepath.Join(dir, "warehouse.duckdb"), harm.FlipAny(rng))
		stop, n = startAgain(t, dir, address)
		n.awaitObservations(t, batches*batchEvents)
	}
	if err := stop(); err != nil {
		t.Errorf("the node that opened again ended with: %v", err)
	}
	if aside, err := filepath.Glob(filepath.Join(dir, "warehouse.duckdb.damaged-*")); err != nil || len(aside) == 0 {
		t.Errorf("the damaged file is not there to be looked at: %v", err)
	}
}

// The same damage twice within a minute ends the process, other damage and a later one do
// not; a stop that is asked for meanwhile is no failure, and any other error is.
func TestOpensAgainOnceAMinute(t *testing.T) {
	index := fmt.Errorf("log: %w", segmentlog.ErrIndexDamaged)
	other := errors.New("another part failed")
	for _, c := range []struct {
		name  string
		ends  []error // of one opening after the other
		after time.Duration
		stop  bool // asked for during the last opening
		want  error
	}{
		{"at once again", []error{index, index}, leastApart - time.Second, false, index},
		{"a minute later", []error{index, index, nil}, leastApart, false, nil},
		{"other damage", []error{index, duckstore.ErrDamaged, nil}, time.Second, false, nil},
		{"another failure", []error{other}, 0, false, other},
		{"stop asked for", []error{index, index}, time.Second, true, index}, // left for the next start
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				opened := 0
				got := again(ctx, slog.New(slog.DiscardHandler), func() error {
					time.Sleep(c.after)
					opened++
					if c.stop && opened == len(c.ends) {
						cancel()
					}
					return c.ends[opened-1]
				})
				if got != c.want || opened != len(c.ends) {
					t.Errorf("ended with %v after %d openings, want %v after %d", got, opened, c.want, len(c.ends))
				}
			})
		})
	}
}

// awaitObservations reads all observations until there are so many. A page may be refused, and no
// answer may come while the node opens again.
func (n *testNode) awaitObservations(t *testing.T, want int) {
	t.Helper()
	n.within(t, fmt.Sprintf("%d observations are there", want), func() (string, bool) {
		got := 0
		for cursor, more := "", true; more; {
			status, answer, err := n.request(t.Context(), http.MethodGet, "/v1/observations?limit=1000&cursor="+url.QueryEscape(cursor), "")
			if err != nil || status == http.StatusServiceUnavailable {
				break
			}
			var page wire.Page[wire.Observation]
			if err := json.Unmarshal(answer, &page); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s, %v", status, answer, err)
			}
			got += len(page.Data)
			if more = page.NextCursor != nil; more {
				cursor = *page.NextCursor
			}
		}
		return fmt.Sprintf("%d observations", got), got == want
	})
}

// within waits for a minute until ok, and says what it saw last when that is not enough.
func (n *testNode) within(t *testing.T, what string, ok func() (saw string, done bool)) {
	t.Helper()
	saw := ""
	defer func() {
		if t.Failed() {
			t.Logf("the last was %s\n%s", saw, n.log)
		}
	}()
	watch.Within(t, time.Minute, what, func() (done bool) { saw, done = ok(); return done })
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// startAgain is a node on a fixed address, as `brokle serve` runs it. stop waits for its end.
func startAgain(t *testing.T, dir, address string) (stop func() error, n *testNode) {
	n = &testNode{url: "http://" + address, log: &watch.Output{}}
	cfg := Config{DataDir: dir, Listen: address, BootstrapAPIKey: testKey, WarehouseMemory: 96 << 20, IndexCache: 8 << 20}
	from := outside{free: func(string) (Bytes, error) { return 100 << 30, nil }, warehouse: func(w store.Warehouse) store.Warehouse { return w }}
	logger := slog.New(slog.NewTextHandler(n.log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- again(ctx, logger, func() error { return run(ctx, cfg, logger, io.Discard, from) })
	}()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return stop, n
}

// resend posts batch i until a server answers it with 200.
func (n *testNode) resend(t *testing.T, i int) (got wire.BatchResponse) {
	t.Helper()
	var events []string
	for k := range batchEvents {
		events = append(events, fmt.Sprintf(`{"event_id":"b%d-%d","event_type":"observation_create","payload":{"id":"o%d-%d","trace_id":"t","type":"span","name":"n","status_message":"%s%s"}}`,
			i, k, i, k, noise(i, k, 0), noise(i, k, 1)))
	}
	body := `{"events":[` + strings.Join(events, ",") + `]}`
	n.within(t, fmt.Sprintf("batch %d is taken", i), func() (string, bool) {
		status, answer, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch", body)
		if err != nil || status != http.StatusOK {
			return fmt.Sprintf("%d %s, %v", status, answer, err), false
		}
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatal(err)
		}
		return "", true
	})
	return got
}

// noise is text that no compression makes shorter, the same each time: the columns of the
// lists need blocks of their own in the file, which the start does not read.
func noise(a, b, c int) string {
	sum := sha512.Sum512(fmt.Appendf(nil, "%d %d %d", a, b, c))
	return hex.EncodeToString(sum[:])
}
