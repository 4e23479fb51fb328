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

// oneTrace is the only trace that the facts of one observation id name, "" when they name none; false when they name several.
func oneTrace(items []foldItem) (trace string, one bool) {
	for i := range items {
		switch id := items[i].trace; {
		case id == "" || id == trace:
		case trace == "":
			trace = id
		default:
			return "", false
		}
	}
	return trace, true
}

// byTrace divides the facts of one observation id, which stand in their order, among the traces that they name,
// sorted by trace id. What names no trace is with the newest.
func byTrace(items []foldItem) []*tracePart {
	named := make(map[string]*tracePart)
	for i := range items {
		if id := items[i].trace; id != "" {
			p := named[id]
			if p == nil {
				p = &tracePart{trace: id}
				named[id] = p
			}
			p.name(&items[i])
		}
	}
	var newest *tracePart
	for _, p := range named {
		if newest == nil || p.newer(newest) {
			newest = p
		}
	}
	for _, item := range items {
		p := named[item.trace]
		if p == nil {
			p = newest
		}
		p.items = append(p.items, item)
	}
	return slices.SortedFunc(maps.Values(named), func(a, b *tracePart) int { return strings.Compare(a.trace, b.trace) })
}

// name takes note of an event that names the part's trace; creates come first.
func (p *tracePart) name(item *foldItem) {
	if item.rank == RankCreate {
		p.created = true
	} else if p.created {
		return
	}
	p.first.least(item.at)
}
