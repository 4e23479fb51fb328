package duckstore

import (
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// refold is the part of a transaction that brings the entity rows in step with the
// events: the entities that it touches are folded anew, the traces that are theirs are
// rolled up anew, and the new rows take the place of the old ones.
type refold struct {
	w        *Warehouse
	heads    map[entityKey]*rivals // by the key of all with the id
	bundles  map[entityKey]*bundle
	families map[entityKey]*family // by the key of the trace
	fresh    map[entityKey]bool    // what nothing has named before; of observations, all with the id
	written  int64                 // of the rows that it writes
	wipe     bool                  // nothing must stay of the old rows
	without  []int64               // Seqs of events that go, rising
	prices   entity.Pricer         // of the rows that it writes

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
	span  span // of written
	entity.Counts
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
func (w *Warehouse) newRefold(written int64, about int) *refold {
	return &refold{
		w: w, heads: map[entityKey]*rivals{}, bundles: make(map[entityKey]*bundle, about), families: map[entityKey]*family{},
		fresh: make(map[entityKey]bool, about), written: written, prices: w.options.Prices,
	}
}

// touch makes the entities those to fold: it finds their events, in the cache or in the Log. It returns the keys of
// the bundles that were not touched before.
func (r *refold) touch(keys []entityKey) (made []entityKey, err error) {
	if err := r.findHeads(keys); err != nil {
		return nil, err
	}
	var absent []entityKey
	for _, k := range keys {
		k = r.place(k)
		if k.kind == entity.GenericKind || r.bundles[k] != nil {
			continue
		}
		b, cached := r.w.bundles.get(k)
		if !cached {
			b = &bundle{}
			if r.hasRow(k) {
				absent = append(absent, k)
			}
		}
		r.add(k, b)
		made = append(made, k)
	}
	return made, r.loadBundles(absent)
}

// add takes in a bundle.
func (r *refold) add(k entityKey, b *bundle) *bundle {
	r.bundles[k] = b
	if k.kind == entity.ObservationKind {
		of := r.heads[k.all()]
		of.touched = append(of.touched, k)
	}
	return b
}

// isOld says whether the tables may have something of k, of observations of any with the id, and remembers it from now on.
func (r *refold) isOld(k entityKey) bool {
	if r.fresh[k] {
		return false
	}
	if r.w.knows(k.project, k.id, k.kind) {
		return true
	}
	r.fresh[k] = true
	return false
}

// tariff prices the calls of a project.
func (w *Warehouse) tariff(project string) entity.Tariff {
	return entity.Tariff{Prices: w.options.Prices, Project: project}
}

// write folds what was touched and writes the rows. It ends the refold but for keep.
func (r *refold) write() error {
	if err := r.rank(); err != nil {
		return err
	}
	touched, err := r.foldBundles()
	if err != nil {
		return err
	}
	if err := r.resolveTwins(touched); err != nil {
		return err
	}
	maps.DeleteFunc(touched, func(k entityKey, _ bool) bool { return k.id == "" }) // of none
	traces := slices.SortedFunc(maps.Keys(touched), compareKeys)
	if err := r.gather(traces); err != nil {
		return err
	}
	for _, k := range traces {
		if err := r.rollUp(k); err != nil {
			return err
		}
	}
	if err := r.deleteOld(); err != nil {
		return err
	}
	if err := r.settle(); err != nil {
		return err
	}
	if err := r.recount(); err != nil {
		return err
	}
	return r.appendRows()
}

// foldBundles makes the rows of the touched observations and scores, and returns the
// keys of the traces to roll up: their own, those where these rows are and those where they were.
func (r *refold) foldBundles() (traces map[entityKey]bool, err error) {
	traces = map[entityKey]bool{}
	r.observations = make([]placed[observationRow], 0, len(r.bundles))
	for k, b := range r.bundles {
		if err := r.foldBundle(k, b, traces); err != nil {
			return nil, err
		}
	}
	return traces, nil
}

func (r *refold) foldBundle(k entityKey, b *bundle, traces map[entityKey]bool) error {
	events, err := b.folder() // what it makes is kept
	if err != nil {
		return err
	}
	switch k.kind {
	case entity.TraceKind:
		traces[k] = true
	case entity.ScoreKind:
		r.old[k.kind].add(k, b.written)
		if !b.empty() {
			r.scores = append(r.scores, placed[wire.Score]{k, b.at, listed(b.own()), *events.Score(k.id)})
		}
	case entity.ObservationKind:
		r.old[k.kind].add(k, b.written)
		if !b.empty() {
			r.observations = append(r.observations, placed[observationRow]{k, b.at, listed(b.own()), events.Observations(k.id)[0]})
		}
		traces[traceKey(k.project, k.trace)] = true
		if b.call != nil {
			r.gone = append(r.gone, goneCall{k.project, *b.call})
		}
		b.call = nil
	}
	return nil
}

// gather finds the events and the observations of the traces, and puts the touched
// observations in the place of what they were.
func (r *refold) gather(traces []entityKey) error {
	var absent []entityKey
	for _, k := range traces {
		f, cached := r.w.families.get(k)
		if !cached {
			f = &family{}
			if r.isOld(k) {
				absent = append(absent, k)
			}
		}
		r.families[k] = f
	}
	if err := r.loadFamilies(absent); err != nil {
		return err
	}
	if _, err := r.touch(traces); err != nil { // their own events
		return err
	}
	for k := range r.bundles {
		if k.kind == entity.ObservationKind && k.trace != "" {
			r.families[traceKey(k.project, k.trace)].Drop(k.id)
		}
	}
	for i := range r.observations {
		p := &r.observations[i]
		if p.row.TraceID != "" {
			r.families[traceKey(p.key.project, p.row.TraceID)].Put(&p.row, entity.Seq(p.at.first), entity.Seq(p.at.last))
		}
	}
	return nil
}

// rollUp makes the row of a trace, and finds the observations whose counting changed.
func (r *refold) rollUp(k entityKey) error {
	f, b := r.families[k], r.bundles[k]
	r.old[entity.TraceKind].add(k, f.written)
	var own *wire.Trace
	if !b.empty() {
		events, err := b.folder()
		if err != nil {
			return err
		}
		own = events.Trace(k.id)
	}
	var roller entity.Roller // what it makes is kept
	t, changed := roller.RollUp(own, &f.Family, k.id)
	at := f.span(b)
	for _, c := range changed {
		r.recounted = append(r.recounted, recounted{k, span{f.at.first, f.written}, c})
	}
	f.at, f.written = at, 0
	if t != nil {
		f.written = r.written
		r.traces = append(r.traces, placed[wire.Trace]{k, at, b.own(), *t})
	}
	return nil
}

// span is where the events of a trace are: its own and those of its observations.
func (f *family) span(own *bundle) span {
	first, last := f.Span()
	at := span{int64(first), int64(last)}
	switch {
	case own.empty():
	case f.Len() == 0:
		at = own.at
	default:
		at.add(own.at)
	}
	return at
}

// keep puts what was touched into the cache, after the transaction went in.
func (r *refold) keep() {
	for k, b := range r.bundles {
		if b.empty() {
			r.w.bundles.drop(k)
			continue
		}
		if k.kind != entity.TraceKind {
			b.written = r.written
		}
		r.w.bundles.put(k, b)
	}
	for id, of := range r.heads {
		if of.none() {
			r.w.heads.drop(id)
			continue
		}
		r.w.heads.put(id, of.head)
	}
	for k, f := range r.families {
		if f.written == 0 {
			r.w.families.drop(k)
			continue
		}
		r.w.families.put(k, f)
	}
}
