package judge

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const (
	// atOnce is how many calls a rule makes at the same time, and perLook how many in one look.
	atOnce, perLook = 4, 40
	attempts        = 5
	mostWaits       = 100 // about three hours
	lookTime        = 30 * time.Second
)

// memory is what the node that judges knows of a rule's traces, beside what is kept. It is used by one look at a time.
type memory struct {
	seen    map[string]*seen
	decided map[string]time.Time // by trace: when it starts
	busy    bool                 // a look uses it; guarded by Judges.mu
	next    time.Time            // no look before that; the same
}

// seen is a trace that is not decided.
type seen struct {
	sign  string    // what of it was there
	since time.Time // since when nothing came
	tries int       // how often the judge was asked in vain
	waits int       // how often this server could not read what is judged
	next  time.Time // when it is tried again
}

// free is the memory of a rule that may be looked at now, for a look; nil: not now.
func (j *Judges) free(of *held) *memory {
	j.mu.Lock()
	defer j.mu.Unlock()
	m := j.known[of.id()]
	if m == nil {
		m = &memory{seen: map[string]*seen{}, decided: map[string]time.Time{}}
		for _, trace := range of.GivenUp {
			m.decided[trace] = j.o.Now()
		}
		j.known[of.id()] = m
	}
	if of.Disabled || m.busy || j.o.Now().Before(m.next) {
		return nil
	}
	m.busy = true
	return m
}

// done ends the look that free began.
func (j *Judges) done(m *memory) {
	j.mu.Lock()
	defer j.mu.Unlock()
	m.busy = false
}

// rest has no look begin for nine times as long as the list took: looks take a tenth of the time at most.
func (j *Judges) rest(m *memory, took time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	m.next = j.o.Now().Add(9 * took)
}

func (j *Judges) say(of *held, fault string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if fault == "" {
		delete(j.fault, of.id())
	} else {
		j.fault[of.id()] = fault
	}
}

// look judges what of a rule's traces is due, and keeps how far it is.
func (j *Judges) look(ctx context.Context, h *held, m *memory) {
	now := j.o.Now().UTC()
	due, from, err := j.candidates(ctx, h, m, now)
	j.rest(m, j.o.Now().Sub(now))
	if err != nil {
		if ctx.Err() == nil {
			j.say(h, "the traces could not be listed: "+strings.ReplaceAll(err.Error(), "\n", " "))
		}
		return
	}
	over := int64(0)
	if left := h.left(now); left > 0 {
		due = due[:min(int64(len(due)), left)]
	} else { // what the day has no room for is not judged tomorrow
		for i := range due {
			m.decide(&due[i])
		}
		over, due = int64(len(due)), nil
	}
	if len(due) == 0 && over == 0 {
		if from.Sub(h.From) >= time.Minute {
			j.note(h, func(is *held) { is.From = from })
		}
		return
	}
	// Calls count before they are made: a node that is killed has used them up.
	granted := int64(0)
	if !j.note(h, func(is *held) {
		granted = min(int64(len(due)), is.left(now)) // by what is kept now
		is.Spent = is.today(now)
		is.Spent.Calls += granted
		is.Total.Over += over
		is.From = maxTime(is.From, from)
	}) {
		return
	}
	j.judge(ctx, h, m, due[:granted], now)
}

// note keeps a change of how far a rule is; false when it could not be kept.
func (j *Judges) note(h *held, edit func(*held)) bool {
	if err := j.one(h, edit); err != nil {
		j.say(h, "what was decided could not be kept")
		j.o.Logger.Error("how far a judge is could not be kept; it waits", "project", h.Project, "judge", h.Name, "error", err)
		return false
	}
	return true
}

// judge has traces judged, and keeps what came of it.
func (j *Judges) judge(ctx context.Context, h *held, m *memory, due []wire.TraceSummary, now time.Time) {
	results := make([]result, len(due))
	room := make(chan struct{}, atOnce)
	var work sync.WaitGroup
	for i := range due {
		room <- struct{}{}
		work.Go(func() {
			defer func() { <-room }()
			results[i] = j.ask(ctx, h, &due[i])
		})
	}
	work.Wait()
	var sum Decided
	cost, unused, fault := 0.0, int64(0), ""
	var gone []string
	for i := range due {
		r, s := &results[i], m.seen[due[i].ID]
		cost += r.cost
		if !r.called {
			unused++
		}
		switch {
		case r.err == nil:
			m.decide(&due[i])
			if r.nothing {
				sum.Nothing++
			} else if !r.already {
				sum.Judged++
			}
		case ctx.Err() != nil:
		default:
			fault = r.err.Error()
			if !r.called && s.waits < mostWaits { // it is this server that could not, and the judge was not asked
				s.next = j.o.Now().Add(j.o.First << (2 * min(s.waits, attempts-2)))
				s.waits++
				continue
			}
			if s.tries++; s.tries >= attempts || r.final {
				m.decide(&due[i])
				sum.GivenUp++
				gone = append(gone, due[i].ID)
				j.o.Logger.Warn("a trace is not judged", "project", h.Project, "judge", h.Name, "trace", due[i].ID, "reason", fault)
				continue
			}
			s.next = j.o.Now().Add(max(r.after, j.o.First<<(2*(s.tries-1))))
		}
	}
	j.say(h, fault)
	j.note(h, func(is *held) {
		if is.Spent.Day == now.Format(time.DateOnly) {
			is.Spent.Calls -= unused
			is.Spent.Cost += cost
		}
		is.Total.Judged += sum.Judged
		is.Total.Nothing += sum.Nothing
		is.Total.GivenUp += sum.GivenUp
		is.GivenUp = append(is.GivenUp, gone...)
		is.GivenUp = is.GivenUp[max(0, len(is.GivenUp)-mostGivenUp):]
	})
}

// decide has nothing more be done for a trace.
func (m *memory) decide(t *wire.TraceSummary) {
	delete(m.seen, t.ID)
	m.decided[t.ID] = t.StartTime
}

// candidates are the traces that are due, the oldest first, at most perLook; and the start of the oldest that is not decided.
func (j *Judges) candidates(ctx context.Context, h *held, m *memory, now time.Time) (due []wire.TraceSummary, from time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	begin := maxTime(h.From, now.Add(-j.o.Reach))
	from = maxTime(begin, now.Add(-j.o.Late))
	met := map[string]bool{}
	values := url.Values{
		"from": {begin.Format(time.RFC3339Nano)}, "sort": {"start_time"}, "limit": {strconv.Itoa(query.MaxLimit)}, query.FilterParam: {h.filter()},
	}
	for {
		page, err := j.o.Server.Traces(ctx, h.Project, values)
		if err != nil {
			return nil, begin, err
		}
		for i := range page.Data {
			t := &page.Data[i]
			if met[t.ID] { // its start moved while the pages were read
				continue
			}
			met[t.ID] = true
			if slices.Contains(t.Tags, Tag) || !h.takes(h.Project, t.ID) {
				continue
			}
			if _, done := m.decided[t.ID]; done {
				continue
			}
			if t.StartTime.Before(from) {
				from = t.StartTime
			}
			if m.ripe(t, now, h.quiet()) && len(due) < perLook {
				due = append(due, *t)
			}
		}
		if page.NextCursor == nil {
			break
		}
		values.Set("cursor", *page.NextCursor)
	}
	for trace := range m.seen {
		if !met[trace] { // it was erased, or is not of those any more
			delete(m.seen, trace)
		}
	}
	for trace, start := range m.decided {
		if start.Before(begin) {
			delete(m.decided, trace)
		}
	}
	return due, from, nil
}

// filter is the rule's, without judges' own traces.
func (r *Judge) filter() string { return strings.TrimSpace(r.Filter + " -tag:" + Tag) }

// ripe says whether nothing of a trace has come for so long, and it is not to be tried later.
func (m *memory) ripe(t *wire.TraceSummary, now time.Time, quiet time.Duration) bool {
	is := m.seen[t.ID]
	if is == nil {
		is = &seen{}
		m.seen[t.ID] = is
	}
	if sign := signOf(t); sign != is.sign {
		is.sign, is.since = sign, now
	}
	return now.Sub(is.since) >= quiet && !now.Before(is.next)
}

// signOf changes with most that comes of a trace. Scores do not count: they are no part of what is judged.
func signOf(t *wire.TraceSummary) string {
	end := ""
	if t.EndTime != nil {
		end = t.EndTime.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(t.StartTime.UnixMicro(), end, t.ObservationCount, t.ErrorCount, t.TotalTokens, t.Name, t.Tags)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
