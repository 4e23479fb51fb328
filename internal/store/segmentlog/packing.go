package segmentlog

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/brokle-ai/brokle-go/internal/lowprio"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// packPause is how long packing is left alone after it failed, for instance for want of disk space.
const packPause = time.Minute

// packing tidies until ctx ends or the Log is closed, whenever there is something to do.
func (l *Log) packing(ctx context.Context) {
	runtime.LockOSThread() // and never unlocked: a priority cannot be raised again, so the thread ends with the goroutine
	lowprio.Lower()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	var pause <-chan time.Time
	for {
		work, tick := l.toPack, look.C
		if pause != nil {
			work, tick = nil, nil
		}
		select {
		case <-ctx.Done():
			return
		case <-l.closing:
			return
		case <-pause:
			pause = nil
		case <-work:
		case <-tick:
		}
		err := l.tidy(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
			l.o.Logger.Warn("packing the log failed, it will be tried again", "error", err)
			pause = time.After(packPause)
		}
	}
}

// tidy does all that is due in the background: first what is new is packed, and when nothing comes any more, what is small is made one.
func (l *Log) tidy(ctx context.Context) error {
	works := [...]func(context.Context) (bool, error){l.packSome, l.filterOne, l.sealIdle, l.merge}
	for i := 0; i < len(works); i++ {
		more, err := works[i](ctx)
		if err != nil {
			return err
		}
		if more {
			i = -1
		}
	}
	return nil
}

func (l *Log) idle() bool { return l.o.Now().Sub(micros(l.lastAppend.Load())) >= l.o.IdleAfter }

// sealIdle seals the segment that is appended to when nothing comes any more, and it is worth it. It reports whether it did.
func (l *Log) sealIdle(ctx context.Context) (bool, error) {
	l.mu.RLock()
	n := len(l.segs)
	worth := n > 0 && !l.segs[n-1].sealed && l.worthPacking(l.segs[n-1])
	l.mu.RUnlock()
	if !worth || !l.idle() {
		return false, nil
	}
	if err := l.enter(); err != nil {
		return false, err
	}
	defer l.exit()
	return true, l.sealNewest(ctx)
}

// sealNewest ends the segment that is appended to. The caller has entered.
func (l *Log) sealNewest(ctx context.Context) error {
	r := l.newRequest(0)
	defer l.free(r)
	if err := l.send(ctx, r); err != nil {
		return err
	}
	<-r.done
	return r.err
}
