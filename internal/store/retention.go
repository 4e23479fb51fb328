package store

import (
	"math"
	"time"
)

// Retention is how long events are kept, counted from the time when they happened.
type Retention struct {
	Default  time.Duration            // 0: for ever
	Projects map[string]time.Duration // by project, instead of Default; 0: for ever
}

// Of is how long the project's events are kept; 0 is for ever.
func (r Retention) Of(project string) time.Duration {
	if d, ok := r.Projects[project]; ok {
		return d
	}
	return r.Default
}

// Shortest is the shortest time that any project's events are kept; 0 when all are kept for ever.
func (r Retention) Shortest() time.Duration {
	shortest := r.Default
	for _, d := range r.Projects {
		if d > 0 && (shortest == 0 || d < shortest) {
			shortest = d
		}
	}
	return shortest
}

// leastSlack and longestSlack bound Slack.
const (
	leastSlack   = time.Minute
	longestSlack = 24 * time.Hour
)

// Slack is how much longer than asked a payload may lie on the disk after its
// event has left all answers: a tenth of the retention, at least a minute, at most 24 hours.
func (r Retention) Slack(project string) time.Duration {
	return min(max(r.Of(project)/10, leastSlack), longestSlack)
}

// Cutoffs is what has expired at one moment.
type Cutoffs struct {
	Now time.Time
	Retention
}

// Before is the time, in Unix µs, before which the project's events have expired;
// math.MinInt64 when they never do.
func (c *Cutoffs) Before(project string) int64 {
	keep := c.Of(project)
	if keep <= 0 {
		return math.MinInt64
	}
	return c.Now.Add(-keep).UnixMicro()
}

// EventTime is the time of an event that retention counts from, in Unix µs: its
// timestamp, or its receipt when that is earlier. A timestamp in the future keeps nothing for longer.
func EventTime(timestamp, received int64) int64 { return min(timestamp, received) }

// Expired says whether an event of the project has expired. A nil c expires nothing.
func (c *Cutoffs) Expired(project string, timestamp, received int64) bool {
	return c != nil && EventTime(timestamp, received) < c.Before(project)
}

// Late says of an expired event whether it was as old as that already when it was received.
func (c *Cutoffs) Late(project string, timestamp, received int64) bool {
	return timestamp < received-c.Of(project).Microseconds()
}

// Removed counts events that retention has removed from the Log.
type Removed struct {
	Aged int64 // that grew too old
	Late int64 // that were too old already when they were received
}

// Add is the sum of both.
func (r Removed) Add(n Removed) Removed { return Removed{r.Aged + n.Aged, r.Late + n.Late} }
