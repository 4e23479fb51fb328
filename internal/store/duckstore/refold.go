package duckstore

import (
	"maps"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// refold is the part of a transaction that brings the entity rows in step with the
// events: the entities that it touches are folded anew, the traces that are theirs are
// rolled up anew, and the new rows take the place of the old ones.
type refold struct {
	w        *Warehouse
	bundles  map[entityKey]*bundle
	families map[entityKey]*family // by the key of the trace
	fresh    map[entityKey]bool    // traces that nothing has named before
	written  int64                 // of the rows that it writes
	wipe     bool                  // nothing must stay of the old rows
	without  map[int64]bool        // Seqs of events that go

	gone         []goneCall // what the touched observations were as calls
	observations []placed[observationRow]
	scores       []placed[wire.Score]
	traces       []placed[wire.Trace]
	recounted    []recounted
	old          [entity.GenericKind + 1]oldRows
}

// placed is a new row.
type placed[R any] struct {
	key  entityKey
	at   span
	seqs []int64 // what the column has; nil is NULL
	row  R
}

// goneCall is a call as a row had it that is folded anew.
type goneCall struct {
	project string
	placedCall
}

// recounted is an observation of which it changed whether its amounts count.
type recounted struct {
	trace entityKey
	id    string
	span  span // of written
	row   *observationRow
}

// oldRows are the rows of a kind that go.
type oldRows struct {
	keys    []entityKey
	written []span
}

func (o *oldRows) add(k entityKey, written int64) {
	if written > 0 {
		o.keys = append(o.keys, k)
		o.written = append(o.written, span{written, written})
	}
}

// newRefold begins one, of about so many entities.
func (w *Warehouse) newRefold(upto entity.Seq, about int) *refold {
	return &refold{
		w: w, bundles: make(map[entityKey]*bundle, about), families: map[entityKey]*family{},
		fresh: make(map[entityKey]bool, about), written: int64(upto),
	}
}

// touch makes the entities those to fold: it finds their events, in the cache or in the Log.
func (r *refold) touch(keys []entityKey) error {
	var absent []entityKey
	for _, k := range keys {
		if k.kind == entity.GenericKind || r.bundles[k] != nil {
			continue
		}
		b, cached := r.w.bundles.get(k)
		if !cached {
			b = &bundle{}
			if r.isOld(k) {
				absent = append(absent, k)
			}
		}
		r.bundles[k] = b
	}
	return r.loadBundles(absent)
}

// isOld says whether the tables may have something of k, and remembers it from now on.
func (r *refold) isOld(k entityKey) bool {
	if r.fresh[k] {
		return false
	}
	if r.w.seen.add(r.w.seen.entityKey(k.project, k.id, uint8(k.kind))) {
		return true
	}
	r.fresh[k] = true
	return false
}

// write folds what was touched and writes the rows. It ends the refold but for keep.
func (r *refold) write() error {
	touched := r.foldBundles()
	if err := r.resolveTwins(touched); err != nil {
		return err
	}
	maps.DeleteFunc(touched, func(k entityKey, _ bool) bool { return k.id == "" }) // of none
	traces := slices.SortedFunc(maps.Keys(touched), compareKeys)
	if err := r.gather(traces); err != nil {
		return err
	}
	for _, k := range traces {
		r.rollUp(k)
	}
	if err := r.deleteOld(); err != nil {
		return err
	}
	if err := r.recount(); err != nil {
		return err
	}
	return r.appendRows()
}

// foldBundles makes the rows of the touched observations and scores, and returns the
// keys of the traces to roll up: their own, those where these rows are and those where they were.
func (r *refold) foldBundles() (traces map[entityKey]bool) {
	traces = map[entityKey]bool{}
	r.observations = make([]placed[observationRow], 0, len(r.bundles))
	for k, b := range r.bundles {
		r.foldBundle(k, b, traces)
	}
	return traces
}

func (r *refold) foldBundle(k entityKey, b *bundle, traces map[entityKey]bool) {
	switch k.kind {
	case entity.TraceKind:
		traces[k] = true
	case entity.ScoreKind:
		r.old[k.kind].add(k, b.written)
		if b.fold != nil {
			r.scores = append(r.scores, placed[wire.Score]{k, b.at, listed(b.own()), *b.fold.Score(k.id)})
		}
	case entity.ObservationKind:
		r.old[k.kind].add(k, b.written)
		var rows []observationRow
		if b.fold != nil {
			rows = b.fold.Observations(k.id)
		}
		for i := range rows {
			seqs := rising(rows[i].Seqs)
			at := span{seqs[0], seqs[len(seqs)-1]}
			r.observations = append(r.observations, placed[observationRow]{k, at, listed(seqs), rows[i]})
			traces[traceKey(k.project, rows[i].TraceID)] = true
		}
		for _, id := range b.traces {
			traces[traceKey(k.project, id)] = true
		}
		for _, c := range b.calls {
			r.gone = append(r.gone, goneCall{k.project, c})
		}
		b.calls = nil
	}
}

func traceKey(project, id string) entityKey { return entityKey{project, entity.TraceKind, id} }

func compareKeys(a, b entityKey) int {
	if c := strings.Compare(a.project, b.project); c != 0 {
		return c
	}
	return strings.Compare(a.id, b.id)
}

// gather finds the events and the observations of the traces, and puts the touched
// observations in the place of what they were.
func (r *refold) gather(traces []entityKey) error {
	var absent []entityKey
	for _, k := range traces {
		f, cached := r.w.families.get(k)
		if !cached {
			f = &family{members: map[string]relative{}}
			if r.isOld(k) {
				absent = append(absent, k)
			}
		}
		r.families[k] = f
	}
	if err := r.loadFamilies(absent); err != nil {
		return err
	}
	if err := r.touch(traces); err != nil { // their own events
		return err
	}
	for k, b := range r.bundles {
		if k.kind == entity.ObservationKind {
			for _, id := range b.traces {
				if id != "" {
					delete(r.families[traceKey(k.project, id)].members, k.id)
				}
			}
			b.traces = b.traces[:0]
		}
	}
	for i := range r.observations {
		p := &r.observations[i]
		r.bundles[p.key].traces = append(r.bundles[p.key].traces, p.row.TraceID)
		if p.row.TraceID != "" {
			r.families[traceKey(p.key.project, p.row.TraceID)].members[p.key.id] = relativeOf(&p.row, p.at)
		}
	}
	return nil
}

// rollUp makes the row of a trace, and finds the observations whose counting changed.
func (r *refold) rollUp(k entityKey) {
	f := r.families[k]
	r.old[entity.TraceKind].add(k, f.written)
	t, at, changed := rollUp(r.bundles[k], f, k.id)
	for _, row := range changed {
		m := f.members[row.ID]
		m.countsTokens, m.countsCost = row.CountsTokens, row.CountsCost
		f.members[row.ID] = m
		r.recounted = append(r.recounted, recounted{k, row.ID, span{f.at.first, f.written}, row})
	}
	f.at, f.written = at, 0
	if t != nil {
		f.written = r.written
		r.traces = append(r.traces, placed[wire.Trace]{k, at, r.bundles[k].own(), *t})
	}
}

// rollUp rolls a trace up from its own events and its family: what its row is, nil when
// there are neither, which events it covers, and the observations that do not know whether they count.
func rollUp(own *bundle, f *family, id string) (t *wire.Trace, at span, changed []*observationRow) {
	rows := make([]observationRow, len(f.members))
	pointers := make([]*observationRow, 0, len(rows))
	at = own.at
	for id, m := range f.members {
		if len(pointers) == 0 && own.fold == nil {
			at = m.at
		}
		at.add(m.at)
		row := &rows[len(pointers)]
		m.fill(id, row)
		pointers = append(pointers, row)
	}
	t = entity.RollUp(own.fold, pointers, id)
	for _, row := range pointers {
		if m := f.members[row.ID]; m.countsTokens != row.CountsTokens || m.countsCost != row.CountsCost {
			changed = append(changed, row)
		}
	}
	return t, at, changed
}

// keep puts what was touched into the cache, after the transaction went in.
func (r *refold) keep() {
	for k, b := range r.bundles {
		if b.fold == nil {
			r.w.bundles.drop(k)
			continue
		}
		if k.kind != entity.TraceKind {
			b.written = r.written
		}
		r.w.bundles.put(k, b)
	}
	for k, f := range r.families {
		if f.written == 0 {
			r.w.families.drop(k)
			continue
		}
		r.w.families.put(k, f)
	}
}
