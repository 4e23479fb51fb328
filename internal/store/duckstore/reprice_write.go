package duckstore

import (
	"fmt"
	"strings"

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
	set, texts := d.set()
	if err := p.w.write.exec(fmt.Sprintf("UPDATE observations SET %s FROM temp.repriced AS r WHERE observations.rowid = r.of AND %s", set, d.at.holds("observations.written")), texts...); err != nil {
		return err
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

// putChanges puts what changed into a table of the transaction. That has only the columns that are needed: its memory is not given back before the
// transaction ends, and what the transaction has more than there is memory for goes to the disk and comes back.
func (p *repricing) putChanges(d *pricedPiece) error {
	columns := []column{repricedColumns[0]}
	for i, c := range repricedColumns[1:] {
		if d.inTable()&(1<<i) != 0 {
			columns = append(columns, c)
		}
	}
	if err := p.w.write.exec("CREATE OR REPLACE TEMP TABLE " + createTable("repriced", columns)[len("CREATE TABLE "):]); err != nil {
		return err
	}
	c := newChunk(columns)
	defer c.close()
	a, err := p.w.tempAppender("repriced", c)
	if err != nil {
		return err
	}
	defer a.done()
	for i := range d.changed {
		d.put(c, d.change(i))
		if err := a.next(); err != nil {
			return err
		}
	}
	return a.end()
}

// put writes a change into the chunk's next row.
func (d *pricedPiece) put(c *chunk, x *change) {
	c.setInt(0, x.row)
	in, at := d.inTable(), 1
	for i, cost := range x.costs {
		if in&(1<<i) == 0 {
			continue
		}
		if x.known&(1<<i) != 0 {
			c.setFloat(at, cost)
		}
		at++
	}
	for i, place := range [...]uint32{x.source, x.reason} {
		if in&(1<<(len(x.costs)+i)) == 0 {
			continue
		}
		if text := d.texts.list[place]; text != "" {
			c.setText(at, text)
		}
		at++
	}
}

// inTable are the columns that differ but for texts that are the same in all rows.
func (d *pricedPiece) inTable() costColumns { return d.columns &^ (textColumns &^ d.mixed) }

// set is what an UPDATE sets, and the texts that are its parameters.
func (d *pricedPiece) set() (set string, texts []any) {
	var all []string
	first := d.change(0)
	for i, c := range repricedColumns[1:] {
		switch {
		case d.columns&(1<<i) == 0:
			continue
		case d.inTable()&(1<<i) != 0:
			all = append(all, c.name+" = r."+c.name)
			continue
		}
		place := first.source
		if i == len(first.costs)+1 {
			place = first.reason
		}
		if text := d.texts.list[place]; text == "" {
			all = append(all, c.name+" = NULL")
		} else {
			texts = append(texts, text)
			all = append(all, fmt.Sprintf("%s = $%d", c.name, len(texts)))
		}
	}
	return strings.Join(all, ", "), texts
}

// costColumns are some of the columns from input_cost on in repricedColumns, a bit for each.
type costColumns uint8

// textColumns are the last two.
const textColumns costColumns = 1<<5 | 1<<6

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
