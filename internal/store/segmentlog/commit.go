package segmentlog

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
)

// The most that one group commit takes.
const (
	groupRequests = 1024
	groupBytes    = 16 << 20
)

// committer is the one goroutine that decides what is a duplicate, gives out
// Seqs, and writes. All its fields are its own.
type committer struct {
	*Log
	next entity.Seq // to give out
	out  writer     // the active segment

	// What is durable but not yet in the index, after Apply failed. Nothing is
	// decided before it is applied: an index behind the Log would call a
	// duplicate new.
	owed     []idindex.Change
	owedUpto entity.Seq

	group   []*request
	changes []idindex.Change
	buf     []byte
	fresh   map[idKey]struct{} // ids stored by this group
	grown   int                // bytes of bodies since the packer was woken
}

type idKey struct{ project, id string }

// run takes what waits and commits it, until the queue is closed and empty.
func (c *committer) run() {
	c.fresh = map[idKey]struct{}{}
	for r := range c.queue {
		c.group = append(c.group[:0], r)
		c.gather()
		c.commit()
		for i, r := range c.group {
			c.group[i] = nil
			r.done <- struct{}{} // the requester owns r again
		}
	}
	if err := c.out.close(); err != nil {
		c.o.Logger.Warn("closing the active segment failed; it is synced", "error", err)
	}
}

// gather adds the requests that wait already. A request to seal ends the group.
func (c *committer) gather() {
	size := 0
	for {
		r := c.group[len(c.group)-1]
		size += len(r.meta) + len(r.body)
		if r.kind == 0 || len(c.group) >= groupRequests || size >= groupBytes {
			return
		}
		select {
		case next, ok := <-c.queue:
			if !ok {
				return
			}
			c.group = append(c.group, next)
		default:
			return
		}
	}
}

// commit decides the group, makes it durable with one sync, and publishes it.
func (c *committer) commit() {
	now := c.o.Now()
	err := c.payIndex()
	if err == nil {
		err = c.decide(now)
	}
	if err == nil {
		err = c.write(now)
	}
	if err != nil {
		c.refuse(err)
		return
	}
	if len(c.owed) == 0 {
		c.fault.Store(nil)
	}
	if r := c.group[len(c.group)-1]; r.kind == 0 {
		c.seal()
	}
}

// payIndex applies what an earlier group still owes the index.
func (c *committer) payIndex() error {
	if len(c.owed) == 0 {
		return nil
	}
	if err := c.index.Apply(c.owed, c.owedUpto); err != nil {
		return fmt.Errorf("id index: %w", err)
	}
	c.owed = nil
	return nil
}

// refuse answers the group with an error that wraps store.ErrUnavailable.
// Requests that were decided without a write keep their answer.
func (c *committer) refuse(err error) {
	why := err.Error()
	if old := c.fault.Swap(&why); old == nil || *old != why {
		c.o.Logger.Error("the log cannot store now", "error", err)
	}
	for _, r := range c.group {
		if r.err == nil {
			r.outcomes, r.err = nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		}
	}
}

// decide sets the outcomes of every request of the group, in order.
func (c *committer) decide(now time.Time) error {
	clear(c.fresh)
	for _, r := range c.group {
		if r.kind != kindEvents {
			continue
		}
		for i := range r.outcomes {
			r.outcomes[i] = store.Stored
		}
		if !r.dedup.Enabled {
			continue
		}
		duplicates, err := c.mark(r, now)
		if err != nil {
			return err
		}
		if duplicates > 0 && r.dedup.FailOnDuplicate {
			for i, o := range r.outcomes {
				if o == store.Stored {
					delete(c.fresh, idKey{r.batch.project, r.block.ids[i]})
				}
			}
			r.header.dups = nil
			r.err = store.ErrDuplicate
		}
	}
	return nil
}

// mark looks the ids of r up in the index and among those of this group.
func (c *committer) mark(r *request, now time.Time) (duplicates int, err error) {
	ids := r.block.ids
	n := len(ids)
	r.entry = slices.Grow(r.entry[:0], n)[:n]
	if err := c.index.Seen(r.batch.project, ids, now, r.entry); err != nil {
		return 0, fmt.Errorf("id index: %w", err)
	}
	for i, id := range ids {
		if r.entry[i].Seq == 0 {
			before := len(c.fresh)
			c.fresh[idKey{r.batch.project, id}] = struct{}{}
			if len(c.fresh) > before {
				continue
			}
		}
		if r.header.dups == nil {
			r.header.dups = make(bitmap, bitmapLen(n))
		}
		r.header.dups.set(i)
		r.outcomes[i] = store.Duplicate
		duplicates++
	}
	if duplicates == n { // nothing to keep: the header and the ids are the receipt
		r.body = r.body[:0]
		r.header.setBody(nil, nil)
		r.block.events = nil
	}
	return duplicates, nil
}

// write gives the group its Seqs and makes it durable.
func (c *committer) write(now time.Time) error {
	size := int64(0)
	for _, r := range c.group {
		if r.writes() {
			size += int64(headerLen+len(r.header.dups)) + int64(len(r.meta)+len(r.body))
		}
	}
	if size == 0 {
		return nil
	}
	c.lastAppend.Store(now.UnixMicro())
	if c.out.seg != nil && c.out.seg.end > headerLen && c.out.seg.end+size > c.o.SegmentBytes {
		c.seal()
	}
	c.buf = slices.Grow(c.buf[:0], int(size)+headerLen)
	if c.out.seg == nil {
		header, err := c.out.begin(c.Log, c.next, now)
		if err != nil {
			return err
		}
		c.buf = header.append(c.buf)
	}
	upto := c.assemble(now)
	created, err := c.out.write(c.Log, c.buf)
	if err != nil {
		c.abandon()
		return err
	}
	if err := c.index.Apply(c.changes, upto); err != nil {
		// Durable, so the answer is yes; the next group has to wait for the index.
		c.o.Logger.Error("id index refused a write; appends stop until it takes it", "error", err)
		why := "id index: " + err.Error()
		c.fault.Store(&why)
		c.owe(upto)
	}
	c.next = upto + 1
	c.publish(upto, created)
	return nil
}

func (r *request) writes() bool { return r.kind != 0 && r.err == nil }

// assemble appends the group's blocks to buf, collects what they mean to the
// index, and returns the last Seq.
func (c *committer) assemble(now time.Time) entity.Seq {
	seq := c.next
	c.changes = c.changes[:0]
	for _, r := range c.group {
		if !r.writes() {
			continue
		}
		r.header.salt, r.header.first, r.header.committed = c.out.seg.salt, seq, now.UnixMicro()
		c.buf = r.header.append(c.buf)
		c.buf = append(c.buf, r.meta...)
		c.buf = append(c.buf, r.body...)
		r.number()
		c.changes = append(c.changes, r.change())
		seq = r.header.last() + 1
	}
	return seq - 1
}

// number gives the stored events their Seqs, and takes the duplicates out of what the index gets.
func (r *request) number() {
	dups := r.header.dups
	for i, id := range r.block.ids {
		if dups.get(i) {
			continue
		}
		r.seqs = append(r.seqs, r.header.first+entity.Seq(i))
		if dups != nil {
			r.keep = append(r.keep, id)
		}
	}
}

func (r *request) change() idindex.Change {
	c := idindex.Change{
		Project: r.batch.project, BatchID: r.batch.id, JobID: r.batch.job, Block: r.header.first,
		At: changeTime(r.job, r.header.committed, r.batch.received), Job: r.job, Failed: r.failed,
	}
	if r.dedup.Enabled {
		c.TTL, c.IDs, c.Seqs = r.batch.ttl, r.block.ids, r.seqs
		if r.header.dups != nil {
			c.IDs = r.keep
		}
	}
	return c
}

// changeTime is where a change's expiry counts from. Events count from
// acceptance, which is the commit: a job may have waited long before it.
// Recovery computes the same from the block.
func changeTime(job idindex.JobChange, committed, received int64) time.Time {
	if job == idindex.JobAdded {
		return time.UnixMicro(received).UTC()
	}
	return time.UnixMicro(committed).UTC()
}

// owe keeps the group's changes until the index takes them. Their memory is the
// requests', so it is copied.
func (c *committer) owe(upto entity.Seq) {
	for _, ch := range c.changes {
		ch.IDs, ch.Seqs, ch.Failed = slices.Clone(ch.IDs), slices.Clone(ch.Seqs), slices.Clone(ch.Failed)
		c.owed = append(c.owed, ch)
	}
	c.owedUpto = upto
}

// publish shows the durable group to readers.
func (c *committer) publish(upto entity.Seq, created bool) {
	seg, off := c.out.seg, c.out.seg.end
	grown := 0
	seg.mu.Lock()
	for _, r := range c.group {
		if !r.writes() {
			continue
		}
		seg.note(&r.header, off)
		off += r.header.size()
		grown += int(r.header.bodyRaw)
		c.tail.push(r.decided())
		c.batches.Add(1)
		c.stored.Add(int64(len(r.seqs)))
		c.duplicates.Add(int64(len(r.outcomes) - len(r.seqs)))
	}
	seg.mu.Unlock()
	c.fsyncs.Add(1)

	c.mu.Lock()
	defer c.mu.Unlock()
	seg.end, seg.last, c.head = off, upto, upto
	if created {
		c.segs = append(c.segs, seg)
	}
	close(c.news)
	c.news = make(chan struct{})
	if c.grown += grown; c.grown >= c.o.packBytes {
		c.wakePacker()
	}
}

// wakePacker says that there is something to pack. The packer looks by itself, too, but less often.
func (c *committer) wakePacker() {
	c.grown = 0
	select {
	case c.toPack <- struct{}{}:
	default:
	}
}

// decided is the block as it was written.
func (r *request) decided() *block {
	r.batch.first, r.batch.committed = r.header.first, r.header.committed
	r.block.blockHeader, r.block.batches, r.block.length = r.header, []batch{r.batch}, r.header.size()
	return r.block
}

// seal ends the active segment; the next write begins another.
func (c *committer) seal() {
	c.end("closing a segment failed; it is synced", func(*segment) error { return nil })
}

// abandon ends the active segment at its last durable byte after a failed write.
// What the write left behind it lies above the next segment's base, so
// nobody will read it, and a file without a durable block is made anew.
func (c *committer) abandon() {
	c.end("the rest of a failed write stays behind the segment", func(seg *segment) error { return truncateFile(c.out.file, seg.end) })
}

func (c *committer) end(trouble string, first func(*segment) error) {
	seg := c.out.seg
	if seg == nil {
		return
	}
	if err := errors.Join(first(seg), c.out.close()); err != nil {
		c.o.Logger.Warn(trouble, "error", err)
	}
	c.mu.Lock()
	seg.sealed = true
	c.mu.Unlock()
	c.wakePacker()
}
