package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Options says what an Ingest works with. Log and Jobs are required.
type Options struct {
	Log     store.Log
	Jobs    store.Jobs
	Claimer store.Claimer    // nil: a single node, its Log deduplicates alone
	Media   store.Media      // required when requests have media
	Now     func() time.Time // default time.Now
	Logger  *slog.Logger     // default discards
	// Decode reads the request of a job that an earlier run left, or that could not be stored at once. A *RequestError is final. Required for Run.
	Decode func(store.Job) (*Request, error)
	// MaxPendingJobs is how many jobs may wait; more are refused with
	// store.ErrUnavailable; default 1000.
	MaxPendingJobs int
	// MaxPendingBytes is how many bytes their bodies may have together, with what was read of these; default 256 MiB.
	MaxPendingBytes int64
}

const (
	// appendTimeout is how long a batch may wait for its place in the Log's queue.
	appendTimeout = 30 * time.Second
	// lease is how long a claim holds without being committed. Claimed events wait for the Log's queue for half of it at
	// most: an append that ended after its lease could be another node's append too.
	lease = 15 * time.Second
	// jobWorkers is how many jobs are worked on at once.
	jobWorkers = 4
)

// Ingest takes requests. Its methods are safe for concurrent use.
type Ingest struct {
	o        Options
	since    time.Time
	counters counters
	jobs     jobTable
	adopted  bool   // left is all that an earlier run left
	left     []*job // until Run has them
}

// New returns an Ingest; Run must run for its jobs to be finished.
func New(o Options) *Ingest {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.MaxPendingJobs = cmp.Or(o.MaxPendingJobs, 1000)
	o.MaxPendingBytes = cmp.Or(o.MaxPendingBytes, 256<<20)
	in := &Ingest{o: o, jobs: newJobTable(o.MaxPendingJobs, o.MaxPendingBytes)}
	in.counters.stats.Failed = map[string]int64{}
	in.counters.projects = map[string]*tally{}
	in.since = o.Now()
	return in
}

// Stats returns the counters.
func (in *Ingest) Stats() Stats {
	s := in.counters.snapshot()
	s.JobsPending = int64(in.jobs.pending())
	return s
}

// Submit stores the valid events of r and answers for all; of a request without events it stores nothing. r must not be used
// afterwards, except for its Degraded. The write does not end with ctx: a client that hangs up after its
// request was read has still sent its events.
//
// The errors: store.ErrDuplicate, together with the answer that lists the
// duplicates, when r asked to fail on them; else nothing was stored or marked and
// the same request may be sent again (store.ErrUnavailable: later).
func (in *Ingest) Submit(ctx context.Context, project string, r *Request) (*wire.BatchResponse, error) {
	s := &submission{started: in.o.Now()}
	s.batch = store.Batch{Project: project, Environment: r.Environment, KeyID: r.KeyID, ID: wire.NewID(), ReceivedAt: micro(s.started), Dedup: r.Dedup}
	s.owner = s.batch.ID
	if len(r.Events) == 0 { // there is nothing to store, and nothing that a receipt could tell
		s.fail()
		return in.answer(s), nil
	}
	resp, err := in.submit(context.WithoutCancel(ctx), s, r)
	r.Degraded = s.degraded
	return resp, err
}

// micro cuts a time to what is stored.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// submission is one batch on its way through submit.
type submission struct {
	batch      store.Batch
	owner      string // of its claims
	started    time.Time
	total      int     // events of the request
	index      []int   // where each of batch.Events stood in the request
	faults     []Fault // failed, in any order until answer sorts them
	notes      []Note  // of the events to store, in the order of the request
	duplicates []indexed
	claimed    []string // the ids that are leased to owner
	degraded   bool     // the Claimer was needed and did not do its part
}

// indexed is an event id and its place in the request.
type indexed struct {
	index int
	id    string
}

func (in *Ingest) submit(ctx context.Context, s *submission, r *Request) (*wire.BatchResponse, error) {
	in.validate(s, r)
	done, err := in.putMedia(s, r)
	if err != nil {
		return nil, err
	}
	defer done()
	faultPoint("media")
	if err := in.claim(ctx, s); err != nil {
		return in.refuse(s, err)
	}
	s.fail()
	faultPoint("claimed")
	outcomes, err := in.append(ctx, s)
	if err != nil && !errors.Is(err, store.ErrDuplicate) {
		in.release(ctx, s, s.claimed)
		in.counters.add(func(c *Stats) { c.Unavailable++ })
		return nil, fmt.Errorf("append batch: %w", err)
	}
	if len(outcomes) != len(s.batch.Events) {
		in.release(ctx, s, s.claimed)
		return nil, fmt.Errorf("append batch: log gave %d outcomes for %d events", len(outcomes), len(s.batch.Events))
	}
	for i, outcome := range outcomes {
		if outcome == store.Duplicate {
			s.duplicates = append(s.duplicates, indexed{s.index[i], s.batch.Events[i].ID})
		}
	}
	if err != nil {
		in.release(ctx, s, s.claimed)
		return in.refuse(s, err)
	}
	faultPoint("appended")
	in.commit(ctx, s, outcomes)
	return in.conclude(s), nil
}

// validate sorts the events of r into those to store and those that failed.
func (in *Ingest) validate(s *submission, r *Request) {
	s.total = len(r.Events)
	s.batch.Events = r.Events[:0]
	s.batch.Rows = make([]entity.Row, 0, len(r.Events))
	s.index = make([]int, 0, len(r.Events))
	faults, note := r.Faults, 0
	var fields entity.Fields // of one event after the other
	var arena []byte         // of all rows
	for i := range r.Events {
		var known *Fault
		if len(faults) > 0 && faults[0].Index == i {
			known, faults = &faults[0], faults[1:]
		}
		ev := &r.Events[i] // keep moves it to a place at or before its own
		var row entity.Row
		if r.Rows != nil {
			row = r.Rows[i]
		}
		fields.Notes = nil
		if failure := check(ev, known, row != nil, &fields); failure != nil {
			failure.EventID = echoID(ev.ID)
			s.faults = append(s.faults, Fault{Index: i, Err: *failure, typ: echoType(ev.Type)})
			continue
		}
		if ev.Timestamp.IsZero() {
			ev.Timestamp = wire.At(s.batch.ReceivedAt)
		}
		for ; note < len(r.Notes) && r.Notes[note].Index <= i; note++ {
			if r.Notes[note].Index == i {
				s.notes = append(s.notes, r.Notes[note])
			}
		}
		for _, text := range fields.Notes {
			s.notes = append(s.notes, Note{Index: i, Text: text})
		}
		if row == nil || s.batch.KeyID != "" {
			start := len(arena)
			if arena = append(arena, row...); row == nil {
				arena = fields.AppendRow(arena)
			}
			arena = entity.AppendBrought(arena, s.batch.KeyID)
			row = arena[start:len(arena):len(arena)]
		}
		s.keep(*ev, row, i)
	}
}

func (s *submission) keep(ev wire.Event, row entity.Row, index int) {
	s.batch.Events = append(s.batch.Events, ev)
	s.batch.Rows = append(s.batch.Rows, row)
	s.index = append(s.index, index)
}

// fail writes the failed events into the batch, in the order of the request.
func (s *submission) fail() {
	slices.SortFunc(s.faults, func(a, b Fault) int { return a.Index - b.Index })
	s.batch.Failed = make([]wire.BatchEventError, len(s.faults))
	for i := range s.faults {
		s.batch.Failed[i] = s.faults[i].Err
	}
	s.batch.Notes = s.notesBeside(nil)
}

// notesBeside are the notes of the events to store, without those of the duplicates, which are in order.
func (s *submission) notesBeside(duplicates []indexed) []wire.EventNote {
	var notes []wire.EventNote
	for _, n := range s.notes {
		at, stored := slices.BinarySearch(s.index, n.Index)
		_, duplicate := slices.BinarySearchFunc(duplicates, n.Index, func(d indexed, index int) int { return d.index - index })
		if stored && !duplicate {
			notes = append(notes, wire.EventNote{EventID: s.batch.Events[at].ID, Note: n.Text})
		}
	}
	return notes
}

// append bounds the wait for a place in the Log's queue.
func (in *Ingest) append(ctx context.Context, s *submission) ([]store.Outcome, error) {
	patience := appendTimeout
	if len(s.claimed) > 0 {
		patience = lease / 2
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	outcomes, err := in.o.Log.Append(ctx, &s.batch)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: waited %s for the log", store.ErrUnavailable, patience)
	}
	return outcomes, err
}

// refuse answers for a batch of which nothing was stored: with its duplicates
// when they are why, else with the error alone.
func (in *Ingest) refuse(s *submission, err error) (*wire.BatchResponse, error) {
	if !errors.Is(err, store.ErrDuplicate) {
		in.counters.add(func(c *Stats) { c.Unavailable++ })
		return nil, err
	}
	in.counters.add(func(c *Stats) { c.Conflicts++ })
	s.fail()
	resp := in.answer(s)
	resp.ProcessedEvents, resp.Notes = 0, nil
	return resp, err
}

// conclude counts a stored batch and answers for it.
func (in *Ingest) conclude(s *submission) *wire.BatchResponse {
	resp := in.answer(s)
	in.counters.add(func(c *Stats) {
		c.Batches++
		c.Processed += int64(resp.ProcessedEvents)
		c.Duplicate += int64(resp.DuplicateEvents)
		for i := range resp.Errors {
			c.Failed[resp.Errors[i].Code]++
		}
		in.counters.tally(s, resp, in.o.Now())
	})
	return resp
}

func (in *Ingest) answer(s *submission) *wire.BatchResponse {
	slices.SortFunc(s.duplicates, func(a, b indexed) int { return a.index - b.index })
	ids := make([]string, len(s.duplicates))
	for i, d := range s.duplicates {
		ids[i] = d.id
	}
	return &wire.BatchResponse{
		BatchID:           s.batch.ID,
		ProcessedEvents:   s.total - len(ids) - len(s.faults),
		DuplicateEvents:   len(ids),
		FailedEvents:      len(s.faults),
		ProcessingTimeMS:  max(0, in.o.Now().Sub(s.started).Milliseconds()),
		Errors:            s.batch.Failed,
		DuplicateEventIDs: ids,
		Notes:             s.notesBeside(s.duplicates),
	}
}
