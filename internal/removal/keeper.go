package removal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// KeeperOptions are the settings of a Keeper. Log, Warehouse and Indexer are required.
type KeeperOptions struct {
	Log       store.Log
	Warehouse store.Warehouse
	Indexer   Indexer
	Retention store.Retention
	// Every is the time between two passes. Default: a tenth of the shortest
	// retention, at least 30 s and at most 5 minutes: passes that follow each other soon take the
	// same rows apart again and again.
	Every time.Duration
	// Now is the clock that events grow old by. Default time.Now.
	Now func() time.Time
	// Expired is the file that says up to when events were removed, before the Warehouse loses the
	// first of them. When it cannot be written, the pass fails. "": there is none.
	Expired string
	// Logger is told when a pass fails and when one succeeds again. Default: nobody.
	Logger *slog.Logger
}

// Indexer is what fills the Warehouse, as far as retention needs it.
type Indexer interface {
	// Stats says how far the Warehouse has come: what lies behind that stays.
	Stats() store.IndexerStats
	// ForgetGone drops the records from the quarantine that the Log does not have any more.
	ForgetGone(ctx context.Context) error
}

const (
	leastEvery = 30 * time.Second
	mostEvery  = 5 * time.Minute
)

// Keeper removes what has expired. Its methods may be called concurrently.
type Keeper struct {
	o KeeperOptions

	pass sync.Mutex // one at a time

	mu    sync.Mutex // guards stats
	stats store.RetentionStats
}

// NewKeeper hides what has expired now, so that nothing of it is shown or indexed from the start.
func NewKeeper(o KeeperOptions) *Keeper {
	if o.Every <= 0 {
		o.Every = min(max(o.Retention.Shortest()/10, leastEvery), mostEvery)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{o: o}
	if k.enabled() {
		o.Log.Hide(k.cutoffs())
	}
	return k
}

func (k *Keeper) enabled() bool { return k.o.Retention.Shortest() > 0 }

func (k *Keeper) cutoffs() store.Cutoffs {
	return store.Cutoffs{Now: k.o.Now(), Retention: k.o.Retention}
}

// Run makes a pass at once and then one each KeeperOptions.Every, until ctx ends; then
// it returns nil. With nothing to expire it only waits.
func (k *Keeper) Run(ctx context.Context) error {
	if !k.enabled() {
		<-ctx.Done()
		return nil
	}
	pass := func() { _ = k.Pass(ctx) } // its failure is logged and in Stats, and the next pass does the same again
	pass()
	clock.Every(ctx, k.o.Every, pass)
	return nil
}

// Pass hides what has expired now, removes it from the Warehouse, and then from
// the quarantine and the Log what is due.
func (k *Keeper) Pass(ctx context.Context) error {
	k.pass.Lock()
	defer k.pass.Unlock()
	c := k.cutoffs()
	k.o.Log.Hide(c)
	var rows int64
	var err error
	if k.o.Expired != "" {
		err = noteExpired(k.o.Expired, c)
	}
	if err == nil {
		rows, err = k.o.Warehouse.Expire(ctx, c)
	}
	// The Warehouse may be away for long; the disk of the Log is not to grow for that.
	err = errors.Join(err, k.o.Indexer.ForgetGone(ctx), k.o.Log.Expire(ctx, k.o.Indexer.Stats().Cursor))
	k.done(ctx, c.Now, rows, err)
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	return nil
}

// done counts a pass.
func (k *Keeper) done(ctx context.Context, at time.Time, rows int64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.stats.Fault
	k.stats.Rows += rows
	switch {
	case err == nil:
		k.stats.Passes++
		k.stats.Last, k.stats.Fault = at, ""
		if before != "" {
			k.o.Logger.Info("retention works again")
		}
	case ctx.Err() != nil: // it was stopped
	default:
		k.stats.Fault = err.Error()
		if before == "" {
			k.o.Logger.Warn("retention could not remove everything that has expired; the next pass tries again", "error", err)
		}
	}
}

// Stats counts what was done since NewKeeper.
func (k *Keeper) Stats() store.RetentionStats {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}
