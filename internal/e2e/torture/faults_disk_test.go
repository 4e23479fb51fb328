package torture

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// flipTime is how soon a node must notice its disk, and that it is well again.
const flipTime = 5 * time.Second

// fullDisk are the faults of a small disk.
func fullDisk(d *disk) []*fault {
	return []*fault{
		{"disk full", 3, func(w *world) error { return w.diskFull(d) }},
		{"disk full, and SIGKILL while it is", 2, func(w *world) error { return w.killedOnFull(d) }},
		{"disk read-only when the server starts", 1, func(w *world) error { return w.startReadOnly(d) }},
	}
}

// brokenDisk are those of one that finds an error.
func brokenDisk(d *disk) []*fault {
	return []*fault{{"disk turns read-only under load, what was not synced is gone", 1, func(w *world) error {
		w.wait(w.between(50*time.Millisecond, 400*time.Millisecond))
		failed := time.Now()
		if err := d.fail(); err != nil {
			return err
		}
		if err := w.awaitRefusal(); err != nil && !w.abortedByDuckDB() {
			return err
		}
		w.kill()
		// A sync that is under way at this very moment may be said to be done, and is
		// not: a bare loop of write and fdatasync loses its last one too, in one of
		// fifteen runs. So what was acknowledged after it is not held against the server.
		w.untold = append(w.untold, w.ledger.doubt(failed)...)
		if err := d.unmount(); err != nil {
			return err
		}
		if err := d.mount(); err != nil {
			return err
		}
		return w.start()
	}}}
}

// abortedByDuckDB: DuckDB, which cannot take back a commit that it could not write, may end
// the process (std::terminate: nobody can catch that). It is as safe as SIGKILL.
func (w *world) abortedByDuckDB() bool {
	select {
	case <-w.node.Exited:
	case <-time.After(flipTime): // it is writing what it knows
		return false
	}
	// Go's own report of the SIGABRT comes only when the thread is one that Go knows.
	aborted := strings.Contains(w.node.Log(), "terminate called after throwing an instance of 'duckdb::")
	if aborted {
		w.ledger.mu.Lock()
		w.ledger.told["ended by DuckDB"]++
		w.ledger.mu.Unlock()
	}
	return aborted
}

// diskFull: refused before acceptance, and taken again by itself.
func (w *world) diskFull(d *disk) error {
	w.wait(w.between(10*time.Millisecond, 200*time.Millisecond))
	empty, err := d.fill(w.rng.Int64N(2) * w.rng.Int64N(4<<20))
	if err != nil {
		return err
	}
	if err := w.awaitRefusal(); err != nil {
		return errors.Join(err, empty())
	}
	w.wait(w.between(0, 500*time.Millisecond))
	if err := empty(); err != nil {
		return err
	}
	return w.awaitWell()
}

// killedOnFull: a start on a full disk may fail, with a reason; it must not
// make anything worse.
func (w *world) killedOnFull(d *disk) error {
	w.wait(w.between(10*time.Millisecond, 200*time.Millisecond))
	empty, err := d.fill(w.rng.Int64N(2) * w.rng.Int64N(4<<20))
	if err != nil {
		return err
	}
	w.wait(w.between(0, 200*time.Millisecond))
	for range 1 + w.rng.IntN(2) {
		w.kill()
		if err := w.tryStart(); err != nil {
			w.ledger.note(map[string]any{"start on a full disk": err.Error()})
		}
	}
	if err := empty(); err != nil {
		return err
	}
	select {
	case <-w.node.Exited:
		return w.start()
	default:
		return w.awaitWell()
	}
}

// startReadOnly: it says why it does not start, and the next start finds all.
func (w *world) startReadOnly(d *disk) error {
	w.down()
	if err := d.readOnly(true); err != nil {
		return err
	}
	err := w.tryStart()
	switch {
	case err == nil:
		w.kill()
		err = errors.New("the server started on a read-only disk")
	case w.node.Cmd.ProcessState == nil || w.node.Cmd.ProcessState.ExitCode() != 1:
		err = fmt.Errorf("on a read-only disk: %w", err)
	default:
		err = nil
	}
	if err := errors.Join(err, d.readOnly(false)); err != nil {
		return err
	}
	return w.start()
}

// tryStart is a start that may fail. The failure is the reason that the server gave.
func (w *world) tryStart() error {
	n, listening, err := w.spawn()
	if err != nil {
		return err
	}
	w.node = n
	select {
	case n.URL = <-listening:
		return nil
	case <-n.Exited:
		return fmt.Errorf("%v: %s", n.Cmd.ProcessState, n.LogEnd())
	case <-time.After(rig.Patience):
		return errors.New("it neither listens nor ends")
	}
}

// awaitRefusal waits until batches get 503 with Retry-After and /readyz says
// that the node is not ready.
func (w *world) awaitRefusal() error {
	return w.await("batches are refused", func() (bool, error) {
		status, retry, err := w.tap()
		if err != nil || status != http.StatusServiceUnavailable {
			return false, err
		}
		if retry == "" {
			return false, errors.New("503 without Retry-After")
		}
		ready, _, err := w.node.Do(w.ctx, http.DefaultClient, http.MethodGet, "/readyz", nil)
		return ready == http.StatusServiceUnavailable, err
	})
}

// awaitWell waits until batches are taken, without help.
func (w *world) awaitWell() error {
	return w.await("batches are taken again", func() (bool, error) {
		status, _, err := w.tap()
		return status == http.StatusOK, err
	})
}

// tap sends one new event, once.
func (w *world) tap() (status int, retryAfter string, err error) {
	facts := newFacts(w.rng, w.env, 1)
	w.ledger.add(facts)
	c := &writer{world: w, env: w.env, rng: w.rng, client: http.DefaultClient, over: w.ctx}
	a := w.ledger.sending(facts, false)
	status, b, header, err := c.post("/v1/telemetry/batch", encode(brokle.BatchRequest{Events: events(facts), Environment: w.env}), requestTime)
	if err != nil || status != http.StatusOK {
		w.ledger.lost(a, true, fmt.Sprint(status, err))
		w.untold = append(w.untold, facts...)
		return status, header.Get("Retry-After"), err
	}
	_, err = c.settle(a, b)
	return status, "", err
}

func (w *world) await(what string, ok func() (bool, error)) error {
	for deadline := time.Now().Add(flipTime); ; {
		done, err := ok()
		if err != nil {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		if done {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not so within %s: %s", flipTime, what)
		}
		w.wait(20 * time.Millisecond)
	}
}
