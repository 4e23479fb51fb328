package duckstore

import (
	"fmt"
	"unsafe"
)

// gains are calls of a piece that hang below something and carry a cost now where they carried none. Calls always count: all that this can change is
// whether the steps above them count, of which only those matter that are no calls. They are few, and are walked up to; the other calls of the
// traces need not be looked at.
type gains struct {
	below []gain
	texts []byte
}

// gain is a step, by the hash of its trace and its id, below which a call came to carry a cost.
type gain struct {
	hash int64
	id   keptText
}

// add notes that the step of that id has such a call below it.
func (g *gains) add(hash int64, id string) {
	if n := len(g.below); n > 0 && g.below[n-1].hash == hash && g.text(g.below[n-1].id) == id {
		return // the calls of a trace often hang below one step
	}
	g.below = append(g.below, gain{hash, keptText{len(g.texts), len(id)}})
	g.texts = append(g.texts, id...)
}

// text is valid until add.
func (g *gains) text(t keptText) string {
	return unsafe.String(unsafe.SliceData(g.texts[t.at:]), t.length)
}

// above is the steps of some traces that are no calls.
type above struct {
	steps []aboveStep
	at    map[stepKey]int32
	any   map[int64]bool // the hashes of traces that have some
}

type stepKey struct {
	hash int64
	id   string
}

type aboveStep struct {
	row        int64
	parent     string
	walk       int  // the number of the walk that came by last; 0: none did
	counts     bool // its cost counts, or would
	knows      bool // its cost is known
	carries    bool // it is not 0
	restCounts bool // no tokens that it carries are left out
}

// countGained finds what counts no more because of what calls of a piece carry now. Where what is above them cannot be walked up to, it is found of all
// observations of the trace: see recountFlipped.
func (p *repricing) countGained(g *gains) error {
	if len(g.below) == 0 {
		return nil
	}
	defer func() { g.below, g.texts = g.below[:0], g.texts[:0] }()
	hashes := &hashes{table: "rolled"}
	for _, b := range g.below {
		hashes.add(b.hash)
	}
	if err := hashes.write(p.w); err != nil {
		return err
	}
	at, alone, err := p.tracesGained()
	if err != nil {
		return err
	}
	if !alone {
		for _, b := range g.below {
			p.flipped.add(b.hash)
		}
		return p.w.write.exec("TRUNCATE temp.rolled")
	}
	a, err := p.stepsAbove(at)
	if err != nil {
		return err
	}
	if err := p.w.write.exec("TRUNCATE temp.rolled"); err != nil {
		return err
	}
	return p.writeUncounted(g, a, at)
}

// tracesGained is where the observations of the traces are whose hashes are in temp.rolled, by written; alone is false when two of the traces have
// one hash.
func (p *repricing) tracesGained() (at span, alone bool, err error) {
	row, err := p.w.write.int64s("SELECT coalesce(min(first_seq), 0), coalesce(max(written), 0), count(*), count(DISTINCT trace_hash) FROM traces WHERE project = $1 AND trace_hash IN (SELECT hash FROM temp.rolled)", p.Project)
	if err != nil {
		return at, false, err
	}
	return span{row[0], row[1]}, row[2] == row[3], nil
}

// stepsAbove reads the steps of these traces that are no calls.
func (p *repricing) stepsAbove(at span) (*above, error) {
	a := &above{at: map[stepKey]int32{}, any: map[int64]bool{}}
	statement := fmt.Sprintf(`SELECT rowid, trace_hash, id, coalesce(parent_observation_id, ''), counts_cost, total_cost IS NOT NULL, coalesce(total_cost, 0) <> 0, counts_tokens OR coalesce(total_tokens, 0) = 0
		FROM observations WHERE project = $1 AND %s AND (%s) IS NOT TRUE AND trace_hash IN (SELECT hash FROM temp.rolled)`, at.holds("written"), ofCalls)
	err := p.w.write.scan(statement, []any{p.Project}, func(b block) {
		rows, hashes, counts, knows, carries, rest := b.int64s(0), b.int64s(1), b.bytes(4), b.bytes(5), b.bytes(6), b.bytes(7)
		for i := range b.rows {
			a.at[stepKey{hashes[i], b.text(2, i)}] = int32(len(a.steps))
			a.any[hashes[i]] = true
			a.steps = append(a.steps, aboveStep{
				row: rows[i], parent: b.text(3, i), counts: counts[i] != 0, knows: knows[i] != 0, carries: carries[i] != 0, restCounts: rest[i] != 0,
			})
		}
	})
	return a, err
}

// walk goes up from a step, below which something came to carry a cost, and hands out those whose own counts no more; false when it cannot be told which
// these are: a call is among what is above, or the walk comes round.
func (a *above) walk(n int, hash int64, id string, uncounted func(*aboveStep)) bool {
	for id != "" {
		i, known := a.at[stepKey{hash, id}]
		if !known {
			return false
		}
		s := &a.steps[i]
		if s.walk != 0 {
			return s.walk != n
		}
		s.walk = n
		if s.counts {
			s.counts = false
			uncounted(s)
		}
		id = s.parent
	}
	return true
}

// writeUncounted walks up, and writes what counts no more.
func (p *repricing) writeUncounted(g *gains, a *above, at span) error {
	c := newChunk(recountedColumns)
	defer c.close()
	to, err := p.w.tempAppender("recounted", c)
	if err != nil {
		return err
	}
	defer to.done()
	n := 0
	for walk, b := range g.below {
		ok := !a.any[b.hash] || a.walk(walk+1, b.hash, g.text(b.id), func(s *aboveStep) {
			n++
			c.setInt(0, s.row)
			c.setByte(2, truth(false))
			c.setByte(3, truth(s.restCounts && !s.carries))
			if err == nil {
				err = to.next()
			}
			if s.knows { // what is in the trace's sums is other than before
				p.whole.add(b.hash)
			}
		})
		if err != nil {
			return err
		}
		if !ok {
			p.flipped.add(b.hash)
		}
	}
	if n == 0 {
		return nil
	}
	if err := to.end(); err != nil {
		return err
	}
	err = p.w.write.exec("UPDATE observations SET counts_cost = r.counts_cost, counted = r.counted FROM temp.recounted AS r WHERE observations.rowid = r.of AND " + at.holds("observations.written"))
	if err != nil {
		return err
	}
	return p.w.write.exec("TRUNCATE temp.recounted")
}
