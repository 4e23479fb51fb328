package idindex

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/varint"
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

// Apply records what changes mean and moves the cursor to upto, in one atomic
// write that is not synced. The changes come in the Log's order, each behind the one
// before; those at or before the cursor were applied already and are skipped, so a
// replay changes nothing. While the disk takes no tables, it refuses before it would have to wait for one. Entries that have expired by now are not
// written: a replay of old blocks is cheap. Nothing is applied when an error returns.
func (x *Index) Apply(changes []Change, upto entity.Seq) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	cursor := x.Cursor()
	if upto <= cursor {
		return nil
	}
	if err := x.work.refuse(x.db, x.most); err != nil {
		return fmt.Errorf("apply to id index: %w", err)
	}
	b := x.db.NewBatch()
	defer b.Close() //nolint:errcheck // gives memory back; always nil
	a := applier{x: x, b: b, now: x.now().UnixMicro()}
	for i := range changes {
		c := &changes[i]
		if c.Block <= cursor {
			continue
		}
		if err := a.change(c, upto); err != nil {
			return fmt.Errorf("apply block %d to id index: %w", c.Block, err)
		}
	}
	marks := x.marks.Load() + a.marks
	x.buf = appendCursor(x.buf[:0], upto, marks)
	if err := b.Set([]byte{format, kindCursor}, x.buf, nil); err != nil {
		return fmt.Errorf("apply to id index: %w", err)
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("apply to id index: %w", err)
	}
	x.marks.Store(marks)
	x.cursor.Store(uint64(upto))
	return nil
}

// applier writes changes into one batch.
type applier struct {
	x     *Index
	b     *pebble.Batch
	now   int64               // microseconds
	marks int64               // written
	jobs  map[string]jobValue // written, by key
	due   []byte              // of the change at hand
}

func (a *applier) change(c *Change, upto entity.Seq) error {
	if len(c.IDs) != len(c.Seqs) {
		return fmt.Errorf("%d ids but %d seqs", len(c.IDs), len(c.Seqs))
	}
	if c.Block > upto {
		return fmt.Errorf("block lies behind the new cursor %d", upto)
	}
	if c.TTL > 0 && len(c.IDs) > 0 {
		if err := a.markIDs(c, c.At.Add(c.TTL).UnixMicro()); err != nil {
			return err
		}
	}
	return a.receipts(c)
}

// markIDs writes the marks of a block and the one key that names them when they expire.
func (a *applier) markIDs(c *Change, expires int64) error {
	if !live(expires, a.now) {
		return nil
	}
	x := a.x
	key := appendPrefix(x.buf[:0], kindMark, c.Project)
	prefix := len(key)
	due := prefix - 2 // the project with its length
	var exp [binary.MaxVarintLen64]byte
	ne := binary.PutVarint(exp[:], expires)
	var val [2 * binary.MaxVarintLen64]byte
	copy(val[:], exp[:ne])
	for i, id := range c.IDs {
		key = append(key[:prefix], id...)
		x.filter.add(x.filter.hash(key), expires, a.now)
		n := ne + binary.PutUvarint(val[ne:], uint64(c.Seqs[i]))
		if err := a.b.Set(key, val[:n], nil); err != nil {
			return err
		}
		due += 1 + uvarintLen(uint64(len(id))) + len(id)
	}
	x.buf = key
	a.marks += int64(len(c.IDs))
	op := a.b.SetDeferred(dueKeyLen, due)
	appendDueKey(op.Key[:0], kindMarkDue, x.due(kindMarkDue, expires), c.Block)
	v := varint.AppendString(op.Value[:0], c.Project)
	for _, id := range c.IDs {
		v = varint.AppendString(append(v, kindMark), id)
	}
	return op.Finish()
}

// receipts writes what stays known of the block for store.ReceiptTTL after it.
func (a *applier) receipts(c *Change) error {
	expires := c.At.Add(store.ReceiptTTL).UnixMicro()
	if c.Job == JobNone && !live(expires, a.now) {
		return nil
	}
	a.due = varint.AppendString(a.due[:0], c.Project)
	empty, keep := len(a.due), expires
	switch c.Job {
	case JobNone:
	case JobAdded:
		keep = 0 // the batch is known as long as its job is pending
		if changed, err := a.addJob(c); err != nil || !changed {
			return err
		}
	default:
		if changed, err := a.endJob(c, expires); err != nil || !changed {
			return err
		}
	}
	if c.BatchID != "" {
		if err := a.receipt(kindBatch, c, c.BatchID, keep); err != nil {
			return err
		}
	}
	for _, id := range c.Failed {
		if id == "" {
			continue
		}
		if err := a.receipt(kindFailed, c, id, expires); err != nil {
			return err
		}
	}
	if len(a.due) == empty {
		return nil
	}
	a.x.buf = appendDueKey(a.x.buf[:0], kindReceiptDue, a.x.due(kindReceiptDue, expires), c.Block)
	return a.b.Set(a.x.buf, a.due, nil)
}

// receipt writes one receipt that names the block, and remembers to sweep it.
func (a *applier) receipt(kind byte, c *Change, id string, expires int64) error {
	if expires != 0 {
		a.due = varint.AppendString(append(a.due, kind), id)
	}
	var val [2 * binary.MaxVarintLen64]byte
	a.x.buf = appendKey(a.x.buf[:0], kind, c.Project, id)
	return a.b.Set(a.x.buf, appendMark(val[:0], expires, c.Block), nil)
}

// addJob makes a job pending. It reports false for a job that is known.
func (a *applier) addJob(c *Change) (changed bool, err error) {
	key := appendKey(nil, kindJob, c.Project, c.JobID)
	if _, known, err := a.job(key, c.At.UnixMicro()); err != nil || known {
		return false, err
	}
	if err := a.b.Set(appendPendingKey(nil, c.Block), nil, nil); err != nil {
		return false, err
	}
	job := jobValue{request: c.Block, status: c.Job, created: c.At.UnixMicro(), batchID: c.BatchID}
	return true, a.setJob(key, job)
}

// endJob writes a job's end. It reports false for a job that had ended before.
func (a *applier) endJob(c *Change, expires int64) (changed bool, err error) {
	key := appendKey(nil, kindJob, c.Project, c.JobID)
	job, known, err := a.job(key, c.At.UnixMicro())
	if err != nil || known && job.result != 0 {
		return false, err
	}
	if !known { // its request was trimmed from the Log
		job.created, job.batchID = c.At.UnixMicro(), c.BatchID
	} else if err := a.b.Delete(appendPendingKey(nil, job.request), nil); err != nil {
		return false, err
	}
	if job.batchID != "" && job.batchID != c.BatchID {
		// The end does not name the batch, but its receipt ends with the job.
		if err := a.receipt(kindBatch, c, job.batchID, expires); err != nil {
			return false, err
		}
	}
	job.result, job.status, job.completed, job.expires = c.Block, c.Job, c.At.UnixMicro(), expires
	a.due = varint.AppendString(append(a.due, kindJob), c.JobID)
	return true, a.setJob(key, job)
}

// job reads a job as the changes before this one left it. One that had expired
// at micros is unknown, whether or not it was swept.
func (a *applier) job(key []byte, micros int64) (jobValue, bool, error) {
	job, ok := a.jobs[string(key)]
	if !ok {
		var err error
		if job, ok, err = a.x.getJob(key); err != nil || !ok {
			return jobValue{}, false, err
		}
	}
	if !live(job.expires, micros) {
		return jobValue{}, false, nil
	}
	return job, true, nil
}

func (a *applier) setJob(key []byte, job jobValue) error {
	if a.jobs == nil {
		a.jobs = map[string]jobValue{}
	}
	a.jobs[string(key)] = job
	return a.b.Set(key, job.append(nil), nil)
}

func uvarintLen(u uint64) int {
	n := 1
	for ; u >= 0x80; u >>= 7 {
		n++
	}
	return n
}
