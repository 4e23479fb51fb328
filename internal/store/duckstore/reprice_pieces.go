package duckstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// ofCalls is the condition of observations that are calls of models.
const ofCalls = "lower(type) IN ('generation', 'llm', 'embedding')"

// calls is the condition of the calls that are meant, whose project is $1.
func (p *repricing) calls() string {
	return p.started() + " AND " + ofCalls + " AND duplicate_of IS NULL"
}

// started is the condition of the observations that are of the project and the time.
func (p *repricing) started() string {
	return fmt.Sprintf("project = $1 AND start_time >= %d AND start_time < %d", p.From, p.To)
}

// pieces are ranges of written with about pieceRows calls each.
func (p *repricing) pieces() (pieces []span, err error) {
	return p.w.piecesOf("SELECT written, count(*), min(written) FROM observations WHERE "+p.calls()+" GROUP BY written ORDER BY written", p.Project, pieceRows, nil)
}

// choose has only those columns read that some call has a value of: often about half of them. Those that the first few have are not counted in all.
func (p *repricing) choose() error {
	return p.in.leaveOut(func(columns []column) ([]int64, error) {
		values, err := p.count(columns, "(SELECT * FROM observations WHERE "+p.started()+" LIMIT 2048)")
		if err != nil {
			return nil, err
		}
		var left []column
		for i, n := range values {
			if n == 0 {
				left = append(left, columns[i])
			}
		}
		if len(left) == 0 {
			return values, nil
		}
		more, err := p.count(left, "observations WHERE "+p.started())
		for i, n := 0, 0; err == nil && i < len(values); i++ {
			if values[i] == 0 {
				values[i] = more[n]
				n++
			}
		}
		return values, err
	})
}

// count is how many values the columns have.
func (p *repricing) count(columns []column, from string) ([]int64, error) {
	counts := make([]string, len(columns))
	for i, c := range columns {
		counts[i] = "count(" + c.name + ")"
	}
	return p.w.write.int64s("SELECT "+strings.Join(counts, ", ")+" FROM "+from, p.Project)
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

// inPieces reads the calls and prices them piece by piece, and hands out each piece. While one is priced, on a thread beside, the one before is handed out
// and the next one is read.
func (p *repricing) inPieces(finish func(*pricedPiece) error) error {
	pieces, err := p.pieces()
	if err == nil {
		err = p.choose()
	}
	if err != nil {
		return err
	}
	beside := newWriter()
	defer beside.close()
	var priced [2]pricedPiece
	wait := func() error { return nil }
	for i := 0; i <= len(pieces); i++ {
		var rows *result
		if i < len(pieces) {
			rows, err = p.read(pieces[i])
		}
		if failed := wait(); err == nil {
			err = failed
		}
		if err != nil {
			rows.close()
			return err
		}
		wait = func() error { return nil }
		if i < len(pieces) {
			d := &priced[i%2]
			d.begin(pieces[i])
			wait = beside.start(func() error {
				defer rows.close()
				p.price(rows, d)
				return nil
			})
		}
		if i > 0 {
			if err := finish(&priced[(i-1)%2]); err != nil {
				return errors.Join(err, wait())
			}
		}
	}
	return nil
}

// Where the columns of what is read stand.
const (
	atRow = iota
	atHash
	atFirstSeq
	atBelow
	atPriced
)

// read reads the calls of a piece.
func (p *repricing) read(piece span) (*result, error) {
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	// Of a call that may come to carry a cost, what it hangs below.
	below := "CASE WHEN total_cost <> 0 THEN CASE WHEN parent_observation_id IS NOT NULL THEN '' END ELSE parent_observation_id END"
	if p.Done == nil {
		below = "NULL"
	}
	return p.w.write.query(fmt.Sprintf("SELECT rowid, trace_hash, first_seq, %s, %s FROM observations WHERE %s AND %s", below, p.in.list(), piece.holds("written"), p.calls()), p.Project)
}

// price prices the calls that were read, and notes what becomes of them.
func (p *repricing) price(rows *result, d *pricedPiece) {
	var o observationRow
	var was entity.Costed
	o.Seqs = make([]entity.Seq, 1)
	rows.each(func(b block) {
		p.in.begin(b, atPriced)
		for i := range b.rows {
			p.in.read(i, &o)
			o.Seqs[0] = entity.Seq(p.in.numbers(atFirstSeq)[i])
			was = o.Costs()
			is := p.By.Reprice(p.Project, &o)
			if is == entity.Unsure {
				p.unsure = append(p.unsure, p.in.numbers(atRow)[i])
				continue
			}
			p.tally.Add(is, &o, was.Total)
			if is == entity.Changed && p.Done != nil {
				p.note(d, i, &o, &was)
			}
		}
	})
}

// note notes a call that has other costs.
func (p *repricing) note(d *pricedPiece, i int, o *observationRow, was *entity.Costed) {
	p.changed++
	now := o.Costs()
	d.columns |= differing(was, &now)
	if p.in.valid(atHash).has(i) {
		hash := p.in.numbers(atHash)[i]
		d.sums.add(hash, o, was.Total, now.Total)
		if p.in.valid(atBelow).has(i) {
			switch was, is := carries(was.Total), carries(now.Total); {
			case is && !was:
				d.gained.add(hash, p.in.text(atBelow, i))
			case was && !is:
				d.lost = append(d.lost, hash)
			}
		}
	}
	d.add(p.in.numbers(atRow)[i], &now)
}
