//go:build unix

package duckstore

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var (
	growthSizes = flag.String("growth", "50000,500000", "numbers of events at which BenchmarkGrowth measures")
	growthSent  = flag.Int("growth.sent", 1_000_000, "up to how many events are inserted; more are made in the table as copies of these, days later")
	growthRuns  = flag.Int("growth.runs", 40, "how often each question is asked")
)

// BenchmarkGrowth fills one table further and further, and prints for each size
// how long questions take, p50 and p95 in milliseconds, and in brackets the p50 of
// processor time, which depends less on what else the machine does: after a checkpoint,
// and again with 20 000 events more. A day has 333 000 events. Run it with -benchtime=1x.
func BenchmarkGrowth(b *testing.B) {
	path := filepath.Join(b.TempDir(), "w.db")
	g := newGenerator(1)
	w, err := Open(path, Options{Threads: 1, Records: g.Records})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	g.pause = 4150 * time.Millisecond // at most; half of it between two traces on the average
	table := &growthTable{b: b, w: w, cells: map[string][]string{}}
	big := ""
	for _, s := range strings.Split(*growthSizes, ",") {
		size, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		if int(g.seq) < *growthSent {
			big = g.wide(200)
		}
		start, from := time.Now(), int(g.seq)
		for int(g.seq) < min(size, *growthSent) {
			growInsert(b, w, g, 20_000)
		}
		inserted := ""
		if n := int(g.seq) - from; n > 0 { // the rest is copied, which says nothing of inserts
			inserted = strconv.Itoa(int(float64(n) / time.Since(start).Seconds()))
		}
		if int(g.seq) < size {
			growthCopy(b, w, g, size)
		}
		if err := w.Checkpoint(b.Context()); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		table.header = append(table.header, s)
		table.add("inserted, events/s", inserted)
		table.add("disk, B/event", strconv.FormatInt(info.Size()/int64(g.seq), 10))
		table.measure(g, big)
		growInsert(b, w, g, 20_000)
		table.header = append(table.header, s+" and 20000")
		table.add("inserted, events/s", "")
		table.add("disk, B/event", "")
		table.measure(g, big)
		table.print()
	}
}

func growInsert(b *testing.B, w *Warehouse, g *generator, n int) {
	recs := g.next(n)
	if err := w.Insert(b.Context(), recs, recs[n-1].Seq); err != nil {
		b.Fatal(err)
	}
}

// growthCopy fills the table up to size events with copies of what is in it: all
// rows of all tables, with other ids, behind it in Seq and time. The rest of the
// warehouse does not know of them, so nothing of theirs may be inserted.
func growthCopy(b *testing.B, w *Warehouse, g *generator, size int) {
	if err := w.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	var ids []string
	err := w.write.scan("SELECT id FROM traces", nil, func(b block) {
		for i := range b.rows {
			ids = append(ids, b.text(0, i))
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	n, us := int64(g.seq), g.at.Sub(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)).Microseconds()
	for i := int64(1); n*i < int64(size); i++ {
		growthHashes(b, w, ids, i)
		shifted := func(columns []column, ofTrace string) string {
			var list []string
			for _, c := range columns {
				switch c.name {
				case "seq", "first_seq", "last_seq", "written":
					list = append(list, fmt.Sprintf("%s + %d", c.name, n*i))
				case "seqs":
					list = append(list, fmt.Sprintf("list_transform(seqs, lambda seq: seq + %d)", n*i))
				case "ts", "received", "start_time", "end_time", "timestamp", "own_start":
					list = append(list, fmt.Sprintf("%s + %d", c.name, us*i))
				case "trace_hash":
					list = append(list, "(SELECT hash FROM hashes WHERE hashes.id = "+ofTrace+")")
				case "id", "entity_id", "event_id", "trace_id", "observation_id":
					list = append(list, fmt.Sprintf("%s || '~%d'", c.name, i))
				default:
					list = append(list, `"`+c.name+`"`)
				}
			}
			return strings.Join(list, ", ")
		}
		statements := []string{fmt.Sprintf("INSERT INTO events SELECT %s FROM events WHERE seq <= %d", shifted(w.layout.columns, ""), n)}
		for _, kind := range entityKinds {
			ofTrace := "trace_id"
			if kind == entity.TraceKind {
				ofTrace = "traces.id"
			}
			statements = append(statements, fmt.Sprintf("INSERT INTO %s SELECT %s FROM %[1]s WHERE written <= %[3]d", tableOf(kind), shifted(columnsOf(kind), ofTrace), n))
		}
		for _, s := range append(statements, "CHECKPOINT") {
			if err := w.write.exec(s); err != nil {
				b.Fatal(err)
			}
		}
		g.at = g.at.Add(time.Duration(us) * time.Microsecond)
		g.seq += entity.Seq(n)
	}
	if err := w.write.exec("DROP TABLE IF EXISTS hashes"); err != nil {
		b.Fatal(err)
	}
	w.cursor = g.seq
	if err := w.write.exec(fmt.Sprintf("UPDATE meta SET cursor = %d", g.seq)); err != nil {
		b.Fatal(err)
	}
}

// growthHashes makes a table of what trace_hash is of the i-th copy of these traces.
func growthHashes(b *testing.B, w *Warehouse, ids []string, i int64) {
	columns := []column{{"id", "VARCHAR"}, {"hash", "BIGINT"}}
	if err := w.write.exec("CREATE OR REPLACE " + strings.TrimPrefix(createTable("hashes", columns), "CREATE ")); err != nil {
		b.Fatal(err)
	}
	c := newChunk(columns)
	defer c.close()
	err := w.append("hashes", c, len(ids), func(c *chunk, at int) {
		c.setText(0, ids[at])
		c.setInt(1, traceHash(fmt.Sprintf("%s~%d", ids[at], i)))
	})
	if err != nil {
		b.Fatal(err)
	}
}

// wide adds a trace of n observations and returns its id.
func (g *generator) wide(n int) string {
	trace := wire.NewIDAt(g.at)
	g.add(trace, wire.TraceCreate, 0, trace, entity.TraceKind, entity.RankCreate, txt(entity.Name, "wide"))
	for range n {
		id := wire.NewIDAt(g.at)
		g.add(id, wire.ObservationCreate, 0, id, entity.ObservationKind, entity.RankCreate,
			txt(entity.TraceID, trace), txt(entity.Name, "step"), txt(entity.Input, `"`+g.sentence(300)+`"`))
		g.add(wire.NewIDAt(g.at), wire.ObservationComplete, time.Second, id, entity.ObservationKind, entity.RankComplete,
			txt(entity.Output, `"`+g.sentence(300)+`"`))
	}
	return trace
}

type growthTable struct {
	b      *testing.B
	w      *Warehouse
	header []string
	rows   []string
	cells  map[string][]string
}

func (t *growthTable) add(row, cell string) {
	if t.cells[row] == nil {
		t.rows = append(t.rows, row)
	}
	t.cells[row] = append(t.cells[row], cell)
}

func (t *growthTable) measure(g *generator, trace string) {
	ctx, w, hasError := t.b.Context(), t.w, true
	day := store.Filter{From: g.at.Add(-24 * time.Hour)}
	chart := store.StatsQuery{Filter: day, Interval: time.Hour, GroupBy: []string{"model"}, Metrics: []string{"count", "latency_p95", "tokens", "cost"}}
	all := chart
	all.Filter, all.Interval = store.Filter{}, 24*time.Hour
	traces := func(q store.Query) func() error {
		return func() error { _, err := query.ListTraces(ctx, w, "default", q); return err }
	}
	for _, q := range []struct {
		name string
		ask  func() error
	}{
		{"first page of traces", traces(store.Query{})},
		{"the same of one user", traces(store.Query{Filter: store.Filter{UserID: "user_17"}})},
		{"by cost", traces(store.Query{Order: store.Order{By: "total_cost"}})},
		{"with errors", traces(store.Query{Filter: store.Filter{HasError: &hasError}})},
		{"a trace of 200 observations", func() error { _, err := store.TraceEvents(ctx, w, "default", trace); return err }},
		{"24 h by hour and model", func() error { _, err := query.ListStats(ctx, w, "default", chart); return err }},
		{"all days by day and model", func() error { _, err := query.ListStats(ctx, w, "default", all); return err }},
		{"first page of observations", func() error { _, err := query.ListObservations(ctx, w, "default", store.Query{}); return err }},
		{"first page of scores", func() error { _, err := query.ListScores(ctx, w, "default", store.Query{}); return err }},
	} {
		var took, used []time.Duration
		for range *growthRuns {
			start, before := time.Now(), processorTime(t.b)
			if err := q.ask(); err != nil {
				t.b.Fatal(err)
			}
			took, used = append(took, time.Since(start)), append(used, processorTime(t.b)-before)
		}
		slices.Sort(took)
		slices.Sort(used)
		ms := func(d []time.Duration, p int) float64 { return float64(d[(len(d)-1)*p/100].Microseconds()) / 1000 }
		t.add(q.name, fmt.Sprintf("%.1f / %.1f (%.1f)", ms(took, 50), ms(took, 95), ms(used, 50)))
	}
}

// processorTime is what the process has used so far, on all processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (t *growthTable) print() {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "\t%s\t\n", strings.Join(t.header, "\t"))
	for _, row := range t.rows {
		fmt.Fprintf(out, "%s\t%s\t\n", row, strings.Join(t.cells[row], "\t"))
	}
	if err := out.Flush(); err != nil {
		t.b.Fatal(err)
	}
}
