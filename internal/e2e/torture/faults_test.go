package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"
)

// fault is one kind of misfortune. run brings it about under load and returns
// with a server that is up, which it only started.
type fault struct {
	name   string
	weight int
	run    func(*world) error
}

// chosen are the kinds that -only names.
func chosen(faults []*fault) []*fault {
	return slices.DeleteFunc(faults, func(f *fault) bool { return !strings.Contains(f.name, *only) })
}

// pick draws one by weight.
func pick(rng *rand.Rand, faults []*fault) *fault {
	sum := 0
	for _, f := range faults {
		sum += f.weight
	}
	n := rng.IntN(sum)
	for _, f := range faults {
		if n -= f.weight; n < 0 {
			return f
		}
	}
	return nil // the weights add up
}

// processFaults are those of the process alone.
func processFaults() []*fault {
	return []*fault{
		{"SIGKILL under load", 40, func(w *world) error {
			w.wait(w.between(20*time.Millisecond, 300*time.Millisecond))
			w.kill()
			return w.start()
		}},
		{"SIGKILL, and again while it recovers", 45, killedRecovering},
		{"killed between claim and log, or log and answer", 8, killedAtPoint},
		{"SIGTERM under load", 8, func(w *world) error {
			w.wait(w.between(20*time.Millisecond, 300*time.Millisecond))
			if err := w.terminate(); err != nil {
				return err
			}
			return w.start()
		}},
		{"SIGSTOP and SIGCONT, at times SIGKILL between", 6, stopped},
	}
}

func killedRecovering(w *world) error {
	w.wait(w.between(20*time.Millisecond, 150*time.Millisecond))
	w.kill()
	for range 1 + w.rng.IntN(12) {
		n, _, err := w.spawn()
		if err != nil {
			return err
		}
		w.node = n
		w.wait(w.between(0, 200*time.Millisecond))
		w.kill()
	}
	return w.start()
}

// killedAtPoint has the process end itself, as SIGKILL would, at the worst moments.
func killedAtPoint(w *world) error {
	w.kill()
	point := [...]string{"claimed", "appended"}[w.rng.IntN(2)]
	if err := w.start("BROKLE_FAULT_POINT=" + point); err != nil {
		return err
	}
	select {
	case <-w.node.Exited:
	case <-time.After(w.stuck()):
		return fmt.Errorf("the server did not come to the point %q under load", point)
	}
	w.kills++
	return w.start()
}

func stopped(w *world) error {
	w.wait(w.between(10*time.Millisecond, 150*time.Millisecond))
	if err := w.node.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	w.wait(w.between(50*time.Millisecond, 600*time.Millisecond))
	if w.rng.IntN(3) == 0 {
		w.kill()
		return w.start()
	}
	if err := w.node.Cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	w.wait(w.between(10*time.Millisecond, 100*time.Millisecond))
	return nil
}

// allFaults are those of one node on an ordinary disk.
func allFaults() []*fault {
	return slices.Concat(processFaults(), fileFaults(), clockFaults())
}
