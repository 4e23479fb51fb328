package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// scored adds n observations in traces of their own, each with one score of each of so many
// names: the value is the number of the observation, plus that of the name in thousandths.
func (g *generator) scored(n, names int) {
	for i := range n {
		trace, id := fmt.Sprintf("t%06d", i), fmt.Sprintf("o%06d", i)
		g.add("e"+id, wire.ObservationCreate, 0, id, entity.ObservationKind, entity.RankCreate,
			txt(entity.TraceID, trace), txt(entity.Name, "n"), txt(entity.Model, fmt.Sprintf("m%d", i%2)))
		for k := range names {
			s := fmt.Sprintf("s%06d-%d", i, k)
			g.add("e"+s, wire.QualityScoreCreate, 0, s, entity.ScoreKind, entity.RankCreate, txt(entity.ObservationID, id),
				txt(entity.Name, fmt.Sprintf("q%d", k)), entity.FieldValue{Field: entity.Value, Num: float64(i) + float64(k)/1000})
		}
	}
}

// However many score conditions and metrics a question has, they are those of each name.
func TestManyScores(t *testing.T) {
	t.Parallel()
	g := newGenerator(1)
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), g)
	defer func() { _ = w.Close() }()
	const n, names = 30, 40
	g.scored(n, names)
	if err := w.Insert(t.Context(), g.open, g.seq); err != nil {
		t.Fatal(err)
	}
	var f store.Filter
	sq := store.StatsQuery{GroupBy: []string{"model"}, Metrics: []string{"count"}}
	for k := range names {
		name := fmt.Sprintf("q%d", k)
		f.Scores = append(f.Scores, store.ScoreCondition{Name: name, Op: ">", Value: 10.5}, store.ScoreCondition{Name: name, Op: "!=", Value: 20 + float64(k)/1000})
		sq.Metrics = append(sq.Metrics, "score_avg:"+name, "score_count:"+name)
	}
	f.Scores = append(f.Scores, store.ScoreCondition{Name: "q7", Op: "<=", Value: 25.007})
	want := 14 // of 11 to 25 without 20
	traces, err := query.ListTraces(t.Context(), w, "default", store.Query{Filter: f})
	if err != nil || len(traces.Data) != want {
		t.Errorf("%d traces, %v", len(traces.Data), err)
	}
	observations, err := query.ListObservations(t.Context(), w, "default", store.Query{Filter: f})
	if err != nil || len(observations.Data) != want {
		t.Errorf("%d observations, %v", len(observations.Data), err)
	}
	f.Scores[3].Name = "of nobody"
	if none, err := query.ListTraces(t.Context(), w, "default", store.Query{Filter: f}); err != nil || len(none.Data) != 0 {
		t.Errorf("with a condition that nobody meets: %+v, %v", none, err)
	}
	for _, of := range []string{"observations", "traces", "scores"} {
		sq.Of = of
		if of == "traces" {
			sq.GroupBy = nil
		}
		if of == "scores" {
			sq.GroupBy = []string{"model"}
		}
		page, err := query.ListStats(t.Context(), w, "default", sq)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range page.Data {
			for k := range names {
				mean, count := float64(14+i)+float64(k)/1000, int64(n/2)
				if sq.GroupBy == nil {
					mean, count = 14.5+float64(k)/1000, n
				}
				name := fmt.Sprintf("q%d", k)
				if got, _ := row["score_avg:"+name].(float64); row["score_count:"+name] != count || got < mean-1e-9 || got > mean+1e-9 {
					t.Errorf("%s, row %d, %s: %v, %v; want %v, %v", of, i, name, got, row["score_count:"+name], mean, count)
				}
			}
		}
	}
}

// No question compares each row of one table with each of another: with 300 000 of both
// it would never end.
func TestJoinsAreHashed(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	g := newGenerator(1)
	g.scored(3000, 1) // DuckDB plans a join of few rows as it likes
	if err := w.Insert(t.Context(), g.open, g.seq); err != nil {
		t.Fatal(err)
	}
	f := store.Where{
		Conditions: []store.Condition{{Column: "user_id", Value: "u"}},
		Scores:     []store.ScoreRange{{Name: "q0", Least: math.Nextafter(1, 2), Most: math.Inf(1), Not: []float64{2}}},
	}
	keys := []key{{id: "t000001", written: int64(g.seq), span: span{1, int64(g.seq)}}}
	planned := 0
	explain := func(what string, ask func(v *view) (string, []any, error)) {
		t.Helper()
		err := w.ask(t.Context(), "default", what, func(ctx context.Context, v *view) error {
			text, args, err := ask(v)
			if err != nil {
				return err
			}
			return v.rows(ctx, "EXPLAIN "+text, args, func(r *sql.Rows) error {
				var kind, plan string
				if err := r.Scan(&kind, &plan); err != nil {
					return err
				}
				for _, slow := range []string{"NESTED_LOOP", "BLOCKWISE_NL", "CROSS_PRODUCT", "IE_JOIN"} {
					if strings.Contains(plan, slow) {
						t.Errorf("%s has a %s:\n%s", what, slow, plan)
					}
				}
				planned++
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
	}
	explain("traces with scores", func(v *view) (string, []any, error) {
		q := v.query()
		tables, conditions := q.filteredTraces(&f)
		return with(tables, "SELECT id FROM tr"+sqltext.Where(conditions...)), q.args, nil
	})
	for of, groups := range map[string][]string{"observations": {"model", "user_id"}, "traces": {"name"}, "scores": {"model", "user_id", "trace_id"}} {
		p := &store.StatsPlan{Of: of, Groups: groups, Limit: 100, Metrics: []store.Metric{
			{Name: "count", Of: "count"}, {Name: "score_avg:q0", Of: store.MeanOfScores, Score: "q0"},
		}}
		if of != "scores" {
			p.Where = f
		}
		explain("statistics of "+of, func(v *view) (string, []any, error) {
			s := newStatement(v, p)
			text := s.text()
			return text, s.args, nil
		})
		explain("statistics of scores of "+of, func(v *view) (string, []any, error) {
			s := newStatement(v, p)
			s.metrics = nil
			text := s.scoresText([]string{"q0"})
			return text, s.args, nil
		})
	}
	explain("scores of traces", func(v *view) (string, []any, error) {
		q := v.query()
		return with([]string{ofObservations, ofScores, q.scoresOf(keys, true)}, "SELECT * FROM sc"), q.args, nil
	})
	explain("events of traces", func(v *view) (string, []any, error) {
		q := v.query()
		return with([]string{ofObservations}, q.eventsOfTraces(keys)), q.args, nil
	})
	explain("what was found", func(v *view) (string, []any, error) {
		q := v.query()
		return with([]string{ofTraces, ofObservations}, "SELECT id FROM tr WHERE "+q.foundTraces([]entity.Seq{1, 2})), q.args, nil
	})
	if planned != 10 {
		t.Errorf("%d questions were planned", planned)
	}
}
