package duckstore

import (
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// chunks has one for each table.
type chunks struct{ events, observations, scores, traces *chunk }

func newChunks(l *layout) chunks {
	return chunks{newChunk(l.columns), newChunk(observationTable.all()), newChunk(scoreTable.all()), newChunk(traceTable.all())}
}

func (c *chunks) close() {
	for _, c := range [...]*chunk{c.events, c.observations, c.scores, c.traces} {
		c.close()
	}
}

// flushChunks bounds what an appender holds beside the transaction.
const flushChunks = 16

// appender adds rows to a table. One that failed is dead, and so each has one of its own.
type appender struct {
	*chunk // put is called for a row, and next behind it
	w      *Warehouse
	table  string
	native mapping.Appender
	full   int
}

// appender begins to add rows to a table; done ends it.
func (w *Warehouse) appender(table string, c *chunk) (*appender, error) {
	a := &appender{chunk: c, w: w, table: table}
	if mapping.AppenderCreateExt(w.write.conn, "", "main", table, &a.native) == mapping.StateError {
		err := appenderError(a.native)
		mapping.AppenderDestroy(&a.native)
		return nil, err
	}
	return a, nil
}

// next finishes a row.
func (a *appender) next() error {
	if !a.chunk.next() {
		return nil
	}
	if err := a.appendTo(a.native); err != nil {
		return err
	}
	if a.full++; a.full%flushChunks == 0 {
		return a.flush()
	}
	return nil
}

// end writes what is left.
func (a *appender) end() error {
	if a.rows == 0 && a.full == 0 {
		return nil
	}
	if err := a.appendTo(a.native); err != nil {
		return err
	}
	return a.flush()
}

// done gives the appender back. What was not written by end is gone.
func (a *appender) done() {
	if a.rows > 0 { // an error left them behind
		a.reset()
	}
	mapping.AppenderDestroy(&a.native)
}

func (a *appender) flush() error {
	if err := a.w.write.fails("FLUSH " + a.table); err != nil {
		return err
	}
	if mapping.AppenderFlush(a.native) == mapping.StateError {
		return appenderError(a.native)
	}
	return nil
}

// append adds n rows to a table; put writes one into the chunk's next row.
func (w *Warehouse) append(table string, c *chunk, n int, put func(c *chunk, i int)) error {
	if n == 0 {
		return nil
	}
	a, err := w.appender(table, c)
	if err != nil {
		return err
	}
	defer a.done()
	for i := range n {
		put(c, i)
		if err := a.next(); err != nil {
			return err
		}
	}
	return a.end()
}
