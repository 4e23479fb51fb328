package ingest

import (
	"maps"
	"sync"
)

// Stats counts what was done since New. Events are counted when their batch is
// durable, so a request that could not be stored counts nowhere but Unavailable.
type Stats struct {
	Batches     int64            // stored, with or without events
	Processed   int64            // events
	Duplicate   int64            // events
	Failed      map[string]int64 // events, by code
	Conflicts   int64            // batches refused by fail_on_duplicate
	Unavailable int64            // attempts that stored nothing and may be made again
	// Degraded counts batches for which the Claimer did not do its part, so that
	// only this node's index deduplicated them or knows them.
	Degraded      int64
	JobsPending   int64 // accepted and not finished, now
	JobsCompleted int64
	JobsFailed    int64
}

type counters struct {
	mu       sync.Mutex // guards all below
	stats    Stats
	projects map[string]*tally
	examples []string // projects that hold examples of failures, the one that had its first earliest first
}

func (c *counters) add(count func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count(&c.stats)
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Failed = maps.Clone(s.Failed)
	return s
}
