package server

import (
	"context"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
)

// audit says what became of a project's events since this node started, and
// what still waits.
type audit struct {
	Since             time.Time             `json:"since"`
	Processed         int64                 `json:"processed_events"`
	Duplicate         int64                 `json:"duplicate_events"`
	Failed            int64                 `json:"failed_events"`
	Batches           int64                 `json:"batches"`
	Failures          []ingest.FailureCount `json:"failures"`
	BacklogEvents     int64                 `json:"backlog_events"`
	Dedup             string                `json:"dedup"`
	PendingJobs       int64                 `json:"pending_jobs"`
	QuarantinedEvents int64                 `json:"quarantined_events"`
	// Removed by retention: events that grew too old, and those that were when they came.
	ExpiredEvents int64 `json:"expired_events"`
	LateEvents    int64 `json:"late_events"`
}

// How this node deduplicates now.
const (
	dedupLocal    = "local"          // it is alone
	dedupRedis    = "redis"          // together with other nodes
	dedupDegraded = "redis_degraded" // alone, because the others cannot be asked
)

// getAudit is GET /v1/telemetry/audit.
func getAudit(ctx context.Context, s *Server, c *call) (*answer, error) {
	cursor, err := s.o.Warehouse.Cursor(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.IndexerStats != nil { // what is not yet written is known to questions
		cursor = max(cursor, s.o.IndexerStats().Cursor)
	}
	a := s.o.Ingest.Audit(c.caller.Project)
	for i := range a.Failures {
		if a.Failures[i].Last == nil {
			a.Failures[i].Last = []ingest.FailedEvent{}
		}
	}
	out := &audit{
		Since: a.Since, Processed: a.Processed, Duplicate: a.Duplicate, Failed: a.Failed, Batches: a.Batches, Failures: a.Failures,
		Dedup: dedupLocal, PendingJobs: a.PendingJobs, QuarantinedEvents: s.o.Indexer.QuarantinedOf(c.caller.Project),
	}
	if head := s.o.Log.Head(); head > cursor {
		out.BacklogEvents = int64(head - cursor)
	}
	if s.o.Removed != nil {
		removed := s.o.Removed(c.caller.Project)
		out.ExpiredEvents, out.LateEvents = removed.Aged, removed.Late
	}
	if s.o.ClaimerStats != nil {
		out.Dedup = dedupDegraded
		if s.o.ClaimerStats().Up {
			out.Dedup = dedupRedis
		}
	}
	return ok(out, nil)
}
