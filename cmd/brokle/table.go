package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// leastColumn is how narrow a column is made before others are left out.
const leastColumn = 8

// table is rows of columns, aligned by what a terminal shows: a wide
// character counts twice.
type table struct {
	out     io.Writer
	columns []column
	rows    []row
	max     int // columns of the terminal; 0: as wide as it gets
}

// column is named as newTable is told: ">NAME" is aligned to the right, "!NAME" is never cut.
type column struct {
	name        string
	right, keep bool
	width       int
}

type row struct {
	cells []string
	paint func(string) string // or nil
}

// newTable makes a table; without names it has no head.
func newTable(out io.Writer, names ...string) *table {
	t := &table{out: out}
	for _, name := range names {
		var c column
		c.name, c.right = strings.CutPrefix(name, ">")
		c.name, c.keep = strings.CutPrefix(c.name, "!")
		t.columns = append(t.columns, c)
	}
	return t
}

// fit makes the table as narrow as the terminal, if it goes to one.
func (t *table) fit() *table {
	t.max = width(t.out)
	return t
}

func (t *table) row(cells ...string) { t.painted(nil, cells...) }

// painted adds a row whose line is coloured.
func (t *table) painted(paint func(string) string, cells ...string) {
	for i, c := range cells {
		cells[i] = oneLine(c)
	}
	for len(t.columns) < len(cells) {
		t.columns = append(t.columns, column{})
	}
	t.rows = append(t.rows, row{cells, paint})
}

// end writes the table, and how to go on when there is more.
func (t *table) end(out io.Writer, rows int, next *string) error {
	if rows == 0 {
		_, err := fmt.Fprintln(out, "(none)")
		return err
	}
	if err := t.flush(); err != nil || next == nil {
		return err
	}
	_, err := fmt.Fprintf(out, "more: --cursor %s or --all\n", *next)
	return err
}

// flush writes the table.
func (t *table) flush() error {
	t.measure()
	hidden := t.squeeze()
	head := make([]string, len(t.columns))
	titled := false
	for i, c := range t.columns {
		head[i] = c.name
		titled = titled || c.name != ""
	}
	if titled {
		if err := t.line(row{cells: head}); err != nil {
			return err
		}
	}
	for _, r := range t.rows {
		if err := t.line(r); err != nil {
			return err
		}
	}
	if len(hidden) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(t.out, "(no room for %s: widen the terminal, or use --json)\n", strings.Join(hidden, ", "))
	return err
}

func (t *table) measure() {
	for i := range t.columns {
		c := &t.columns[i]
		c.width = uniseg.StringWidth(c.name)
		for _, r := range t.rows {
			if i < len(r.cells) {
				c.width = max(c.width, uniseg.StringWidth(r.cells[i]))
			}
		}
	}
}

// squeeze makes the table fit: the widest columns become narrower, then the
// last ones are left out. It returns the names of those.
func (t *table) squeeze() (hidden []string) {
	if t.max == 0 {
		return nil
	}
	for {
		total, widest := -2, -1
		for i, c := range t.columns {
			total += c.width + 2
			if !c.keep && c.width > leastColumn && (widest < 0 || c.width > t.columns[widest].width) {
				widest = i
			}
		}
		last := len(t.columns) - 1
		switch {
		case total <= t.max || last == 0:
			return hidden
		case widest >= 0:
			t.columns[widest].width--
		default:
			hidden = append([]string{t.columns[last].name}, hidden...)
			t.columns = t.columns[:last]
		}
	}
}

func (t *table) line(r row) error {
	var b strings.Builder
	for i, c := range t.columns {
		if i >= len(r.cells) {
			break
		}
		cell := shorten(r.cells[i], c.width)
		pad := strings.Repeat(" ", max(0, c.width-uniseg.StringWidth(cell)))
		if c.right {
			cell, pad = pad+cell, ""
		}
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(cell + pad)
	}
	text := strings.TrimRight(b.String(), " ")
	if r.paint != nil {
		text = r.paint(text)
	}
	_, err := fmt.Fprintln(t.out, text)
	return err
}
