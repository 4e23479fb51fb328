package ingest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

const (
	// maxExamples is how many failed events of one code and project are remembered.
	maxExamples = 20
	// maxExampleProjects is how many projects have examples; over it the one that has had them longest loses its own.
	maxExampleProjects = 500
	// maxExampleText bounds each text of an example, in bytes.
	maxExampleText = 300
)

// Audit counts what became of one project's events since New. Like Stats it
// counts a batch when it is durable.
type Audit struct {
	Since       time.Time
	Processed   int64
	Duplicate   int64
	Failed      int64
	Batches     int64
	Failures    []FailureCount // by code
	PendingJobs int64          // now
}

// FailureCount is how many events failed with one code.
type FailureCount struct {
	Code  string        `json:"code"`
	Count int64         `json:"count"`
	Last  []FailedEvent `json:"last"` // the last 20, oldest first; none when too many projects had failures since
}

// FailedEvent is an event that was refused. It has no payload.
type FailedEvent struct {
	EventID   string         `json:"event_id"`
	EventType wire.EventType `json:"event_type"` // as sent, at most 300 bytes
	Error     string         `json:"error"`      // at most 300 bytes
	BatchID   string         `json:"batch_id"`
	Time      time.Time      `json:"time"`
}

// tally is the count of one project. Projects are few: an operator makes each.
type tally struct {
	processed, duplicate, failed, batches int64

	failures map[string]*FailureCount
}

// tally counts a stored batch for its project. The caller holds mu.
func (c *counters) tally(s *submission, resp *wire.BatchResponse, now time.Time) {
	project := s.batch.Project
	t := c.projects[project]
	if t == nil {
		t = &tally{failures: map[string]*FailureCount{}}
		c.projects[project] = t
	}
	t.batches++
	t.processed += int64(resp.ProcessedEvents)
	t.duplicate += int64(resp.DuplicateEvents)
	t.failed += int64(resp.FailedEvents)
	if len(s.faults) == 0 {
		return
	}
	c.makeRoom(project)
	for i := range s.faults {
		f := &s.faults[i]
		count := t.failures[f.Err.Code]
		if count == nil {
			count = &FailureCount{Code: f.Err.Code}
			t.failures[f.Err.Code] = count
		}
		count.Count++
		if len(count.Last) == maxExamples {
			count.Last = slices.Delete(count.Last, 0, 1)
		}
		count.Last = append(count.Last, FailedEvent{
			EventID: f.Err.EventID, EventType: f.typ, Error: shorten(f.Err.Message), BatchID: s.batch.ID, Time: micro(now),
		})
	}
}

// makeRoom gives the project a place among those with examples.
func (c *counters) makeRoom(project string) {
	if slices.Contains(c.examples, project) {
		return
	}
	if len(c.examples) == maxExampleProjects {
		for _, count := range c.projects[c.examples[0]].failures {
			count.Last = nil
		}
		c.examples = slices.Delete(c.examples, 0, 1)
	}
	c.examples = append(c.examples, project)
}

// Audit answers for the project.
func (in *Ingest) Audit(project string) Audit {
	a := Audit{Since: micro(in.since), PendingJobs: int64(len(in.jobs.of(project)))}
	c := &in.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.projects[project]
	if t == nil {
		return a
	}
	a.Processed, a.Duplicate, a.Failed, a.Batches = t.processed, t.duplicate, t.failed, t.batches
	for _, code := range slices.Sorted(maps.Keys(t.failures)) {
		count := *t.failures[code]
		count.Last = slices.Clone(count.Last)
		a.Failures = append(a.Failures, count)
	}
	return a
}

// ForgetFailures drops the project's examples of failed events, not their counts: what names a
// person must not stay because it was refused.
func (in *Ingest) ForgetFailures(project string) {
	c := &in.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.projects[project]; t != nil {
		for _, count := range t.failures {
			count.Last = nil
		}
	}
}

// WaitJobs returns nil as soon as the project's jobs that are pending now have ended, or ctx's error.
func (in *Ingest) WaitJobs(ctx context.Context, project string) error {
	return in.jobs.waitAll(ctx, project)
}

// echoType is the type of a refused event as examples repeat it.
func echoType(t wire.EventType) wire.EventType { return wire.EventType(shorten(string(t))) }

func shorten(s string) string {
	if len(s) > maxExampleText {
		s = s[:maxExampleText]
	}
	return strings.Clone(strings.ToValidUTF8(s, "\uFFFD"))
}
