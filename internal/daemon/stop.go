package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// closeTime is how long closing may take beyond the drain's time-out, however much it used.
const closeTime = 5 * time.Second

// LeftError ends a stop that was asked for and could not do everything: the next start goes on with it, and
// nothing that was acknowledged is lost unless files are Gone.
type LeftError struct {
	// Events are in the Log and not yet in the Warehouse; -1 when it could not be told.
	Events int64
	// Cut says what the stop was still waiting for when its time was over; "" when it ended by itself.
	Cut string
	// Gone says which files of the data directory were deleted or replaced under the node; nil: none, or it could not be told.
	Gone error
	// Err is what failed; nil: nothing.
	Err error
}

func (e *LeftError) Error() string {
	var parts []string
	switch {
	case e.Events > 0:
		parts = append(parts, fmt.Sprintf("%d events are not in the warehouse yet", e.Events))
	case e.Events < 0:
		parts = append(parts, "how many events are not in the warehouse yet could not be told")
	}
	if e.Cut != "" {
		parts = append(parts, "the time was over while it "+e.Cut)
	}
	if e.Err != nil {
		parts = append(parts, strings.ReplaceAll(e.Err.Error(), "\n", "; "))
	}
	if e.Gone != nil {
		parts = append([]string{e.Gone.Error()}, parts...)
		return "stopped, and files are missing (unless the same files are put back, what they held is lost): " + strings.Join(parts, "; ")
	}
	return "stopped, and something is left for the next start (nothing acknowledged is lost): " + strings.Join(parts, "; ")
}

func (e *LeftError) Unwrap() error { return e.Err }

// stopping follows the stop of a node from outside, so that it ends whatever hangs.
type stopping struct {
	began   chan struct{}                  // closed when the node drains by itself
	doing   atomic.Pointer[string]         // what it waits for
	remains atomic.Pointer[func() remains] // asks the node
}

// remains is what a node leaves when it ends.
type remains struct {
	events int64 // that are not in the Warehouse; -1: it could not be told
	gone   error // which files are not in their place; nil: none
}

func newStopping() *stopping {
	s := &stopping{began: make(chan struct{})}
	s.now("opened")
	return s
}

// now notes what the node waits for.
func (s *stopping) now(doing string) { s.doing.Store(&doing) }

// step is a part of a stop: it completes "the time was over while it …".
type step struct {
	doing string
	do    func()
}

// each goes through steps in order.
func (s *stopping) each(steps []step) {
	for _, step := range steps {
		s.now(step.doing)
		step.do()
	}
}

// within runs do. From the end of ctx, or the beginning of a drain, it waits for limit, and then returns
// a LeftError while do still runs: the process is to end.
func (s *stopping) within(ctx context.Context, limit time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }() // not waited for when it hangs: that is what this is for
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	case <-s.began:
	}
	over := time.NewTimer(limit)
	defer over.Stop()
	select {
	case err := <-done:
		return err
	case <-over.C:
		left := s.left()
		return &LeftError{Events: left.events, Gone: left.gone, Cut: *s.doing.Load()}
	}
}

// left is what the node leaves, as far as it says so at once.
func (s *stopping) left() remains {
	ask := s.remains.Load()
	if ask == nil {
		return remains{} // not open: it accepted nothing
	}
	told := make(chan remains, 1)
	go func() { told <- (*ask)() }() // what hangs may hold what this needs
	wait := time.NewTimer(time.Second)
	defer wait.Stop()
	select {
	case left := <-told:
		return left
	case <-wait.C:
		return remains{events: -1}
	}
}

// follow lets the stopping say what n leaves.
func (s *stopping) follow(n *node) {
	ask := func() remains { return remains{events: int64(n.indexer.Stats().Lag), gone: n.checkFiles()} }
	s.remains.Store(&ask)
}

// ended is the error of a node that has closed: nil when a stop that was asked for left nothing.
func ended(ctx context.Context, logger *slog.Logger, left entity.Seq, gone, err error) error {
	if ctx.Err() == nil {
		return err // it ended by itself
	}
	if left == 0 && gone == nil && err == nil {
		logger.Info("stopped; nothing is left")
		return nil
	}
	var had *LeftError
	if errors.As(err, &had) {
		return err
	}
	return &LeftError{Events: int64(left), Gone: gone, Err: err}
}
