package entity

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// tracePart is the facts of one observation id that speak of one trace.
type tracePart struct {
	trace   string
	items   []foldItem // in the order of the fold
	newness int64
}

// newer says whether p is the part to which what names no trace goes, rather than q.
func (p *tracePart) newer(q *tracePart) bool {
	return p.newness > q.newness || p.newness == q.newness && p.trace > q.trace
}

const (
	// Unnamed is the newness of an observation whose trace no event names: the least of all.
	Unnamed = math.MinInt64
	// uncreated is subtracted from times, which are far from it, while there is no create.
	uncreated = 1 << 62
)

// Newness is how new an observation is among those with its id, of which the newest is the one with the greatest newness, then with
// the greatest trace id: the time of its first create in microseconds since 1970, or, less than any of these, of its first event. It
// is n before the event, and Unnamed before the first. An event that names no trace makes none newer.
func Newness(n, at int64, rank Rank) int64 {
	created := n > -uncreated/2
	switch {
	case rank != RankCreate && created:
		return n
	case rank != RankCreate:
		at -= uncreated
	case !created:
		return at
	}
	if n == Unnamed {
		return at
	}
	return min(n, at)
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
func byTrace(items []foldItem) (parts []*tracePart, newest *tracePart) {
	named := make(map[string]*tracePart)
	for i := range items {
		if id := items[i].trace; id != "" {
			p := named[id]
			if p == nil {
				p = &tracePart{trace: id, newness: Unnamed}
				named[id] = p
			}
			p.newness = Newness(p.newness, items[i].at, items[i].rank)
		}
	}
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
	return slices.SortedFunc(maps.Values(named), func(a, b *tracePart) int { return strings.Compare(a.trace, b.trace) }), newest
}
