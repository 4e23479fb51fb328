package delivery

import (
	"maps"
	"time"
)

// Metrics is one instant of a client's accounting. At every instant
// Accepted = Delivered + Duplicate + Rejected + the sum of Dropped + Pending.
type Metrics struct {
	Accepted  int64                // events taken: the call returned nil; and those found in the spool at the start
	Delivered int64                // stored by the server
	Duplicate int64                // the server had them
	Rejected  int64                // the server will never take them
	Dropped   map[DropReason]int64 // given up, by reason; only reasons that occurred
	Pending   int64                // no outcome yet

	Queued   int64 // of Pending: waiting in memory to be cut into a batch
	InFlight int64 // of Pending: in a batch that is being sent or waits for its next try
	Spooled  int64 // of Pending: on disk

	// Refused counts events that were never accepted: the call returned an error.
	Refused RefusedCounts

	MemoryBytes int64 // of the events in memory; bounded by QueueMaxBytes
	Batches     int64 // answered with 2xx
	Failures    int64 // requests that were not
	Retries     int64 // batches that were sent again
	LastError   string
	LastErrorAt time.Time
}

// RefusedCounts counts events that the SDK did not take, by the error it returned.
type RefusedCounts struct {
	QueueFull int64 // ErrQueueFull
	Closed    int64 // ErrClosed
	TooLarge  int64 // ErrTooLarge
	Invalid   int64 // *EventError
}

// the refusals, as indices of gate.refused.
const (
	refusedFull = iota
	refusedClosed
	refusedLarge
	refusedInvalid
	numRefusals
)

// counters is guarded by Processor.mu.
type counters struct {
	accepted, delivered, duplicate, rejected int64
	dropped                                  map[DropReason]int64
	spooled                                  int
	batches, failed, retries                 int64
	lastError                                string
	lastErrorAt                              time.Time
}

func newCounters() counters { return counters{dropped: make(map[DropReason]int64)} }

// Metrics returns the accounting at this instant.
func (p *Processor) Metrics() Metrics {
	p.mu.Lock()
	m := Metrics{
		Accepted: p.n.accepted, Delivered: p.n.delivered, Duplicate: p.n.duplicate, Rejected: p.n.rejected,
		Dropped: maps.Clone(p.n.dropped),
		Queued:  int64(min(p.unsent.events, p.held.events)), Spooled: int64(p.n.spooled),
		MemoryBytes: int64(p.held.bytes),
		Batches:     p.n.batches, Failures: p.n.failed, Retries: p.n.retries,
		LastError: p.n.lastError, LastErrorAt: p.n.lastErrorAt,
	}
	m.InFlight = int64(p.held.events) - m.Queued
	p.mu.Unlock()
	m.Pending = m.Queued + m.InFlight + m.Spooled
	r := &p.gate.refused
	m.Refused = RefusedCounts{QueueFull: r[refusedFull].Load(), Closed: r[refusedClosed].Load(), TooLarge: r[refusedLarge].Load(), Invalid: r[refusedInvalid].Load()}
	return m
}

// Open says whether events are taken: Close has not begun.
func (p *Processor) Open() bool { return p.gate.state.Load() == stateOpen }

// unhealthyAfter is how many requests in a row may fail before the processor counts as unhealthy.
const unhealthyAfter = 3

// Healthy says whether events are taken and get through: the processor is open, the
// queue has room, and not the last three requests all failed.
func (p *Processor) Healthy() bool {
	return p.gate.state.Load() == stateOpen && p.failures.Load() < unhealthyAfter
}
