package handover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// readAtOnce is how many records are handed on at once.
const readAtOnce = 5000

// Out copies what a Log has to a Warehouse that knows how far it is (Cursor), by the same Seqs as the Log's own indexer would.
type Out struct {
	Log store.Log
	To  store.Warehouse
	// Step is held while records are read and inserted: who holds it knows that what was erased from the Log before is either in To or will never be. Required.
	Step sync.Locker
	// Told is told how far it is after each step.
	Told func(at entity.Seq)
}

// Run copies until everything up to head has been written.
func (o *Out) Run(ctx context.Context, head entity.Seq) error {
	at, err := o.To.Cursor(ctx)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	for at < head {
		if at, err = o.step(ctx, at); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		o.Told(at)
	}
	if err := o.To.Flush(ctx); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}

func (o *Out) step(ctx context.Context, at entity.Seq) (entity.Seq, error) {
	o.Step.Lock()
	defer o.Step.Unlock()
	recs, upto, err := o.Log.Read(ctx, at, readAtOnce)
	if err != nil {
		return at, err
	}
	recs = slices.Clone(recs) // the Log may share its slice
	for i := range recs {
		if recs[i].Row == nil {
			if fields, failure := extract.Of(&recs[i]); failure == nil {
				recs[i].Row = fields.AppendRow(nil)
			}
		}
	}
	// What cannot be read is in the quarantine of the node, or will be.
	recs = slices.DeleteFunc(recs, func(r entity.Record) bool { return r.Row == nil })
	err = o.To.Insert(ctx, recs, upto)
	var poison *store.PoisonError
	for errors.As(err, &poison) {
		before := len(recs)
		recs = slices.DeleteFunc(recs, func(r entity.Record) bool { return slices.Contains(poison.Seqs, r.Seq) })
		if len(recs) == before {
			break
		}
		err = o.To.Insert(ctx, recs, upto)
	}
	if err != nil {
		return at, err
	}
	return upto, nil
}
