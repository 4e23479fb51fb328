package pricing

import (
	"maps"
	"math"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Number is one that a node had, or has, among others. Its are the events of the log behind After, up to where the next number begins.
type Number struct {
	Node  uint16     `json:"node"`
	After entity.Seq `json:"after,omitempty"`
}

// Numbers are whose events those of a log are, in its order: a node that lost a part of its log has another number from there on, and a log that was made of those of several
// nodes has theirs. None: it is that of a node which was always alone, and that is node 0.
type Numbers []Number

// Born is whose event one of the log is.
func (n Numbers) Born(seq entity.Seq) (node uint16, own entity.Seq) {
	for _, is := range slices.Backward(n) {
		if is.After < seq {
			return is.Node, seq
		}
	}
	return 0, seq
}

// end is where the i-th ends.
func (n Numbers) end(i int) entity.Seq {
	if i+1 < len(n) {
		return n[i+1].After
	}
	return math.MaxInt64
}

// reach is how far a log is that ends at head.
func (n Numbers) reach(head entity.Seq) Reach {
	if len(n) == 0 {
		return Reach{After: head}
	}
	var r Reach
	for i := range n {
		r.set(n[i].Node, min(head, n.end(i)))
	}
	return r
}

// within is a reach as a place in the log: all that is before it was known then.
func (n Numbers) within(r *Reach) (place entity.Seq) {
	for i := range n {
		place = max(n[i].After, min(r.of(n[i].Node), n.end(i)))
		if place < n.end(i) {
			break
		}
	}
	return place
}

// names says whether a node is among them.
func (n Numbers) names(node uint16) bool {
	return slices.ContainsFunc(n, func(is Number) bool { return is.Node == node })
}

// set has a node's log reach up to seq.
func (r *Reach) set(node uint16, seq entity.Seq) {
	if node == 0 {
		r.After = seq
		return
	}
	others := map[uint16]entity.Seq{}
	maps.Copy(others, r.Others)
	others[node] = seq
	r.Others = others
}

// each calls f for every node that is named.
func (r *Reach) each(f func(node uint16, seq entity.Seq)) {
	if r.After > 0 {
		f(0, r.After)
	}
	for node, seq := range r.Others {
		f(node, seq)
	}
}

// numbers are those of the log, as far as the journal's entries go by them.
func (o *Options) numbers(j *journal) Numbers {
	switch {
	case len(j.Numbers) > 0:
		return j.Numbers
	case j.Version < SharedVersion || o.Numbers == nil:
		return nil
	}
	return o.Numbers()
}

// bornBy is whose event one is that a warehouse names: of one that nodes share they say it, of one of its own the numbers of the log.
func (o *Options) bornBy(j *journal) func(entity.Seq) (uint16, entity.Seq) {
	if o.Born != nil {
		return o.Born
	}
	if numbers := o.numbers(j); len(numbers) > 0 {
		return numbers.Born
	}
	return nil
}

// ownReach is how far the log is. Of other nodes nobody says it: their logs are at least where they were when they were heard of last, or something was said of them.
func (o *Options) ownReach(j *journal) Reach {
	numbers := o.numbers(j)
	r := numbers.reach(o.Head())
	if len(numbers) == 0 {
		return r
	}
	known := func(node uint16, seq entity.Seq) {
		if node != numbers[len(numbers)-1].Node {
			r.set(node, max(seq, r.of(node)))
		}
	}
	for i := range j.Entries {
		j.Entries[i].each(known)
	}
	if len(j.Numbers) == 0 && o.Others != nil { // else the log is another one
		for node, seq := range o.Others() {
			known(node, seq)
		}
	}
	return r
}
