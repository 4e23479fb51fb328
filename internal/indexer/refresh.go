package indexer

import (
	"context"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// refreshWithin is how long Refresh waits at most.
const refreshWithin = 250 * time.Millisecond

// refreshing is what questions wait for. It is guarded by Indexer.mu.
type refreshing struct {
	wanted entity.Seq         // the Log up to here is to be handed on without gathering more
	end    context.CancelFunc // ends the gathering under way; nil: there was none yet
	missed entity.Seq         // somebody waited in vain for the Log up to here
}

// Refresh hands on what the Log has now, and waits until the Warehouse has taken it or it is in quarantine: a question that is asked then
// knows all that was stored before. Many callers share one insert. It waits for 250 ms at most, and not at all while
// that would be in vain: the Warehouse takes nothing, more is behind than one insert takes, or what somebody else waited
// for in vain is still not there. Run must be running.
func (x *Indexer) Refresh(ctx context.Context) {
	head := x.o.Log.Head()
	moved, wait := x.want(head)
	if !wait {
		return
	}
	over := time.NewTimer(refreshWithin)
	defer over.Stop()
	for wait {
		select {
		case <-moved:
			moved, wait = x.want(head)
		case <-over.C:
			x.miss(head)
			return
		case <-ctx.Done():
			return
		}
	}
}

// want has the Log up to head handed on soon. wait says that it is worth waiting for: until moved is closed, and then again.
func (x *Indexer) want(head entity.Seq) (moved <-chan struct{}, wait bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	cursor, r := x.stats.Cursor, &x.refreshing
	if head <= cursor || x.stats.Fault != "" || cursor < r.missed || head-cursor > entity.Seq(x.o.MaxRecords) {
		return nil, false
	}
	if head > r.wanted {
		r.wanted = head
		if r.end != nil {
			r.end()
		}
	}
	return x.moved, true
}

// miss notes that the Log up to head was waited for in vain.
func (x *Indexer) miss(head entity.Seq) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.refreshing.missed = max(x.refreshing.missed, head)
}

// window ends at until, or as soon as somebody wants what comes after at: what the batch then lacks of that, the next one has at once.
func (x *Indexer) window(ctx context.Context, at entity.Seq, until time.Time) (context.Context, context.CancelFunc) {
	window, cancel := context.WithDeadline(ctx, until)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.refreshing.end = cancel; x.refreshing.wanted > at {
		cancel()
	}
	return window, cancel
}
