package entity_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Programs that number their steps have the same id in every trace: each trace keeps
// its own step, and what names no trace speaks of the newest.
func TestFoldOfOneIdInSeveralTraces(t *testing.T) {
	t.Parallel()
	permutations([]entity.Record{
		rec(0, "a", "observation_create", 0, `{"id":"step","trace_id":"B","name":"old","total_tokens":5}`),
		rec(0, "b", "observation_create", 5, `{"id":"step","trace_id":"A","name":"new","total_tokens":7}`),
		rec(0, "c", "observation_update", 1, `{"id":"step","trace_id":"B","level":"WARN"}`),
		rec(0, "d", "observation_complete", 9, `{"id":"step","status_message":"done"}`),
		rec(0, "e", "observation_update", 99, `{"id":"step","trace_id":"C","level":"ERROR"}`), // no create: not the newest
		rec(0, "f", "quality_score_create", 9, `{"id":"s","observation_id":"step","name":"q","value":1}`),
	}, func(recs []entity.Record) {
		for trace, want := range map[string]string{
			"A": `new DEFAULT "done" 7 map[q:1]`, "B": `old WARN "" 5 map[]`, "C": ` ERROR "" 0 map[]`,
		} {
			tr := foldedTrace(t, recs, trace)
			if len(tr.Observations) != 1 {
				t.Fatalf("%s has %d observations", trace, len(tr.Observations))
			}
			o := tr.Observations[0]
			if got := fmt.Sprintf("%s %s %q %d %v", o.Name, o.Level, o.StatusMessage, tr.TotalTokens, tr.Scores); got != want {
				t.Fatalf("%s: %s, want %s", trace, got, want)
			}
			if one, err := entity.FoldObservation(filled(recs), "step", trace); err != nil || one.Name != o.Name || one.Ambiguous {
				t.Fatalf("%s alone: %v, %v", trace, asJSON(t, one), err)
			}
		}
		if o := foldedObservation(t, recs, "step"); o.TraceID != "A" || !o.Ambiguous {
			t.Fatalf("without a trace: %s", asJSON(t, o))
		}
		if _, err := entity.FoldObservation(filled(recs), "step", "D"); !errors.Is(err, entity.ErrNotFound) {
			t.Fatalf("of a trace that has none: %v", err)
		}
	})
}

// Of several traces the newest is the one whose first create is the latest, then the
// greatest id; without any create, the one whose first event is the latest.
func TestFoldNewest(t *testing.T) {
	t.Parallel()
	create := func(seq int, trace string, seconds float64) entity.Record {
		return rec(seq, fmt.Sprint(seq), "observation_create", seconds, `{"id":"o","trace_id":"`+trace+`","name":"n"}`)
	}
	update := func(seq int, trace string, seconds float64) entity.Record {
		return rec(seq, fmt.Sprint(seq), "observation_update", seconds, `{"id":"o","trace_id":"`+trace+`"}`)
	}
	for name, c := range map[string]struct {
		recs   []entity.Record
		traces int
		want   string
	}{
		"none is named":         {[]entity.Record{rec(1, "a", "observation_update", 0, `{"id":"o"}`)}, 1, ""},
		"one, then none":        {[]entity.Record{create(1, "x", 0), rec(2, "a", "observation_update", 0, `{"id":"o"}`)}, 1, "x"},
		"the later create":      {[]entity.Record{create(1, "x", 2), create(2, "y", 1)}, 2, "x"},
		"its first create":      {[]entity.Record{create(1, "x", 2), create(2, "y", 1), create(3, "y", 9)}, 2, "x"},
		"updates do not matter": {[]entity.Record{create(1, "x", 2), update(2, "x", 0), create(3, "y", 1)}, 2, "x"},
		"equal times":           {[]entity.Record{create(1, "x", 2), create(2, "y", 2)}, 2, "y"},
		"a create, however old": {[]entity.Record{update(1, "y", 9), create(2, "x", 1)}, 2, "x"},
		"no create":             {[]entity.Record{update(1, "x", 2), update(2, "y", 1), update(3, "y", 9)}, 2, "x"},
	} {
		f, err := entity.FoldOf(filled(c.recs), entity.ObservationKind, "o")
		if err != nil {
			t.Fatal(err)
		}
		rows, newest := f.Observations("o"), []string{}
		seqs := 0
		for i, row := range rows {
			if row.Newest {
				newest = append(newest, row.TraceID)
			}
			if seqs += len(row.Seqs); i > 0 && rows[i-1].TraceID >= row.TraceID {
				t.Errorf("%s: the rows are not sorted", name)
			}
		}
		if len(rows) != c.traces || len(newest) != 1 || newest[0] != c.want || seqs != len(c.recs) {
			t.Errorf("%s: %d rows of %d events, newest %v; want %q", name, len(rows), seqs, newest, c.want)
		}
	}
}

// Parents are looked for within the trace.
func TestFoldTreeWithinTheTrace(t *testing.T) {
	t.Parallel()
	recs := []entity.Record{
		rec(1, "a", "observation_create", 0, `{"id":"root","trace_id":"A","name":"a"}`),
		rec(2, "b", "observation_create", 0, `{"id":"root","trace_id":"B","name":"b"}`),
		rec(3, "c", "observation_create", 1, `{"id":"step","trace_id":"A","name":"a","parent_observation_id":"root"}`),
		rec(4, "d", "observation_create", 1, `{"id":"step","trace_id":"B","name":"b","parent_observation_id":"elsewhere"}`),
	}
	for trace, want := range map[string]int{"A": 1, "B": 2} {
		var names func([]*wire.Observation)
		names = func(list []*wire.Observation) {
			for _, o := range list {
				if o.TraceID != trace {
					t.Errorf("%s holds %s", trace, asJSON(t, o))
				}
				names(o.Children)
			}
		}
		tr := foldedTrace(t, recs, trace)
		if names(tr.Observations); len(tr.Observations) != want || tr.ObservationCount != 2 {
			t.Errorf("%s: %d roots of %d", trace, len(tr.Observations), tr.ObservationCount)
		}
	}
}
