package torture

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// fact is one event as its client knows it.
type fact struct {
	id      string // "" for an event of the bulk endpoint, which makes the id
	env     string
	typ     brokle.EventType
	payload string
	entity  string // of an observation
	trace   string
	ttl     time.Duration
	dead    bool // wrong on purpose: it must fail, and never be stored

	// Guarded by ledger.mu.
	maybe     bool      // it was sent, and what became of it was not always told
	acked     bool      // it was said to be stored
	told      time.Time // when, by our own clock
	processed int       // how often an answer said so of a first time
	from      time.Time // by the server's clock: it was not accepted before
	since     time.Time // the same by our own
	again     bool      // it was sent when its ttl may have been over: it may be in the log twice
	lateJob   bool      // a job that nobody knows may hold it, and be done late
}

// ledger is what the clients sent and were told.
type ledger struct {
	clock *clock

	mu     sync.Mutex // guards all below and the marked fields of facts
	out    *json.Encoder
	facts  []*fact
	byEnv  map[string][]*fact
	byID   map[string]*fact
	bulk   map[string]*fact // by payload
	jobs   []*job
	faults []string
	apart  bool           // nodes cannot always know what the others have
	told   map[string]int // counts of all answers
}

// job is an asynchronous batch that was accepted.
type job struct {
	id    string
	facts []*fact
	try   *attempt
	told  time.Time
}

func newLedger(c *clock, out io.Writer) *ledger {
	return &ledger{
		clock: c, out: json.NewEncoder(out), byEnv: map[string][]*fact{}, byID: map[string]*fact{}, bulk: map[string]*fact{},
		told: map[string]int{},
	}
}

// add notes new facts before they are sent.
func (l *ledger) add(facts []*fact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range facts {
		l.facts = append(l.facts, f)
		l.byEnv[f.env] = append(l.byEnv[f.env], f)
		if f.id == "" {
			l.bulk[f.payload] = f
		} else {
			l.byID[f.id] = f
		}
	}
}

// fault notes a broken promise.
func (l *ledger) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faultLocked(format, args...)
}

func (l *ledger) faultLocked(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	l.faults = append(l.faults, s)
	l.write(map[string]any{"fault": s})
}

// write appends a line to the ledger's file. l.mu is held.
func (l *ledger) write(line map[string]any) {
	line["at"] = time.Now().UTC().Format(time.RFC3339Nano)
	_ = l.out.Encode(line) // the file is for people; the run does not depend on it
}

// note is a line about a round.
func (l *ledger) note(line map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(line)
}

// attempt is one request on its way. Its times are of the server's clock, as
// wrong as that is.
type attempt struct {
	facts []*fact
	async bool
	low   time.Time // the request was not decided before
	began time.Time // by our own clock
}

// sending begins an attempt.
func (l *ledger) sending(facts []*fact, async bool) *attempt {
	now := l.clock.now()
	a := &attempt{facts: facts, async: async, low: now, began: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range facts {
		if f.from.IsZero() {
			f.from, f.since = now, time.Now()
		}
		if now.Before(f.from) && !f.acked {
			f.from = now
		}
	}
	return a
}

// over widens the attempt's times to now. l.mu is held.
func (l *ledger) over(a *attempt) {
	now := l.clock.now()
	if now.Before(a.low) {
		a.low = now
	}
	for _, f := range a.facts {
		f.again = f.again || (f.maybe || f.acked) && l.expired(f)
	}
}

// expired says whether the server may have forgotten f. l.mu is held.
func (l *ledger) expired(f *fact) bool {
	return !l.clock.latestSince(f.since).Before(f.from.Add(f.ttl - margin))
}

// lost ends an attempt without an answer. sent false says that the server
// cannot have taken it.
func (l *ledger) lost(a *attempt, sent bool, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over(a)
	l.told["unanswered requests"]++
	for _, f := range a.facts {
		f.maybe = f.maybe || sent
		f.lateJob = f.lateJob || sent && a.async
		if sent && a.low.Before(f.from) && !f.acked {
			f.from = a.low
		}
	}
	l.write(map[string]any{"lost": ids(a.facts), "sent": sent, "async": a.async, "why": why})
}

// accepted ends an attempt with a job.
func (l *ledger) accepted(a *attempt, answer *brokle.BatchResponse) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over(a)
	l.told["jobs"]++
	for _, f := range a.facts {
		f.maybe = true
	}
	l.jobs = append(l.jobs, &job{id: answer.JobID, facts: a.facts, try: a, told: time.Now()})
	l.write(map[string]any{"job": answer.JobID, "ids": ids(a.facts)})
}

// takeJobs returns the jobs that were not asked for yet.
func (l *ledger) takeJobs() []*job {
	l.mu.Lock()
	defer l.mu.Unlock()
	jobs := l.jobs
	l.jobs = nil
	return jobs
}

// putJobs gives back those that could not be asked for.
func (l *ledger) putJobs(jobs []*job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(jobs, l.jobs...)
}

// forgotten says whether the server may have forgotten how a job ended, which it
// does after a day. Its events must be there all the same.
func (l *ledger) forgotten(j *job) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clock.latestSince(j.told).Before(j.try.low.Add(24*time.Hour - margin)) {
		return false
	}
	for _, f := range j.facts {
		f.acked, f.again = true, true
	}
	return true
}

// doubt takes back what was said to be stored since a moment: the events must be sent
// again, and may be new then.
func (l *ledger) doubt(since time.Time) []*fact {
	l.mu.Lock()
	defer l.mu.Unlock()
	var doubtful []*fact
	for _, f := range l.facts {
		if f.acked && f.told.After(since) {
			f.acked, f.maybe = false, true
			doubtful = append(doubtful, f)
		}
	}
	l.jobs = slices.DeleteFunc(l.jobs, func(j *job) bool {
		if j.told.Before(since) {
			return false
		}
		for _, f := range j.facts {
			if !f.acked && !slices.Contains(doubtful, f) {
				doubtful = append(doubtful, f)
			}
		}
		return true
	})
	l.write(map[string]any{"in doubt": ids(doubtful)})
	return doubtful
}

// known picks up to n events that were said to be stored and that a repeat must
// find to be duplicates.
func (l *ledger) known(pick func(n int) int, n int) []*fact {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pickOf(l.facts, pick, n)
}

// knownOf is known, of one environment.
func (l *ledger) knownOf(env string, pick func(n int) int, n int) []*fact {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pickOf(l.byEnv[env], pick, n)
}

// pickOf is known, of some facts. l.mu is held.
func (l *ledger) pickOf(facts []*fact, pick func(n int) int, n int) []*fact {
	var got []*fact
	for range 4 * n {
		if len(got) == n || len(facts) == 0 {
			break
		}
		f := facts[pick(len(facts))]
		if f.acked && !f.dead && f.id != "" && !l.expired(f) && !slices.Contains(got, f) {
			got = append(got, f)
		}
	}
	return got
}

// total is how many events must be readable: all that were said to be stored.
func (l *ledger) total() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, f := range l.facts {
		if f.acked && !f.dead {
			n++
		}
	}
	return n
}

// takeFaults returns what was found so far, once.
func (l *ledger) takeFaults() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	faults := l.faults
	l.faults = nil
	return faults
}

func unique(facts []*fact) []*fact {
	seen := map[*fact]bool{}
	return slices.DeleteFunc(slices.Clone(facts), func(f *fact) bool {
		was := seen[f]
		seen[f] = true
		return was
	})
}

func ids(facts []*fact) []string {
	list := make([]string, len(facts))
	for i, f := range facts {
		list[i] = f.id
	}
	return list
}
