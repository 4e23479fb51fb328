package duckstore

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// simple writes the rows of simple entities.
type simple struct {
	*index
	w                            *Warehouse
	observations, scores, traces *appender
	lastToKeep                   int // entities from here on are remembered
	folder                       *entity.Folder
	roller                       *entity.Roller
	kin                          []kinRow
}

// folding is memory that inserts use again.
type folding struct {
	fields entity.Fields
	index  *index
	folder entity.Folder
	roller entity.Roller
	kin    []kinRow
}

// kinRow is an observation of the trace at hand. Its memory is used again.
type kinRow struct {
	entity.Folder
	row  *observationRow
	seqs []int64
}

// simple folds and writes all simple entities of the index.
func (w *Warehouse) simple(x *index) (err error) {
	if err := w.setNewest(&x.down, false); err != nil {
		return err
	}
	for id, h := range x.heads {
		w.heads.put(id, h)
	}
	p := &simple{index: x, w: w, folder: &w.folding.folder, roller: &w.folding.roller, kin: w.folding.kin}
	defer func() { w.folding.kin = p.kin }()
	p.lastToKeep = max(0, len(x.entities)-w.options.CacheMemory/4/keptWeight)
	for _, t := range []struct {
		a     **appender
		table string
		c     *chunk
	}{
		{&p.observations, observationTable.name, w.chunks.observations}, {&p.scores, scoreTable.name, w.chunks.scores}, {&p.traces, traceTable.name, w.chunks.traces},
	} {
		if *t.a, err = w.appender(t.table, t.c); err != nil {
			return err
		}
		defer (*t.a).done()
	}
	for i := range x.entities {
		if s := &x.entities[i]; !s.long {
			if err := p.write(i, s); err != nil {
				return err
			}
		}
	}
	for _, a := range []*appender{p.observations, p.scores, p.traces} {
		if err := a.end(); err != nil {
			return err
		}
	}
	return nil
}

// keptWeight is about what a hotEntity weighs in the caches.
const keptWeight = 700

// write writes what is rolled up with a hotEntity: an observation goes with its trace.
func (p *simple) write(at int, s *hotEntity) error {
	switch {
	case s.kind == entity.TraceKind:
		return p.trace(at, s)
	case s.kind == entity.ScoreKind:
		return p.score(s)
	case s.trace >= 0:
		return nil
	}
	p.room(1)
	if err := p.observation(&p.kin[0], s); err != nil {
		return err
	}
	return p.put(&p.kin[0], s)
}

func (p *simple) score(s *hotEntity) (err error) {
	p.room(1)
	seqs, err := p.fold(p.folder, s, p.kin[0].seqs[:0])
	if err != nil {
		return err
	}
	p.kin[0].seqs = seqs
	project, id := p.name(s)
	scoreTable.put(p.scores.chunk, project, p.written, span{seqs[0], seqs[len(seqs)-1]}, listed(seqs), p.folder.Score(id))
	return p.scores.next()
}

// room makes room for n observations.
func (p *simple) room(n int) {
	for len(p.kin) < n {
		p.kin = append(p.kin, kinRow{})
	}
}

// observation folds one.
func (p *simple) observation(k *kinRow, s *hotEntity) (err error) {
	if k.seqs, err = p.fold(&k.Folder, s, k.seqs[:0]); err != nil {
		return err
	}
	project, id := p.name(s)
	k.row = &k.Folder.Observations(id)[0]
	k.row.Newest = s.newest
	p.w.tariff(project).Price(k.row)
	return nil
}

func (p *simple) put(k *kinRow, s *hotEntity) error {
	observationTable.put(p.observations.chunk, p.h.project(int(s.event)), p.written, span{k.seqs[0], k.seqs[len(k.seqs)-1]}, listed(k.seqs), k.row)
	return p.observations.next()
}

// trace writes a trace and its observations.
func (p *simple) trace(at int, s *hotEntity) error {
	project, id := p.name(s)
	f := &family{}
	p.room(int(s.kins))
	n := 0
	for i := s.kin; i >= 0; i = p.entities[i].next {
		k := &p.kin[n]
		if err := p.observation(k, &p.entities[i]); err != nil {
			return err
		}
		f.Put(k.row, entity.Seq(k.seqs[0]), entity.Seq(k.seqs[len(k.seqs)-1]))
		n++
	}
	own, seqs, err := p.own(s, id)
	if err != nil {
		return err
	}
	t, changed := p.roller.RollUp(own, &f.Family, id)
	for _, c := range changed {
		i := slices.IndexFunc(p.kin[:n], func(k kinRow) bool { return k.row.ID == c.ID })
		row := p.kin[i].row
		row.CountsTokens, row.CountsCost, row.Counted = c.Tokens, c.Cost, c.Counted
	}
	n = 0
	for i := s.kin; i >= 0; i = p.entities[i].next {
		if err := p.put(&p.kin[n], &p.entities[i]); err != nil {
			return err
		}
		n++
	}
	b := &bundle{seqs: seqs}
	if len(seqs) > 0 {
		b.at = span{seqs[0], seqs[len(seqs)-1]}
	}
	f.at, f.written = f.span(b), p.written
	traceTable.put(p.traces.chunk, project, p.written, f.at, seqs, t)
	if at >= p.lastToKeep {
		p.keep(s, f)
	}
	return p.traces.next()
}

// own is what a trace says of itself; nil when it says nothing.
func (p *simple) own(s *hotEntity, id string) (*wire.Trace, []int64, error) {
	if s.first < 0 {
		return nil, nil, nil
	}
	seqs, err := p.fold(p.folder, s, nil)
	if err != nil {
		return nil, nil, err
	}
	return p.folder.Trace(id), seqs, nil
}

// keep remembers a trace and its observations: the next events may be theirs.
func (p *simple) keep(s *hotEntity, f *family) {
	project, id := p.name(s)
	id = strings.Clone(id)
	k := traceKey(project, id)
	p.w.families.put(k, f)
	if s.first >= 0 {
		p.w.bundles.put(k, p.bundle(s, 0))
	}
	for i, n := s.kin, 0; i >= 0; i, n = p.entities[i].next, n+1 {
		of := &p.entities[i]
		all := p.entity(of)
		if p.lead(of).fresh { // and alone; of others rank knows
			p.w.heads.put(all, head{id, of.newness, p.written, span{p.written, p.written}, of.floating, true})
		}
		kept := p.bundle(of, p.written)
		if c := p.kin[n].row.Call(); c != nil {
			c = c.Clone()
			kept.call = &placedCall{c, c.Ref}
		}
		p.w.bundles.put(all.in(id), kept)
	}
}
