// Package paging is how a Warehouse finds the rows of a page of a list, whatever its engine: where a page ends, and which rows of a list are on
// it when only reading their events can tell.
package paging

import (
	"context"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Cut cuts the keys of rows to limit, and says where they end when they were more.
func Cut[K any](keys []K, limit int, place func(*K) store.Place) ([]K, *store.Place) {
	if len(keys) <= limit {
		return keys, nil
	}
	keys = keys[:limit]
	end := place(&keys[limit-1])
	return keys, &end
}

// The rows that Search looks at at a time: of the first statement at least so many, each time leapGrowth as many, and the events of
// searchStep rows together: when these fill the page, the rest of the leap is not looked at.
const (
	searchLeap    = 256
	leapGrowth    = 8
	mostSearched  = 1 << 18
	searchStep    = 1 << 12
	searchPerPage = 4 // rows looked at first, for each row of the page
)

// List is a list whose rows have keys of type K.
type List[K any] struct {
	// Find finds the keys of a plan's page in their order, and one more when there are more.
	Find func(*store.Plan) ([]K, error)
	// Place is where a row stands.
	Place func(*K) store.Place
	// Events calls each with the place of a row in keys and the Seq of an event whose text counts for it, for all of them.
	Events func(ctx context.Context, keys []K, each func(at int, seq entity.Seq)) error
}

// Search finds the rows of a page, and one more, that match: it goes through what Find finds, in order, in growing leaps,
// until the page is full. Where no events are to be asked it is Find.
func (l *List[K]) Search(ctx context.Context, plan *store.Plan) ([]K, error) {
	if !plan.Asks() {
		return l.Find(plan)
	}
	leap := *plan
	leap.Limit = max(searchLeap, searchPerPage*plan.Limit)
	var found []K
	for {
		keys, err := l.Find(&leap)
		if err != nil {
			return nil, err
		}
		keys, next := Cut(keys, leap.Limit, l.Place)
		for some := range slices.Chunk(keys, searchStep) {
			if some, err = l.matching(ctx, some, &plan.Where); err != nil {
				return nil, err
			}
			if found = append(found, some...); len(found) > plan.Limit {
				return found[:plan.Limit+1], nil
			}
		}
		if next == nil {
			return found, nil
		}
		leap.After, leap.Limit = next, min(leapGrowth*leap.Limit, mostSearched)
	}
}

// matching are the keys whose events match all that is asked, in their order.
func (l *List[K]) matching(ctx context.Context, keys []K, asked *store.Where) ([]K, error) {
	var of []int
	var seqs []entity.Seq
	err := l.Events(ctx, keys, func(at int, seq entity.Seq) {
		of, seqs = append(of, at), append(seqs, seq)
	})
	if err != nil {
		return nil, err
	}
	failed := make([]bool, len(keys))
	for _, f := range append([]store.Found{{Match: asked.Match}}, asked.Found...) {
		if f.Match == nil {
			continue
		}
		matches, err := f.Match(ctx, seqs)
		if err != nil {
			return nil, err
		}
		has := make([]bool, len(keys))
		for i, yes := range matches {
			has[of[i]] = has[of[i]] || yes
		}
		for i := range failed {
			failed[i] = failed[i] || has[i] == f.Not
		}
	}
	var kept []K
	for i, k := range keys {
		if !failed[i] {
			kept = append(kept, k)
		}
	}
	return kept, nil
}
