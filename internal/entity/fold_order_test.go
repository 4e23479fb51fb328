package entity_test

import (
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func foldedObservation(t *testing.T, recs []entity.Record, id string) *wire.Observation {
	t.Helper()
	o, err := entity.FoldObservation(filled(recs), id, "")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Property 37: at equal time and rank the later accepted has the last word, whatever
// the event ids are and in whatever order the records come to the fold.
func TestFoldTies(t *testing.T) {
	t.Parallel()
	recs := []entity.Record{
		rec(1, "c", "observation_complete", 0, `{"id":"o","status_message":"complete"}`),
		rec(2, "y", "observation_update", 0, `{"id":"o","status_message":"update y","model":"y"}`),
		rec(3, "x", "observation_update", 0, `{"id":"o","status_message":"update x","model":"x","provider":null}`),
		rec(4, "z", "observation_create", 0, `{"id":"o","trace_id":"t","name":"first","status_message":"create","provider":"p"}`),
		rec(5, "a", "observation_create", 0, `{"id":"o","trace_id":"t","name":"second"}`),
	}
	rng := chance.Of(t)
	for range 20 {
		rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
		o := foldedObservation(t, recs, "o")
		if o.StatusMessage != "complete" || o.Model != "x" || o.Provider != "p" || o.Name != "second" || *o.LatencyMS != 0 {
			t.Fatalf("folded as %s", asJSON(t, o))
		}
	}
	c, err := entity.FoldScore(filled([]entity.Record{
		rec(1, "z", "quality_score_create", 0, `{"id":"s","trace_id":"t","name":"q","value":0.1}`),
		rec(2, "a", "quality_score_create", 0, `{"id":"s","trace_id":"t","name":"q","value":0.9}`),
	}), "s")
	if err != nil || *c.Value != 0.9 {
		t.Errorf("a score sent again is %v, %v", asJSON(t, c), err)
	}
}

// A create stamped by a clock that runs an hour fast is still the first word.
func TestFoldOfAFastClock(t *testing.T) {
	t.Parallel()
	recs := []entity.Record{
		rec(1, "a", "observation_create", 3600, `{"id":"o","trace_id":"t","name":"job","status_message":"running","level":"DEFAULT","input":"in"}`),
		rec(2, "b", "observation_update", 7, `{"id":"o","status_message":"at work","output":"half"}`),
		rec(3, "c", "observation_complete", 2, `{"id":"o","status_message":"done","level":"ERROR","output":"all"}`),
		rec(4, "d", "trace_create", 3600, `{"id":"t","name":"fast","tags":["x"]}`),
		rec(5, "e", "trace_update", 1, `{"id":"t","name":"right"}`),
	}
	permutations(recs[:3], func(in []entity.Record) {
		o := foldedObservation(t, in, "o")
		// The update is later by its time than the complete, and so its word is the last.
		if o.StatusMessage != "at work" || string(o.Output) != `"half"` || o.Level != "ERROR" || string(o.Input) != `"in"` ||
			o.LatencyMS != nil || o.LatencyReason == "" {
			t.Fatalf("folded as %s", asJSON(t, o))
		}
	})
	tr := foldedTrace(t, recs, "t")
	if tr.Name != "right" || tr.ErrorCount != 1 || tr.LatencyMS != nil || tr.LatencyReason == "" {
		t.Errorf("the trace is %s", asJSON(t, tr))
	}
}

// The same event id with the same content is one fact, with other content another one
// (property 1: what was accepted is readable), whatever entity it speaks of.
func TestFoldOfReacceptedEvents(t *testing.T) {
	t.Parallel()
	const first = `{"id":"o","trace_id":"t","name":"n","status_message":"first"}`
	recs := []entity.Record{
		rec(1, "e", "observation_create", 0, first),
		rec(2, "u", "observation_update", 1, `{"id":"o","status_message":"second"}`),
		rec(3, "u", "observation_update", 5, `{"id":"o","status_message":"second"}`), // the same fact
		rec(4, "u", "observation_update", 2, `{"id":"o","status_message":"third"}`),
		rec(5, "u", "observation_complete", 2, `{"id":"o","level":"WARN"}`),
		rec(6, "e", "trace_create", 0, `{"id":"two","name":"another"}`),
		rec(7, "e", "observation_create", 9, first),
	}
	rng := chance.Of(t)
	for range 10 {
		rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
		if o := foldedObservation(t, recs, "o"); o.StatusMessage != "third" || o.Level != "WARN" || !o.StartTime.Equal(at) {
			t.Fatalf("folded as %s", asJSON(t, o))
		}
		if tr := foldedTrace(t, recs, "two"); tr.Name != "another" {
			t.Fatalf("the second entity of the id is %s", asJSON(t, tr))
		}
	}
	f, err := entity.FoldOf(filled(recs), entity.ObservationKind, "o")
	if err != nil {
		t.Fatal(err)
	}
	var facts []entity.Seq
	for _, r := range f.Facts() {
		facts = append(facts, r.Seq)
	}
	if !slices.Equal(facts, []entity.Seq{1, 2, 4, 5}) {
		t.Errorf("the facts are %v", facts)
	}
}

// clearing makes the record's event clear these fields.
func clearing(r entity.Record, names ...string) entity.Record {
	fields, failure := extract.Extract(&r.Event)
	if failure != nil {
		panic(failure)
	}
	fields.Values = slices.DeleteFunc(fields.Values, func(v entity.FieldValue) bool { return v.Field == entity.Clear })
	fields.Values = append(fields.Values, entity.FieldValue{Field: entity.Clear, List: names})
	r.Fields = fields
	return r
}

// What an event clears is as if nothing before had spoken of it; its own values, and
// those that follow, apply.
func TestFoldClear(t *testing.T) {
	t.Parallel()
	create := rec(1, "a", "trace_create", 0, `{"id":"t","name":"n","user_id":"u","session_id":"s","tags":["x","y"],"metadata":{"a":1},"environment":"qa","input":1}`)
	clear := clearing(rec(2, "b", "trace_update", 1, `{"id":"t","tags":["z"],"session_id":null}`), "tags", "user_id", "metadata", "environment", "input", "no such field")
	after := rec(3, "c", "trace_update", 2, `{"id":"t","tags":["w"],"metadata":{"b":2}}`)
	permutations([]entity.Record{create, clear, after}, func(recs []entity.Record) {
		tr := foldedTrace(t, recs, "t")
		if !slices.Equal(tr.Tags, []string{"w", "z"}) || tr.UserID != "" || tr.SessionID != "s" || string(tr.Metadata) != `{"b":2}` ||
			tr.Environment != "default" || tr.Input != nil || tr.Name != "n" {
			t.Fatalf("folded as %s", asJSON(t, tr))
		}
	})

	o := foldedObservation(t, []entity.Record{
		rec(1, "a", "observation_create", 10, `{"id":"o","trace_id":"t","name":"n","parent_observation_id":"p","level":"ERROR","type":"llm","prompt_tokens":3,
			"total_cost":2,"start_time":"2026-02-28T23:59:55Z","end_time":"2026-03-01T00:00:00Z"}`),
		clearing(rec(2, "b", "observation_update", 11, `{"id":"o","total_cost":1}`), "parent_observation_id", "level", "type", "prompt_tokens", "total_cost",
			"start_time", "end_time", "trace_id"),
	}, "o")
	if o.ParentObservationID != "" || o.Level != "DEFAULT" || o.Type != "span" || o.TotalTokens != nil || *o.TotalCost != 1 ||
		!o.StartTimeInferred || o.EndTime != nil || o.LatencyMS != nil || o.TraceID != "t" {
		t.Errorf("folded as %s", asJSON(t, o))
	}
}
