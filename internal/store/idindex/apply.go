package idindex

import (
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// JobChange is what a block does to the job it names.
type JobChange uint8

// The changes of a job. The first end of a job counts, later ones change nothing.
const (
	JobNone JobChange = iota
	JobAdded
	JobCompleted
	JobFailed
)

// Change is what one block of the Log means to the index. Blocks do not
// overlap, and each has a first Seq of its own even when it holds no event.
type Change struct {
	Project, BatchID, JobID string
	Block                   entity.Seq    // first Seq of the block; receipts name the block by it
	At                      time.Time     // received; expiry counts from here, in whole microseconds
	TTL                     time.Duration // of the marks; ≤ 0: no marks
	IDs                     []string      // ids stored: none of them was marked at At …
	Seqs                    []entity.Seq  // … and where, parallel
	Failed                  []string      // ids of failed events; "" is skipped
	Job                     JobChange
}

// maxSeq is the last that an entry has room for.
const maxSeq = 1<<48 - 1

// Apply records what changes mean and moves the cursor to upto, in memory: all of it or, when an error returns, nothing.
// The changes come in the Log's order, each behind the one before; those at or before the cursor were applied already and
// are skipped, so a replay changes nothing. It waits while two tables are full, and refuses when the first could not be
// written. Entries that have expired by now are not kept: a replay of old blocks is cheap.
func (x *Index) Apply(changes []Change, upto entity.Seq) error {
	x.applying.Lock()
	defer x.applying.Unlock()
	cursor := x.Cursor()
	if upto <= cursor {
		return nil
	}
	for len(changes) > 0 && changes[0].Block <= cursor {
		changes = changes[1:]
	}
	for i := range changes {
		if err := changes[i].check(upto); err != nil {
			return fmt.Errorf("apply block %d to id index: %w", changes[i].Block, err)
		}
	}
	ended, err := x.endedJobs(changes)
	if err != nil {
		return err
	}
	if err := x.makeRoom(); err != nil {
		return fmt.Errorf("apply to id index: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	a := applier{x: x, now: x.o.Now().UnixMicro(), ended: ended}
	for i := range changes {
		a.change(&changes[i])
	}
	x.cursor.Store(uint64(upto))
	return nil
}

func (c *Change) check(upto entity.Seq) error {
	switch {
	case len(c.IDs) != len(c.Seqs):
		return fmt.Errorf("%d ids but %d seqs", len(c.IDs), len(c.Seqs))
	case c.Block > upto:
		return fmt.Errorf("block lies behind the new cursor %d", upto)
	case upto > maxSeq:
		return fmt.Errorf("the index has no room for Seqs above %d", uint64(maxSeq))
	}
	return nil
}

// applier puts changes into the active table. x.mu is held.
type applier struct {
	x       *Index
	now     int64            // microseconds
	ended   map[jobKey]int64 // jobs that have ended, and when that is forgotten
	message []byte
}

func (a *applier) change(c *Change) {
	if c.TTL > 0 {
		expires := c.At.Add(c.TTL).UnixMicro()
		for i, id := range c.IDs {
			a.put(KindEvent, c.Project, id, c.Seqs[i], expires)
		}
	}
	a.receipts(c, c.At.Add(store.ReceiptTTL).UnixMicro())
}

func (a *applier) put(kind Kind, project, id string, seq entity.Seq, expires int64) {
	if live(expires, a.now) {
		a.x.active.put(entry{a.x.hash.key(kind, project, id, &a.message), uint64(seq), expires})
	}
}

// receipts writes what stays known of the block for store.ReceiptTTL after it.
func (a *applier) receipts(c *Change, expires int64) {
	if c.Job != JobNone && !a.job(c, expires) {
		return
	}
	if c.BatchID != "" && c.Job != JobAdded { // of a pending job, the job says it
		a.put(KindBatch, c.Project, c.BatchID, c.Block, expires)
	}
	for _, id := range c.Failed {
		if id != "" {
			a.put(KindFailed, c.Project, id, c.Block, expires)
		}
	}
}

// job makes a job pending, or ends it. It is false for one that was pending before, or had ended.
func (a *applier) job(c *Change, expires int64) bool {
	p, pending := a.x.pending[c.job()]
	if forgotten, ended := a.ended[c.job()]; ended && live(forgotten, c.At.UnixMicro()) {
		return false
	}
	if c.Job == JobAdded {
		if !pending {
			a.x.pending[c.job()] = pendingJob{Project: c.Project, ID: c.JobID, Batch: c.BatchID, Request: c.Block}
		}
		return !pending
	}
	delete(a.x.pending, c.job())
	if pending && p.Batch != "" && p.Batch != c.BatchID {
		// The end does not name the batch, but its receipt ends with the job.
		a.put(KindBatch, c.Project, p.Batch, c.Block, expires)
	}
	a.ended[c.job()] = expires
	a.put(KindJob, c.Project, c.JobID, c.Block, expires)
	return true
}
