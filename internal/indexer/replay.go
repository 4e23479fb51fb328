package indexer

import (
	"context"
	"errors"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Replay offers every record in quarantine to the Warehouse again, and returns
// how many it took and how many stay. A record that the Log has no longer
// (trimmed or erased) leaves the list too and counts as neither. Run may be
// running beside it.
func (x *Indexer) Replay(ctx context.Context) (replayed, left int, err error) {
	for _, q := range x.quarantine.all() {
		took, err := x.replayOne(ctx, entity.Seq(q.Seq))
		if err != nil {
			return replayed, x.quarantine.len(), fmt.Errorf("replay seq %d: %w", q.Seq, err)
		}
		if took {
			replayed++
		}
	}
	return replayed, x.quarantine.len(), nil
}

// replayOne inserts one record. One at a time: in a batch, a poisoned record
// would keep the others out, and there are few.
func (x *Indexer) replayOne(ctx context.Context, seq entity.Seq) (took bool, err error) {
	recs, err := x.o.Log.Get(ctx, []entity.Seq{seq})
	if err != nil {
		return false, err
	}
	for i := range recs {
		if fillRow(&recs[i]) != nil {
			return false, nil // it stays
		}
		// The cursor is far past it, and stays where it is.
		err := x.o.Warehouse.Insert(ctx, recs[i:i+1], 0)
		if err == nil { // no cursor says after a crash that it is to be inserted again
			err = x.o.Warehouse.Flush(ctx)
		}
		var poison *store.PoisonError
		if errors.As(err, &poison) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		took = true
	}
	return took, x.quarantine.write([]entry{{Quarantined: Quarantined{Seq: uint64(seq)}, Left: true}})
}
