package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// LogCrash appends from several goroutines, takes the machine's power away at a
// random moment, and looks at what a new start finds; again and again on what the
// crash before left, with crashes during the start itself too. What was
// acknowledged must be there, once, with its payload; and the Log must call
// duplicate just what it holds.
func LogCrash(t *testing.T, open OpenLog, rounds int) {
	c := &crashTest{
		logBench: logBench{open: open, clock: newClock()},
		rng:      chance.Of(t),
		acked:    map[string]bool{}, tried: map[string]bool{},
		jobs: map[string]bool{}, ended: map[string]bool{},
	}
	mem := vfs.NewCrashableMem()
	for round := range rounds {
		c.round = round
		mem = c.crashUnderLoad(t, mem)
		mem = c.crashDuringOpen(t, mem)
		c.fs = mem
		c.start(t)
		c.verify(t)
		c.stop(t)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

type crashTest struct {
	logBench
	rng   *rand.Rand
	round int

	mu    sync.Mutex      // guards all below while a round runs
	acked map[string]bool // ids that an Append called stored or duplicate
	tried map[string]bool // ids that an Append was called with
	jobs  map[string]bool // jobs acknowledged
	ended map[string]bool // jobs that an Append was called to end
}

// crashUnderLoad runs senders on mem and returns what a crash leaves of it.
func (c *crashTest) crashUnderLoad(t *testing.T, mem *vfs.MemFS) *vfs.MemFS {
	t.Helper()
	c.fs = mem
	c.start(t)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for sender := range 4 {
		rng := chance.From(c.rng.Uint64(), uint64(sender))
		wg.Go(func() {
			for n := 0; !stop.Load(); n++ {
				if err := c.send(rng, fmt.Sprintf("r%d-s%d-n%d", c.round, sender, n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for wait := entity.Seq(1 + c.rng.IntN(1500)); c.log.Head() < wait && !t.Failed(); {
		at := c.log.Head()
		if _, _, err := c.log.Read(context.Background(), at, 1); err != nil {
			t.Error(err)
		}
	}
	c.mu.Lock()
	// What is acknowledged now is synced now; what is acknowledged while the clone is
	// taken is only expected to be whole or absent.
	acked, jobs := maps.Clone(c.acked), maps.Clone(c.jobs)
	c.mu.Unlock()
	clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.rng.IntN(101), RNG: c.rng})
	stop.Store(true)
	wg.Wait()
	c.stop(t)
	c.acked, c.jobs = acked, jobs
	return clone
}

// send makes one random request.
func (c *crashTest) send(rng *rand.Rand, name string) error {
	ctx := context.Background()
	batch := c.batch()
	if rng.IntN(8) == 0 {
		j := c.job("job-" + name)
		if err := c.log.AddJob(ctx, j); err != nil {
			return err
		}
		c.mu.Lock()
		c.jobs[j.ID] = true
		if rng.IntN(2) == 0 {
			c.ended[j.ID] = true
			batch.Job = j.ID
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	old := slices.Collect(maps.Keys(c.tried))
	for i := range rng.IntN(30) {
		id := fmt.Sprintf("%s-%d", name, i)
		if len(old) > 0 && rng.IntN(4) == 0 {
			id = old[rng.IntN(len(old))]
		}
		batch.Events = append(batch.Events, c.batch(id).Events...)
		c.tried[id] = true
	}
	c.mu.Unlock()
	if rng.IntN(5) == 0 {
		batch.Failed = []wire.BatchEventError{failedEvent("failed-" + name)}
	}
	batch.Dedup.FailOnDuplicate = rng.IntN(4) == 0 && batch.Job == ""
	_, err := c.log.Append(ctx, batch)
	if errors.Is(err, store.ErrDuplicate) {
		return nil
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range batch.Events {
		c.acked[e.ID] = true
	}
	return nil
}

// crashDuringOpen opens mem a few times, each time crashing at a random write of the recovery.
func (c *crashTest) crashDuringOpen(t *testing.T, mem *vfs.MemFS) *vfs.MemFS {
	t.Helper()
	for range c.rng.IntN(3) {
		clone, _ := CrashAt(t, mem, 1+c.rng.IntN(40), c.rng, func(fs vfs.FS) {
			l, err := c.open(fs, c.clock.Now)
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		mem = clone
	}
	return mem
}

// CrashAt runs f on mem and returns what a crash just before the n-th write
// operation of f leaves (writes, syncs, and changes of directories), or after f
// when it has fewer; reached says which.
func CrashAt(t *testing.T, mem *vfs.MemFS, n int, rng *rand.Rand, f func(fs vfs.FS)) (clone *vfs.MemFS, reached bool) {
	t.Helper()
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng}
	var mu sync.Mutex // guards n and clone
	f(errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			mu.Lock()
			defer mu.Unlock()
			if n--; n == 0 {
				clone = mem.CrashClone(cfg)
			}
		}
		return nil
	})))
	if clone != nil {
		return clone, true
	}
	return mem.CrashClone(cfg), false
}

// verify looks at the Log after a crash.
func (c *crashTest) verify(t *testing.T) {
	t.Helper()
	held := map[string]bool{}
	for _, r := range c.all(t) {
		if held[r.Event.ID] {
			t.Errorf("event %q is there twice", r.Event.ID)
		}
		held[r.Event.ID] = true
		if !c.tried[r.Event.ID] || string(r.Event.Payload) != string(payloadOf(r.Event.ID)) {
			t.Errorf("event %q was never sent so: %q", r.Event.ID, r.Event.Payload)
		}
	}
	for id := range c.acked {
		if !held[id] {
			t.Errorf("event %q was acknowledged and is lost", id)
		}
	}
	c.verifyJobs(t)
	// The clients try everything again: the Log says duplicate of just what it holds.
	all := slices.Sorted(maps.Keys(c.tried))
	for part := range slices.Chunk(all, 100) {
		out, err := c.log.Append(context.Background(), c.batch(part...))
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range part {
			if (out[i] == store.Duplicate) != held[id] {
				t.Errorf("event %q: outcome %d, in the log: %t", id, out[i], held[id])
			}
			c.acked[id] = true
		}
	}
	c.expectIDs(t, all)
}

func (c *crashTest) verifyJobs(t *testing.T) {
	t.Helper()
	jobs, err := c.log.PendingJobs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	pending := map[string]bool{}
	for _, j := range jobs {
		pending[j.ID] = true
	}
	for id := range c.jobs {
		job, err := c.log.JobReceipt(context.Background(), "p", id)
		if err != nil {
			t.Errorf("job %s was accepted and is lost: %v", id, err)
			continue
		}
		switch done := job.Status == wire.JobCompleted; {
		case done == pending[id]:
			t.Errorf("job %s: status %s, pending %t", id, job.Status, pending[id])
		case done && !c.ended[id]:
			t.Errorf("job %s is completed and nobody ended it", id)
		}
	}
}
