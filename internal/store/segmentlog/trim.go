package segmentlog

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Trim implements store.Log. It keeps the newest segment and, whatever before
// says, those from the oldest pending job on: its request is an accepted one.
func (l *Log) Trim(ctx context.Context, before entity.Seq) error {
	if err := l.trim(ctx, before); err != nil {
		return fmt.Errorf("trim log: %w", err)
	}
	return nil
}

func (l *Log) trim(ctx context.Context, before entity.Seq) error {
	if err := l.takeMaint(ctx); err != nil {
		return err
	}
	defer l.giveMaint()
	if pending := l.index.PendingJobs(); len(pending) > 0 {
		before = min(before, pending[0])
	}
	l.mu.RLock()
	n := 0
	for n < len(l.segs)-1 && l.segs[n].sealed && l.segs[n].last < before {
		n++
	}
	olds := l.segs[:n:n]
	l.mu.RUnlock()
	return l.remove(olds)
}
