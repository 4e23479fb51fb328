package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// hashes are those of traces, of each at least once, on their way into a table of the transaction.
type hashes struct {
	table string
	list  []int64
}

func (h *hashes) add(hash int64) {
	if n := len(h.list); n == 0 || h.list[n-1] != hash {
		h.list = append(h.list, hash)
	}
}

// write puts them into the table.
func (h *hashes) write(w *Warehouse) error {
	if len(h.list) == 0 {
		return nil
	}
	c := newChunk(hashColumns)
	defer c.close()
	a, err := w.tempAppender(h.table, c)
	if err != nil {
		return err
	}
	defer a.done()
	for _, hash := range h.list {
		c.setInt(0, hash)
		if err := a.next(); err != nil {
			return err
		}
	}
	h.list = h.list[:0]
	return a.end()
}

// rolledAtOnce is about how many observations are put to their traces at a time: as many as have one written, and so stand together.
const rolledAtOnce = 120_000

// recountFlipped finds anew what counts in the traces where a call that hangs below something carries a cost that carried none, or the other way round:
// an amount of its own counts only where nothing below carries one.
func (p *repricing) recountFlipped() error {
	var traces []flippedTrace
	err := p.w.write.scan("SELECT id, observation_count, first_seq, written FROM traces WHERE project = $1 AND trace_hash IN (SELECT hash FROM temp.flipped) ORDER BY written", []any{p.Project}, func(b block) {
		for i := range b.rows {
			traces = append(traces, flippedTrace{b.text(0, i), b.number(1, i), span{b.number(2, i), b.number(3, i)}})
		}
	})
	for from := 0; err == nil && from < len(traces); {
		to, n := from, int64(0)
		for ; to < len(traces) && (to == from || n+traces[to].size <= rolledAtOnce); to++ {
			n += traces[to].size
		}
		if err = p.ctx.Err(); err == nil {
			err = p.recount(traces[from:to])
		}
		from = to
	}
	return err
}

// flippedTrace is one of them, about how many observations it has, and where their rows are, by written.
type flippedTrace struct {
	id   string
	size int64
	at   span
}

// recount is recountFlipped of some traces.
func (p *repricing) recount(traces []flippedTrace) error {
	among, rolled := traces[0].at, &hashes{table: "rolled"}
	for _, t := range traces {
		among.add(t.at)
		rolled.add(traceHash(t.id))
	}
	if err := rolled.write(p.w); err != nil {
		return err
	}
	c := newChunk(recountedColumns)
	defer c.close()
	a, err := p.w.tempAppender("recounted", c)
	if err != nil {
		return err
	}
	defer a.done()
	n := 0
	if err := p.eachRecounted(traces, among, func(is entity.Counts, row int64) error {
		n++
		c.setInt(0, row)
		for at, b := range [...]bool{is.Tokens, is.Cost, is.Counted} {
			c.setByte(1+at, truth(b))
		}
		return a.next()
	}); err != nil || n == 0 {
		return err
	}
	if err := a.end(); err != nil {
		return err
	}
	err = p.w.write.exec("UPDATE observations SET counts_tokens = r.counts_tokens, counts_cost = r.counts_cost, counted = r.counted FROM temp.recounted AS r WHERE observations.rowid = r.of AND " + among.holds("observations.written"))
	if err != nil {
		return err
	}
	return p.w.write.exec("TRUNCATE temp.recounted")
}

// countedBy are the columns that decide what counts.
var countedBy = []string{"id", "parent_observation_id", "type", "start_time", "total_tokens", "total_cost", "counts_tokens", "counts_cost", "duplicate_of"}

// eachRecounted hands out the observations of the traces, whose hashes are in temp.rolled, whose amounts count now where they did not, or the other way
// round, and where their rows are.
func (p *repricing) eachRecounted(traces []flippedTrace, among span, f func(entity.Counts, int64) error) error {
	places := make(map[string]int32, len(traces))
	for i := range traces {
		places[traces[i].id] = int32(i)
	}
	kept := newRecounting(len(traces))
	in := newRowReader(countedBy)
	var o observationRow
	statement := fmt.Sprintf("SELECT rowid, trace_id, %s FROM observations WHERE project = $1 AND %s AND trace_hash IN (SELECT hash FROM temp.rolled)", in.list(), among.holds("written"))
	err := p.w.write.scan(statement, []any{p.Project}, func(b block) {
		in.begin(b, 2)
		at := int32(-1)
		for i := range b.rows {
			if id := in.text(1, i); at < 0 || traces[at].id != id {
				place, known := places[id]
				if !known { // another trace with the same hash
					continue
				}
				at = place
			}
			in.read(i, &o)
			kept.add(at, in.numbers(0)[i], &o)
		}
	})
	if err != nil {
		return err
	}
	kept.each(func(trace int32, row int64, is entity.Counts, hasCost bool) {
		if err == nil {
			err = f(is, row)
		}
		if hasCost { // what is in the trace's sums is other than before
			p.whole.add(traceHash(traces[trace].id))
		}
	})
	if err != nil {
		return err
	}
	return p.w.write.exec("TRUNCATE temp.rolled")
}

func truth(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// tracesAtOnce is about how many traces are added up at a time.
const tracesAtOnce = 50_000

// addUp makes the sums of traces anew where they could not be added to.
func (p *repricing) addUp() error {
	if len(p.whole.list) == 0 {
		return nil
	}
	if err := p.whole.write(p.w); err != nil {
		return err
	}
	const touched = "project = $1 AND trace_hash IN (SELECT hash FROM temp.whole)"
	var firsts []int64
	pieces, err := p.w.piecesOf("SELECT written, count(*), min(first_seq) FROM traces WHERE "+touched+" GROUP BY written ORDER BY written", p.Project, tracesAtOnce, &firsts)
	for i := 0; err == nil && i < len(pieces); i++ {
		if err = p.ctx.Err(); err != nil {
			break
		}
		at := pieces[i]
		// A trace's written is not less than that of its observations, and that not less than the first of their events.
		err = p.w.write.exec(fmt.Sprintf(`UPDATE traces SET total_cost = sums.cost, unpriced_count = sums.unpriced FROM (
			SELECT o.trace_id AS trace, %s AS cost, count(*) FILTER (%s) AS unpriced FROM observations AS o WHERE o.project = $1 AND %s
			AND o.trace_hash IN (SELECT trace_hash FROM traces WHERE %s AND %s) GROUP BY o.trace_id) AS sums
			WHERE traces.project = $1 AND %s AND traces.id = sums.trace`,
			exactSum(countedCost), unpriced, span{firsts[i], at.last}.holds("o.written"), touched, at.holds("written"), at.holds("traces.written")), p.Project)
	}
	return err
}
