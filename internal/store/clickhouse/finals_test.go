package clickhouse

import (
	"fmt"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A row that is not in force any more is in no answer, though an index leaves out the one that is.
func TestOldRowsBesideAnIndex(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	for _, table := range []string{"observations", "traces"} {
		s.Do(t, "SYSTEM STOP MERGES "+o.Database+"."+table)
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	insert(t, w, []entity.Record{record(t, 1, "e1", wire.ObservationCreate, at, `{"id":"o","trace_id":"t","name":"n","type":"generation","start_time":"2026-03-01T10:00:00Z"}`)}, 1)
	insert(t, w, []entity.Record{record(t, 2, "e2", wire.ObservationUpdate, at.Add(time.Second), `{"id":"o","trace_id":"t","start_time":"2026-03-01T09:00:00Z"}`)}, 2)
	if n := s.Do(t, "SELECT count() FROM "+o.Database+".observations"); n != "2" {
		t.Fatalf("%s rows of the observation", n)
	}
	for from, want := range map[time.Duration]int{-30 * time.Minute: 0, -90 * time.Minute: 1} {
		of := store.Query{Filter: store.Filter{From: at.Add(from)}}
		observations, err := query.ListObservations(t.Context(), w, storetest.HistoryProject, of)
		if err != nil || len(observations.Data) != want {
			t.Errorf("from %v on there are %+v, %v, want %d", from, observations, err, want)
		}
		traces, err := query.ListTraces(t.Context(), w, storetest.HistoryProject, of)
		if err != nil || len(traces.Data) != want {
			t.Errorf("from %v on there are %+v, %v, want %d", from, traces, err, want)
		}
		rows, err := query.ListStats(t.Context(), w, storetest.HistoryProject, store.StatsQuery{Of: "observations", Metrics: []string{"count"}, Filter: store.Filter{From: of.From}})
		if err != nil || len(rows.Data) != 1 || fmt.Sprint(rows.Data[0]["count"]) != fmt.Sprint(want) {
			t.Errorf("from %v on %+v are counted, %v, want %d", from, rows, err, want)
		}
	}
	closeOf(t, w)
}

// Where events are is remembered of the last ones, and what is remembered need not be right.
func TestWhereabouts(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	recs := withRows(t, storetest.History(11, 50))
	insert(t, w, recs, 50)
	wrong := eventKey{storetest.HistoryProject, entity.TraceKind, "elsewhere"}
	w.whereabouts.note(wrong, 7)
	w.whereabouts.note(eventKey{"of nobody", entity.ScoreKind, "x"}, 9)
	got, err := w.Records(t.Context(), []entity.Seq{9, 3, 7, 51})
	if err != nil || len(got) != 3 || got[0].Seq != 9 || got[1].Seq != 3 || got[2].Seq != 7 || got[2].Event.ID != recs[6].Event.ID {
		t.Errorf("%+v, %v", got, err)
	}
	closeOf(t, w)

	var h whereabouts
	const n = 3*mostWhereabouts - 1
	for seq := range entity.Seq(n) {
		h.note(wrong, seq)
	}
	if len(h.young)+len(h.old) > 2*mostWhereabouts {
		t.Errorf("%d and %d are remembered", len(h.young), len(h.old))
	}
	at, known, unknown := h.find([]entity.Seq{0, mostWhereabouts, n - 1, n})
	if len(at) != 1 || len(known) != 2 || len(unknown) != 2 {
		t.Errorf("%v, known %v, unknown %v", at, known, unknown)
	}
}

// Groups without a value have scores like others.
func TestScoresOfGroupsWithoutAValue(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	recs := []entity.Record{
		record(t, 1, "e1", wire.TraceCreate, at, `{"id":"t1","name":"n"}`), record(t, 2, "e2", wire.TraceCreate, at, `{"id":"t2","name":"n","user_id":"u"}`),
		record(t, 3, "e3", wire.QualityScoreCreate, at, `{"id":"s1","trace_id":"t1","name":"quality","value":1,"data_type":"NUMERIC"}`),
		record(t, 4, "e4", wire.QualityScoreCreate, at, `{"id":"s2","trace_id":"t2","name":"quality","value":0,"data_type":"NUMERIC"}`),
	}
	insert(t, w, recs, 4)
	rows, err := query.ListStats(t.Context(), w, storetest.HistoryProject, store.StatsQuery{Of: "traces", GroupBy: []string{"user_id"}, Metrics: []string{"score_avg:quality"}})
	if err != nil || len(rows.Data) != 2 || fmt.Sprint(rows.Data[0]["score_avg:quality"]) != "1" || fmt.Sprint(rows.Data[1]["score_avg:quality"]) != "0" {
		t.Errorf("%+v, %v", rows, err)
	}
	closeOf(t, w)
}
