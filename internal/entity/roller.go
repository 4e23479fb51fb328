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
	changed []*Kin
	models  []string

	trace   wire.Trace
	end     time.Time
	latency float64
}

// amounts are which amounts something carries.
type amounts uint8

const (
	someTokens amounts = 1 << iota
	someCost
)

// RollUp is the trace id as its own events (Trace of its Fold; nil when it has none) and its observations say it: what
// FoldTrace returns, without scores, tree and payloads. It tells the observations whether their amounts
// count, as Count does, and returns those of which that has changed. Both hold until the next call, or until the family
// changes. nil when there are neither events nor observations.
func (r *Roller) RollUp(own *wire.Trace, f *Family, id string) (t *wire.Trace, changed []*Kin) {
	if own == nil && f.Len() == 0 {
		return nil, nil
	}
	r.count(f)
	t, _ = r.rollUp(own, f, id)
	return t, r.changed
}

// rollUp is RollUp after count. root is the place of the observation that says what the trace is about.
func (r *Roller) rollUp(own *wire.Trace, f *Family, id string) (t *wire.Trace, root int) {
	t = &r.trace
	if own != nil {
		*t = *own
	} else {
		first := &f.kin[f.first(func(*Kin) bool { return true })]
		*t = wire.Trace{}
		t.ID, t.Tags, t.Environment, t.StartTime = id, []string{}, first.Said.Environment, instant{first.Start, true}.time()
	}
	root = f.root()
	if root != noPlace {
		f.fromRoot(t, root)
	}
	r.summarize(t, f)
	t.Status, t.InnerErrors = StatusOK, t.ErrorCount
	if root != noPlace { // what failed below it may have been mended
		t.Status = f.kin[root].Said.Status
		if f.kin[root].Said.failed() && !f.kin[root].Duplicate {
			t.InnerErrors--
		}
	}
	return t, root
}

// fewModels are as many as are looked through for each observation.
const fewModels = 8

// summarize adds what the trace's observations are together.
func (r *Roller) summarize(t *wire.Trace, f *Family) {
	var cost Money
	var end instant
	start := instant{t.StartTime.UnixMicro(), true}
	if r.models == nil {
		r.models = []string{}
	}
	r.models = r.models[:0]
	for i := range f.kin {
		k := &f.kin[i]
		start.least(k.Start)
		if k.Ended {
			end.greatest(k.End)
		}
		if model := k.Said.Model; model != "" && !slices.Contains(r.models[:min(len(r.models), fewModels)], model) {
			r.models = append(r.models, model)
		}
		if k.CountsTokens && k.HasTokens {
			t.TotalTokens = addTokens(t.TotalTokens, k.Tokens)
		}
		if k.CountsCost && k.HasCost {
			cost.Add(k.Cost)
		}
		if k.Duplicate {
			continue
		}
		t.ObservationCount++
		if k.Said.failed() {
			t.ErrorCount++
		}
		if k.Call && !k.HasCost && (k.Said.Status != StatusError || k.HasTokens) {
			t.UnpricedCount++
		}
	}
	t.TotalCost = cost.Sum()
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
	for i := range f.kin {
		k := &f.kin[i]
		tokens := !k.Duplicate && (k.Call || below[i]&someTokens == 0)
		cost := !k.Duplicate && (k.Call || below[i]&someCost == 0)
		if tokens != k.CountsTokens || cost != k.CountsCost {
			k.CountsTokens, k.CountsCost = tokens, cost
			r.changed = append(r.changed, k)
		}
	}
}

// carriedBelow says of each what is carried below it. It goes from the leaves up, without
// recursion.
func (r *Roller) carriedBelow(f *Family) []amounts {
	r.below = again(r.below, len(f.kin))
	if !r.link(f) {
		return r.below
	}
	r.waiting = again(r.waiting, len(f.kin)) // children that have not reported yet
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
		r.below[p] |= r.below[i] | f.kin[i].carries()
		if r.waiting[p]--; r.waiting[p] == 0 {
			r.ready = append(r.ready, p)
		}
	}
	return r.below
}

func (k *Kin) carries() (a amounts) {
	if k.hasTokens() {
		a |= someTokens
	}
	if k.hasCost() {
		a |= someCost
	}
	return a
}

// link finds the place of each one's parent, noPlace for a root; false when all are roots.
func (r *Roller) link(f *Family) (any bool) {
	for i := range f.kin {
		if k := &f.kin[i]; k.parent == noPlace && k.Parent != "" {
			k.parent = int32(f.place(k.Parent))
		}
	}
	r.parents = again(r.parents, len(f.kin))
	for i := range f.kin {
		r.parents[i] = f.kin[i].parent
		any = any || r.parents[i] != noPlace
	}
	if any {
		r.breakCycles(f)
	}
	return any
}

// breakCycles makes the first of every cycle a root.
func (r *Roller) breakCycles(f *Family) {
	r.waiting = again(r.waiting, len(f.kin)) // the number of the walk that passed here first; 0 is none
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
			if f.kin[m].earlier(&f.kin[first]) {
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
