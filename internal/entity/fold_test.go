package entity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// at is the base of the times in these tests: 10 s before midnight UTC.
var at = time.Date(2026, 2, 28, 23, 59, 50, 0, time.UTC)

// rec makes a record whose event happened so many seconds after at.
func rec(seq int, id string, typ wire.EventType, seconds float64, payload string) entity.Record {
	return entity.Record{Seq: entity.Seq(seq), Project: "p", Environment: "default", Event: wire.Event{
		ID: id, Type: typ, Payload: []byte(payload),
		Timestamp: wire.At(at.Add(time.Duration(seconds*1e6) * time.Microsecond)),
	}}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func foldedTrace(t *testing.T, recs []entity.Record, id string) *wire.Trace {
	t.Helper()
	tr, err := entity.FoldTrace(filled(recs), id)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// permutations calls f with every order of recs, Seqs following the order.
func permutations(recs []entity.Record, f func([]entity.Record)) {
	var walk func(k int)
	order := slices.Clone(recs)
	walk = func(k int) {
		if k == len(order) {
			in := slices.Clone(order)
			for i := range in {
				in[i].Seq = entity.Seq(i + 1)
			}
			f(in)
			return
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			walk(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	walk(0)
}

// Property 20: the order of arrival does not matter, over midnight too.
func TestFoldIsTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	history := []entity.Record{
		rec(1, "a", "trace_create", 0, `{"id":"t","name":"n","tags":["x"],"metadata":{"k":1}}`),
		rec(2, "b", "observation_create", 1, `{"id":"o","trace_id":"t","name":"call","prompt_tokens":3,"metadata":{"a":1,"b":1}}`),
		rec(3, "c", "observation_update", 5, `{"id":"o","level":"error","status_message":"at work","metadata":{"b":2}}`),
		rec(4, "d", "observation_complete", 20, `{"id":"o","output":"x","status_message":"done","completion_tokens":4}`),
		rec(5, "e", "trace_update", 30, `{"id":"t","tags":["a"],"metadata":{"k":2}}`),
		rec(6, "f", "quality_score_create", 30, `{"observation_id":"o","name":"q","value":0.5}`),
	}
	want := asJSON(t, foldedTrace(t, history, "t"))
	tries := 0
	permutations(history, func(recs []entity.Record) {
		tries++
		if got := asJSON(t, foldedTrace(t, recs, "t")); got != want {
			t.Fatalf("order %v gave\n%s\nwant\n%s", recs, got, want)
		}
	})
	if tries != 720 {
		t.Fatalf("tried %d orders", tries)
	}
	tr := foldedTrace(t, history, "t")
	o := tr.Observations[0]
	if *o.LatencyMS != 19000 || *tr.LatencyMS != 20000 || o.EndTime.Day() != 1 || o.StartTime.Day() != 28 {
		t.Errorf("latency over midnight is %v and %v, %v to %v", *o.LatencyMS, *tr.LatencyMS, o.StartTime, o.EndTime)
	}
	if *o.TotalTokens != 7 || o.StatusMessage != "done" || o.Level != "ERROR" || tr.ErrorCount != 1 || string(o.Metadata) != `{"a":1,"b":2}` ||
		string(tr.Metadata) != `{"k":2}` || !slices.Equal(tr.Tags, []string{"a", "x"}) || tr.Scores["q"] != 0.5 {
		t.Errorf("folded wrongly: %s", want)
	}
}

// Properties 20 and 22 on random histories: shuffled, and with every record once more.
func TestFoldOfRandomHistories(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	rng := chance.From(seed, 0)
	for round := range chance.Rounds(10) {
		n := 20 + rng.IntN(200)
		recs := storetest.History(seed+uint64(round), n)
		want := foldAll(t, recs, n)
		again := slices.Clone(recs)
		for i := range recs { // replayed: later, and behind all others
			dup := recs[i]
			dup.Seq += entity.Seq(n)
			again = append(again, dup)
		}
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if got := foldAll(t, again, n); got != want {
			t.Fatalf("seed %d: shuffled and replayed gave\n%s\nwant\n%s", seed+uint64(round), got, want)
		}
		countAll(t, recs, n)
	}
}

func foldAll(t *testing.T, recs []entity.Record, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range storetest.HistoryTraces(n) {
		tr, err := entity.FoldTrace(filled(recs), storetest.HistoryTrace(i))
		if err != nil && !errors.Is(err, entity.ErrNotFound) {
			t.Fatal(err)
		}
		b.WriteString(asJSON(t, tr) + "\n")
	}
	return b.String()
}

// countAll checks that the trees hold every observation once, however parents point.
func countAll(t *testing.T, recs []entity.Record, n int) {
	t.Helper()
	for i := range storetest.HistoryTraces(n) {
		tr, err := entity.FoldTrace(filled(recs), storetest.HistoryTrace(i))
		if err != nil {
			continue
		}
		seen := map[string]bool{}
		var walk func([]*wire.Observation)
		walk = func(list []*wire.Observation) {
			for _, o := range list {
				if seen[o.ID] {
					t.Fatalf("observation %s stands twice", o.ID)
				}
				seen[o.ID] = true
				walk(o.Children)
			}
		}
		walk(tr.Observations)
		if int64(len(seen)) != tr.ObservationCount {
			t.Fatalf("%d of %d observations are in the tree", len(seen), tr.ObservationCount)
		}
	}
}

// Property 21.
func TestFoldOfAThousandUpdates(t *testing.T) {
	t.Parallel()
	recs := []entity.Record{rec(1, "create", "observation_create", 0, `{"id":"o","trace_id":"t","name":"n"}`)}
	for i := range 1000 {
		recs = append(recs, rec(i+2, fmt.Sprintf("u%d", i), "observation_update", 1, fmt.Sprintf(`{"id":"o","metadata":{"k%d":%d}}`, i, i)))
	}
	chance.Of(t).Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	o, err := entity.FoldObservation(filled(recs), "o", "")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]int
	if err := json.Unmarshal(o.Metadata, &m); err != nil || len(m) != 1000 {
		t.Fatalf("%d keys, %v", len(m), err)
	}
	for i := range 1000 {
		if m[fmt.Sprintf("k%d", i)] != i {
			t.Fatalf("key %d is %d", i, m[fmt.Sprintf("k%d", i)])
		}
	}
}

// Property 23, and where start and end come from.
func TestFoldTimes(t *testing.T) {
	t.Parallel()
	create := func(payload string) entity.Record {
		return rec(1, "a", "observation_create", 10, `{"id":"o","trace_id":"t","name":"n"`+payload+`}`)
	}
	complete := func(seconds float64, payload string) entity.Record {
		return rec(2, "b", "observation_complete", seconds, `{"id":"o"`+payload+`}`)
	}
	for name, c := range map[string]struct {
		recs     []entity.Record
		latency  float64 // −1: none
		inferred bool
	}{
		"none without an end":     {[]entity.Record{create("")}, -1, true},
		"the one sent, then":      {[]entity.Record{create(`,"latency_ms":12.5`)}, 12.5, true},
		"zero":                    {[]entity.Record{create(""), complete(10, "")}, 0, true},
		"a microsecond":           {[]entity.Record{create(""), complete(10.000001, "")}, 0.001, true},
		"more than a day":         {[]entity.Record{create(""), complete(10+86400*1.5, "")}, 86400 * 1500, true},
		"an end before the start": {[]entity.Record{create(""), complete(3, "")}, -1, true},
		"such an end, and sent":   {[]entity.Record{create(""), complete(3, `,"latency_ms":5`)}, -1, true},
		"explicit beats inferred": {[]entity.Record{create(`,"start_time":"2026-02-28T23:59:55Z"`), complete(99, `,"end_time":"2026-03-01T00:00:00Z","latency_ms":1`)}, 5000, false},
		"without a create":        {[]entity.Record{complete(4, `,"trace_id":"t"`), rec(3, "c", "observation_update", 1, `{"id":"o"}`)}, 3000, true},
	} {
		o, err := entity.FoldObservation(filled(c.recs), "o", "")
		if err != nil {
			t.Fatal(err)
		}
		got := -1.0
		if o.LatencyMS != nil {
			got = *o.LatencyMS
		}
		if got != c.latency || o.StartTimeInferred != c.inferred {
			t.Errorf("%s: latency %v, inferred %v; want %v, %v", name, got, o.StartTimeInferred, c.latency, c.inferred)
		}
		tr := foldedTrace(t, c.recs, o.TraceID)
		if why := o.EndTime != nil && c.latency < 0; (o.LatencyReason != "") != why || (tr.LatencyReason != "") != why ||
			why && tr.LatencyMS != nil {
			t.Errorf("%s: the reason is %q, that of the trace %q with %v", name, o.LatencyReason, tr.LatencyReason, tr.LatencyMS)
		}
	}
}

func TestFoldEnvironment(t *testing.T) {
	t.Parallel()
	in := func(env string, r entity.Record) entity.Record { r.Environment = env; return r }
	one := rec(1, "a", "trace_create", 0, `{"id":"t","name":"n"}`)
	two := rec(2, "b", "trace_update", 1, `{"id":"t"}`)
	for want, recs := range map[string][]entity.Record{
		"default": {one, two},
		"prod":    {in("prod", one), two},
		"staging": {in("prod", one), in("staging", two)},
		"mine":    {rec(1, "a", "trace_create", 0, `{"id":"t","name":"n","environment":"mine"}`), in("staging", two)},
	} {
		if got := foldedTrace(t, recs, "t").Environment; got != want {
			t.Errorf("environment %q, want %q", got, want)
		}
	}
}

func TestFoldScores(t *testing.T) {
	t.Parallel()
	tr := foldedTrace(t, []entity.Record{
		rec(1, "o", "observation_create", 0, `{"trace_id":"t","name":"n"}`),
		rec(2, "s1", "quality_score_create", 3, `{"trace_id":"t","name":"q","value":1}`),
		rec(3, "s2", "quality_score_create", 1, `{"observation_id":"o","name":"q","value":false}`),
		rec(4, "s3", "quality_score_create", 2, `{"trace_id":"t","name":"tone","value":"warm"}`),
		rec(5, "s4", "quality_score_create", 1, `{"trace_id":"t","name":"tone","value":"cold"}`),
		rec(6, "s5", "quality_score_create", 1, `{"trace_id":"u","observation_id":"o","name":"q","value":9}`),
		rec(7, "s6", "quality_score_update", 4, `{"id":"s4","value":3}`),
		rec(8, "s7", "quality_score_update", 5, `{"id":"s4","value":"cool"}`),
	}, "t")
	if got := asJSON(t, tr.Scores); got != `{"q":0.5,"tone":"warm"}` {
		t.Errorf("scores are %s", got)
	}
	var ids []string
	for _, c := range tr.ScoreList {
		ids = append(ids, c.ID)
	}
	if !slices.Equal(ids, []string{"s2", "s4", "s3", "s1"}) {
		t.Errorf("scores are %v", ids)
	}
	if c := tr.ScoreList[1]; c.Value != nil || c.StringValue != "cool" || c.DataType != "CATEGORICAL" {
		t.Errorf("a score that became a category is %s", asJSON(t, c))
	}
}

func TestFoldTree(t *testing.T) {
	t.Parallel()
	var recs []entity.Record
	add := func(id, parent string, seconds float64) {
		recs = append(recs, rec(len(recs)+1, id, "observation_create", seconds, `{"trace_id":"t","name":"n","parent_observation_id":"`+parent+`"}`))
	}
	add("root", "", 5)
	add("late", "root", 9)
	add("b", "root", 6)
	add("a", "root", 6)
	add("orphan", "elsewhere", 1)
	add("self", "self", 2)
	add("ring1", "ring3", 8)
	add("ring2", "ring1", 7)
	add("ring3", "ring2", 7)
	add("tail", "ring1", 3)
	var show func([]*wire.Observation) string
	show = func(list []*wire.Observation) string {
		parts := make([]string, len(list))
		for i, o := range list {
			if parts[i] = o.ID; len(o.Children) > 0 {
				parts[i] += "(" + show(o.Children) + ")"
			}
		}
		return strings.Join(parts, " ")
	}
	const want = "orphan self root(a b late) ring2(ring3(ring1(tail)))"
	if got := show(foldedTrace(t, recs, "t").Observations); got != want {
		t.Errorf("the tree is %s\nwant        %s", got, want)
	}
}

// A chain that is too deep for readers of JSON is split, and nothing is lost.
func TestFoldTreeOfADeepChain(t *testing.T) {
	t.Parallel()
	recs := make([]entity.Record, 1200)
	for i := range recs {
		recs[i] = rec(i+1, fmt.Sprintf("o%d", i), "observation_create", float64(i), fmt.Sprintf(`{"trace_id":"t","name":"n","parent_observation_id":"o%d"}`, i-1))
	}
	tr := foldedTrace(t, recs, "t")
	if len(tr.Observations) != 3 || tr.ObservationCount != 1200 {
		t.Errorf("%d roots of %d observations", len(tr.Observations), tr.ObservationCount)
	}
	var back wire.Trace
	if err := json.Unmarshal([]byte(asJSON(t, tr)), &back); err != nil {
		t.Error(err)
	}
}

func TestFoldOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	recs := []entity.Record{rec(1, "s", "quality_score_create", 0, `{"trace_id":"t","name":"q","value":1}`)}
	if _, err := entity.FoldTrace(filled(recs), "t"); !errors.Is(err, entity.ErrNotFound) {
		t.Errorf("a trace of a score alone: %v", err)
	}
	if _, err := entity.FoldObservation(filled(recs), "s", ""); !errors.Is(err, entity.ErrNotFound) {
		t.Errorf("a score as an observation: %v", err)
	}
	if c, err := entity.FoldScore(filled(recs), "s"); err != nil || *c.Value != 1 {
		t.Errorf("the score: %v, %v", c, err)
	}
}

func TestFoldOfATraceWithoutItsCreate(t *testing.T) {
	t.Parallel()
	o := rec(1, "o", "observation_create", 4, `{"trace_id":"t","name":"n","model":"m"}`)
	o.Environment = "prod"
	tr := foldedTrace(t, []entity.Record{o}, "t")
	if tr.Environment != "prod" || tr.Name != "n" || !tr.StartTime.Equal(at.Add(4*time.Second)) || tr.EndTime != nil ||
		asJSON(t, tr.Models) != `["m"]` || asJSON(t, tr.Tags) != `[]` {
		t.Errorf("folded as %s", asJSON(t, tr))
	}
}

func TestFoldMetadata(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]string{
		``:                              nil,
		`{"a": 1}`:                      {`{"a": 1}`},
		`"x"`:                           {`{"a":1}`, `"x"`},
		`{"b":1}`:                       {`{"a":1}`, `"x"`, `{"b":1}`},
		`{"a":3,"b":null,"\u003c":[1]}`: {`{"a":1,"b":2}`, `{"b":null,"<":[1]}`, `{"a":3}`},
	} {
		if got := string(entity.FoldMetadata(values)); got != want {
			t.Errorf("%q folded as %s, want %s", values, got, want)
		}
	}
}
