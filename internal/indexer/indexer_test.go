package indexer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryLog is a Log as far as a follower sees it.
type memoryLog struct {
	store.Log // not called
	mu        sync.Mutex
	recs      []entity.Record
	head      entity.Seq
	grown     chan struct{}
}

func newLog() *memoryLog { return &memoryLog{grown: make(chan struct{})} }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// add appends n traces; payload "" is a good one.
func (l *memoryLog) add(n int, payload string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		l.head++
		p := payload
		if p == "" {
			p = fmt.Sprintf(`{"name":"trace %d"}`, l.head)
		}
		l.recs = append(l.recs, entity.Record{Seq: l.head, Project: "default", ReceivedAt: time.Now(), Event: wire.Event{
			ID: fmt.Sprint("e", l.head), Type: wire.TraceCreate, Payload: json.RawMessage(p), Timestamp: wire.At(noon)}})
	}
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *memoryLog) Head() entity.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

func (l *memoryLog) Read(ctx context.Context, after entity.Seq, limit int) ([]entity.Record, entity.Seq, error) {
	for {
		l.mu.Lock()
		grown, rest := l.grown, l.recs[min(int(after), len(l.recs)):]
		l.mu.Unlock()
		if len(rest) > 0 {
			rest = rest[:min(len(rest), limit)]
			return rest, rest[len(rest)-1].Seq, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, after, ctx.Err()
		}
	}
}

func (l *memoryLog) Get(_ context.Context, seqs []entity.Seq) (recs []entity.Record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range seqs {
		recs = append(recs, l.recs[s-1])
	}
	return recs, nil
}

// fakeWarehouse keeps what was inserted, and fails as fault says.
type fakeWarehouse struct {
	store.Warehouse // not called
	fault           func(recs []entity.Record) error

	mu          sync.Mutex
	seqs        []entity.Seq
	sizes       []int
	cursor      entity.Seq
	checkpoints int
	cannotWrite error // what Flush says; then the cursor is written
	written     entity.Seq
}

func (w *fakeWarehouse) Insert(_ context.Context, recs []entity.Record, upto entity.Seq) error {
	if w.fault != nil {
		if err := w.fault(recs); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range recs {
		w.seqs = append(w.seqs, r.Seq)
	}
	w.sizes = append(w.sizes, len(recs))
	w.cursor = max(w.cursor, upto)
	return nil
}

func (w *fakeWarehouse) Cursor(context.Context) (entity.Seq, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cannotWrite != nil {
		return w.written, nil
	}
	return w.cursor, nil
}

func (w *fakeWarehouse) Flush(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cannotWrite
}

func (w *fakeWarehouse) writes(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cannotWrite = err
}

func (w *fakeWarehouse) Checkpoint(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checkpoints++
	return nil
}

func (w *fakeWarehouse) checkpointed() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.checkpoints
}

// once says that seqs went in exactly once and in order, but for those missing.
func (w *fakeWarehouse) once(t *testing.T, n int, missing ...entity.Seq) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var want []entity.Seq
	for s := entity.Seq(1); s <= entity.Seq(n); s++ {
		if !slices.Contains(missing, s) {
			want = append(want, s)
		}
	}
	if !slices.Equal(w.seqs, want) {
		t.Errorf("inserted %v", w.seqs)
	}
	if w.cursor != entity.Seq(n) {
		t.Errorf("cursor %d, want %d", w.cursor, n)
	}
}

// start runs an Indexer until the test ends.
func start(t *testing.T, o Options) (*Indexer, func()) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	return x, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func catchUp(t *testing.T, x *Indexer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := x.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
}

// A Warehouse that took events and cannot write them is behind, and says why, until it can; who waits until it has caught up waits.
func TestTakenButNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, w := newLog(), &fakeWarehouse{}
		x, stop := start(t, Options{Log: log, Warehouse: w})
		defer stop()
		log.add(10, "")
		catchUp(t, x)
		w.writes(errors.New("no room"))
		w.written = 4
		log.add(5, "")
		time.Sleep(time.Minute) // of the bubble's clock
		if s := x.Stats(); s.Fault != "no room" || s.Cursor != 4 || s.Lag != 11 || s.Retries < 10 {
			t.Errorf("%+v", s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := x.CatchUp(ctx); err == nil || !strings.Contains(err.Error(), "no room") {
			t.Errorf("caught up: %v", err)
		}
		w.writes(nil)
		time.Sleep(time.Minute)
		catchUp(t, x)
		if s := x.Stats(); s.Fault != "" || s.Lag != 0 || s.Cursor != 15 {
			t.Errorf("%+v", s)
		}
		w.once(t, 15)
	})
}

func TestQueryableSoonAndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, w := newLog(), &fakeWarehouse{}
		x, stop := start(t, Options{Log: log, Warehouse: w})
		defer stop()
		time.Sleep(time.Hour) // of the bubble's clock
		began := time.Now()
		log.add(1, "")
		catchUp(t, x)
		if took := time.Since(began); took > time.Millisecond {
			t.Errorf("one event after a pause took %v", took)
		}
		for range 50 { // a request each 10 ms
			log.add(100, "")
			time.Sleep(10 * time.Millisecond)
		}
		catchUp(t, x)
		w.once(t, 5001)
		if n := len(w.sizes); n > 10 {
			t.Errorf("%d transactions for half a second", n)
		}
		if n := w.checkpointed(); n != 1 { // before the first event
			t.Errorf("%d checkpoints while busy", n-1)
		}
		time.Sleep(time.Hour)
		if n := w.checkpointed(); n != 2 {
			t.Errorf("%d checkpoints while idle, want 1", n-1)
		}
		if s := x.Stats(); s.Cursor != 5001 || s.Inserted != 5001 || s.Lag != 0 || s.OldestWait != 0 || s.Retries != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestLargeBacklogInBoundedTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, w := newLog(), &fakeWarehouse{}
		log.add(1050, "")
		x, stop := start(t, Options{Log: log, Warehouse: w, MaxRecords: 100})
		defer stop()
		catchUp(t, x)
		w.once(t, 1050)
		if slices.Max(w.sizes) > 100 || len(w.sizes) != 11 {
			t.Errorf("transactions %v", w.sizes)
		}
	})
}

// Property 6: the warehouse stops for minutes; afterwards every event is there once.
func TestWarehouseStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(5 * time.Minute)
		tries := 0
		w := &fakeWarehouse{fault: func([]entity.Record) error {
			if tries++; time.Now().Before(back) {
				return errors.New("no such host")
			}
			return nil
		}}
		log := newLog()
		x, stop := start(t, Options{Log: log, Warehouse: w})
		defer stop()
		for range 30 {
			log.add(10, "")
			time.Sleep(5 * time.Second)
		}
		s := x.Stats()
		if s.Fault != "no such host" || s.Lag != 300 || s.Retries == 0 || s.OldestWait == 0 {
			t.Errorf("stats %+v", s)
		}
		if tries > 50 {
			t.Errorf("%d tries in 2.5 minutes", tries)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := x.CatchUp(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("CatchUp: %v", err)
		}
		time.Sleep(3 * time.Minute)
		catchUp(t, x)
		w.once(t, 300)
		if s := x.Stats(); s.Fault != "" || s.Lag != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A transaction that is too large for the warehouse gets smaller until it fits.
func TestTooMuchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog()
		log.add(1000, "")
		failures := 0
		w := &fakeWarehouse{fault: func(recs []entity.Record) error {
			if len(recs) > 300 && failures < 1000 {
				failures++
				return errors.New("out of memory")
			}
			return nil
		}}
		x, stop := start(t, Options{Log: log, Warehouse: w})
		defer stop()
		catchUp(t, x)
		w.once(t, 1000)
		if failures > 10 {
			t.Errorf("%d failures before it was small enough", failures)
		}
	})
}

// Property 7: what cannot go in is listed, replayable, and holds up nothing.
func TestPoison(t *testing.T) {
	log, dir := newLog(), t.TempDir()
	var healed bool
	w := &fakeWarehouse{}
	w.fault = func(recs []entity.Record) error {
		var bad []entity.Seq
		for _, r := range recs {
			if r.Seq%10 == 0 && !healed {
				bad = append(bad, r.Seq)
			}
		}
		if bad == nil {
			return nil
		}
		return &store.PoisonError{Seqs: bad, Err: errors.New("cannot be a row")}
	}
	log.add(24, "")
	log.add(1, `{"no":"name"}`) // 25: what Extract refuses
	log.add(5, "")
	x, stop := start(t, Options{Log: log, Warehouse: w, Dir: dir})
	catchUp(t, x)
	stop()
	w.once(t, 30, 10, 20, 25, 30)

	x, err := New(Options{Log: log, Warehouse: w, Dir: dir}) // a restart
	if err != nil {
		t.Fatal(err)
	}
	list := x.Quarantine()
	if len(list) != 4 || list[0].Seq != 10 || list[0].EventID != "e10" || list[0].Reason != "cannot be a row" ||
		list[0].EventType != "trace_create" || list[0].At.IsZero() || !strings.Contains(list[2].Reason, "name") {
		t.Fatalf("quarantine %+v", list)
	}
	if replayed, left, err := x.Replay(t.Context()); replayed != 0 || left != 4 || err != nil {
		t.Errorf("replayed %d, left %d, %v", replayed, left, err)
	}
	healed = true
	if replayed, left, err := x.Replay(t.Context()); replayed != 3 || left != 1 || err != nil {
		t.Errorf("replayed %d, left %d, %v", replayed, left, err)
	}
	if w.cursor != 30 {
		t.Errorf("cursor %d after a replay", w.cursor)
	}
	if x, err = New(Options{Log: log, Warehouse: w, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if s := x.Stats(); s.Quarantined != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestTornQuarantine(t *testing.T) {
	dir := t.TempDir()
	q, err := openQuarantine(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.write([]entry{{Quarantined: Quarantined{Seq: 1, Reason: "x"}}, {Quarantined: Quarantined{Seq: 2}}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, QuarantineFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole { // a crash may leave any beginning
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		q, err := openQuarantine(dir)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := q.write([]entry{{Quarantined: Quarantined{Seq: 7}}}); err != nil {
			t.Fatal(err)
		}
		if q, err = openQuarantine(dir); err != nil {
			t.Fatalf("cut at %d, after a write: %v", cut, err)
		}
		want := strings.Count(string(whole[:cut]), "\n") + 1
		if list := q.all(); len(list) != want || list[want-1].Seq != 7 {
			t.Fatalf("cut at %d: %+v", cut, list)
		}
	}
	if err := os.WriteFile(path, []byte("not JSON\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openQuarantine(dir); err == nil {
		t.Error("a file that is not a quarantine was opened")
	}
}

// A warehouse that was deleted or lost its cursor is built again from the Log;
// one that was copied in mid-run goes on from where its copy stands.
func TestRebuild(t *testing.T) {
	dir := t.TempDir()
	open := func(name string) *duckstore.Warehouse {
		w, err := duckstore.Open(filepath.Join(dir, name), duckstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	count := func(w store.Warehouse) any {
		page, err := query.ListStats(context.Background(), w, "default", store.StatsQuery{Of: "traces", Metrics: []string{"count"}})
		if err != nil {
			t.Fatal(err)
		}
		return page.Data[0]["count"]
	}
	log, w := newLog(), open("one.db")
	x, stop := start(t, Options{Log: log, Warehouse: w, Dir: filepath.Join(dir, "q")})
	for i := range 20 {
		log.add(50, "")
		catchUp(t, x)
		if i == 9 { // as a SIGKILL would leave the files
			for _, suffix := range []string{"", ".wal"} {
				b, err := os.ReadFile(filepath.Join(dir, "one.db"+suffix))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "copy.db"+suffix), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	stop()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one.db", "copy.db", "new.db"} {
		w := open(name)
		before, _ := w.Cursor(context.Background())
		if want := map[string]entity.Seq{"one.db": 1000, "copy.db": 500, "new.db": 0}[name]; before != want {
			t.Errorf("%s starts at %d, want %d", name, before, want)
		}
		x, stop := start(t, Options{Log: log, Warehouse: w, Dir: filepath.Join(dir, "q")})
		catchUp(t, x)
		stop()
		if n := count(w); n != int64(1000) {
			t.Errorf("%s has %v traces", name, n)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
