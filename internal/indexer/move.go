package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// read reads batches from the Log until ctx ends or reading fails.
func (x *Indexer) read(ctx context.Context, batches chan<- batch) error {
	x.mu.Lock()
	at := x.stats.Cursor
	x.mu.Unlock()
	var last time.Time // when a batch was handed on
	for {
		b, err := x.gather(ctx, at, last.Add(x.o.Gather))
		if err != nil {
			return err
		}
		select {
		case batches <- b:
			at, last = b.upto, time.Now()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gather waits for records after at and collects those that follow, until there are enough, the time
// for it is over or somebody asks: what comes after a pause goes on at once.
func (x *Indexer) gather(ctx context.Context, at entity.Seq, until time.Time) (batch, error) {
	b := batch{upto: at}
	if err := x.more(ctx, &b); err != nil {
		return b, err
	}
	window, cancel := x.window(ctx, at, until)
	defer cancel()
	for window.Err() == nil && len(b.recs) < x.o.MaxRecords && b.bytes < gatherBytes {
		if err := x.more(window, &b); err != nil {
			if window.Err() != nil && ctx.Err() == nil {
				break // the time is over
			}
			return b, err
		}
	}
	return b, nil
}

// more reads once into b, and reads again what records from disk say.
func (x *Indexer) more(ctx context.Context, b *batch) error {
	recs, upto, err := x.o.Log.Read(ctx, b.upto, x.o.MaxRecords-len(b.recs))
	if err != nil {
		return fmt.Errorf("read the log after %d: %w", b.upto, err)
	}
	if len(recs) > 0 {
		x.waiting(recs[0].ReceivedAt)
	}
	recs = slices.Clone(recs) // the Log may share its slice; rows are set below
	for i := range recs {
		b.bytes += len(recs[i].Event.Payload)
		if failure := fillRow(&recs[i]); failure != nil {
			b.refused = append(b.refused, x.entry(&recs[i], failure.Message))
		}
	}
	if b.refused != nil {
		recs = slices.DeleteFunc(recs, func(r entity.Record) bool { return r.Row == nil })
	}
	b.recs = append(b.recs, recs...)
	b.upto = upto
	return nil
}

// fillRow sets the Row of a record that was read back from disk.
func fillRow(r *entity.Record) *wire.BatchEventError {
	if r.Row != nil {
		return nil
	}
	fields, failure := extract.Of(r)
	if failure == nil {
		r.Row = fields.AppendRow(nil)
	}
	return failure
}

// waiting notes when the oldest record in hand was received.
func (x *Indexer) waiting(since time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.oldest.IsZero() {
		x.oldest = since
	}
}

func (x *Indexer) entry(r *entity.Record, reason string) entry {
	return entry{Quarantined: Quarantined{
		Seq: uint64(r.Seq), Project: r.Project, EventID: r.Event.ID, EventType: string(r.Event.Type),
		Reason: reason, At: x.o.Now().UTC(),
	}}
}

// insert gets the batch into the Warehouse, what it refuses into quarantine,
// and returns an error only when ctx ends first. A failed transaction is tried
// again with half of it, as it may have been too much at once; after a success
// the next is twice as large.
func (x *Indexer) insert(ctx context.Context, b batch) error {
	size, failures, backoff := len(b.recs), 0, firstBackoff
	for {
		part := b.first(size)
		if err := x.insertOnce(ctx, part); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			failures++
			x.failed(err, failures)
			if err := clock.Sleep(ctx, backoff); err != nil {
				return err
			}
			backoff = min(2*backoff, maxBackoff)
			size = max(1, len(part.recs)/2)
			continue
		}
		x.recovered(failures)
		b.recs, b.refused = b.recs[len(part.recs):], nil
		x.progress(part, len(b.recs) > 0)
		if part.upto >= b.upto {
			return nil
		}
		size, failures, backoff = 2*len(part.recs), 0, firstBackoff
	}
}

// first is the part of b with its first n records.
func (b batch) first(n int) batch {
	if n < len(b.recs) {
		// All before the record that follows is in this part, or refused.
		b.upto = b.recs[n].Seq - 1
		b.recs = b.recs[:n]
	}
	return b
}

// insertOnce quarantines what must be and inserts the rest.
func (x *Indexer) insertOnce(ctx context.Context, b batch) error {
	refused := b.refused
	recs := b.recs
	for {
		if len(refused) > 0 {
			// Durable before the cursor passes them.
			if err := x.quarantine.write(refused); err != nil {
				return err
			}
			for _, e := range refused {
				x.o.Logger.Warn("record put into quarantine", "seq", e.Seq, "project", e.Project, "event_id", e.EventID, "error", e.Reason)
			}
		}
		err := x.o.Warehouse.Insert(ctx, recs, b.upto)
		var poison *store.PoisonError
		if !errors.As(err, &poison) {
			return err
		}
		if recs, refused = x.split(recs, poison); len(refused) == 0 {
			return fmt.Errorf("the warehouse refuses records that were not offered: %w", err)
		}
	}
}

// split takes the poisoned records out.
func (x *Indexer) split(recs []entity.Record, poison *store.PoisonError) (rest []entity.Record, refused []entry) {
	bad := make(map[entity.Seq]bool, len(poison.Seqs))
	for _, s := range poison.Seqs {
		bad[s] = true
	}
	for i := range recs {
		if bad[recs[i].Seq] {
			refused = append(refused, x.entry(&recs[i], poison.Err.Error()))
		} else {
			rest = append(rest, recs[i])
		}
	}
	return rest, refused
}

// progress tells everyone how far it has come.
func (x *Indexer) progress(b batch, more bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stats.Cursor = b.upto
	x.stats.Inserted += int64(len(b.recs))
	x.stats.Batches++
	if !more {
		x.oldest = time.Time{}
	}
	x.wake()
}

// wake has whoever waits look again. x.mu is held.
func (x *Indexer) wake() {
	close(x.moved)
	x.moved = make(chan struct{})
}

func (x *Indexer) failed(err error, failures int) {
	written, unknown := x.o.Warehouse.Cursor(context.Background())
	x.mu.Lock()
	if unknown == nil {
		x.written = min(written, x.stats.Cursor)
	}
	x.stats.Retries++
	x.stats.Fault = err.Error()
	x.wake()
	x.mu.Unlock()
	if failures == 1 {
		x.o.Logger.Error("the warehouse cannot write; trying until it succeeds", "error", err)
	}
}

func (x *Indexer) recovered(failures int) {
	x.mu.Lock()
	x.stats.Fault = ""
	x.mu.Unlock()
	if failures > 0 {
		x.o.Logger.Info("the warehouse takes inserts again", "failures", failures)
	}
}
