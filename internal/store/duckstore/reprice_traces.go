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

// rolledAtOnce is about how many observations are rolled up at a time: they are in memory.
const rolledAtOnce = 20_000

// recountFlipped finds anew what counts in the traces where a call that hangs below something carries a cost that carried none, or the other way round:
// an amount of its own counts only where nothing below carries one.
func (p *repricing) recountFlipped() error {
	var keys []entityKey
	var sizes []int64
	err := p.w.write.scan("SELECT id, observation_count FROM traces WHERE project = $1 AND trace_hash IN (SELECT hash FROM temp.flipped) ORDER BY written", []any{p.Project}, func(b block) {
		for i := range b.rows {
			keys, sizes = append(keys, traceKey(p.Project, b.text(0, i))), append(sizes, b.number(1, i))
		}
	})
	for from := 0; err == nil && from < len(keys); {
		to, n := from, int64(0)
		for ; to < len(keys) && (to == from || n+sizes[to] <= rolledAtOnce); to++ {
			n += sizes[to]
		}
		if err = p.ctx.Err(); err == nil {
			err = p.recount(keys[from:to])
		}
		from = to
	}
	return err
}

// recount is recountFlipped of some traces.
func (p *repricing) recount(keys []entityKey) error {
	r := p.w.newRefold(0, 0)
	for _, k := range keys {
		r.families[k] = &family{}
	}
	if err := r.loadFamilies(keys); err != nil {
		return err
	}
	c := newChunk(recountedColumns)
	defer c.close()
	a, err := p.w.tempAppender("recounted", c)
	if err != nil {
		return err
	}
	defer a.done()
	var roller entity.Roller
	var among span
	n := 0
	for _, k := range keys {
		f := r.families[k]
		_, changed := roller.RollUp(nil, &f.Family, k.id)
		for _, is := range changed {
			if n++; n == 1 {
				among = span{f.at.first, f.written}
			}
			among.add(span{f.at.first, f.written})
			c.setText(0, k.id)
			c.setText(1, is.ID)
			for at, b := range [...]bool{is.Tokens, is.Cost, is.Counted} {
				c.setByte(2+at, truth(b))
			}
			if err := a.next(); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return nil
	}
	if err := a.end(); err != nil {
		return err
	}
	err = p.w.write.exec(fmt.Sprintf(`UPDATE observations SET counts_tokens = r.counts_tokens, counts_cost = r.counts_cost, counted = r.counted FROM temp.recounted AS r
		WHERE project = $1 AND %s AND observations.trace_id = r.trace_id AND observations.id = r.id`, among.holds("written")), p.Project)
	if err != nil {
		return err
	}
	return p.w.write.exec("TRUNCATE temp.recounted")
}

func truth(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// tracesAtOnce is about how many traces are added up at a time.
const tracesAtOnce = 50_000

// addUp makes the sums of the traces with a changed call.
func (p *repricing) addUp() error {
	const touched = "project = $1 AND trace_hash IN (SELECT hash FROM temp.touched)"
	var firsts []int64
	pieces, err := p.w.piecesOf("SELECT written, count(*), min(first_seq) FROM traces WHERE "+touched+" GROUP BY written ORDER BY written", p.Project, tracesAtOnce, &firsts)
	for i := 0; err == nil && i < len(pieces); i++ {
		if err = p.ctx.Err(); err != nil {
			break
		}
		at := pieces[i]
		// A trace's written is not less than that of its observations, and that not less than the first of their events.
		err = p.w.write.exec(fmt.Sprintf(`UPDATE traces SET total_cost = sums.cost, unpriced_count = sums.unpriced FROM (
			SELECT o.trace_id AS trace, coalesce(%s, 0) AS cost, count(*) FILTER (%s) AS unpriced FROM observations AS o WHERE o.project = $1 AND %s
			AND o.trace_hash IN (SELECT trace_hash FROM traces WHERE %s AND %s) GROUP BY o.trace_id) AS sums
			WHERE traces.project = $1 AND %s AND traces.id = sums.trace`,
			exactSum(countedCost), unpriced, span{firsts[i], at.last}.holds("o.written"), touched, at.holds("written"), at.holds("traces.written")), p.Project)
	}
	return err
}
