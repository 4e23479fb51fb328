package segmentlog

import (
	"math"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// ages counts the live events of a segment by project and time.
type ages struct {
	to       int64      // the place in the file up to which they are counted
	after    entity.Seq // the last Seq before it
	projects map[string]*histogram
}

// histogram counts times, Unix µs, in steps that grow with what they span.
type histogram struct {
	oldest int64
	newest int64
	n      int
	late   int // of n, those that were too old when they were received
	step   int64
	counts map[int64]int // by time / step
}

const (
	firstStep = 1_000_000 // one second
	maxSteps  = 128
)

func newAges() *ages { return &ages{projects: map[string]*histogram{}} }

// add counts an event of the project, which happened and was received at these times.
func (a *ages) add(project string, timestamp, received int64, c *store.Cutoffs) {
	h := a.projects[project]
	if h == nil {
		h = &histogram{oldest: math.MaxInt64, newest: math.MinInt64, step: firstStep, counts: map[int64]int{}}
		a.projects[project] = h
	}
	at := store.EventTime(timestamp, received)
	h.oldest, h.newest = min(h.oldest, at), max(h.newest, at)
	h.n++
	if c.Late(project, timestamp, received) {
		h.late++
	}
	h.counts[floorDiv(at, h.step)]++
	for len(h.counts) > maxSteps {
		h.widen()
	}
}

func (h *histogram) widen() {
	wide := make(map[int64]int, len(h.counts))
	for k, n := range h.counts {
		wide[floorDiv(k, 2)] += n
	}
	h.step, h.counts = 2*h.step, wide
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// total is how many events are counted.
func (a *ages) total() int {
	n := 0
	for _, h := range a.projects {
		n += h.n
	}
	return n
}

// live is how many of them have not expired, those in doubt included; 0 only when there are none.
func (a *ages) live(c *store.Cutoffs) int {
	n := 0
	for project, h := range a.projects {
		before := c.Before(project)
		for k, count := range h.counts {
			if (k+1)*h.step > before {
				n += count
			}
		}
	}
	return n
}

// overdue says whether an event has been expired for longer than the project's slack.
func (a *ages) overdue(c *store.Cutoffs) bool {
	for project, h := range a.projects {
		before := c.Before(project)
		if before != math.MinInt64 && h.oldest < before-c.Slack(project).Microseconds() {
			return true
		}
	}
	return false
}

// together says whether all events will have expired before the first is overdue.
func (a *ages) together(c *store.Cutoffs) bool {
	last, overdue := int64(math.MinInt64), int64(math.MaxInt64)
	for project, h := range a.projects {
		keep := c.Of(project).Microseconds()
		if keep <= 0 {
			return false
		}
		last, overdue = max(last, h.newest+keep), min(overdue, h.oldest+keep+c.Slack(project).Microseconds())
	}
	return last <= overdue
}
