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
	out *appender // changed rows of the piece
	// What the changed calls of the piece change in the sums of their traces.
	sums *traceSums
	// Traces whose sums are made anew of all their observations, and those where a call came to carry a cost or to carry none below something.
	whole, flipped *hashes
	tally          store.Tally
	changed        int
	columns        costColumns // that differ in the piece
	unsure         []int64     // rows that do not say all that their costs depend on
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
	pieces, err := p.pieces()
	for i := 0; err == nil && i < len(pieces); i++ {
		err = p.each(pieces[i], func(int, *observationRow, entity.Repriced, *entity.Costed) error { return nil })
	}
	if err == nil {
		err = p.lookAtUnsure()
	}
	return err
}

// write gives them their costs.
func (p *repricing) write() error {
	if err := p.begin(); err != nil {
		return err
	}
	pieces, err := p.pieces()
	for i := 0; err == nil && i < len(pieces); i++ {
		err = p.piece(pieces[i])
	}
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
	p.sums, p.whole, p.flipped = newTraceSums(), &hashes{table: "whole"}, &hashes{table: "flipped"}
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

// calls is the condition of the calls that are meant, whose project is $1.
func (p *repricing) calls() string {
	return fmt.Sprintf("project = $1 AND start_time >= %d AND start_time < %d AND lower(type) IN ('generation', 'llm', 'embedding') AND duplicate_of IS NULL", p.From, p.To)
}

// pieces are ranges of written with about pieceRows calls each.
func (p *repricing) pieces() (pieces []span, err error) {
	return p.w.piecesOf("SELECT written, count(*), min(written) FROM observations WHERE "+p.calls()+" GROUP BY written ORDER BY written", p.Project, pieceRows, nil)
}

// piecesOf joins the groups of a statement that has written, how many rows these are and another number of them, of which least gets the
// smallest of each piece.
func (w *Warehouse) piecesOf(statement, project string, size int64, least *[]int64) (pieces []span, err error) {
	rows := int64(0)
	err = w.write.scan(statement, []any{project}, func(b block) {
		for i := range b.rows {
			written, n, other := b.number(0, i), b.number(1, i), b.number(2, i)
			if len(pieces) == 0 || rows+n > size {
				pieces, rows = append(pieces, span{written, written}), 0
				if least != nil {
					*least = append(*least, other)
				}
			}
			at := len(pieces) - 1
			pieces[at].last = written
			rows += n
			if least != nil {
				(*least)[at] = min((*least)[at], other)
			}
		}
	})
	return pieces, err
}

// each prices the calls of a piece, and hands out each, with what became of it and with its costs before. What it hands out is valid only then.
func (p *repricing) each(piece span, f func(i int, o *observationRow, is entity.Repriced, was *entity.Costed) error) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	var failed error
	var o observationRow
	seqs := make([]entity.Seq, 1)
	statement := fmt.Sprintf("SELECT rowid, trace_hash, first_seq, parent_observation_id IS NOT NULL, %s FROM observations WHERE %s AND %s", p.in.list(), piece.holds("written"), p.calls())
	err := p.w.write.scan(statement, []any{p.Project}, func(b block) {
		p.in.begin(b, atPriced)
		for i := 0; i < b.rows && failed == nil; i++ {
			p.in.read(i, &o)
			seqs[0] = entity.Seq(p.in.numbers(atFirstSeq)[i])
			o.Seqs = seqs
			was := o.Costs()
			is := p.By.Reprice(p.Project, &o)
			if is == entity.Unsure {
				p.unsure = append(p.unsure, p.in.numbers(atRow)[i])
				continue
			}
			p.tally.Add(is, &o, was.Total)
			failed = f(i, &o, is, &was)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// Where the columns of each stand.
const (
	atRow = iota
	atHash
	atFirstSeq
	atBelow
	atPriced
)

// piece writes the costs of one.
func (p *repricing) piece(at span) (err error) {
	c := newChunk(repricedColumns)
	defer c.close()
	if p.out, err = p.w.tempAppender("repriced", c); err != nil {
		return err
	}
	defer p.out.done()
	p.columns = 0
	before := p.changed
	if err := p.each(at, p.changedCall); err != nil {
		return err
	}
	if p.changed == before {
		return nil
	}
	if err := p.out.end(); err != nil {
		return err
	}
	if err := p.flipped.write(p.w); err != nil {
		return err
	}
	if err := p.w.write.exec(fmt.Sprintf("UPDATE observations SET %s FROM temp.repriced AS r WHERE observations.rowid = r.of AND %s", p.columns.set(), at.holds("observations.written"))); err != nil {
		return err
	}
	if err := p.w.write.exec("TRUNCATE temp.repriced"); err != nil {
		return err
	}
	return p.sumUp(at)
}

// changedCall notes a call that has other costs.
func (p *repricing) changedCall(i int, o *observationRow, is entity.Repriced, was *entity.Costed) error {
	if is != entity.Changed {
		return nil
	}
	p.changed++
	now := o.Costs()
	p.columns |= differing(was, &now)
	if p.in.valid(atHash).has(i) {
		hash := p.in.numbers(atHash)[i]
		p.sums.add(hash, o, was.Total, now.Total)
		if carries(was.Total) != carries(now.Total) && p.in.flag(atBelow, i) {
			p.flipped.add(hash)
		}
	}
	c := p.out.chunk
	c.setInt(0, p.in.numbers(atRow)[i])
	for at, cost := range [...]*float64{now.Input, now.CacheRead, now.CacheWrite, now.Output, now.Total} {
		if cost != nil {
			c.setFloat(1+at, *cost)
		}
	}
	if now.Source != "" {
		c.setText(6, now.Source)
	}
	if now.Reason != "" {
		c.setText(7, now.Reason)
	}
	return p.out.next()
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

// costColumns are some of the columns from input_cost on in repricedColumns, a bit for each.
type costColumns uint8

// differing are those in which costs differ.
func differing(a, b *entity.Costed) (c costColumns) {
	for i, p := range [...][2]*float64{{a.Input, b.Input}, {a.CacheRead, b.CacheRead}, {a.CacheWrite, b.CacheWrite}, {a.Output, b.Output}, {a.Total, b.Total}} {
		if (p[0] == nil) != (p[1] == nil) || p[0] != nil && *p[0] != *p[1] {
			c |= 1 << i
		}
	}
	if a.Source != b.Source {
		c |= 1 << 5
	}
	if a.Reason != b.Reason {
		c |= 1 << 6
	}
	return c
}

// set is what an UPDATE sets.
func (c costColumns) set() (text string) {
	for i, column := range repricedColumns[1:] {
		if c&(1<<i) == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += column.name + " = r." + column.name
	}
	return text
}
