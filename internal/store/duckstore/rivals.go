package duckstore

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// rivals are the observations with one id, of which a refold touches some.
type rivals struct {
	was     head        // before the refold
	head                // after it: trace and newness behind rank, all behind settle
	touched []entityKey // of the bundles
}

// findHeads finds the heads of the observations' ids.
func (r *refold) findHeads(keys []entityKey) error {
	var old []entityKey
	for _, k := range keys {
		if id := k.all(); k.kind == entity.ObservationKind && r.heads[id] == nil {
			r.heads[id] = &rivals{}
			if r.isOld(id) {
				old = append(old, id)
			}
		}
	}
	heads, err := r.w.headsOf(old)
	for _, id := range old {
		r.heads[id].was, r.heads[id].head = heads[id], heads[id]
	}
	return err
}

// place is the key of the bundle that an event goes to, which names what the key says: what floats is with the newest.
func (r *refold) place(k entityKey) entityKey {
	if k.kind == entity.ObservationKind && k.trace == "" {
		if of := r.heads[k]; of != nil {
			k.trace = of.was.trace
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

// hasRow says whether the tables may have something of an entity.
func (r *refold) hasRow(k entityKey) bool {
	if k.kind != entity.ObservationKind {
		return r.isOld(k)
	}
	was, trace := &r.heads[k.all()].was, traceKey(k.project, k.trace)
	switch {
	case was.none():
		return false
	case k.trace == was.trace:
		return true
	case was.alone || k.trace == "" || r.fresh[trace]:
		return false
	}
	if f, cached := r.w.families.get(trace); cached {
		_, has := f.Counts(k.id)
		return has
	}
	return true
}

// writtenOf is a further condition on the rows of entities.
func (r *refold) writtenOf(kind entity.Kind, keys []entityKey) string {
	if kind != entity.ObservationKind {
		return ""
	}
	spans := make([]span, len(keys))
	for i, k := range keys {
		was := &r.heads[k.all()].was
		if spans[i] = was.written; k.trace == was.trace {
			spans[i] = span{was.at, was.at}
		}
	}
	return " AND " + within("written", joinSpans(spans, fewSpans))
}

// stays says whether the newest row with an id, as it was, is none of those that are touched.
func (r *refold) stays(id entityKey) bool {
	was := &r.heads[id].was
	return !was.none() && r.bundles[id.in(was.trace)] == nil
}

// others says whether there may be rows with an id that are not touched.
func (r *refold) others(id entityKey) bool {
	was := &r.heads[id].was
	return !was.none() && (!was.alone || r.stays(id))
}

// newest is the newest of the observations with an id that are touched.
func (r *refold) newest(of *rivals) (h head) {
	for _, k := range of.touched {
		if b := r.bundles[k]; !b.empty() && h.yields(k.trace, b.newness) {
			h = head{trace: k.trace, newness: b.newness, at: r.written, written: span{r.written, r.written}, floating: b.floats > 0}
		}
	}
	return h
}

// rank decides which of the observations with each id is the newest now, and brings what floats there.
func (r *refold) rank() error {
	r.unname()
	heirs, err := r.heirs()
	if err != nil {
		return err
	}
	var more []entityKey
	for id, of := range r.heads {
		h, other := r.newest(of), heirs[id]
		if r.stays(id) {
			other = of.was
		}
		switch {
		case !other.none() && h.yields(other.trace, other.newness):
			h = other
			if slices.ContainsFunc(of.touched, func(k entityKey) bool { return r.bundles[k].floats > 0 }) {
				more = append(more, id.in(h.trace))
			}
		case r.stays(id) && of.was.floating:
			more = append(more, id.in(of.was.trace))
		}
		of.head = h
	}
	if _, err := r.touch(more); err != nil {
		return err
	}
	for id, of := range r.heads {
		to := r.bundles[id.in(of.trace)]
		for _, k := range of.touched {
			if b := r.bundles[k]; b.floats > 0 && b != to {
				b.float(to)
			}
		}
	}
	return nil
}

// unname makes observations of which no event names the trace any more those of none.
func (r *refold) unname() {
	for id, of := range r.heads {
		for _, k := range of.touched {
			b := r.bundles[k]
			if k.trace == "" || b.empty() || b.newness != entity.Unnamed {
				continue
			}
			to := r.bundles[id]
			if to == nil {
				to = r.add(id, &bundle{})
			}
			b.float(to)
		}
	}
}

// heirs finds the newest of the rows that are not touched, of the ids whose newest is, and may be it no more.
func (r *refold) heirs() (map[entityKey]head, error) {
	heirs := map[entityKey]head{}
	var fell, touched []entityKey
	for id, of := range r.heads {
		if h := r.newest(of); r.others(id) && !r.stays(id) && h.yields(of.was.trace, of.was.newness) {
			fell, touched = append(fell, id), append(touched, of.touched...)
		}
	}
	if len(fell) == 0 {
		return heirs, nil
	}
	is, args := ofRows(entity.ObservationKind, touched)
	statement := "SELECT DISTINCT ON (project, id) project, id, trace_id, newness, written FROM observations WHERE " + among("id") + " AND NOT " + is + " ORDER BY project, id, newness DESC, trace_id DESC"
	err := r.w.write.scan(statement, args, func(b block) {
		for i := range b.rows {
			heirs[entityKey{b.text(0, i), entity.ObservationKind, "", b.text(1, i)}] = head{trace: b.text(2, i), newness: b.number(3, i), at: b.number(4, i), written: span{b.number(4, i), b.number(4, i)}}
		}
	})
	return heirs, err
}

// settle tells the rows which is the newest with its id: those that the refold writes, and others.
func (r *refold) settle() error {
	for i := range r.observations {
		p := &r.observations[i]
		p.row.Newest = p.key.trace == r.heads[p.key.all()].trace
	}
	var up, down flagged
	for id, of := range r.heads {
		if of.none() {
			continue // all are gone
		}
		newest := r.bundles[id.in(of.trace)]
		switch {
		case of.trace == of.was.trace:
		case newest == nil:
			up.add(id.in(of.trace), of.at)
		case r.stays(id):
			down.add(id.in(of.was.trace), of.was.at)
		}
		of.head = r.after(id, of, newest)
	}
	if err := r.w.setNewest(&down, false); err != nil {
		return err
	}
	return r.w.setNewest(&up, true)
}

// after is what is known of the rows with an id when those that were touched are written; of the newest is the bundle, if it is touched.
func (r *refold) after(id entityKey, of *rivals, newest *bundle) head {
	h, others, n := of.head, r.others(id), 0
	for _, k := range of.touched {
		if !r.bundles[k].empty() {
			n++
		}
	}
	if h.written = (span{r.written, r.written}); newest != nil {
		h.at = r.written
	}
	switch {
	case others && n == 0:
		h.written = of.was.written
	case others:
		h.written.add(of.was.written)
	}
	h.alone = !others && n == 1
	h.floating = newest != nil && newest.floats > 0 || newest == nil && of.was.floating && of.trace == of.was.trace
	return h
}
