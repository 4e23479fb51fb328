package duckstore

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// BenchmarkInsert inserts transactions of 20 000 events of believable
// generations, and says what a row weighs on disk at the end.
func BenchmarkInsert(b *testing.B) {
	path := filepath.Join(b.TempDir(), "w.db")
	w, err := Open(path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	g := newGenerator(1)
	const batch = 20_000
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		recs := g.next(batch)
		b.StartTimer()
		if err := w.Insert(b.Context(), recs, recs[len(recs)-1].Seq); err != nil {
			b.Fatal(err)
		}
		rows += batch
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(rows), "B/row")
}

// BenchmarkQueries asks a table of 1 000 000 events what the first pages of
// the web app ask.
func BenchmarkQueries(b *testing.B) {
	g := newGenerator(1)
	w, err := Open(filepath.Join(b.TempDir(), "w.db"), Options{Records: g.Records})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	trace := ""
	for range 50 {
		recs := g.next(20_000)
		if err := w.Insert(b.Context(), recs, recs[len(recs)-1].Seq); err != nil {
			b.Fatal(err)
		}
		trace = recs[0].Fields.EntityID
	}
	if err := w.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx, hasError := b.Context(), true
	for _, q := range []struct {
		name string
		ask  func() error
	}{
		{"traces", func() error { _, err := query.ListTraces(ctx, w, "default", store.Query{}); return err }},
		{"traces by cost", func() error {
			_, err := query.ListTraces(ctx, w, "default", store.Query{Order: store.Order{By: "total_cost"}})
			return err
		}},
		{"traces with errors and score", func() error {
			_, err := query.ListTraces(ctx, w, "default", store.Query{Filter: store.Filter{HasError: &hasError, Scores: []store.ScoreCondition{{Name: "helpful", Op: ">", Value: 0.5}}}})
			return err
		}},
		{"observations", func() error { _, err := query.ListObservations(ctx, w, "default", store.Query{}); return err }},
		{"scores", func() error { _, err := query.ListScores(ctx, w, "default", store.Query{}); return err }},
		{"stats by model", func() error {
			_, err := query.ListStats(ctx, w, "default", store.StatsQuery{GroupBy: []string{"model"}, Metrics: []string{"count", "error_rate", "latency_p95", "tokens", "cost", "score_avg:helpful"}})
			return err
		}},
		{"stats by hour", func() error {
			_, err := query.ListStats(ctx, w, "default", store.StatsQuery{Of: "traces", Interval: time.Hour, Metrics: []string{"count", "cost"}})
			return err
		}},
		{"sessions", func() error { _, err := query.ListSessions(ctx, w, "default", store.Query{}); return err }},
		{"one session", func() error {
			_, err := query.ListSessions(ctx, w, "default", store.Query{Filter: store.Filter{SessionID: "session_" + trace[10:18]}})
			return err
		}},
		{"users", func() error { _, err := query.ListUsers(ctx, w, "default", store.Query{}); return err }},
		{"environments", func() error {
			_, err := query.ListEnvironments(ctx, w, "default", store.Query{})
			return err
		}},
		{"buckets of scores", func() error {
			_, err := query.ListStats(ctx, w, "default", store.StatsQuery{Of: "scores", GroupBy: []string{"name", "value_bucket"}})
			return err
		}},
		{"trace events", func() error { _, err := store.TraceEvents(ctx, w, "default", trace); return err }},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				if err := q.ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
