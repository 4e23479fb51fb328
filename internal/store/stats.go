package store

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// LogStats counts what a Log did since it was opened, and how it stands now.
type LogStats struct {
	Head             entity.Seq
	Segments         int
	DiskBytes        int64
	Batches          int64 // appended, with or without events
	Stored           int64 // events
	Duplicates       int64 // events
	Fsyncs           int64 // of segment files, on the acceptance path
	QueueLen         int   // requests waiting for the committer
	TornBytes        int64 // cut from the tail at open
	CorruptBlocks    int64 // found by reading since open
	RecompressedSegs int64
	Removed          Removed // by retention, payloads and all
	IndexEntries     int64   // ids that the index remembers, estimated
	IndexBytes       int64
	// Fault says why Append refuses now; "" when it does not.
	Fault string
	// IndexFault says why the id index could not write to the disk when it tried last; "" when it could.
	// Append goes on until the index's memory is full.
	IndexFault string
}

// IndexerStats counts what the indexer moved from Log to Warehouse.
type IndexerStats struct {
	Cursor      entity.Seq // moved up to here
	Inserted    int64
	Batches     int64
	Retries     int64
	Quarantined int64         // records in quarantine now
	Lag         entity.Seq    // Head − Cursor
	OldestWait  time.Duration // how long the oldest event not yet moved has waited; 0 when caught up
	// Fault says why the last insert failed; "" after one that did not.
	Fault string
}

// RetentionStats counts what retention did since the start.
type RetentionStats struct {
	Passes int64     // that removed all they should
	Rows   int64     // rows of events removed from the Warehouse
	Last   time.Time // of the last such pass; zero before the first
	// Fault says why the last pass failed; "" after one that did not.
	Fault string
}

// ClaimerStats counts what a Claimer did since it was opened: ids, unless it says otherwise.
type ClaimerStats struct {
	Up       bool  // other nodes can be asked now
	Claims   int64 // asked for
	Commits  int64 // committed at once
	Releases int64 // given up
	Waited   int64 // claims that met another owner and waited
	Yielded  int64 // times that such a claim gave way to the other
	Lapsed   int64 // commits that came after their lease had gone
	Backlog  int64 // marks kept until other nodes can be told, now
	Handed   int64 // marks of the backlog that were told later
	Dropped  int64 // marks that did not fit the backlog
	Degraded int64 // times that other nodes could no longer be asked
	// Errors are failed steps and probes, by kind.
	Errors map[string]int64
}

// Health is the line of one part in /readyz.
type Health struct {
	Part   string `json:"part"` // log, warehouse, claimer, disk
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	// Blocking is true when this part alone makes the node not ready. A stopped
	// warehouse is not blocking until the backlog reaches its bound.
	Blocking bool `json:"blocking"`
}

// ForwardStats are what a Forwarder has done since its start, and how it stands.
type ForwardStats struct {
	Cursor   entity.Seq       // the target has everything up to here
	Lag      entity.Seq       // head of the Log minus Cursor
	Sent     int64            // spans and log records that the target took
	Requests int64            // that were answered
	Retries  int64            // requests that were sent again
	Dropped  map[string]int64 // spans and log records that the target refused for good, by reason
	Gone     int64            // events that had expired or were erased before they were sent
	Fault    string           // why the last request failed; "" when it did not
}
