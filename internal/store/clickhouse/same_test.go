package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// withRows are records as an indexer hands them on.
func withRows(t testing.TB, recs []entity.Record) []entity.Record {
	t.Helper()
	for i := range recs {
		fields, failure := extract.Extract(&recs[i].Event)
		if failure != nil {
			t.Fatal(failure)
		}
		recs[i].Row = entity.AppendBrought(fields.AppendRow(nil), recs[i].KeyID)
	}
	return recs
}

func insert(t testing.TB, w store.Warehouse, recs []entity.Record, upto entity.Seq) {
	t.Helper()
	if err := w.Insert(t.Context(), recs, upto); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func closeOf(t testing.TB, w store.Warehouse) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// reference is the embedded warehouse with these records, which are in the order of their Seqs.
func reference(t testing.TB, recs []entity.Record) store.Warehouse {
	t.Helper()
	var log storetest.Ledger
	full := slices.Clone(recs)
	for i := range full {
		full[i].Fields, _ = extract.Extract(&full[i].Event)
	}
	log.Add(full...)
	w, err := duckstore.Open(filepath.Join(t.TempDir(), "warehouse.db"), duckstore.Options{Records: log.Records})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeOf(t, w) })
	insert(t, w, recs, recs[len(recs)-1].Seq)
	return w
}

// quantiles are numbers between two values, of which the engines round the last digit otherwise.
var quantiles = regexp.MustCompile(`"latency_p[0-9]+":[0-9.e+-]+`)

// answers are what a warehouse answers about a history, by the question.
func answers(t testing.TB, w store.Warehouse) map[string]string {
	t.Helper()
	ctx, project := context.Background(), storetest.HistoryProject
	all := map[string]string{}
	note := func(what string, answer any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		b, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		all[what] = quantiles.ReplaceAllStringFunc(string(b), func(digits string) string {
			f, err := strconv.ParseFloat(digits[strings.IndexByte(digits, ':')+1:], 64)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%.13g", f)
		})
	}
	yes := true
	thousand := store.Query{Order: store.Order{Limit: 1000}}
	traces, err := query.ListTraces(ctx, w, project, thousand)
	note("traces", traces, err)
	thousand.Duplicates = &yes
	observations, err := query.ListObservations(ctx, w, project, thousand)
	note("observations", observations, err)
	thousand.Duplicates = nil
	scores, err := query.ListScores(ctx, w, project, thousand)
	note("scores", scores, err)
	sessions, err := query.ListSessions(ctx, w, project, thousand)
	note("sessions", sessions, err)
	users, err := query.ListUsers(ctx, w, project, thousand)
	note("users", users, err)
	environments, err := query.ListEnvironments(ctx, w, project, thousand)
	note("environments", environments, err)
	for of, q := range map[string]store.StatsQuery{
		"observations": {GroupBy: []string{"model", "user_id"}, Interval: time.Hour, Zone: "Europe/Berlin", Metrics: []string{"count", "error_rate", "latency_p50", "latency_p95", "tokens", "cost", "unpriced_count", "score_avg:quality", "score_count:quality"}},
		"traces":       {GroupBy: []string{"name"}, Metrics: []string{"count", "error_rate", "latency_p99", "tokens", "cost", "score_avg:correct"}},
		"scores":       {GroupBy: []string{"name", "value_bucket"}, Metrics: []string{"count"}},
		"events":       {GroupBy: []string{"environment", "level"}, Metrics: []string{"count", "tokens", "cost"}},
	} {
		q.Of, q.Limit = of, 1000
		rows, err := query.ListStats(ctx, w, project, q)
		note("statistics of "+of, rows, err)
	}
	for i := range traces.Data {
		noteTrace(note, w, &traces.Data[i])
	}
	return all
}

func noteTrace(note func(string, any, error), w store.Warehouse, tr *wire.TraceSummary) {
	seqs, err := store.TraceEvents(context.Background(), w, storetest.HistoryProject, tr.ID)
	note("events of "+tr.ID, seqs, err)
	twins, err := w.Twins(context.Background(), storetest.HistoryProject, store.EventRef{TraceID: tr.ID})
	note("twins of "+tr.ID, len(twins), err)
}

// same compares answers, byte for byte.
func same(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for q := range want {
		if got[q] != want[q] {
			at := 0
			for at < min(len(got[q]), len(want[q])) && got[q][at] == want[q][at] {
				at++
			}
			at = max(0, at-200)
			t.Fatalf("%s, %s, from byte %d:\n got %.600s\nwant %.600s", what, q, at, got[q][min(at, len(got[q])):], want[q][at:])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d answers, want %d", what, len(got), len(want))
	}
}
