package duckstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// A question has the time that its context gives it, and what memory the others and the
// writer leave it. One that finds no memory, or that the writer stopped for its own, is
// asked once more when no other is: what does not fit then never will: store.ErrStarved.

// readers is how many questions are answered at once; more wait.
const readers = 4

// errPreempted stops a question whose memory the writer needs.
var errPreempted = errors.New("the writer needs the memory")

// errGaveWay stops a question that may take long (longQuestion), and that a checkpoint has waited for.
var errGaveWay = errors.New("a checkpoint waited for the question")

// longQuestion is in the context of a question that may take as long as it likes: who writes does not wait for it.
type longQuestion struct{}

// asking is the questions that are being answered.
type asking struct {
	turns chan struct{} // one for each that may be answered at once
	lone  sync.Mutex    // held by who takes all turns

	mu       sync.Mutex // guards all below
	stopped  bool       // the writer has the memory
	running  map[int]context.CancelCauseFunc
	long     map[int]context.CancelCauseFunc // of running, those that give way
	sequence int
}

func newAsking() *asking {
	return &asking{turns: make(chan struct{}, readers), running: map[int]context.CancelCauseFunc{}, long: map[int]context.CancelCauseFunc{}}
}

// turn waits for one turn, or for all of them; done gives back.
func (a *asking) turn(ctx context.Context, all bool) (done func(), err error) {
	need, taken := 1, 0
	if all {
		a.lone.Lock() // two of these would wait for each other
		defer a.lone.Unlock()
		need = readers
	}
	done = func() {
		for range taken {
			<-a.turns
		}
	}
	for taken < need {
		select {
		case a.turns <- struct{}{}:
			taken++
		case <-ctx.Done():
			done()
			return nil, ctx.Err()
		}
	}
	return done, nil
}

// begin notes a question, whose context stop ends early; end forgets it.
func (a *asking) begin(ctx context.Context) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sequence++
	id := a.sequence
	a.running[id] = cancel
	if ctx.Value(longQuestion{}) != nil {
		a.long[id] = cancel
	}
	if a.stopped {
		cancel(errPreempted)
	}
	return ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.running, id)
		delete(a.long, id)
		cancel(nil)
	}
}

// stop ends all questions, and those that begin, until the next stop(false).
func (a *asking) stop(stopped bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = stopped
	if stopped {
		for _, cancel := range a.running {
			cancel(errPreempted)
		}
	}
}

// giveWay ends the questions that may take long.
func (a *asking) giveWay() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, cancel := range a.long {
		cancel(errGaveWay)
	}
}

// alone runs f on the writer's thread while no question is being answered, after what they and the rows that
// wait for a checkpoint have in memory is free. w.mu is held.
func (w *Warehouse) alone(f func() error) error {
	w.asking.stop(true)
	w.gate.Lock()
	w.asking.stop(false) // the next wait at the gate
	defer w.gate.Unlock()
	// It may fail for the same want of memory; then so does f, and says it. When it was a COMMIT that found no memory, DuckDB takes its
	// tables for damaged (findings/duckdb-commit-without-memory.sh): what is in the file is not, and opened again it has all the memory.
	if err := w.thread.do(func() error { return w.write.exec("CHECKPOINT") }); w.broken(err) {
		w.detach()
		if err := w.ready(); err != nil {
			return err
		}
	}
	return w.thread.do(f)
}

// ask runs f over a view of the project, and once more when the database had to
// be opened again for it; f must not keep anything of its first run. The error
// of f is wrapped with what, except what a caller must recognise by its type.
func (w *Warehouse) ask(ctx context.Context, project, what string, f func(context.Context, *view) error) error {
	w.asked.Add(1)
	if err := w.settle(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	read := w.read.Load()
	err := w.answer(ctx, read, project, false, f)
	if (starved(err) || errors.Is(err, errPreempted)) && ctx.Err() == nil {
		if err = w.answer(ctx, w.read.Load(), project, true, f); (starved(err) || errors.Is(err, errPreempted)) && ctx.Err() == nil {
			return fmt.Errorf("%s: %w: the warehouse has %d MiB: %w", what, store.ErrStarved, w.options.MemoryLimit>>20, err)
		}
	}
	if w.broken(err) || errors.Is(err, store.ErrClosed) {
		if err = w.revive(read); err == nil {
			err = w.answer(ctx, w.read.Load(), project, false, f)
		}
	}
	// The driver interrupts a connection when the context of its query ends, and
	// that may come after the connection was given to another.
	for range 10 {
		if ctx.Err() != nil || !interrupted(err) {
			break
		}
		err = w.answer(ctx, w.read.Load(), project, false, f)
	}
	return w.explain(ctx, what, err)
}

// explain is the error of a question as its asker must understand it.
func (w *Warehouse) explain(ctx context.Context, what string, err error) error {
	var asked *store.QueryError
	switch {
	case err == nil || errors.As(err, &asked):
		return err
	case ctx.Err() != nil && interrupted(err):
		err = ctx.Err() // why it was interrupted
	case starved(err) || errors.Is(err, errPreempted) || Corrupt(err):
		w.broken(err) // the second try's error
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// starved says whether somebody did not get the memory that they need. An appender
// gives the reason without its kind.
func starved(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "Out of Memory Error") || strings.Contains(err.Error(), "could not allocate block") ||
		strings.Contains(err.Error(), "failed to allocate data of size") || strings.Contains(err.Error(), "failed to pin block"))
}

// interrupted says whether the question was stopped, by whomever.
func interrupted(err error) bool {
	return err != nil && (errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "INTERRUPT Error") ||
		strings.Contains(err.Error(), "Current transaction is aborted")) // it came between two statements
}

// answer runs f over a view when it is its turn; with all, when no other question is being answered.
func (w *Warehouse) answer(ctx context.Context, read *sql.DB, project string, all bool, f func(context.Context, *view) error) error {
	if read == nil {
		return store.ErrClosed
	}
	done, err := w.asking.turn(ctx, all)
	if err != nil {
		return err
	}
	defer done()
	w.gate.RLock()
	defer w.gate.RUnlock()
	ctx, end := w.asking.begin(ctx)
	defer end()
	err = w.inView(ctx, read, project, f)
	if cause := context.Cause(ctx); err != nil && (cause == errPreempted || cause == errGaveWay) {
		return cause
	}
	return err
}

func (w *Warehouse) inView(ctx context.Context, read *sql.DB, project string, f func(context.Context, *view) error) error {
	conn, err := read.Conn(ctx)
	if err != nil {
		if err.Error() == "sql: database is closed" {
			return store.ErrClosed
		}
		return err
	}
	defer conn.Close() //nolint:errcheck // gives it back, or finds it given up
	if err = w.onConn(ctx, conn, project, f); ctx.Err() != nil || interrupted(err) {
		// An interrupt may still be on its way to this connection, or has hit its
		// ROLLBACK: nobody else gets it.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return err
}

func (w *Warehouse) onConn(ctx context.Context, conn *sql.Conn, project string, f func(context.Context, *view) error) error {
	// The transaction does not end with ctx, its statements do: else database/sql
	// would end it on a goroutine of its own, beside whoever uses the connection.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	err = f(ctx, &view{tx: tx, project: project})
	// Nothing was written, so there is nothing that a failed end could lose.
	_ = tx.Rollback()
	return err
}
