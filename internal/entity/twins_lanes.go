package entity

import (
	"cmp"
	"slices"
)

// lanes are the calls that have a key, by their scopes.
type lanes struct {
	first lane
	more  map[string]*lane
}

// lane is calls of a scope in the order of their starts.
type lane struct {
	scope  string
	calls  []*Call
	latest []int64 // the greatest end of those up to here
}

func (l *lanes) of(scope string) *lane {
	if scope == l.first.scope {
		return &l.first
	}
	if l.more == nil {
		l.more = map[string]*lane{}
	}
	if l.more[scope] == nil {
		l.more[scope] = &lane{scope: scope}
	}
	return l.more[scope]
}

func (l *lane) add(c *Call) { l.calls, l.latest = append(l.calls, c), nil }

// within calls each for the calls that begin not after last and end not before first, until it returns false.
func (l *lane) within(first, last int64, each func(*Call) bool) {
	if l.latest == nil {
		slices.SortFunc(l.calls, func(a, b *Call) int { return cmp.Or(cmp.Compare(a.From, b.From), a.Ref.compare(b.Ref)) })
		l.latest = make([]int64, len(l.calls))
		for i, c := range l.calls {
			l.latest[i] = c.To
			if i > 0 {
				l.latest[i] = max(c.To, l.latest[i-1])
			}
		}
	}
	end, _ := slices.BinarySearchFunc(l.calls, last, func(c *Call, at int64) int {
		if c.From <= at {
			return -1
		}
		return 1
	})
	for i := end - 1; i >= 0 && l.latest[i] >= first; i-- {
		if c := l.calls[i]; c.To >= first && !each(c) {
			return
		}
	}
}
