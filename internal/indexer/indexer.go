package indexer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Options are the settings of an Indexer. Log, Warehouse and Dir are required.
type Options struct {
	Log       store.Log
	Warehouse store.Warehouse
	// Dir holds the quarantine; it is created.
	Dir string
	// Now is the clock for quarantine entries and lag. Default time.Now.
	Now func() time.Time
	// Logger is told when the Warehouse fails and recovers, and of quarantined
	// records (never their content). Default: nobody.
	Logger *slog.Logger
	// MaxRecords is the most of one transaction. Default 10 000.
	MaxRecords int
	// Gather is the least time between two inserts while records keep coming and nobody asks (Refresh), in which they are
	// collected. Default 80 ms.
	Gather time.Duration
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.MaxRecords = cmp.Or(o.MaxRecords, 10_000)
	o.Gather = cmp.Or(o.Gather, 80*time.Millisecond)
	return o
}

const (
	// gatherBytes bounds the payloads of one transaction, beside MaxRecords: two of them are
	// in memory at once, with their fields.
	gatherBytes = 4 << 20
	// firstBackoff is the pause before a failed insert is tried again; each that follows is twice as long, up to maxBackoff.
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
	// idleAfter is how long nothing must have come before the Warehouse is told that it has
	// time (Checkpoint, when it has such a method).
	idleAfter = 2 * time.Second
)

// Indexer moves records from a Log to a Warehouse. Its methods are safe for
// concurrent use; Run must be called at most once.
type Indexer struct {
	o          Options
	quarantine *quarantine

	mu    sync.Mutex // guards all below
	stats store.IndexerStats
	// written is how much of it the Warehouse had written when it failed last.
	written    entity.Seq
	oldest     time.Time     // when the oldest record in hand was received; zero without one
	moved      chan struct{} // closed and replaced when the cursor moves, or the Warehouse fails
	refreshing refreshing
}

// New reads the quarantine and the Warehouse's cursor, which Run reads again.
func New(o Options) (*Indexer, error) {
	o = o.withDefaults()
	cursor, err := o.Warehouse.Cursor(context.Background())
	if err != nil {
		return nil, fmt.Errorf("read the warehouse's cursor: %w", err)
	}
	q, err := openQuarantine(o.Dir)
	if err != nil {
		return nil, err
	}
	x := &Indexer{o: o, quarantine: q, moved: make(chan struct{})}
	x.stats.Cursor = cursor
	return x, nil
}

// batch is what was read from the Log and waits to be inserted.
type batch struct {
	recs    []entity.Record
	refused []entry // records that Extract refuses
	upto    entity.Seq
	bytes   int // of payloads
}

// Run follows the Log until ctx ends, and then returns nil. It stops with an
// error only when the Log cannot be read any more: a failing Warehouse is tried
// again for as long as it takes.
func (x *Indexer) Run(ctx context.Context) error {
	if err := x.resume(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan batch) // reading and extracting runs beside the insert
	var readErr error
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(batches)
		readErr = x.read(ctx, batches)
	})
	err := x.insertAll(ctx, batches)
	cancel()
	reader.Wait()
	if err = errors.Join(readErr, err); err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// resume begins where the Warehouse is, which may not have known that when New asked.
func (x *Indexer) resume(ctx context.Context) error {
	cursor, err := x.o.Warehouse.Cursor(ctx)
	if err != nil {
		return fmt.Errorf("read the warehouse's cursor: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stats.Cursor = cursor
	return nil
}

// insertAll inserts what comes, and has the Warehouse tidy up when nothing does.
func (x *Indexer) insertAll(ctx context.Context, batches <-chan batch) error {
	idle := time.NewTimer(idleAfter)
	defer idle.Stop()
	failures := 0 // of tidy in a row
	for {
		select {
		case b, ok := <-batches:
			if !ok {
				return nil
			}
			if err := x.insert(ctx, b); err != nil {
				return err
			}
			idle.Reset(idleAfter)
		case <-idle.C: // once: the next batch winds it up again
			if err := x.tidy(ctx, failures); err == nil {
				failures = 0
			} else if ctx.Err() == nil {
				failures++
				x.failed(err, failures)
				idle.Reset(idleAfter)
			}
		}
	}
}

// tidy has the Warehouse write what it was given, after so many failures, and tells it that it has time now.
func (x *Indexer) tidy(ctx context.Context, failures int) error {
	if err := x.o.Warehouse.Flush(ctx); err != nil {
		return err
	}
	x.recovered(failures)
	x.checkpoint(ctx)
	return nil
}

// checkpoint tells the Warehouse that it has time now.
func (x *Indexer) checkpoint(ctx context.Context) {
	w, ok := x.o.Warehouse.(interface{ Checkpoint(context.Context) error })
	if !ok {
		return
	}
	if err := w.Checkpoint(ctx); err != nil && ctx.Err() == nil {
		// It is an optimization that comes again; nothing depends on it.
		x.o.Logger.Debug("warehouse checkpoint", "error", err)
	}
}

// CatchUp waits until everything that is in the Log now is written in the Warehouse or
// in quarantine. Run must be running.
func (x *Indexer) CatchUp(ctx context.Context) error {
	head := x.o.Log.Head()
	for {
		x.mu.Lock()
		cursor, moved := x.stats.Cursor, x.moved
		x.mu.Unlock()
		if cursor >= head {
			return x.flush(ctx)
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("catch up from %d to %d: %w", cursor, head, ctx.Err())
		}
	}
}

// flush has the Warehouse write what it was given; it tries until it succeeds.
func (x *Indexer) flush(ctx context.Context) error {
	for backoff := firstBackoff; ; backoff = min(2*backoff, maxBackoff) {
		err := x.o.Warehouse.Flush(ctx)
		if err == nil {
			return nil
		}
		if clock.Sleep(ctx, backoff) != nil {
			return fmt.Errorf("catch up: %w", err)
		}
	}
}

// Stats counts what was moved since New, and how it stands now. While the Warehouse cannot write, what it was given and has not
// written is behind.
func (x *Indexer) Stats() store.IndexerStats {
	head := x.o.Log.Head()
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.stats
	s.Quarantined = int64(x.quarantine.len())
	if s.Fault != "" {
		s.Cursor = x.written
	}
	if head > s.Cursor {
		s.Lag = head - s.Cursor
		if !x.oldest.IsZero() {
			s.OldestWait = max(0, x.o.Now().Sub(x.oldest))
		}
	}
	return s
}

// Quarantine lists the records in quarantine in the order of their Seq.
func (x *Indexer) Quarantine() []Quarantined { return x.quarantine.all() }
