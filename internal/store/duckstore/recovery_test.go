package duckstore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

var errInjected = errors.New("injected")

// once fails each of the statements the first time that it is run.
func once(statements ...string) func(string) error {
	left := map[string]bool{}
	for _, s := range statements {
		left[s] = true
	}
	return func(s string) error {
		if left[s] {
			delete(left, s)
			return errInjected
		}
		return nil
	}
}

// After a failure the next inserts go in as if there had been none: no event is missing
// or there twice, and every row is the fold of its events.
func TestWriterComesBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault func(w *Warehouse) func(string) error
		tries int // that may fail
	}{
		"flush of events":       {func(*Warehouse) func(string) error { return once("FLUSH events") }, 1},
		"flush of observations": {func(*Warehouse) func(string) error { return once("FLUSH observations") }, 1},
		"flush of traces":       {func(*Warehouse) func(string) error { return once("FLUSH traces") }, 1},
		"commit":                {func(*Warehouse) func(string) error { return once("COMMIT") }, 1},
		"commit and rollback":   {func(*Warehouse) func(string) error { return once("COMMIT", "ROLLBACK") }, 1},
		"a commit that went in, and says that it did not": {func(w *Warehouse) func(string) error {
			fails := true
			return func(s string) error {
				if s != "COMMIT" || !fails {
					return nil
				}
				fails = false
				if err := w.write.exec("COMMIT"); err != nil {
					return err
				}
				return errInjected
			}
		}, 1},
		"every rollback of the connection": {func(w *Warehouse) func(string) error {
			dead := false
			return func(s string) error {
				switch {
				case s == "CONNECT":
					w.write.fault = nil
				case s == "FLUSH scores", s == "ROLLBACK" && dead:
					dead = true
					return errInjected
				}
				return nil
			}
		}, 1},
		"a new connection too": {func(*Warehouse) func(string) error {
			return func(s string) error {
				if s == "FLUSH scores" || s == "ROLLBACK" || s == "CONNECT" {
					return errInjected
				}
				return nil
			}
		}, 1},
		"all, until it is opened again": {func(*Warehouse) func(string) error { return func(string) error { return errInjected } }, reopenAfter},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "w.db")
			g := newGenerator(1)
			w := openAt(t, path, g)
			insert := func(recs []entity.Record) error { return insertNow(t.Context(), w, recs) }
			if err := insert(g.next(1234)); err != nil {
				t.Fatal(err)
			}
			w.write.fault = c.fault(w)
			recs, failed := g.next(1777), 0
			for err := insert(recs); err != nil; err = insert(recs) {
				if failed++; failed > c.tries || !errors.Is(err, errInjected) {
					t.Fatalf("try %d: %v", failed, err)
				}
				if got, err := w.Cursor(t.Context()); err != nil || got != 1234 {
					t.Fatalf("the cursor is %d, %v", got, err)
				}
			}
			if failed == 0 {
				t.Error("nothing failed")
			}
			if err := insert(g.next(500)); err != nil {
				t.Fatal(err)
			}
			page, err := query.ListStats(t.Context(), w, "default", store.StatsQuery{Of: "events"})
			if err != nil || page.Data[0]["count"] != int64(g.seq)-int64(len(g.open)) {
				t.Errorf("%v events of %d, %v", page.Data, int(g.seq)-len(g.open), err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			sound(t, path, g)
		})
	}
}

// sound says that every row of the file is the fold of its events, and no event is there twice.
func sound(t *testing.T, path string, log records) {
	t.Helper()
	compared, wrong, twice := folded(t, path, log, 5)
	if len(wrong) > 0 || compared == 0 {
		t.Errorf("%d compared, wrong %+v", compared, wrong)
	}
	if twice != 0 {
		t.Errorf("%d events are there twice", twice)
	}
}

// records is a storetest.Ledger, or what has one.
type records interface{ All() []entity.Record }

// folded compares the file with what of the log is in it.
func folded(t *testing.T, path string, log records, limit int) (compared int64, wrong []WrongFold, twice int64) {
	t.Helper()
	return foldedWith(t, path, log, limit, Options{})
}

// foldedWith is folded with options.
func foldedWith(t *testing.T, path string, log records, limit int, o Options) (compared int64, wrong []WrongFold, twice int64) {
	t.Helper()
	k, err := OpenReadOnly(t.Context(), path, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = k.Close() }()
	for _, rec := range log.All() {
		if rec.Seq > k.Cursor() {
			continue
		}
		if err := k.Add(&rec); err != nil {
			t.Fatal(err)
		}
	}
	if compared, wrong, err = k.Folds(t.Context(), Leeway{}, limit); err != nil {
		t.Fatal(err)
	}
	if twice, err = k.Duplicates(t.Context()); err != nil {
		t.Fatal(err)
	}
	return compared, wrong, twice
}

// While nothing can be written questions are answered without what came since, Insert says why and takes no more, and the
// cursor stays; then all is there.
func TestQuestionsWhileNothingIsWritten(t *testing.T) {
	t.Parallel()
	g := newGenerator(1)
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), g)
	defer func() { _ = w.Close() }()
	insert := func(n int) error {
		recs := g.next(n)
		return w.Insert(t.Context(), recs, recs[n-1].Seq)
	}
	events := func(want int64) {
		t.Helper()
		page, err := query.ListStats(t.Context(), w, "default", store.StatsQuery{Of: "events"})
		if err != nil || page.Data[0]["count"] != want {
			t.Fatalf("%v events, want %d, %v", page, want, err)
		}
	}
	if err := insert(100); err != nil {
		t.Fatal(err)
	}
	events(100)
	full := errors.New("no room")
	w.mu.Lock()
	w.write.fault = func(s string) error {
		if s == "COMMIT" {
			return full
		}
		return nil
	}
	w.mu.Unlock()
	if err := insert(200); err != nil {
		t.Fatalf("what fits the memory: %v", err)
	}
	events(100)
	refused := g.next(50)
	if err := w.Insert(t.Context(), refused, refused[49].Seq); !errors.Is(err, full) {
		t.Errorf("an insert is told %v", err)
	}
	events(100)
	if err := w.Flush(t.Context()); !errors.Is(err, full) {
		t.Errorf("a flush is told %v", err)
	}
	if c, err := w.Cursor(t.Context()); c != 100 || err != nil {
		t.Errorf("cursor %d, %v", c, err)
	}
	w.mu.Lock()
	if w.write != nil {
		w.write.fault = nil
	}
	w.mu.Unlock()
	if err := w.Insert(t.Context(), refused, refused[49].Seq); err != nil {
		t.Fatal(err)
	}
	events(350)
}

// A writer that finds no memory stops the questions, has it, and they are asked again; what
// it stops a second time, alone, is too large.
func TestWriterTakesTheMemory(t *testing.T) {
	t.Parallel()
	g := newGenerator(1)
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), g)
	defer func() { _ = w.Close() }()
	for _, greedy := range []int{1, 2} { // how often the question is in the way
		asked, answered := make(chan int, 3), make(chan error, 1)
		go func() {
			n := 0
			answered <- w.ask(t.Context(), "default", "ask", func(ctx context.Context, _ *view) error {
				if n++; n > greedy {
					return nil
				}
				asked <- n
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		for n := range greedy {
			if got := <-asked; got != n+1 {
				t.Fatalf("asked for the %d. time", got)
			}
			short := true
			w.mu.Lock()
			w.write.fault = func(s string) error {
				if s == "FLUSH events" && short {
					short = false
					return errors.New("Out of Memory Error: could not allocate block of size 256.0 KiB")
				}
				return nil
			}
			w.mu.Unlock()
			recs := g.next(100)
			if err := insertNow(t.Context(), w, recs); err != nil {
				t.Fatal(err)
			}
		}
		err := <-answered
		if greedy == 1 && err != nil || greedy == 2 && !errors.Is(err, store.ErrStarved) {
			t.Errorf("in the way %d times: %v", greedy, err)
		}
	}
}

// A COMMIT that finds no memory leaves tables of which DuckDB makes no checkpoint, and then it does nothing any more: it is opened again, and nobody hears of it.
func TestCommitWithoutMemory(t *testing.T) {
	t.Parallel()
	g := newGenerator(1)
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), g)
	defer func() { _ = w.Close() }()
	all := g.next(100)
	if err := insertNow(t.Context(), w, all); err != nil {
		t.Fatal(err)
	}
	starved, invalid := false, false
	w.mu.Lock()
	w.write.fault = func(s string) error { // until the connection is another
		switch {
		case invalid || starved && s == "CHECKPOINT":
			invalid = true
			return errors.New("FATAL Error: Failed to create checkpoint because of error: Corrupted in-memory column")
		case s == "COMMIT" && !starved:
			starved = true
			return errors.New("TransactionContext Error: Failed to commit: could not allocate block of size 256.0 KiB")
		}
		return nil
	}
	w.mu.Unlock()
	recs := g.next(100)
	all = append(all, recs...)
	if err := insertNow(t.Context(), w, recs); err != nil {
		t.Fatal(err)
	}
	if !invalid {
		t.Error("no checkpoint was tried")
	}
	if n, err := w.write.int64s("SELECT count(*) FROM events"); err != nil || n[0] != int64(len(all)) {
		t.Errorf("%d events of %d: %v", n, len(all), err)
	}
}

// A question that runs DuckDB at full tilt is over soon after its asker has gone, and at its deadline.
func TestQuestionEnds(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	const endless = "SELECT sum(a.i * b.i) FROM range(10000000) AS a(i), range(10000000) AS b(i)"
	forever := func(ctx context.Context, v *view) error {
		_, err := v.tx.ExecContext(ctx, endless)
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() { answered <- w.ask(ctx, "default", "ask", forever) }()
	waitRunning(t, w)
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("its asker has gone: %v", err)
	}
	limited, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := w.ask(limited, "default", "ask", forever); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("at its deadline: %v", err)
	}
}

// waitRunning waits until a question is being answered.
func waitRunning(t *testing.T, w *Warehouse) {
	t.Helper()
	for t.Context().Err() == nil {
		w.asking.mu.Lock()
		n := len(w.asking.running)
		w.asking.mu.Unlock()
		if n > 0 {
			return
		}
	}
}

// What does not fit the memory is refused, and not for a later try: neither once nor again.
func TestTooLargeQuestion(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{MemoryLimit: 96 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	for range 2 {
		err := w.ask(t.Context(), "default", "ask", func(ctx context.Context, v *view) error {
			_, err := v.tx.ExecContext(ctx, "SELECT len(list(i)) FROM range(50000000) AS a(i)")
			return err
		})
		if !errors.Is(err, store.ErrStarved) || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "96 MiB") {
			t.Fatalf("got %v", err)
		}
	}
	if err := insertNow(t.Context(), w, newGenerator(1).next(100)); err != nil {
		t.Error(err)
	}
}
