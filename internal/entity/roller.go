package entity

import (
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Roller rolls traces up, one after the other, in memory that it uses again. The zero value is ready. It is
// not safe for concurrent use.
type Roller struct {
	parents []int32
	waiting []int32
	ready   []int32
	below   []amounts
	changed []Counts
	models  []string

	trace   wire.Trace
	end     time.Time
	latency float64
	cost    float64
}

// RollUp is the trace id as its own events (Trace of its Fold; nil when it has none) and its observations say it: what
// FoldTrace returns, without scores, tree and payloads. It tells the observations whether their amounts
// count, as Count does, and returns those of which that has changed. Both hold until the next call, or until the family
// changes. nil when there are neither events nor observations.
func (r *Roller) RollUp(own *wire.Trace, f *Family, id string) (t *wire.Trace, changed []Counts) {
	if own == nil && f.Len() == 0 {
		return nil, nil
	}
	r.count(f)
	if own == nil {
		own = ownTrace(nil, id)
	}
	return r.rollUp(own, f), r.changed
}

// rollUp is RollUp after count.
func (r *Roller) rollUp(own *wire.Trace, f *Family) *wire.Trace {
	t := &r.trace
	*t = *own
	if t.Environment == "" { // it says nothing of itself
		first := &f.steps[f.first(func(*step) bool { return true })]
		t.Environment, t.KeyID, t.StartTime = first.said.environment, first.said.key, instant{us: first.start}.time()
	}
	root := f.root()
	if root != noPlace {
		f.fromRoot(t, root)
	}
	r.summarize(t, f)
	t.InnerErrors = t.ErrorCount
	if t.Status != "" { // it says so itself
		return t
	}
	t.Status = StatusOK
	if root != noPlace { // what failed below it may have been mended
		t.Status = f.steps[root].said.status
		if f.steps[root].said.bad() && !f.steps[root].duplicate {
			t.InnerErrors--
		}
	}
	return t
}

// fewModels are as many as are looked through for each observation.
const fewModels = 8

// summarize adds what the trace's observations are together.
func (r *Roller) summarize(t *wire.Trace, f *Family) {
	var cost Money
	priced := false
	var end instant
	start := instant{t.StartTime.UnixMicro(), true}
	if r.models == nil {
		r.models = []string{}
	}
	r.models = r.models[:0]
	for i := range f.steps {
		s := &f.steps[i]
		start.least(s.start)
		if s.ended {
			end.greatest(s.end)
		}
		if model := s.said.model; model != "" && !slices.Contains(r.models[:min(len(r.models), fewModels)], model) {
			r.models = append(r.models, model)
		}
		if s.countsTokens && s.knowsTokens {
			t.TotalTokens = addTokens(t.TotalTokens, s.tokens)
		}
		if s.countsCost && s.knowsCost {
			cost.Add(s.cost)
			priced = true
		}
		if s.duplicate {
			continue
		}
		t.ObservationCount++
		if s.said.bad() {
			t.ErrorCount++
		}
		if s.call && !s.knowsCost && (s.said.status != StatusError || s.knowsTokens) {
			t.UnpricedCount++
		}
	}
	if priced {
		r.cost = cost.Sum()
		t.TotalCost = &r.cost
	}
	slices.Sort(r.models)
	r.models = slices.Compact(r.models)
	t.Models = r.models
	t.StartTime = start.time()
	if end.known {
		r.end = end.time()
		t.EndTime = &r.end
		t.LatencyMS, t.LatencyReason = latency(start, end, &r.latency)
	}
}

// count decides which amounts count; those of which it is not what was noted are changed.
func (r *Roller) count(f *Family) {
	below := r.carriedBelow(f)
	r.changed = r.changed[:0]
	for i := range f.steps {
		s := &f.steps[i]
		tokens := !s.duplicate && (s.call || below[i]&someTokens == 0)
		cost := !s.duplicate && (s.call || below[i]&someCost == 0)
		if tokens != s.countsTokens || cost != s.countsCost {
			s.countsTokens, s.countsCost = tokens, cost
			r.changed = append(r.changed, s.counts())
		}
	}
}

// carriedBelow says of each what is carried below it. It goes from the leaves up, without
// recursion.
func (r *Roller) carriedBelow(f *Family) []amounts {
	r.below = again(r.below, len(f.steps))
	if !r.link(f) {
		return r.below
	}
	r.waiting = again(r.waiting, len(f.steps)) // children that have not reported yet
	for _, p := range r.parents {
		if p != noPlace {
			r.waiting[p]++
		}
	}
	r.ready = r.ready[:0]
	for i, n := range r.waiting {
		if n == 0 {
			r.ready = append(r.ready, int32(i))
		}
	}
	for len(r.ready) > 0 {
		i := r.ready[len(r.ready)-1]
		r.ready = r.ready[:len(r.ready)-1]
		p := r.parents[i]
		if p == noPlace {
			continue
		}
		r.below[p] |= r.below[i] | f.steps[i].carries()
		if r.waiting[p]--; r.waiting[p] == 0 {
			r.ready = append(r.ready, p)
		}
	}
	return r.below
}

// link finds the place of each one's parent, noPlace for a root; false when all are roots.
func (r *Roller) link(f *Family) (any bool) {
	for i := range f.steps {
		if s := &f.steps[i]; s.up == noPlace && s.parent != "" {
			s.up = int32(f.place(s.parent))
		}
	}
	r.parents = again(r.parents, len(f.steps))
	for i := range f.steps {
		r.parents[i] = f.steps[i].up
		any = any || r.parents[i] != noPlace
	}
	if any {
		r.breakCycles(f)
	}
	return any
}

// breakCycles makes the first of every cycle a root.
func (r *Roller) breakCycles(f *Family) {
	r.waiting = again(r.waiting, len(f.steps)) // the number of the walk that passed here first; 0 is none
	for i := range r.parents {
		walk, n := int32(i+1), int32(i)
		for n != noPlace && r.waiting[n] == 0 {
			r.waiting[n] = walk
			n = r.parents[n]
		}
		if n == noPlace || r.waiting[n] != walk {
			continue // ended at a root, or where an earlier walk was
		}
		first := n
		for m := r.parents[n]; m != n; m = r.parents[m] {
			if f.steps[m].before(&f.steps[first]) {
				first = m
			}
		}
		r.parents[first] = noPlace
	}
}

// again is n zero values, in the memory of s.
func again[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}
