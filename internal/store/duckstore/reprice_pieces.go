package duckstore

import (
	"errors"
	"fmt"
	"strings"
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

// pieces are ranges of written with about pieceRows calls each. Which columns are read of them is chosen, too.
func (p *repricing) pieces() (pieces []span, err error) {
	if err := p.choose(); err != nil {
		return nil, err
	}
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

// eachPriced prices the calls piece by piece and hands out each piece, with what changed. While it is handed out, the next one is priced on a thread beside.
func (p *repricing) eachPriced(finish func(*pricedPiece) error) error {
	pieces, err := p.pieces()
	if err != nil || len(pieces) == 0 {
		return err
	}
	by, err := p.newPieceReader()
	if err != nil {
		return err
	}
	defer by.end()
	var priced [2]pricedPiece
	price := func(i int) (wait func() error) {
		return by.thread.start(func() error { return by.price(pieces[i], &priced[i%2]) })
	}
	wait := price(0)
	for i := range pieces {
		if err := wait(); err != nil {
			return err
		}
		wait = func() error { return nil }
		if i+1 < len(pieces) {
			wait = price(i + 1)
		}
		if err := finish(&priced[i%2]); err != nil {
			return errors.Join(err, wait())
		}
	}
	p.took(by)
	return nil
}

// tell prices the calls and only counts what would change, on two threads.
func (p *repricing) tell() error {
	pieces, err := p.pieces()
	if err != nil {
		return err
	}
	var readers [2]*pieceReader
	var waits []func() error
	for i := range min(len(readers), len(pieces)) {
		by, err := p.newPieceReader()
		if err != nil {
			return join(err, waits)
		}
		defer by.end()
		readers[i] = by
		waits = append(waits, by.thread.start(func() error {
			for k := i; k < len(pieces); k += len(readers) {
				if err := by.price(pieces[k], nil); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	if err := join(nil, waits); err != nil {
		return err
	}
	for _, by := range readers[:len(waits)] {
		p.took(by)
	}
	return nil
}

// join waits for all and returns the first error.
func join(err error, waits []func() error) error {
	for _, wait := range waits {
		if failed := wait(); err == nil {
			err = failed
		}
	}
	return err
}
