package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// finish writes what became of a piece.
func (p *repricing) finish(d *pricedPiece) error {
	if d.changed == 0 {
		return nil
	}
	if err := p.putChanges(d); err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("UPDATE observations SET %s FROM temp.repriced AS r WHERE observations.rowid = r.of AND %s", d.columns.set(), d.at.holds("observations.written")),
		"TRUNCATE temp.repriced",
	} {
		if err := p.w.write.exec(statement); err != nil {
			return err
		}
	}
	for _, hash := range d.lost {
		p.flipped.add(hash)
	}
	if err := p.countGained(&d.gained); err != nil {
		return err
	}
	if err := p.flipped.write(p.w); err != nil {
		return err
	}
	return p.sumUp(d)
}

// putChanges puts what changed into a table of the transaction.
func (p *repricing) putChanges(d *pricedPiece) error {
	c := newChunk(repricedColumns)
	defer c.close()
	a, err := p.w.tempAppender("repriced", c)
	if err != nil {
		return err
	}
	defer a.done()
	for i := range d.changed {
		x := d.change(i)
		c.setInt(0, x.row)
		for at, cost := range x.costs {
			if x.known&(1<<at) != 0 {
				c.setFloat(1+at, cost)
			}
		}
		for at, place := range [...]uint32{x.source, x.reason} {
			if text := d.texts.list[place]; text != "" {
				c.setText(6+at, text)
			}
		}
		if err := a.next(); err != nil {
			return err
		}
	}
	return a.end()
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
