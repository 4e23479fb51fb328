package duckstore

import (
	"context"
	"fmt"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Reprice gives calls other costs in one transaction, from what their rows hold: nothing is folded from the Log but the few calls whose rows do not say
// enough. The calls are read, priced and written a piece at a time, and the sums of their traces with them; then it is found anew what counts in the
// traces where a cost came or went. Inserts wait for it, and questions see all as before or all as after.
func (w *Warehouse) Reprice(ctx context.Context, r *store.Repricing) (store.Tally, error) {
	p := &repricing{Repricing: r, w: w, ctx: ctx}
	err := w.reprice(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("reprice: %w", err)
	}
	return p.tally, nil
}

func (w *Warehouse) reprice(ctx context.Context, p *repricing) error {
	if err := w.mu.wait(ctx); err != nil {
		return err
	}
	defer w.mu.Unlock()
	if err := w.flush(false); err != nil {
		return err
	}
	if err := w.ready(); err != nil {
		return err
	}
	if err := w.writing(p.run); err != nil {
		return err
	}
	if p.Done == nil {
		return nil
	}
	w.forget() // what families know of costs
	if w.inserted += p.changed; w.muchToCheckpoint() {
		w.rouse()
	}
	return p.Done()
}

// repricing is one run of Reprice.
type repricing struct {
	*store.Repricing
	w   *Warehouse
	ctx context.Context
	in  *rowReader
	// Traces whose sums are made anew of all their observations, and those where what counts is found anew of all of them: a call that hangs below
	// something carries no cost any more, or more than steps that are no calls is above one that carries one now.
	whole, flipped *hashes
	tally          store.Tally
	changed        int
	unsure         []int64 // rows that do not say all that their costs depend on
}

// pieceRows is about how many calls are read, priced and written at a time. As many have one written at most.
const pieceRows = 100_000

// The tables of a transaction that reprices. They are gone with it.
var (
	repricedColumns = []column{
		{"of", "BIGINT"}, {"input_cost", "DOUBLE"}, {"cache_read_cost", "DOUBLE"}, {"cache_write_cost", "DOUBLE"}, {"output_cost", "DOUBLE"}, {"total_cost", "DOUBLE"},
		{"cost_source", "VARCHAR"}, {"cost_reason", "VARCHAR"},
	}
	recountedColumns = []column{{"of", "BIGINT"}, {"counts_tokens", "BOOLEAN"}, {"counts_cost", "BOOLEAN"}, {"counted", "BOOLEAN"}}
	summedColumns    = []column{{"of", "BIGINT"}, {"total_cost", "DOUBLE"}, {"unpriced_count", "BIGINT"}}
	hashColumns      = []column{{"hash", "BIGINT"}}
	repricingTables  = []tableLayout{
		{"repriced", repricedColumns}, {"recounted", recountedColumns}, {"summed", summedColumns},
		{"touched", hashColumns}, {"whole", hashColumns}, {"flipped", hashColumns}, {"rolled", hashColumns},
	}
)

// run is all of it, in a transaction. It may be run again after it failed.
func (p *repricing) run() error {
	p.in, p.tally, p.changed, p.unsure = newRowReader(entity.PricedBy()), store.Tally{}, 0, nil
	if p.Done == nil {
		return p.w.transact(p.look)
	}
	p.w.forget()
	return p.w.transact(p.write)
}

// look tells what would become of the calls.
func (p *repricing) look() error {
	if err := p.inPieces(func(*pricedPiece) error { return nil }); err != nil {
		return err
	}
	return p.lookAtUnsure()
}

// write gives them their costs.
func (p *repricing) write() error {
	if err := p.begin(); err != nil {
		return err
	}
	err := p.inPieces(p.finish)
	if err == nil {
		err = p.foldUnsure()
	}
	if err == nil && p.changed > 0 {
		if err = p.recountFlipped(); err == nil {
			err = p.addUp()
		}
	}
	if err == nil {
		err = p.end()
	}
	return err
}

// begin makes the tables of the transaction.
func (p *repricing) begin() error {
	for _, t := range repricingTables {
		if err := p.w.write.exec("CREATE OR REPLACE TEMP TABLE " + createTable(t.name, t.columns)[len("CREATE TABLE "):]); err != nil {
			return err
		}
	}
	p.whole, p.flipped = &hashes{table: "whole"}, &hashes{table: "flipped"}
	return nil
}

func (p *repricing) end() error {
	for _, t := range repricingTables {
		if err := p.w.write.exec("DROP TABLE temp." + t.name); err != nil {
			return err
		}
	}
	return nil
}

// carries says whether an observation of that cost carries one: see entity.Count.
func carries(cost *float64) bool { return cost != nil && *cost != 0 }

// tempAppender is appender of a table of the transaction.
func (w *Warehouse) tempAppender(table string, c *chunk) (*appender, error) {
	a := &appender{chunk: c, w: w, table: table}
	if mapping.AppenderCreateExt(w.write.conn, "temp", "main", table, &a.native) == mapping.StateError {
		err := appenderError(a.native)
		mapping.AppenderDestroy(&a.native)
		return nil, err
	}
	return a, nil
}
