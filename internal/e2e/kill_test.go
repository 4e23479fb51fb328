package e2e

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

var kills = flag.Int("kills", 25, "how often TestSIGKILL kills the server")

// writers are clients under load: each sends one batch after the other and
// writes down what it was told.
type writers struct {
	ledger ledger
	now    atomic.Pointer[rig.Node]
	wg     sync.WaitGroup
	stop   context.CancelFunc
	ctx    context.Context
}

// startWriters starts eight connections. Stopping lets each finish its batch.
func startWriters(t *testing.T, rng *rand.Rand, n *rig.Node) *writers {
	w := &writers{}
	w.now.Store(n)
	w.ctx, w.stop = context.WithCancel(t.Context())
	for range 8 {
		mine := chance.From(rng.Uint64(), 0)
		w.wg.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for w.ctx.Err() == nil {
				e := newEntry(mine)
				w.ledger.add(e)
				w.ledger.send(t.Context(), client, w.now.Load, e, mine.IntN(10) == 0)
				select {
				case <-time.After(time.Duration(mine.IntN(4)) * time.Millisecond):
				case <-w.ctx.Done():
				}
			}
		})
	}
	return w
}

func (w *writers) finish() {
	w.stop()
	w.wg.Wait()
}

// Properties 1, 2 and 3: whatever the server acknowledged is there, once, after
// any number of SIGKILLs, some of them in the middle of recovery.
func TestSIGKILL(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	dir := t.TempDir()
	n := startNode(t, dir)
	w := startWriters(t, rng, n)
	for done := 0; done < *kills; {
		sleep(t, time.Duration(30+rng.IntN(350))*time.Millisecond)
		n.Kill()
		done++
		for rng.IntN(4) == 0 && done < *kills { // kill it again while it recovers
			killWhileStarting(t, dir, time.Duration(rng.IntN(120))*time.Millisecond)
			done++
		}
		n = startNode(t, dir)
		w.now.Store(n)
	}
	w.finish()
	w.ledger.check(t, n)
	if code := terminate(t, n); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	n = startNode(t, dir)
	w.ledger.check(t, n)
}

func sleep(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// killWhileStarting launches a server and kills it after d, ready or not.
func killWhileStarting(t *testing.T, dir string, d time.Duration) {
	t.Helper()
	cmd := serveCommand(dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sleep(t, d)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// Property 4: every 200 given before, during and after SIGTERM is stored;
// clients that come later are refused, and their retry on the next server is accepted.
func TestSIGTERMUnderLoad(t *testing.T) {
	rng := chance.Of(t)
	dir := t.TempDir()
	n := startNode(t, dir)
	w := startWriters(t, rng, n)
	for range 3 {
		sleep(t, 300*time.Millisecond)
		if code := terminate(t, n); code != 0 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
		n = startNode(t, dir)
		w.now.Store(n)
	}
	w.finish()
	w.ledger.check(t, n)
}

// A second signal ends the process at once.
func TestSecondSignal(t *testing.T) {
	n := startNode(t, t.TempDir())
	for range 2 {
		if err := n.Cmd.Process.Signal(syscall.SIGTERM); err != nil && n.Cmd.ProcessState == nil {
			t.Fatal(err)
		}
	}
	select {
	case <-n.Exited:
	case <-time.After(10 * time.Second):
		t.Fatal("still running 10 s after two signals")
	}
}
