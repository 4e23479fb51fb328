package duckstore

import (
	"fmt"
	"math"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// traceSums is what changed calls change in the sums of their traces: sums of money are exact, so that what a call costs more or less can be added to
// that of its trace, and the other observations need not be looked at.
type traceSums struct {
	list []traceSum
	at   map[int64]int // places in list, by hash
}

// traceSum is that of the traces of a hash, of which there is nearly always one.
type traceSum struct {
	hash     int64
	cost     entity.Money // more than before
	unpriced int64        // more than before
	known    bool         // a call has a cost now
	whole    bool         // the sums must be made of all observations
	seen     bool         // its trace was met
}

func newTraceSums() *traceSums { return &traceSums{at: map[int64]int{}} }

// of is that of a hash.
func (s *traceSums) of(hash int64) *traceSum {
	if n := len(s.list); n > 0 && s.list[n-1].hash == hash {
		return &s.list[n-1]
	}
	i, known := s.at[hash]
	if !known {
		i = len(s.list)
		s.at[hash], s.list = i, append(s.list, traceSum{hash: hash})
	}
	return &s.list[i]
}

// add takes in a call, which always counts, with its costs before and now.
func (s *traceSums) add(hash int64, o *observationRow, was, now *float64) {
	t := s.of(hash)
	if was != nil {
		t.cost.Add(-*was)
	}
	if now != nil {
		t.cost.Add(*now)
		t.known = true
	}
	if (was == nil) == (now == nil) {
		return
	}
	switch {
	case o.TotalTokens == nil: // whether it is counted depends on more than what is read here
		t.whole = true
	case now == nil: // whether another still has a cost is not known
		t.whole = true
	default:
		t.unpriced--
	}
}

// mostAdded is up to which sum, in USD, its 1e-12 are told from a DOUBLE: 2⁵⁰ of them are some more.
const mostAdded = 1000

// apply is the new sums of a trace; false when they must be made of all observations.
func (t *traceSum) apply(cost *float64, unpriced int64) (*float64, int64, bool) {
	if t.seen || t.whole || cost != nil && math.Abs(*cost) > mostAdded {
		t.whole = true
		return nil, 0, false
	}
	t.seen = true
	if cost == nil && !t.known {
		return nil, unpriced + t.unpriced, true
	}
	sum := t.cost
	if cost != nil {
		sum.Add(*cost)
	}
	now := sum.Sum()
	return &now, unpriced + t.unpriced, true
}

// sumUp adds what the calls of a piece changed to the sums of their traces.
func (p *repricing) sumUp(d *pricedPiece) error {
	if len(d.sums.list) == 0 {
		return nil
	}
	touched := &hashes{table: "touched"}
	for i := range d.sums.list {
		touched.add(d.sums.list[i].hash)
	}
	if err := touched.write(p.w); err != nil {
		return err
	}
	c := newChunk(summedColumns)
	defer c.close()
	a, err := p.w.tempAppender("summed", c)
	if err != nil {
		return err
	}
	defer a.done()
	if err := p.eachSum(d, a); err != nil {
		return err
	}
	if err := a.end(); err != nil {
		return err
	}
	for i := range d.sums.list {
		if t := &d.sums.list[i]; t.whole {
			p.whole.add(t.hash)
		}
	}
	d.sums.list = d.sums.list[:0]
	clear(d.sums.at)
	for _, statement := range []string{
		fmt.Sprintf("UPDATE traces SET total_cost = s.total_cost, unpriced_count = s.unpriced_count FROM temp.summed AS s WHERE traces.rowid = s.of AND traces.written >= %d", d.at.first),
		"TRUNCATE temp.summed", "TRUNCATE temp.touched",
	} {
		if err := p.w.write.exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// eachSum hands the new sums of the traces in temp.touched to an appender.
func (p *repricing) eachSum(d *pricedPiece, a *appender) error {
	var failed error
	// A trace's written is not less than that of its observations.
	statement := fmt.Sprintf("SELECT rowid, trace_hash, total_cost, unpriced_count FROM traces WHERE project = $1 AND written >= %d AND trace_hash IN (SELECT hash FROM temp.touched)", d.at.first)
	err := p.w.write.scan(statement, []any{p.Project}, func(b block) {
		rows, hashes, costs, known, unpriced := b.int64s(0), b.int64s(1), b.floats(2), b.valid(2), b.int64s(3)
		for i := 0; i < b.rows && failed == nil; i++ {
			var cost *float64
			if known.has(i) {
				cost = &costs[i]
			}
			cost, n, ok := d.sums.of(hashes[i]).apply(cost, unpriced[i])
			if !ok {
				continue
			}
			a.setInt(0, rows[i])
			if cost != nil {
				a.setFloat(1, *cost)
			}
			a.setInt(2, n)
			failed = a.next()
		}
	})
	if err != nil {
		return err
	}
	return failed
}
