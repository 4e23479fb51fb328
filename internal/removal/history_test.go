package removal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var keep = store.Retention{Default: 6 * time.Hour, Projects: map[string]time.Duration{"short": time.Hour, "ever": 0}}

const markTTL = 3 * time.Hour

// node is a real Log, DuckDB, indexer and Keeper on one clock, and what was stored in it.
type node struct {
	*testing.T
	rng   *rand.Rand
	mem   *vfs.MemFS // the Log's disk, which a crash takes away
	dir   string     // the warehouse and the quarantine
	clock *clock.Stopped

	log     *segmentlog.Log
	w       *duckstore.Warehouse
	x       *indexer.Indexer
	k       *removal.Keeper
	stopped func()

	sent    []entity.Record // all events that were stored, with their Seq
	content []entity.Record // what they are made of
	batches []*store.Batch
}

func (n *node) open() {
	n.Helper()
	var err error
	n.log, err = segmentlog.Open("log", segmentlog.Options{FS: n.mem, Now: n.clock.Now, SegmentBytes: 8 << 10, TailBytes: 4 << 10, BlockCacheBytes: 64 << 10})
	if err != nil {
		n.Fatal(err)
	}
	if n.w, err = duckstore.Open(n.file(), duckstore.Options{CacheMemory: 1 << 16, Threads: 1, Records: extract.Records(n.log.Get), Now: n.clock.Now}); err != nil {
		n.Fatal(err)
	}
	if n.x, err = indexer.New(indexer.Options{Log: n.log, Warehouse: n.w, Dir: filepath.Join(n.dir, "q"), Now: n.clock.Now, Gather: time.Millisecond}); err != nil {
		n.Fatal(err)
	}
	n.k = removal.NewKeeper(removal.KeeperOptions{Log: n.log, Warehouse: n.w, Indexer: n.x, Retention: keep, Now: n.clock.Now})
	ctx, cancel := context.WithCancel(n.Context())
	done := make(chan error, 1)
	go func() { done <- n.x.Run(ctx) }()
	n.stopped = func() {
		cancel()
		if err := <-done; err != nil {
			n.Error(err)
		}
		if err := n.w.Close(); err != nil {
			n.Error(err)
		}
		if err := n.log.Close(); err != nil {
			n.Error(err)
		}
	}
}

func (n *node) file() string { return filepath.Join(n.dir, "w.duckdb") }

// append stores a batch of random events, some long before or far behind now.
func (n *node) append() {
	n.Helper()
	b := &store.Batch{
		Project: []string{"short", "default", "ever"}[n.rng.IntN(3)], Environment: "default", ID: fmt.Sprint("batch", len(n.batches)), ReceivedAt: n.clock.Now(),
		Dedup: store.Dedup{Enabled: n.rng.IntN(4) > 0, TTL: markTTL},
	}
	for i := range 1 + n.rng.IntN(25) {
		at := n.clock.Now().Add(-time.Duration(n.rng.Int64N(int64(2 * time.Minute))))
		switch n.rng.IntN(12) {
		case 0:
			at = n.clock.Now().Add(-time.Duration(n.rng.Int64N(int64(9 * time.Hour))))
		case 1:
			at = n.clock.Now().AddDate(20, 0, 0)
		case 2:
			at = time.UnixMicro(n.rng.Int64N(1e9))
		}
		r := n.content[n.rng.IntN(len(n.content))]
		b.Events = append(b.Events, wire.Event{
			ID: fmt.Sprintf("e%d-%d", len(n.batches), i), Type: r.Event.Type, Payload: r.Event.Payload, Timestamp: wire.At(at),
		})
	}
	before := n.log.Head()
	outcomes, err := n.log.Append(n.Context(), b)
	if err != nil || slices.Contains(outcomes, store.Duplicate) {
		n.Fatalf("append: %v, %v", outcomes, err)
	}
	for i, ev := range b.Events {
		n.sent = append(n.sent, entity.Record{Seq: before + entity.Seq(i) + 1, Project: b.Project, ReceivedAt: b.ReceivedAt, BatchID: b.ID, Environment: b.Environment, Event: ev})
	}
	n.batches = append(n.batches, b)
}

// repeat sends a batch again while its marks last: nothing of it is new, whatever became of its events.
func (n *node) repeat() {
	n.Helper()
	b := n.batches[n.rng.IntN(len(n.batches))]
	if !b.Dedup.Enabled || n.clock.Now().Sub(b.ReceivedAt) >= markTTL {
		return
	}
	again := *b
	again.ReceivedAt, again.ID = n.clock.Now(), fmt.Sprint(b.ID, "-again-", n.log.Head())
	outcomes, err := n.log.Append(n.Context(), &again)
	if err != nil || slices.Contains(outcomes, store.Stored) {
		n.Fatalf("sent again %v after it was stored: %v, %v", n.clock.Now().Sub(b.ReceivedAt), outcomes, err)
	}
	// The receipt is kept for a day, whatever became of the events.
	job, err := n.log.BatchReceipt(n.Context(), b.Project, b.ID)
	if err != nil || job.Result.ProcessedEvents != len(b.Events) {
		n.Fatalf("receipt of a batch %v old: %+v, %v", n.clock.Now().Sub(b.ReceivedAt), job, err)
	}
}

func (n *node) catchUp() {
	n.Helper()
	ctx, cancel := context.WithTimeout(n.Context(), time.Minute)
	defer cancel()
	if err := n.x.CatchUp(ctx); err != nil {
		n.Fatal(err)
	}
}

// crash takes the power away somewhere in a pass.
func (n *node) crash() {
	n.Helper()
	n.catchUp()
	ctx, cancel := context.WithCancel(n.Context())
	done := make(chan error, 1)
	go func() { done <- n.k.Pass(ctx) }()
	pause := time.NewTimer(time.Duration(n.rng.IntN(30)) * time.Millisecond)
	<-pause.C
	clone := n.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: n.rng.IntN(101), RNG: n.rng})
	if n.rng.IntN(2) == 0 {
		cancel()
	}
	if err := <-done; err != nil && ctx.Err() == nil {
		n.Error(err)
	}
	cancel()
	n.stopped()
	n.mem = clone
	n.open()
}

// rebuild deletes what is derived; what has expired does not come back.
func (n *node) rebuild() {
	n.Helper()
	n.stopped()
	if err := os.Remove(n.file()); err != nil {
		n.Fatal(err)
	}
	if n.rng.IntN(2) == 0 {
		if err := n.mem.RemoveAll("log/index"); err != nil {
			n.Fatal(err)
		}
	}
	n.open()
	n.check("built again")
}

// kept are the events of a project that have not expired.
func (n *node) kept(project string) []entity.Record {
	c := store.Cutoffs{Now: n.clock.Now(), Retention: keep}
	var recs []entity.Record
	for _, r := range n.sent {
		if r.Project == project && !c.Expired(project, r.Event.Timestamp.UnixMicro(), r.ReceivedAt.UnixMicro()) {
			recs = append(recs, r)
		}
	}
	return recs
}

// check compares the Log and all lists with the events that are kept.
func (n *node) check(when string) {
	n.Helper()
	n.catchUp()
	var log storetest.Ledger
	want, err := duckstore.Open(filepath.Join(n.TempDir(), "want.duckdb"), duckstore.Options{Threads: 1, Records: log.Records})
	if err != nil {
		n.Fatal(err)
	}
	defer func() {
		if err := want.Close(); err != nil {
			n.Error(err)
		}
	}()
	var all []entity.Record
	for _, project := range []string{"short", "default", "ever"} {
		all = append(all, n.kept(project)...)
	}
	slices.SortFunc(all, func(a, b entity.Record) int { return int(a.Seq) - int(b.Seq) })
	n.checkLog(when, all)
	for i := range all {
		all[i].Fields, _ = extract.Extract(&all[i].Event)
		all[i].Row = all[i].Fields.AppendRow(nil)
	}
	log.Add(all...)
	if err := want.Insert(n.Context(), all, n.log.Head()+1); err != nil {
		n.Fatal(err)
	}
	for _, project := range []string{"short", "default", "ever"} {
		if got, want := answers(n.T, n.w, project), answers(n.T, want, project); got != want {
			n.Fatalf("%s, at %v, project %s:\n%.3000s\nwant\n%.3000s", when, n.clock.Now(), project, got, want)
		}
	}
}

// checkLog compares what the Log gives out, by Read and by Get.
func (n *node) checkLog(when string, want []entity.Record) {
	n.Helper()
	var got []entity.Record
	for at := entity.Seq(0); at < n.log.Head(); {
		recs, upto, err := n.log.Read(n.Context(), at, 100)
		if err != nil {
			n.Fatal(err)
		}
		got, at = append(got, recs...), upto
	}
	var seqs []entity.Seq
	for _, r := range n.sent {
		seqs = append(seqs, r.Seq)
	}
	again, err := n.log.Get(n.Context(), seqs)
	if err != nil {
		n.Fatal(err)
	}
	for _, got := range [][]entity.Record{got, again} {
		if len(got) != len(want) {
			n.Fatalf("%s: the log shows %d events, want %d of %d", when, len(got), len(want), len(n.sent))
		}
		for i := range got {
			if got[i].Seq != want[i].Seq || got[i].Event.ID != want[i].Event.ID || string(got[i].Event.Payload) != string(want[i].Event.Payload) {
				n.Fatalf("%s: record %d is %+v, want %+v", when, i, got[i], want[i])
			}
		}
	}
}

// answers are all lists and statistics of a project, as text.
func answers(t *testing.T, w *duckstore.Warehouse, project string) string {
	t.Helper()
	order := store.Order{Limit: 1000}
	var all []any
	add := func(page any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page)
	}
	traces, err := query.ListTraces(t.Context(), w, project, store.Query{Order: order})
	add(traces, err)
	for _, tr := range traces.Data[:min(len(traces.Data), 2)] { // the others are in the lists
		seqs, err := store.TraceEvents(t.Context(), w, project, tr.ID)
		slices.Sort(seqs)
		add(seqs, err)
	}
	observations, err := query.ListObservations(t.Context(), w, project, store.Query{Order: order})
	add(observations, err)
	scores, err := query.ListScores(t.Context(), w, project, store.Query{Order: order})
	add(scores, err)
	sessions, err := query.ListSessions(t.Context(), w, project, store.Query{Order: order})
	add(sessions, err)
	users, err := query.ListUsers(t.Context(), w, project, store.Query{Order: order})
	add(users, err)
	for _, of := range []string{"traces", "observations", "scores", "events"} {
		stats, err := query.ListStats(t.Context(), w, project, store.StatsQuery{Of: of, Metrics: []string{"count"}})
		add(stats, err)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// After each pass, all answers are the fold of exactly the events that have not
// expired: over random histories, restarts, crashes in mid-pass, and rebuilds.
func TestHistories(t *testing.T) {
	t.Parallel()
	for i := range chance.Rounds(1) {
		t.Run(fmt.Sprint(i), func(t *testing.T) { t.Parallel(); history(t, chance.Seed(t)) })
	}
}

func history(t *testing.T, seed uint64) {
	n := &node{
		T: t, rng: chance.From(seed, 0), mem: vfs.NewCrashableMem(), dir: t.TempDir(),
		clock: clock.NewStopped(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), content: storetest.History(seed, 120),
	}
	n.open()
	defer func() { n.stopped() }()
	steps := 40
	if testing.Short() {
		steps = 15
	}
	for range steps {
		n.clock.Advance(time.Duration(n.rng.Int64N(int64(20 * time.Minute))))
		switch n.rng.IntN(12) {
		case 0:
			n.stopped()
			n.open()
		case 1:
			n.crash()
		case 2:
			n.rebuild()
		case 3, 4:
			n.catchUp()
			if err := n.k.Pass(t.Context()); err != nil {
				t.Fatal(err)
			}
			n.check("after a pass")
		case 5:
			if len(n.batches) > 0 {
				n.repeat()
			}
		default:
			n.append()
		}
	}
	n.end()
}

// end lets everything expire: what remains on the disk is of the project that keeps all.
func (n *node) end() {
	for range 3 { // each in a batch of its own, behind what is to go
		n.append()
	}
	n.stopped()
	n.open() // counters from zero
	n.catchUp()
	if err := n.k.Pass(n.Context()); err != nil {
		n.Fatal(err)
	}
	left := map[string]int64{}
	for _, p := range []string{"short", "default"} {
		left[p] = int64(len(n.kept(p)))
	}
	n.clock.Advance(48 * time.Hour)
	if err := n.k.Pass(n.Context()); err != nil {
		n.Fatal(err)
	}
	n.check("at the end")
	for _, p := range []string{"short", "default"} {
		if len(n.kept(p)) != 0 {
			n.Fatal("not everything has expired")
		}
		if got := n.log.Removed(p); got.Aged+got.Late < left[p] {
			n.Errorf("%+v counted in %s, of %d that were kept before", got, p, left[p])
		}
	}
	onDisk := n.dump()
	for _, r := range n.sent {
		if r.Project != "ever" && strings.Contains(onDisk, fmt.Sprintf("event seq=%d id=%q type=", r.Seq, r.Event.ID)) {
			n.Fatalf("the payload of %d is still on the disk", r.Seq)
		}
	}
}

// dump is what all segment files hold, as text.
func (n *node) dump() string {
	var b strings.Builder
	names, err := n.mem.List("log")
	if err != nil {
		n.Fatal(err)
	}
	for _, name := range names {
		if filepath.Ext(name) != ".seg" {
			continue
		}
		if err := segmentlog.Dump(&b, n.mem, n.mem.PathJoin("log", name), false); err != nil {
			n.Fatal(err)
		}
	}
	return b.String()
}
