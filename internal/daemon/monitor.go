package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/repricing"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// watchEvery is how often the monitor looks: readiness is never older.
const watchEvery = 500 * time.Millisecond

// monitor looks after what a node needs to take events: room on the disk, a
// Log that writes, a Warehouse that keeps up. It decides whether requests are
// admitted, and says why not. Nobody has to switch it back.
type monitor struct {
	minFree    Bytes
	maxBacklog entity.Seq
	free       func() (Bytes, error) // room on the disk of the data directory
	log        func() store.LogStats
	indexer    func() store.IndexerStats
	retention  func() store.RetentionStats
	files      func() error        // why the files are not the node's own any more; nil: they are
	keys       func() string       // why the keys' file cannot be read; "": it can
	claimer    func() error        // why nodes cannot deduplicate together now; nil: there is only this node
	tls        func() store.Health // nil: plain HTTP
	forwarding func() store.Health // nil: nothing is sent on
	budgets    func() store.Health // nil: there are none
	alerts     func() store.Health // nil: there are none
	judges     func() store.Health // nil: there are none
	repricing  func() repricing.Stats
	shared     sharedState                        // nil: the Warehouse is this node's own
	documents  func() (at time.Time, fault error) // nil: what is kept beside the data is this node's own
	logger     *slog.Logger

	// now is the clock; nil: time.Now.
	now func() time.Time

	draining atomic.Bool
	last     atomic.Pointer[verdict]
	// moved is how the Warehouse was when its cursor moved last; only check uses it.
	moved progress
}

// progress is how far the Warehouse was at a time, and what waited then.
type progress struct {
	at     time.Time
	cursor entity.Seq
	lag    entity.Seq
}

// stalledAfter is how long the Warehouse may stand still while what waits for it grows: it
// goes on by itself after a checkpoint or a failed insert, which take seconds.
const stalledAfter = 30 * time.Second

// verdict is what one look found.
type verdict struct {
	health []store.Health
	refuse error // wraps store.ErrUnavailable; nil: requests are admitted
}

// errDraining refuses requests once a stop has begun.
var errDraining = fmt.Errorf("%w: the node is stopping", store.ErrUnavailable)

// Run looks until ctx ends. Admit and Health may be called after the first
// check, which open makes.
func (m *monitor) Run(ctx context.Context) error {
	clock.Every(ctx, watchEvery, m.check)
	return nil
}

// Admit says whether a request may be taken now: nil, or an error that wraps
// store.ErrUnavailable with the reason.
func (m *monitor) Admit() error {
	if m.draining.Load() {
		return errDraining
	}
	if refuse := m.last.Load().refuse; refuse != nil {
		return refuse
	}
	// The backlog may have reached its bound since the last look: then this request is not taken.
	_, err := m.checkBacklog(m.indexer().Lag)
	return err
}

// Health is the line of each part.
func (m *monitor) Health() []store.Health { return m.last.Load().health }

// check looks once, and logs when the decision changed.
func (m *monitor) check() {
	disk, diskErr := m.checkDisk()
	warehouse, backlogErr := m.checkWarehouse()
	files, filesErr := m.checkFiles()
	now := &verdict{
		health: []store.Health{
			m.checkLog(), files, warehouse, disk, m.checkClaimer(),
		},
		refuse: errors.Join(filesErr, diskErr, backlogErr),
	}
	if m.keys != nil {
		now.health = append(now.health, m.checkKeys())
	}
	if m.documents != nil {
		now.health = append(now.health, m.checkDocuments())
	}
	if m.tls != nil {
		now.health = append(now.health, m.tls())
	}
	if m.forwarding != nil {
		now.health = append(now.health, m.forwarding())
	}
	if m.budgets != nil {
		now.health = append(now.health, m.budgets())
	}
	if m.judges != nil {
		now.health = append(now.health, m.judges())
	}
	if m.alerts != nil {
		now.health = append(now.health, m.alerts())
	}
	if m.repricing != nil {
		if h, ok := repricingHealth(m.repricing()); ok {
			now.health = append(now.health, h)
		}
	}
	if m.retention != nil {
		if fault := m.retention().Fault; fault != "" {
			now.health = append(now.health, store.Health{Part: "retention", Detail: "not everything that has expired could be removed: " + fault})
		}
	}
	before := m.last.Swap(now)
	switch {
	case now.refuse != nil && (before == nil || before.refuse == nil):
		m.logger.Warn("requests are refused until this is over", "error", now.refuse)
	case now.refuse == nil && before != nil && before.refuse != nil:
		m.logger.Info("requests are taken again")
	}
}

// repricingHealth tells of a repricing that is under way. It never blocks.
func repricingHealth(s repricing.Stats) (h store.Health, under bool) {
	h = store.Health{Part: "repricing", OK: s.Fault == "", Detail: fmt.Sprintf("under way: %d days of a project since the start", s.Days)}
	if s.Fault != "" {
		h.Detail += ", last error: " + s.Fault
	}
	return h, s.Running
}

// checkClaimer reports whether nodes deduplicate together. It never blocks: a
// node that is alone goes on with what it knows.
func (m *monitor) checkClaimer() store.Health {
	h := store.Health{Part: "claimer", OK: true, Detail: "local: this node deduplicates alone"}
	if m.claimer == nil {
		return h
	}
	h.Detail = "redis: nodes deduplicate together"
	if err := m.claimer(); err != nil {
		h.OK, h.Detail = false, err.Error()
	}
	return h
}

// checkFiles reports files that are gone or were replaced by others: what is acknowledged then may be lost with the
// process. It is over when the same files are back.
func (m *monitor) checkFiles() (store.Health, error) {
	h := store.Health{Part: "files", OK: true, Blocking: true, Detail: "the data directory and the log's files are in their place"}
	if m.files == nil {
		return h, nil
	}
	if err := m.files(); err != nil {
		h.OK, h.Detail = false, err.Error()+"; put the same files back, or stop the node: its next start says what is lost"
		return h, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return h, nil
}

// checkKeys reports a file of keys that is gone or cannot be read: the keys in memory go on.
func (m *monitor) checkKeys() store.Health {
	if fault := m.keys(); fault != "" {
		return store.Health{Part: "keys", Detail: fault + "; the last good keys stay in force until the node stops"}
	}
	return store.Health{Part: "keys", OK: true, Detail: "the file of keys is in its place"}
}

// checkDocuments reports that what nodes share beside the data cannot be read: what was known last goes on.
func (m *monitor) checkDocuments() store.Health {
	at, fault := m.documents()
	h := store.Health{Part: "shared", OK: true, Detail: "keys, sign-ins, budgets, alerts and prices are those of all nodes"}
	if fault == nil {
		return h
	}
	last := "before this start"
	if !at.IsZero() {
		last = "at " + at.UTC().Format(time.RFC3339)
	}
	h.OK, h.Detail = false, fmt.Sprintf("keys, sign-ins, budgets, alerts and prices are as they were known %s, and cannot be changed on this node: %v", last, fault)
	return h
}

// checkLog reports a Log that cannot write. It is left to the Log to refuse,
// because only a write that succeeds shows that it is well again.
func (m *monitor) checkLog() store.Health {
	s := m.log()
	if s.Fault != "" {
		return store.Health{Part: "log", Blocking: true, Detail: s.Fault}
	}
	if s.IndexFault != "" {
		return store.Health{Part: "log", Detail: "the id index cannot be written; requests are taken while its memory lasts: " + s.IndexFault}
	}
	return store.Health{Part: "log", OK: true, Blocking: true, Detail: fmt.Sprintf("head %d", s.Head)}
}

// checkWarehouse reports a Warehouse that fails or lags. It blocks only when
// more waits for it than the bound, or when it stands still and more and more waits.
func (m *monitor) checkWarehouse() (store.Health, error) {
	s := m.indexer()
	h := store.Health{Part: "warehouse", OK: s.Fault == "", Detail: fmt.Sprintf("%d events behind", s.Lag)}
	if s.Fault != "" {
		h.Detail += ", last error: " + s.Fault
	}
	if s.Quarantined > 0 {
		h.Detail += fmt.Sprintf(", %d in quarantine", s.Quarantined)
	}
	if m.shared != nil {
		m.addShared(&h)
	}
	over, err := m.checkBacklog(s.Lag)
	if over {
		h.OK, h.Blocking = false, true
	}
	// Where others could do no better, a node that says it is not ready helps nobody.
	if still := m.standsStill(s); still > stalledAfter && m.shared == nil {
		h.OK, h.Blocking = false, true
		h.Detail += fmt.Sprintf(", nothing was taken for %v while more came", still.Truncate(time.Second))
	}
	return h, err
}

// sharedState is how a shared Warehouse is.
type sharedState interface {
	Fault() error
	Away() string
	Node() uint16
	Freshness() (behind time.Duration, missing entity.Seq)
}

// addShared adds to the Warehouse's line how the servers are. What a node has taken is in its log meanwhile, so that they block nothing.
func (m *monitor) addShared(h *store.Health) {
	if fault := m.shared.Fault(); fault != nil {
		h.OK = false
		h.Detail += ", clickhouse: " + fault.Error()
		if away := m.shared.Away(); away != "" {
			h.Detail += ", " + away
		}
		return
	}
	if away := m.shared.Away(); away != "" {
		h.OK = false // and nothing is blocked: the others answer
		h.Detail += ", clickhouse: " + away
	}
	behind, missing := m.shared.Freshness()
	h.Detail += fmt.Sprintf(", clickhouse: node %d, others at most %v behind", m.shared.Node(), behind.Round(100*time.Millisecond))
	if missing > 0 {
		h.Detail += fmt.Sprintf(", %d events missing of nodes that are away", missing)
	}
}

// standsStill is for how long the cursor has not moved while the backlog grew; 0 when it
// moves, or when nothing more came.
func (m *monitor) standsStill(s store.IndexerStats) time.Duration {
	now := time.Now
	if m.now != nil {
		now = m.now
	}
	at := now()
	if m.moved.at.IsZero() || s.Cursor != m.moved.cursor || s.Lag == 0 {
		m.moved = progress{at, s.Cursor, s.Lag}
	}
	if s.Lag <= m.moved.lag {
		return 0
	}
	return at.Sub(m.moved.at)
}

// checkBacklog says whether as many events wait for the Warehouse as may, and refuses then.
func (m *monitor) checkBacklog(lag entity.Seq) (over bool, err error) {
	if lag <= m.maxBacklog {
		return false, nil
	}
	return true, fmt.Errorf("%w: %d events wait for the warehouse, the bound is %d", store.ErrUnavailable, lag, m.maxBacklog)
}

// checkDisk compares the room on the disk with the minimum. A disk that does
// not say how full it is blocks nothing: the write itself will tell.
func (m *monitor) checkDisk() (store.Health, error) {
	free, err := m.free()
	if err != nil {
		return store.Health{Part: "disk", Detail: "free space is not known: " + err.Error()}, nil
	}
	h := store.Health{Part: "disk", OK: true, Blocking: true, Detail: fmt.Sprintf("%d MiB free, minimum %d MiB", free>>20, m.minFree>>20)}
	if free >= m.minFree {
		return h, nil
	}
	h.OK = false
	return h, fmt.Errorf("%w: %d MiB free on the disk, the minimum is %d MiB", store.ErrUnavailable, free>>20, m.minFree>>20)
}
