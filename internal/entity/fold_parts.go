package entity

import (
	"maps"
	"slices"
	"strings"
)

// tracePart is the facts of one observation id that speak of one trace.
type tracePart struct {
	trace string
	items []foldItem // in the order of the fold
	// first is the least timestamp of the creates that name the trace, or, without a
	// create, of all events that name it.
	first   instant
	created bool
}

// newer says whether p is the part to which what names no trace goes, rather than q.
func (p *tracePart) newer(q *tracePart) bool {
	switch {
	case p.created != q.created:
		return p.created
	case p.first.us != q.first.us:
		return p.first.us > q.first.us
	}
	return p.trace > q.trace
}

// byTrace divides the facts of one observation id among the traces that they name,
// sorted by trace id. What names no trace is with the newest; when nothing names a
// trace, all is one part of the trace "".
func (f *Fold) byTrace() []*tracePart {
	items := f.sorted()
	named := make(map[string]*tracePart)
	for _, item := range items {
		if id := item.traceID(); id != "" {
			p := named[id]
			if p == nil {
				p = &tracePart{trace: id}
				named[id] = p
			}
			p.name(item)
		}
	}
	if len(named) == 0 {
		if len(items) == 0 {
			return nil
		}
		return []*tracePart{{items: items}}
	}
	var newest *tracePart
	for _, p := range named {
		if newest == nil || p.newer(newest) {
			newest = p
		}
	}
	for _, item := range items {
		p := named[item.traceID()]
		if p == nil {
			p = newest
		}
		p.items = append(p.items, item)
	}
	return slices.SortedFunc(maps.Values(named), func(a, b *tracePart) int { return strings.Compare(a.trace, b.trace) })
}

// traceID is the trace that the event names, or "".
func (a foldItem) traceID() string {
	v, _ := a.fields.Get(TraceID)
	return v.Text
}

// name takes note of an event that names the part's trace; creates come first.
func (p *tracePart) name(item foldItem) {
	if item.fields.Rank == RankCreate {
		p.created = true
	} else if p.created {
		return
	}
	p.first.least(micros(item.rec))
}
