package duckstore

import (
	"fmt"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// pieceReader reads calls and prices them, on a thread and a connection of its own: it sees them as they were before the repricing, which nothing else
// changes meanwhile, and which writes what it has read only behind it.
type pieceReader struct {
	*repricing
	thread  *writer
	conn    *conn
	in      *rowReader
	tally   store.Tally
	changed int
	unsure  []int64
}

// newPieceReader makes one; end ends it.
func (p *repricing) newPieceReader() (*pieceReader, error) {
	c := &conn{db: p.w.write.db, fault: p.w.write.fault}
	if err := c.reconnect(); err != nil {
		return nil, err
	}
	return &pieceReader{repricing: p, thread: newWriter(), conn: c, in: p.in.another(), tally: store.Tally{}}, nil
}

func (r *pieceReader) end() {
	r.thread.close()
	mapping.Disconnect(&r.conn.conn)
}

// took takes over what a reader counted.
func (p *repricing) took(r *pieceReader) {
	p.tally.Join(r.tally)
	p.changed += r.changed
	p.unsure = append(p.unsure, r.unsure...)
}

// Where the columns of what is read stand.
const (
	atRow = iota
	atHash
	atFirstSeq
	atBelow
	atPriced
)

// price prices the calls of a piece, and notes in d what becomes of them unless it is nil.
func (r *pieceReader) price(at span, d *pricedPiece) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	// Of a call that may come to carry a cost, what it hangs below.
	below := "CASE WHEN total_cost <> 0 THEN CASE WHEN parent_observation_id IS NOT NULL THEN '' END ELSE parent_observation_id END"
	if d == nil {
		below = "NULL"
	} else {
		d.begin(at)
	}
	var o observationRow
	var was entity.Costed
	o.Seqs = make([]entity.Seq, 1)
	statement := fmt.Sprintf("SELECT rowid, trace_hash, first_seq, %s, %s FROM observations WHERE %s AND %s", below, r.in.list(), at.holds("written"), r.calls())
	return r.conn.scan(statement, []any{r.Project}, func(b block) {
		r.in.begin(b, atPriced)
		for i := range b.rows {
			r.in.read(i, &o)
			o.Seqs[0] = entity.Seq(r.in.numbers(atFirstSeq)[i])
			was = o.Costs()
			is := r.By.Reprice(r.Project, &o)
			if is == entity.Unsure {
				r.unsure = append(r.unsure, r.in.numbers(atRow)[i])
				continue
			}
			r.tally.Add(is, &o, was.Total)
			if is == entity.Changed && d != nil {
				r.note(d, i, &o, &was)
			}
		}
	})
}

// note notes a call that has other costs.
func (r *pieceReader) note(d *pricedPiece, i int, o *observationRow, was *entity.Costed) {
	r.changed++
	now := o.Costs()
	d.columns |= differing(was, &now)
	d.add(r.in.numbers(atRow)[i], &now)
	if !r.in.valid(atHash).has(i) {
		return
	}
	hash := r.in.numbers(atHash)[i]
	d.sums.add(hash, o, was.Total, now.Total)
	if !r.in.valid(atBelow).has(i) {
		return
	}
	switch was, is := carries(was.Total), carries(now.Total); {
	case is && !was:
		d.gained.add(hash, r.in.text(atBelow, i))
	case was && !is:
		d.lost = append(d.lost, hash)
	}
}
