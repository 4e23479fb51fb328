package duckstore

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// rivals are the observations with one id, of which a refold touches some.
type rivals struct {
	head       // before the refold; behind settle, after it
	whole bool // all are folded together
}

// findHeads finds the heads of the observations' ids, and decides which ids are folded whole. That holds for the whole refold.
func (r *refold) findHeads(keys []entityKey) error {
	var old []entityKey
	for _, k := range keys {
		if k.kind != entity.ObservationKind {
			continue
		}
		id := k.all()
		of := r.heads[id]
		if of == nil {
			of = &rivals{}
			r.heads[id] = of
			if r.isOld(id) {
				old = append(old, id)
			}
		}
		of.whole = of.whole || k == id
	}
	heads, err := r.w.headsOf(old)
	for _, id := range old {
		of := r.heads[id]
		of.head = heads[id]
		of.whole = of.whole || of.floating
	}
	return err
}

// place is the key of the bundle in which the events of an entity are.
func (r *refold) place(k entityKey) entityKey {
	if k.kind == entity.ObservationKind {
		if of := r.heads[k.all()]; of != nil && of.whole {
			return k.all()
		}
	}
	return k
}

// keyOf names what an event is about.
func keyOf(project string, row entity.Row) entityKey {
	k := entityKey{project: project, kind: row.Kind(), id: string(row.EntityID())}
	if k.kind == entity.ObservationKind {
		trace := row.Get(entity.TraceID)
		k.trace = string(trace)
	}
	return k
}

// isWhole says whether a bundle is of all observations with an id.
func isWhole(k entityKey) bool { return k.kind == entity.ObservationKind && k.trace == "" }

// cached is a bundle that the cache has. When an id begins to be whole, the one observation with it may be there.
func (r *refold) cached(k entityKey) (b *bundle, cached bool) {
	if of := r.heads[k]; isWhole(k) && of.alone && !of.floating {
		b, cached = r.w.bundles.get(k.in(of.trace))
		r.w.bundles.drop(k.in(of.trace))
		return b, cached
	}
	return r.w.bundles.get(k)
}

// hasRows says whether the tables may have rows of a bundle.
func (r *refold) hasRows(k entityKey) bool {
	if k.kind != entity.ObservationKind {
		return r.isOld(k)
	}
	of, trace := r.heads[k.all()], traceKey(k.project, k.trace)
	switch {
	case of.none():
		return false
	case isWhole(k) || k.trace == of.trace:
		return true
	case of.alone || r.fresh[trace]:
		return false
	}
	if f, cached := r.w.families.get(trace); cached {
		_, has := f.Counts(k.id)
		return has
	}
	return true
}

// writtenOf is a further condition on the rows of bundles.
func (r *refold) writtenOf(keys []entityKey) string {
	var spans []span
	for _, k := range keys {
		if k.kind == entity.ObservationKind {
			spans = append(spans, r.heads[k.all()].written)
		}
	}
	if len(spans) == 0 {
		return ""
	}
	return " AND " + within("written", joinSpans(spans, fewSpans))
}

// settle decides which of the observations with each id is the newest now. The rows whose place is taken are gone, and the new ones
// are not there yet.
func (r *refold) settle() error {
	fresh := make(map[entityKey][]*placed[observationRow], len(r.heads))
	for i := range r.observations {
		p := &r.observations[i]
		fresh[p.key.all()] = append(fresh[p.key.all()], p)
	}
	heirs, err := r.heirs(fresh)
	if err != nil {
		return err
	}
	var up, down flagged
	for id, of := range r.heads {
		was, stays, others := of.head, r.stays(id), r.others(id)
		kept, fell := heirs[id]
		if stays {
			kept = was
		}
		others = others && (!fell || !kept.none())
		top := of.settle(kept, fresh[id], others, r.written)
		switch {
		case top != nil && stays:
			down.add(id.in(kept.trace), was.written)
		case top == nil && fell && others:
			up.add(id.in(kept.trace), was.written)
		}
	}
	if err := r.w.setNewest(&down, false); err != nil {
		return err
	}
	return r.w.setNewest(&up, true)
}

// settle is that of one id: kept is the newest of the rows that stay, if it is known that it may be the newest of all, and others says
// whether there are any. It returns the fresh row that is the newest.
func (of *rivals) settle(kept head, fresh []*placed[observationRow], others bool, written int64) (top *placed[observationRow]) {
	h := kept
	h.floating = false
	for _, p := range fresh {
		p.row.Newest = false
		h.floating = h.floating || p.row.Floating
		if h.yields(p.row.TraceID, p.row.Newness) {
			h.trace, h.newness, top = p.row.TraceID, p.row.Newness, p
		}
		h.written = span{written, written} // it is not none any more
	}
	if top != nil {
		top.row.Newest = true
	}
	if others {
		if h.written = of.written; len(fresh) > 0 {
			h.written.add(span{written, written})
		}
	}
	h.alone = others && of.alone && len(fresh) == 0 || !others && len(fresh) == 1
	of.head = h
	return top
}

// stays says whether the newest row with an id, as it was, is none of those that go.
func (r *refold) stays(id entityKey) bool {
	of := r.heads[id]
	return !of.none() && !of.whole && r.bundles[id.in(of.trace)] == nil
}

// others says whether there may be rows with an id that stay.
func (r *refold) others(id entityKey) bool {
	of := r.heads[id]
	return !of.none() && !of.whole && (!of.alone || r.stays(id))
}

// heirs are the newest of the rows that stay, none where none does, of the ids whose newest went and has no fresh row that is as new.
func (r *refold) heirs(fresh map[entityKey][]*placed[observationRow]) (map[entityKey]head, error) {
	heirs := map[entityKey]head{}
	var fell []entityKey
	for id, of := range r.heads {
		asNew := func(p *placed[observationRow]) bool {
			return p.row.TraceID == of.trace && p.row.Newness == of.newness || of.yields(p.row.TraceID, p.row.Newness)
		}
		if r.others(id) && !r.stays(id) && !slices.ContainsFunc(fresh[id], asNew) {
			fell, heirs[id] = append(fell, id), head{}
		}
	}
	if len(fell) == 0 {
		return heirs, nil
	}
	err := r.w.write.scan("SELECT DISTINCT ON (project, id) project, id, trace_id, newness, written FROM observations WHERE "+among("id")+" ORDER BY project, id, newness DESC, trace_id DESC", params(fell), func(b block) {
		for i := range b.rows {
			heirs[entityKey{b.text(0, i), entity.ObservationKind, "", b.text(1, i)}] = head{trace: b.text(2, i), newness: b.number(3, i), written: span{b.number(4, i), b.number(4, i)}}
		}
	})
	return heirs, err
}
