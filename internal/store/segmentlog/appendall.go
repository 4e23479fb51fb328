package segmentlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// AppendAll appends batches one behind the other, as Append would, and waits for all of them: they share syncs. There is an Outcome for each event of
// each batch, in their order. With an error some batches, the first ones, may have been appended.
func (l *Log) AppendAll(ctx context.Context, batches []*store.Batch) (outcomes [][]store.Outcome, err error) {
	sent := make([]*request, 0, len(batches))
	for _, b := range batches {
		r := l.newRequest(kindEvents)
		if err = l.prepare(r, b); err == nil {
			err = l.queued(ctx, r)
		}
		if err != nil {
			l.free(r)
			break
		}
		sent = append(sent, r)
	}
	for _, r := range sent {
		<-r.done
		err = errors.Join(err, r.err)
		outcomes = append(outcomes, r.outcomes)
		l.free(r)
	}
	if err != nil {
		return outcomes, fmt.Errorf("append batches: %w", err)
	}
	return outcomes, nil
}

// queued queues r, which the committer decides in its turn.
func (l *Log) queued(ctx context.Context, r *request) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.exit()
	return l.send(ctx, r)
}
