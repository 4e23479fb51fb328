package idindex

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

func newClock() *clock.Stopped {
	return clock.NewStopped(time.Date(2026, 3, 1, 12, 0, 30, 123000, time.UTC))
}

// openSmall opens an index that is closed with the test. Its tables are small, so that there are many runs.
func openSmall(t *testing.T, fs vfs.FS, c *clock.Stopped) *Index {
	t.Helper()
	return openWith(t, Options{FS: fs, Now: c.Now, tableSlots: 100})
}

func openWith(t *testing.T, o Options) *Index {
	t.Helper()
	x, err := Open("idx", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if x.closing.Load() {
			return
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// ledger is the Log to an index: which ids are where.
type ledger struct {
	mu sync.Mutex
	is map[named]bool
}

type named struct {
	kind        Kind
	at          entity.Seq
	project, id string
}

func newLedger() *ledger { return &ledger{is: map[named]bool{}} }

func (l *ledger) note(kind Kind, at entity.Seq, project, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.is[named{kind, at, project, id}] = true
}

func (l *ledger) names(kind Kind, at entity.Seq, project, id string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.is[named{kind, at, project, id}], nil
}

func (l *ledger) add(c Change) {
	for i, id := range c.IDs {
		l.note(KindEvent, c.Seqs[i], c.Project, id)
	}
	for _, id := range c.Failed {
		l.note(KindFailed, c.Block, c.Project, id)
	}
	l.note(KindBatch, c.Block, c.Project, c.BatchID)
	l.note(KindJob, c.Block, c.Project, c.JobID)
}

type pid struct{ project, id string }

type receipt struct {
	seq     entity.Seq
	expires time.Time // zero: never
}

func (r receipt) live(now time.Time) bool {
	return r.seq != 0 && (r.expires.IsZero() || r.expires.After(now))
}

// modelJob is a job; result is 0 while it is pending.
type modelJob struct {
	request, result entity.Seq
	ended           time.Time
	batch           string
}

// model is the index as a few maps.
type model struct {
	cursor  entity.Seq
	marks   map[pid]receipt
	failed  map[pid]receipt
	batches map[pid]receipt
	jobs    map[pid]modelJob
	ledger  *ledger
}

func newModel() *model {
	return &model{ledger: newLedger(), marks: map[pid]receipt{}, failed: map[pid]receipt{}, batches: map[pid]receipt{}, jobs: map[pid]modelJob{}}
}

func (m *model) apply(c Change, upto entity.Seq) {
	m.cursor = upto
	m.ledger.add(c)
	if c.TTL > 0 {
		for i, id := range c.IDs {
			m.marks[pid{c.Project, id}] = receipt{c.Seqs[i], c.At.Add(c.TTL)}
		}
	}
	end := c.At.Add(store.ReceiptTTL)
	keep := end
	if c.Job != JobNone {
		key := pid{c.Project, c.JobID}
		j, known := m.jobs[key]
		if known = known && (j.result == 0 || j.ended.Add(store.ReceiptTTL).After(c.At)); !known {
			j = modelJob{}
		}
		if c.Job == JobAdded {
			if known {
				return
			}
			keep = time.Time{}
			j = modelJob{request: c.Block, batch: c.BatchID}
		} else {
			if known && j.result != 0 {
				return
			}
			if !known {
				j = modelJob{batch: c.BatchID}
			}
			j.result, j.ended = c.Block, c.At
			if j.batch != "" {
				m.ledger.note(KindBatch, c.Block, c.Project, j.batch)
				m.batches[pid{c.Project, j.batch}] = receipt{c.Block, end}
			}
		}
		m.jobs[key] = j
	}
	if c.BatchID != "" {
		m.batches[pid{c.Project, c.BatchID}] = receipt{c.Block, keep}
	}
	for _, id := range c.Failed {
		if id != "" {
			m.failed[pid{c.Project, id}] = receipt{c.Block, end}
		}
	}
}

// check compares every answer of the index with the model's.
func (m *model) check(t *testing.T, x *Index, now time.Time, ids []pid) {
	t.Helper()
	if got := x.Cursor(); got != m.cursor {
		t.Fatalf("cursor %d, want %d", got, m.cursor)
	}
	byProject := map[string][]string{}
	for _, p := range ids {
		byProject[p.project] = append(byProject[p.project], p.id)
	}
	for project, list := range byProject {
		out := make([]Entry, len(list))
		if err := x.Seen(project, list, now, out); err != nil {
			t.Fatal(err)
		}
		for i, id := range list {
			want := Entry{}
			if r := m.marks[pid{project, id}]; r.live(now) {
				want = Entry{r.seq, r.expires}
			}
			if out[i] != want {
				t.Fatalf("Seen %s/%s: %v, want %v", project, id, out[i], want)
			}
			if i%8 != 0 { // Event reads what Seen reads
				continue
			}
			e, ok, err := x.Event(project, id)
			if err != nil || e != want || ok != (want.Seq != 0) {
				t.Fatalf("Event %s/%s: %v %v %v, want %v", project, id, e, ok, err, want)
			}
		}
	}
	for _, p := range ids {
		if m.failed[p].seq == 0 && len(p.id)%2 == 0 {
			continue // of those that never failed, some will do
		}
		seq, ok, err := x.FailedEvent(p.project, p.id)
		checkReceipt(t, "FailedEvent", p, seq, ok, err, m.failed[p], now)
	}
	for p, r := range m.batches {
		seq, ok, err := x.Batch(p.project, p.id)
		checkReceipt(t, "Batch", p, seq, ok, err, r, now)
	}
	m.checkJobs(t, x, now)
}

func checkReceipt(t *testing.T, what string, p pid, seq entity.Seq, ok bool, err error, want receipt, now time.Time) {
	t.Helper()
	if err != nil || ok != want.live(now) || ok && seq != want.seq {
		t.Fatalf("%s %v: %d %v %v, want %v at %v", what, p, seq, ok, err, want, now)
	}
}

func (m *model) checkJobs(t *testing.T, x *Index, now time.Time) {
	t.Helper()
	var pending []entity.Seq
	for p, j := range m.jobs {
		at := j.result
		if at == 0 {
			at = j.request
			pending = append(pending, at)
		}
		got, ok, err := x.Job(p.project, p.id)
		want := j.result == 0 || j.ended.Add(store.ReceiptTTL).After(now)
		if err != nil || ok != want || ok && got != at {
			t.Fatalf("Job %v: %d %v %v, want %d %v", p, got, ok, err, at, want)
		}
	}
	slices.Sort(pending)
	if got := x.PendingJobs(); !slices.Equal(got, pending) {
		t.Fatalf("pending jobs %v, want %v", got, pending)
	}
}

// change makes a random change behind the model's cursor, and its last Seq.
func (m *model) change(r *rand.Rand, at time.Time, ids int) (Change, entity.Seq) {
	first := m.cursor + 1
	c := Change{
		Project: "p" + strconv.Itoa(r.IntN(3)), BatchID: fmt.Sprintf("b%d", first),
		Block: first, At: at, TTL: time.Duration(60+r.IntN(600)) * time.Second,
	}
	switch r.IntN(8) {
	case 0:
		c.TTL = 0
	case 1:
		c.Job, c.JobID = JobAdded, "job_"+strconv.Itoa(r.IntN(20))
		return c, first
	case 2:
		c.Job, c.JobID = JobCompleted, "job_"+strconv.Itoa(r.IntN(20))
	case 3:
		c.Job, c.JobID, c.BatchID = JobFailed, "job_"+strconv.Itoa(r.IntN(20)), ""
		return c, first
	}
	used := map[string]bool{}
	for range r.IntN(ids + 1) {
		id := strconv.Itoa(r.IntN(ids * 10))
		switch {
		case used[id], m.marks[pid{c.Project, id}].live(at): // the Log stores no duplicates
		case r.IntN(10) == 0:
			c.Failed = append(c.Failed, id, "")
		default:
			c.IDs = append(c.IDs, id)
			c.Seqs = append(c.Seqs, first+entity.Seq(len(c.IDs)))
		}
		used[id] = true
	}
	return c, first + entity.Seq(len(c.IDs)) + 1
}

// allIDs is every id that change can make.
func allIDs(ids int) []pid {
	var all []pid
	for p := range 3 {
		for i := range ids * 10 {
			all = append(all, pid{"p" + strconv.Itoa(p), strconv.Itoa(i)})
		}
	}
	return all
}

// TestModel holds the index against a few maps through random changes, replays,
// sweeps, restarts and passing days; and the more so when hashes meet all the time.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{0, 12, 5} {
		t.Run(fmt.Sprint(bits, " bits"), func(t *testing.T) {
			t.Parallel()
			testModel(t, bits)
		})
	}
}

func testModel(t *testing.T, bits int) {
	r, c, m, ids := chance.Of(t), newClock(), newModel(), allIDs(20)
	o := Options{FS: vfs.NewMem(), Now: c.Now, HashBits: bits, Names: m.ledger.names, tableSlots: 30 + r.IntN(300)}
	x := openWith(t, o)
	var last Change
	for range chance.Rounds(1000) {
		switch n := r.IntN(100); {
		case n < 80:
			ch, upto := m.change(r, c.Now(), 20)
			m.apply(ch, upto) // the Log has it before the index
			if err := x.Apply([]Change{last, ch}, upto); err != nil {
				t.Fatal(err)
			}
			last = ch
		case n < 85:
			if err := x.Apply([]Change{last}, m.cursor); err != nil {
				t.Fatal(err)
			}
		case n < 92:
			c.Advance(time.Duration(r.IntN(200)) * time.Second)
		case n < 94:
			if err := x.Sweep(c.Now()); err != nil {
				t.Fatal(err)
			}
		case n < 95:
			c.Advance(time.Duration(r.IntN(30)) * time.Hour)
		case n < 96:
			if err := x.Flush(); err != nil {
				t.Fatal(err)
			}
		case n < 97:
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			x = openWith(t, o)
		default:
			m.check(t, x, c.Now(), ids)
		}
	}
	m.check(t, x, c.Now(), ids)
	c.Advance(48 * time.Hour)
	if err := x.Sweep(c.Now()); err != nil {
		t.Fatal(err)
	}
	m.check(t, x, c.Now(), ids)
	if s := x.Stats(); s != (Stats{}) {
		t.Errorf("%+v remain when all have expired", s)
	}
}
