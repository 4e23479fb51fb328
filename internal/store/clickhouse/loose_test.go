package clickhouse

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A score that names an observation alone is found from when it comes on, though nobody looked for any before, and until it is erased.
func TestLooseScores(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	var sent []string
	w.pool.fault = func(statement string) error {
		if strings.Contains(statement, "FROM scores") {
			sent = append(sent, statement)
		}
		return nil
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	recs := []entity.Record{
		record(t, 1, "e1", wire.TraceCreate, at, `{"id":"t1","name":"n"}`),
		record(t, 2, "e2", wire.ObservationCreate, at, `{"id":"o1","trace_id":"t1","type":"span","name":"n"}`),
		record(t, 3, "e3", wire.QualityScoreCreate, at, `{"id":"s1","trace_id":"t1","name":"named","value":1,"data_type":"NUMERIC"}`),
		record(t, 4, "e4", wire.QualityScoreCreate, at, `{"id":"s2","observation_id":"o1","name":"loose","value":1,"data_type":"NUMERIC"}`),
	}
	// asked says what belongs to the trace, which scores its row has, and in how many statements these were asked for.
	asked := func() (seqs []entity.Seq, scores []string, events, page int) {
		t.Helper()
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent = nil
		seqs, err := store.TraceEvents(t.Context(), w, storetest.HistoryProject, "t1")
		if err != nil {
			t.Fatal(err)
		}
		events, sent = len(sent), nil
		traces, err := query.ListTraces(t.Context(), w, storetest.HistoryProject, store.Query{Order: store.Order{Limit: 5}})
		if err != nil || len(traces.Data) != 1 {
			t.Fatalf("%d traces, %v", len(traces.Data), err)
		}
		for name := range traces.Data[0].Scores {
			scores = append(scores, name)
		}
		slices.Sort(scores)
		return seqs, scores, events, len(sent)
	}
	expect := func(when string, seqs []entity.Seq, scores []string, events, page int) {
		t.Helper()
		gotSeqs, gotScores, gotEvents, gotPage := asked()
		if !slices.Equal(gotSeqs, seqs) || !slices.Equal(gotScores, scores) {
			t.Errorf("%s: events %d and scores %q, want %d and %q", when, gotSeqs, gotScores, seqs, scores)
		}
		if gotEvents != events || gotPage != page {
			t.Errorf("%s: %d and %d statements, want %d and %d", when, gotEvents, gotPage, events, page)
		}
	}
	insert(t, w, recs[:3], 3)
	expect("without", []entity.Seq{1, 2, 3}, []string{"named"}, 1, 1)
	if slices.ContainsFunc(sent, func(statement string) bool { return strings.Contains(statement, "observation_id IN") }) {
		t.Errorf("loose scores were looked for where there are none: %s", sent)
	}
	insert(t, w, recs[3:], 4)
	expect("as it comes", []entity.Seq{1, 2, 3, 4}, []string{"loose", "named"}, 3, 2) // whether there are any, which, and where they are
	expect("again", []entity.Seq{1, 2, 3, 4}, []string{"loose", "named"}, 2, 2)
	if err := w.Erase(t.Context(), storetest.HistoryProject, []entity.Seq{4}); err != nil {
		t.Fatal(err)
	}
	expect("erased", []entity.Seq{1, 2, 3}, []string{"named"}, 1, 1)
	w.loose = looseScores{}
	expect("erased, and forgotten", []entity.Seq{1, 2, 3}, []string{"named"}, 1, 1)
	closeOf(t, w)
}
