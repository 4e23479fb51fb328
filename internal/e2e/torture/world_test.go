package torture

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// world is one data directory with the server on it, its clients, and what they
// were told. Everything in it comes from one seed, but for the time that things take.
type world struct {
	ctx    context.Context
	giveUp context.CancelFunc // ends ctx: a promise was broken
	bin    *rig.Binary
	rng    *rand.Rand
	data   string
	addr   string
	env    string // of the round under way
	envs   []string
	node   *rig.Node
	ledger *ledger
	clock  *clock
	sdk    *brokle.Client
	args   []string
	full   bool     // this round's check reads everything
	untold []*fact  // refused when that was right; sent again at the end of the round
	peers  []string // addresses of the nodes that share a Redis with this one
	plain  bool     // batches only: a job is known to the node that took it alone
	noBulk bool     // events that the client cannot name are not sent
	shared bool     // the warehouse is that of several nodes: batches are larger, and some go to two nodes at once
	flaky  bool     // a 503 does not say that nothing was written: the disk fails here

	kills, rounds int
	slowest       time.Duration // start
}

func newWorld(ctx context.Context, bin *rig.Binary, rng *rand.Rand, dir string, args ...string) (*world, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(dir, "ledger.jsonl"))
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = out.Close() })
	c, err := newClock(dir)
	if err != nil {
		return nil, err
	}
	addr, err := freeAddress(rng)
	if err != nil {
		return nil, err
	}
	ctx, giveUp := context.WithCancel(ctx)
	w := &world{
		ctx: ctx, giveUp: giveUp, bin: bin, rng: rng, data: filepath.Join(dir, "data"), addr: addr,
		ledger: newLedger(c, out), clock: c, args: args,
	}
	if err := w.start(); err != nil {
		return nil, err
	}
	w.sdk, err = w.newSDK()
	return w, err
}

// freeAddress is a port that no outgoing connection takes while the server is away.
func freeAddress(rng *rand.Rand) (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+rng.IntN(10000))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no free port between 20000 and 30000")
}

// spawn runs a server on the world's data directory and does not wait for it.
func (w *world) spawn(env ...string) (*rig.Node, <-chan string, error) {
	if w.shared {
		w.keepLog()
	}
	cmd := w.bin.Command(w.data, append([]string{"--listen", w.addr}, w.args...)...)
	cmd.Env = append(append(cmd.Env, "BROKLE_CLOCK_FILE="+w.clock.path), env...)
	return rig.Spawn(cmd)
}

// keepLog adds what the server has logged to the file beside its data.
func (w *world) keepLog() {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(w.data), "server.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintf(f, "%s\n--- %s\n", w.node.Log(), time.Now().Format(time.RFC3339Nano))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		w.ledger.note(map[string]any{"the log of the server could not be kept": err.Error()})
	}
}

// start starts the server; no person helps it.
func (w *world) start(env ...string) error {
	began := time.Now()
	n, listening, err := w.spawn(env...)
	if err != nil {
		return err
	}
	w.node = n
	select {
	case n.URL = <-listening:
	case <-n.Exited:
		return fmt.Errorf("the server ended before it listened (%v):\n%s", n.Cmd.ProcessState, n.LogEnd())
	case <-time.After(rig.Patience):
		return fmt.Errorf("the server did not listen within %s:\n%s", rig.Patience, n.LogEnd())
	}
	w.slowest = max(w.slowest, time.Since(began))
	return nil
}

// kill is SIGKILL.
func (w *world) kill() {
	w.node.Kill()
	w.kills++
}

// terminate is SIGTERM; the server must end well.
func (w *world) terminate() error {
	code, err := w.node.Terminate()
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("exit code %d after SIGTERM:\n%s", code, w.node.LogEnd())
	}
	return nil
}

// wait is d, or less when the run ends.
func (w *world) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.ctx.Done():
	}
}

// between is a random time.
func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rng.Int64N(int64(high-low)))
}

// round runs one fault under load, waits until every client has its answers, and
// compares. The error is a promise that was broken.
func (w *world) round(f *fault) error {
	w.rounds++
	w.env = fmt.Sprintf("r%d", w.rounds)
	w.envs = append(w.envs, w.env)
	began, before := time.Now(), w.kills
	w.ledger.note(map[string]any{"round": w.rounds, "fault": f.name, "environment": w.env})
	load := w.startWriters()
	err := f.run(w)
	if err != nil {
		w.giveUp() // the clients would wait for a server that is not there
	}
	load.finish()
	if err == nil {
		w.deliverUntold()
		err = w.untilWhole(w.check)
	}
	w.ledger.note(map[string]any{"round": w.rounds, "kills": w.kills - before, "ms": time.Since(began).Milliseconds(), "error": fmt.Sprint(err)})
	var errs []error
	for i, s := range w.ledger.takeFaults() {
		if i == 20 {
			errs = append(errs, errors.New("… more are in the ledger"))
			break
		}
		errs = append(errs, errors.New(s))
	}
	if err = errors.Join(append(errs, err)...); err != nil {
		log := filepath.Join(filepath.Dir(w.data), "server.log")
		err = errors.Join(err, os.WriteFile(log, []byte(w.node.Log()), 0o600))
		return fmt.Errorf("round %d, %s: %w\nlog of the server:\n%s", w.rounds, f.name, err, w.node.LogEnd())
	}
	return nil
}

// removeData empties the data directory of a stopped server, which may be a disk of its own.
func (w *world) removeData() error {
	names, err := os.ReadDir(w.data)
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := os.RemoveAll(filepath.Join(w.data, n.Name())); err != nil {
			return err
		}
	}
	return nil
}

// deliverUntold sends what may not have been stored, each in the environment it is of.
func (w *world) deliverUntold() {
	byEnv := map[string][]*fact{}
	for _, f := range w.untold {
		byEnv[f.env] = append(byEnv[f.env], f)
	}
	for _, env := range slices.Sorted(maps.Keys(byEnv)) {
		c := &writer{world: w, env: env, rng: w.rng, client: http.DefaultClient, over: w.ctx}
		c.deliver(parcel{facts: byEnv[env]})
	}
	w.untold = nil
}

// end checks everything, stops the server, starts it and checks again.
func (w *world) end() error {
	ctx, cancel := context.WithTimeout(w.ctx, rig.Patience)
	defer cancel()
	err := w.sdk.Close(ctx)
	if err == nil {
		err = w.untilWhole(w.checkAll)
	}
	if err == nil {
		err = w.terminate()
	}
	if err == nil {
		err = w.start()
	}
	if err == nil {
		err = w.checkAll()
	}
	if err != nil {
		return fmt.Errorf("at the end: %w\nlog of the server:\n%s", err, w.node.LogEnd())
	}
	return w.terminate()
}
