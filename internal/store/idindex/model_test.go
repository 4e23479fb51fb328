package idindex

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func newClock() *clock.Stopped {
	return clock.NewStopped(time.Date(2026, 3, 1, 12, 0, 30, 123000, time.UTC))
}

// open opens an index that is closed with the test.
func open(t *testing.T, fs vfs.FS, c *clock.Stopped) *Index {
	t.Helper()
	x, err := Open("idx", Options{FS: fs, Now: c.Now, CacheBytes: minCache})
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

type pid struct{ project, id string }

type receipt struct {
	seq     entity.Seq
	expires time.Time // zero: never
}

func (r receipt) live(now time.Time) bool {
	return r.seq != 0 && (r.expires.IsZero() || r.expires.After(now))
}

type modelJob struct {
	JobEntry
	batch string
}

// model is the index as a few maps.
type model struct {
	cursor  entity.Seq
	marks   map[pid]receipt
	failed  map[pid]receipt
	batches map[pid]receipt
	jobs    map[pid]modelJob
}

func newModel() *model {
	return &model{marks: map[pid]receipt{}, failed: map[pid]receipt{}, batches: map[pid]receipt{}, jobs: map[pid]modelJob{}}
}

func (m *model) apply(c Change, upto entity.Seq) {
	m.cursor = upto
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
		if known = known && (j.Result == 0 || j.CompletedAt.Add(store.ReceiptTTL).After(c.At)); !known {
			j = modelJob{}
		}
		if c.Job == JobAdded {
			if known {
				return
			}
			keep = time.Time{}
			j = modelJob{JobEntry{Request: c.Block, Status: wire.JobPending, CreatedAt: c.At}, c.BatchID}
		} else {
			if known && j.Result != 0 {
				return
			}
			if !known {
				j = modelJob{JobEntry{CreatedAt: c.At}, c.BatchID}
			}
			j.Result, j.CompletedAt, j.Status = c.Block, c.At, wire.JobCompleted
			if c.Job == JobFailed {
				j.Status = wire.JobFailed
			}
			if j.batch != "" {
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
		if j.Result == 0 {
			pending = append(pending, j.Request)
		}
		got, ok, err := x.Job(p.project, p.id)
		want := j.Result == 0 || j.CompletedAt.Add(store.ReceiptTTL).After(now)
		if err != nil || ok != want || ok && got != j.JobEntry {
			t.Fatalf("Job %v: %+v %v %v, want %+v %v", p, got, ok, err, j.JobEntry, want)
		}
	}
	slices.Sort(pending)
	got, err := x.PendingJobs()
	if err != nil || !slices.Equal(got, pending) {
		t.Fatalf("pending jobs %v %v, want %v", got, err, pending)
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
// sweeps, restarts and passing days.
func TestModel(t *testing.T) {
	t.Parallel()
	r, c, fs := chance.Of(t), newClock(), vfs.NewMem()
	x, m, ids := open(t, fs, c), newModel(), allIDs(20)
	var last Change
	for range chance.Rounds(1000) {
		switch n := r.IntN(100); {
		case n < 80:
			ch, upto := m.change(r, c.Now(), 20)
			if err := x.Apply([]Change{last, ch}, upto); err != nil {
				t.Fatal(err)
			}
			m.apply(ch, upto)
			last = ch
		case n < 85:
			if err := x.Apply([]Change{last}, m.cursor); err != nil {
				t.Fatal(err)
			}
		case n < 92:
			c.Advance(time.Duration(r.IntN(200)) * time.Second)
		case n < 94:
			if _, err := x.Sweep(c.Now(), 1+r.IntN(500)); err != nil {
				t.Fatal(err)
			}
		case n < 95:
			c.Advance(time.Duration(r.IntN(30)) * time.Hour)
		case n < 97:
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			x = open(t, fs, c)
		default:
			m.check(t, x, c.Now(), ids)
		}
	}
	m.check(t, x, c.Now(), ids)
	sweepAll(t, x, c.Now().Add(48*time.Hour))
	c.Advance(48 * time.Hour)
	m.check(t, x, c.Now(), ids)
	if n := x.Stats().Entries; n != 0 {
		t.Errorf("%d entries remain when all have expired", n)
	}
}

func sweepAll(t *testing.T, x *Index, now time.Time) (total int) {
	t.Helper()
	for {
		n, err := x.Sweep(now, 100)
		if err != nil {
			t.Fatal(err)
		}
		if total += n; n == 0 {
			return total
		}
	}
}
