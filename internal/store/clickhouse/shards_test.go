package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// onShards are the options of a warehouse over the servers of a cluster.
func onShards(t testing.TB, all []*clickhousetest.Server, database string) Options {
	o := testOptions(t, all[0], database)
	for _, s := range all[1:] {
		o.Further = append(o.Further, []string{s.Addr()})
	}
	o.Cluster = clickhousetest.Cluster
	return o
}

// total adds up what a statement says in each shard.
func total(t testing.TB, all []*clickhousetest.Server, statement string) (sum int) {
	t.Helper()
	for _, s := range all {
		n, err := strconv.Atoi(s.Do(t, statement))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// Rows in two shards are answered, kept and erased as those in one place are.
func TestShards(t *testing.T) {
	t.Parallel()
	all := clickhousetest.StartCluster(t, 2)
	for name, test := range map[string]func(*testing.T, []*clickhousetest.Server){
		"Suite": tryWarehouseOnShards, "NodesAtOnce": tryNodesOnShards, "Crash": tryCrashBetweenShards, "Erase": tryEraseOnShards, "AsTheyWere": tryOtherShards,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, all)
		})
	}
}

// tryWarehouseOnShards runs what of the suite depends on where rows are. Random histories are those of tryNodesOnShards.
func tryWarehouseOnShards(t *testing.T, all []*clickhousetest.Server) {
	if testing.Short() {
		t.Skip("minutes of questions to two servers")
	}
	storetest.Warehouse(t, func(t testing.TB, dir string, log *storetest.Ledger) store.Warehouse {
		o := onShards(t, all, databaseOf(dir))
		o.Prices = log.Prices()
		return openWith(t, o)
	}, "Empty", "Cursor", "Repeated", "Visible", "Updates", "SameID", "Clear", "RolledUp", "Root", "Latency", "Totals", "Projects", "Membership", "Floating", "Filters", "FilterGrammar", "Paging", "PagingStats",
		"Stats", "StatsBuckets", "ValueBuckets", "Lists", "EverySort", "ListsOfProjects", "ListsRefused", "Erase", "ExpireProjects", "Late", "Search", "Reprice")
}

// Histories of all kinds are answered as a warehouse in one place answers them, by two nodes that write at once; what is of one entity is in one shard, and both have some.
func tryNodesOnShards(t *testing.T, all []*clickhousetest.Server) {
	for round, history := range []func(uint64) []entity.Record{
		func(seed uint64) []entity.Record { return storetest.History(seed, 90) },
		func(seed uint64) []entity.Record { return storetest.SharedHistory(seed, 80) },
		func(seed uint64) []entity.Record { return storetest.CallHistory(seed, 80) },
	} {
		seed := chance.Seed(t)
		rng := chance.From(seed, 71)
		logs, recs := shareOut(rng, withRows(t, history(seed)), 2)
		want := answers(t, reference(t, recs))
		o := onShards(t, all, fmt.Sprintf("d%d", round))
		var nodes []*Warehouse
		var work sync.WaitGroup
		for n, log := range logs {
			o.Node = uint16(n)
			w := openWith(t, o)
			nodes = append(nodes, w)
			of := chance.From(seed, uint64(80+n))
			work.Go(func() {
				if err := follow(t, w, of, log); err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		for n, w := range nodes {
			same(t, fmt.Sprintf("round %d, node %d", round, n), answers(t, w), want)
			closeOf(t, w)
		}
		for _, s := range all {
			for table, id := range map[string]string{"events": "entity_id", "observations": "id", "traces": "id", "scores": "id"} {
				here := s.Do(t, fmt.Sprintf("SELECT count() FROM %s.%s_local", o.Database, table))
				if there := s.Do(t, fmt.Sprintf("SELECT count() FROM %s.%s", o.Database, table)); len(there) > 1 && (here == "0" || here == there) {
					t.Errorf("round %d: one shard has %s of %s %s", round, here, there, table)
				}
				astray := fmt.Sprintf("SELECT count() FROM %s.%s WHERE _shard_num != 1 + %s %% 2", o.Database, table, shardedBy(id))
				if got := s.Do(t, astray); got != "0" {
					t.Errorf("round %d: %s %s are in another shard than the server says", round, got, table)
				}
			}
		}
	}
}

// Whichever statement a node gets no further than, in whichever shard, nothing is lost or there twice afterwards. Each third is tried.
func tryCrashBetweenShards(t *testing.T, all []*clickhousetest.Server) {
	if testing.Short() {
		t.Skip("many times all questions to two servers")
	}
	recs := firstOf(withRows(t, storetest.History(5, 60)))
	upto := recs[len(recs)-1].Seq
	want := answers(t, reference(t, recs))
	crashed := errors.New("crashed")
	for n := chance.Of(t).IntN(3); ; n += 3 {
		o := onShards(t, all, fmt.Sprintf("c%d", n))
		w := openWith(t, o)
		insert(t, w, recs[:20], recs[19].Seq)
		left := n
		for _, p := range w.shards {
			p.fault = func(string) error {
				if left--; left < 0 {
					return crashed
				}
				return nil
			}
		}
		if err := w.Insert(t.Context(), recs[20:], upto); err != nil {
			t.Fatal(err)
		}
		err := w.Flush(t.Context())
		if err != nil && !errors.Is(err, crashed) {
			t.Fatal(err)
		}
		w.hangUp() // and no more is heard of it
		w = openWith(t, o)
		cursor, failed := w.Cursor(t.Context())
		if failed != nil || (err == nil) != (cursor == upto) {
			t.Errorf("after %d statements the cursor is %d, %v", n, cursor, failed)
		}
		for from := 0; from < len(recs); from += 7 { // read in other pieces
			to := min(from+7, len(recs))
			if recs[to-1].Seq > cursor {
				insert(t, w, after(recs[from:to], cursor), recs[to-1].Seq)
			}
		}
		if got := total(t, all, "SELECT count() FROM "+o.Database+".events_local"); got != len(recs) {
			t.Errorf("after a crash at statement %d there are %d rows of %d events", n, got, len(recs))
		}
		same(t, fmt.Sprintf("after a crash at statement %d", n), answers(t, w), want)
		closeOf(t, w)
		if err == nil {
			if n < 10 {
				t.Errorf("it took %d statements", n)
			}
			return
		}
	}
}

// While a shard is away nothing is answered without it, or lost; which one it is is said. It is so whichever shard it is.
func TestAShardIsAway(t *testing.T) {
	t.Parallel()
	all := clickhousetest.StartCluster(t, 2)
	seed := chance.Seed(t)
	recs := firstOf(withRows(t, storetest.History(seed, 120)))
	o := onShards(t, all, "away")
	o.Logger = nil
	w := openWith(t, o)
	insert(t, w, recs[:40], recs[39].Seq)
	done := 40
	for n, s := range all {
		s.Kill()
		for range len(all) { // whichever server is asked
			if _, err := query.ListTraces(t.Context(), w, storetest.HistoryProject, store.Query{}); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("shard %d is away: a question: %v", n+1, err)
			}
		}
		var rows proto.ColUInt64
		err := w.askAt(t.Context(), w.shards[1-n], &builder{}, "SELECT count() AS n FROM events", w.wholeSettings(), proto.Results{{Name: "n", Data: &rows}}, func(i int) {
			t.Errorf("shard %d is away: the other one counts %d events", n+1, rows.Row(i))
		})
		if !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), s.Addr()) {
			t.Errorf("shard %d is away: the other one says %v", n+1, err)
		}
		next := done + 20
		if err := w.Insert(t.Context(), recs[done:next], recs[next-1].Seq); err != nil {
			t.Fatal(err)
		}
		err = w.Flush(t.Context())
		if !errors.Is(err, store.ErrUnavailable) || strings.Contains(connectText(err), s.Addr()) {
			t.Errorf("shard %d is away: a flush: %v", n+1, err)
		}
		w.look(t.Context())
		if away, want := w.Away(), fmt.Sprintf("shard %d of 2: cannot be reached", n+1); !strings.HasPrefix(away, want) || strings.Contains(away, s.Addr()) || strings.Contains(away, ";") {
			t.Errorf("it says %q, want %s", away, want)
		}
		if fault := w.Fault(); !errors.Is(fault, store.ErrUnavailable) || strings.Contains(fault.Error(), s.Addr()) {
			t.Errorf("shard %d is away: the fault is %v", n+1, fault)
		}
		s.Restart()
		w.lookAround(t.Context())
		if away := w.Away(); away != "" {
			t.Errorf("it is back, and it says %q", away)
		}
		flushAtLast(t, w)
		done = next
	}
	if got := total(t, all, "SELECT count() FROM away.events_local"); got != done {
		t.Errorf("%d rows of %d events", got, done)
	}
	same(t, "once all are back", answers(t, w), answers(t, reference(t, recs[:done])))
	closeOf(t, w)
}

// connectText is what readers of /readyz see of an error.
func connectText(err error) string {
	var is *connectError
	if errors.As(err, &is) {
		return is.Error()
	}
	return err.Error()
}

// flushAtLast flushes until the servers have found one another again.
func flushAtLast(t *testing.T, w *Warehouse) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		err := w.Flush(ctx)
		if err == nil {
			return
		}
		if clock.Sleep(ctx, 100*time.Millisecond) != nil {
			t.Fatal(err)
		}
	}
}

// What is erased is gone from the files of both shards.
func tryEraseOnShards(t *testing.T, all []*clickhousetest.Server) {
	o := onShards(t, all, "erased")
	w := openWith(t, o)
	recs := firstOf(withRows(t, storetest.History(chance.Seed(t), 120)))
	insert(t, w, recs, recs[len(recs)-1].Seq)
	var gone []entity.Seq
	var rest []entity.Record
	for i := range recs {
		if i%3 == 0 {
			gone = append(gone, recs[i].Seq)
		} else {
			rest = append(rest, recs[i])
		}
	}
	if err := w.Erase(t.Context(), storetest.HistoryProject, gone); err != nil {
		t.Fatal(err)
	}
	if got := total(t, all, "SELECT count() FROM erased.events_local"); got != len(rest) {
		t.Errorf("%d events are left, want %d", got, len(rest))
	}
	for _, table := range []string{"observations", "traces", "scores"} {
		if old := total(t, all, "SELECT count() FROM erased."+table+"_local WHERE hasAny(seqs, ["+joined(gone)+"])"); old != 0 {
			t.Errorf("%d rows of %s have erased events", old, table)
		}
	}
	same(t, "after erasing", answers(t, w), answers(t, reference(t, rest)))
	closeOf(t, w)
}

func joined(seqs []entity.Seq) string {
	texts := make([]string, len(seqs))
	for i, s := range seqs {
		texts[i] = strconv.FormatUint(uint64(s), 10)
	}
	return strings.Join(texts, ", ")
}

// Shards that are named in another order, or left out, and tables that are not those of shards, are refused before anything is made or written.
func tryOtherShards(t *testing.T, all []*clickhousetest.Server) {
	o := onShards(t, all, "placed")
	closeOf(t, openWith(t, o))
	if is, err := Inspect(t.Context(), o); err != nil || !is.Whole() {
		t.Errorf("%+v, %v", is, err)
	}
	before := total(t, all, "SELECT count() FROM system.tables WHERE database = 'placed'")
	turned := o
	turned.Addresses, turned.Further = o.Further[0], [][]string{o.Addresses}
	alone := o
	alone.Further, alone.Cluster = nil, ""
	twice := o
	twice.Further = [][]string{o.Addresses}
	for why, wrong := range map[string]Options{"shard 1 of 2 what is shard 2 of 2": turned, "shard 2 of 2 what is shard 1 of 2": twice, "where the URL names no shards": alone} {
		wrong.Logger = nil
		if _, err := Open(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %s", err, why)
		}
	}
	if after := total(t, all, "SELECT count() FROM system.tables WHERE database = 'placed'"); after != before {
		t.Errorf("%d tables became %d", before, after)
	}
	all[0].Do(t, "CREATE DATABASE whole")
	whole := testOptions(t, all[0], "whole")
	closeOf(t, openWith(t, whole))
	if _, err := Open(t.Context(), onShards(t, all, "whole")); err == nil || !strings.Contains(err.Error(), "where the URL names several shards") {
		t.Errorf("tables of one server: %v", err)
	}
	fresh := onShards(t, all, "fresh")
	fresh.Addresses, fresh.Further = turned.Addresses, turned.Further
	if _, err := Open(t.Context(), fresh); !errors.Is(err, errClusterDiffers) {
		t.Errorf("shards in another order than those of the cluster: %v", err)
	}
	unknown := onShards(t, all, "elsewhere")
	unknown.Cluster = "nobody_knows_it"
	if _, err := Open(t.Context(), unknown); err == nil {
		t.Error("a cluster that the servers do not know is taken")
	}
	// What a shard lacks is told, and made.
	all[1].Do(t, "ALTER TABLE placed.traces_local DROP COLUMN user_id")
	all[1].Do(t, "DROP TABLE placed.scores")
	is, err := Inspect(t.Context(), o)
	if err != nil || !slices.Equal(is.Absent, []string{"shard 2: scores"}) || !slices.Equal(is.Columns, []string{"shard 2: traces_local.user_id"}) {
		t.Errorf("%+v, %v", is, err)
	}
	if err := Migrate(t.Context(), o, false); err != nil {
		t.Fatal(err)
	}
	if is, err := Inspect(t.Context(), o); err != nil || !is.Whole() {
		t.Errorf("mended: %+v, %v", is, err)
	}
}
