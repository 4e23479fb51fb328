package pricing

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/price"
)

// repriced is an entry by which calls of the past cost something else: those of its project that start in From ≤ start < To.
type repriced struct {
	From  time.Time `json:"from,omitzero"` // zero: all before To
	To    time.Time `json:"to"`
	Model string    `json:"model,omitempty"` // only calls of this model; "" is all
	Book  string    `json:"book"`            // the hash of a book's text
	Own   string    `json:"own,omitempty"`   // the hash of the text of own prices
	Cost  Choice    `json:"cost"`
	// Done is up to which start it holds: it gets there day by day, and ends at To. Nothing else of an entry ever changes.
	Done                  time.Time `json:"done,omitzero"`
	entity.RepricedTotals           // as they were told before it began
}

// repricing is such an entry read.
type repricing struct {
	rule     // its n is that of the entry
	at       time.Time
	from, to int64 // Unix µs
	done     int64 // it holds up to here
	model    string
	after    Reach
}

// newRepricing reads the n-th entry.
func newRepricing(n int, e entry, book *price.Book, text func(hash string) ([]byte, error)) (repricing, error) {
	r := repricing{rule: rule{e.Reprice.Cost, book, n}, at: e.At, from: micro(e.Reprice.From), to: micro(e.Reprice.To), done: micro(e.Reprice.Done), model: e.Reprice.Model, after: e.Reach}
	if book == nil {
		return r, errNoSuchBook
	}
	if e.Reprice.Own == "" {
		return r, nil
	}
	raw, err := text(e.Reprice.Own)
	if err != nil {
		return r, err
	}
	list, err := ownPrices(e.Project, raw)
	if err != nil {
		return r, fmt.Errorf("own prices of %s: %w", e.Project, err)
	}
	r.book = price.NewPrices(book, list).For(e.Project)
	return r, nil
}

// micro is a time as lines have it; zero comes before all.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixMicro()
}

// timeOf is the reverse of micro.
func timeOf(us int64) time.Time {
	if us == math.MinInt64 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// covers says whether it holds for a call.
func (r *repricing) covers(start int64, model string) bool {
	return r.from <= start && start < r.done && (r.model == "" || r.model == model)
}

// last is behind all entries.
const last = math.MaxInt

// verdict is what a call costs, which is as it was sent, by the first entries, and the rule that says so. A repricing comes before what
// was said earlier. Where it has no price what was computed before stays.
func (f *force) verdict(project string, o *entity.ObservationRow, entries int) (verdict, rule) {
	start := startOf(o)
	first := f.heard(o)
	base := f.of(project, start, &first)
	var v verdict
	var by rule
	without := false // a repricing has no price
	list := f.repricings[project]
	for i := len(list) - 1; i >= 0 && list[i].n > base.n; i-- {
		r := &list[i]
		if r.n >= entries || !r.covers(start, o.Model) {
			continue
		}
		is := r.judge(o)
		switch {
		case is.is == computed, is.is == asSent && !without:
			return is, r.rule
		case !without:
			v, by, without = is, r.rule, true
		}
	}
	is := base.judge(o)
	if without && is.is != computed {
		return v, by
	}
	return is, base
}

// withRepricing is f and a repricing of the project, in the place of what it was before.
func (f *force) withRepricing(project string, r repricing) *force {
	next := *f
	next.repricings = maps.Clone(f.repricings)
	list := slices.Clone(f.repricings[project])
	if i := slices.IndexFunc(list, func(o repricing) bool { return o.n == r.n }); i >= 0 {
		list[i] = r
	} else {
		list = append(list, r)
	}
	next.repricings[project] = list
	return &next
}

func (f *force) countRepricings() (n int) {
	for _, list := range f.repricings {
		n += len(list)
	}
	return n
}

// step is what holds when a repricing has come so far.
type step struct {
	*force
	project string
	r       repricing
}

var _ entity.Repricer = (*step)(nil)

// upTo is what holds when the repricing has come to calls that start at upto.
func (r *repricing) upTo(f *force, project string, upto int64) *step {
	to := *r
	to.done = upto
	return &step{f.withRepricing(project, to), project, to}
}

// Reprice is entity.Repricer's. What it makes of a row is what Price makes of the same call as it was sent; a test holds that.
func (s *step) Reprice(project string, o *entity.ObservationRow) entity.Repriced {
	start := startOf(o)
	if project != s.project || !s.r.covers(start, o.Model) {
		return entity.Other
	}
	if first := s.heard(o); s.of(project, start, &first).n > s.r.n {
		return entity.Other
	}
	was := o.Costs()
	unsure := takeBack(o)
	v := s.r.judge(o)
	switch {
	case unsure && v.is != computed:
		o.SetCosts(was)
		return entity.Unsure
	case v.is == unpriced && was.Source == entity.CostComputed:
		o.SetCosts(was)
		return entity.Kept
	}
	if is := v.of(o); is.Equal(&was) {
		o.SetCosts(was)
		return entity.Same
	}
	v.tell(o)
	return entity.Changed
}
