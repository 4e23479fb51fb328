package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The same event id with the same content is one event, with other content another:
// in the next transaction, after a restart, and twice within one.
func testRepeated(w *warehouseTest) {
	create := func() entity.Record {
		return w.record("e1", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"first","model":"m1"}`)
	}
	update := func(id string, second int, what string) entity.Record {
		return w.record(id, wire.ObservationUpdate, noon.Add(time.Duration(second)*time.Second), `{"id":"o",%s}`, what)
	}
	w.insert(create(), update("e2", 1, `"name":"second"`))
	want := w.observation("o")
	w.insert(create())
	w.reopen()
	w.insert(update("e2", 77, `"name":"second"`), create()) // its later time does not count
	w.equal("after copies", w.observation("o"), want)
	w.equal("events after copies", w.stats(store.StatsQuery{Of: "events"}), []wire.StatRow{{"count": 2}})

	w.insert(update("e2", 2, `"name":"third"`), update("e3", 2, `"model":"m2"`), update("e3", 2, `"model":"m3"`), update("e3", 2, `"model":"m2"`),
		w.record("e1", wire.TraceCreate, noon, `{"id":"other","name":"x"}`)) // 6 to 10
	for range 2 {
		if o := w.observation("o"); o.Name != "third" || o.Model != "m3" {
			w.Errorf("%s with model %q", o.Name, o.Model)
		}
		if got := w.traces(store.Query{Filter: store.Filter{TraceID: "other"}}); len(got) != 1 {
			w.Errorf("the other entity of an id: %+v", got)
		}
		for id, want := range map[string][]entity.Seq{"e1": {1, 10}, "e2": {2, 6}, "e3": {7, 8}} {
			got, err := store.EventSeqs(w.Context(), w, project, id)
			if err != nil || !slices.Equal(got, want) {
				w.Errorf("%s has %v, %v; want %v", id, got, err, want)
			}
		}
		w.equal("events", w.stats(store.StatsQuery{Of: "events"}), []wire.StatRow{{"count": 6}})
		w.equal("observations", w.stats(store.StatsQuery{}), []wire.StatRow{{"count": 1}})
		w.checkpoint()
		w.reopen()
	}
}

// At equal time and rank the later accepted wins, whatever the ids are.
func testTies(w *warehouseTest) {
	for i, ids := range [][2]string{{"a1", "b1"}, {"b2", "a2"}} {
		id := fmt.Sprint("o", i)
		for n, e := range ids {
			w.insert(w.record(e, wire.ObservationUpdate, noon, `{"id":%q,"name":"n%d"}`, id, n))
		}
		if name := w.observation(id).Name; name != "n1" {
			w.Errorf("%s is named %q", id, name)
		}
	}
	w.checkpoint()
	w.reopen()
	w.insert(w.record("B", wire.ObservationUpdate, noon, `{"id":"o0","name":"x"}`), w.record("A", wire.ObservationUpdate, noon, `{"id":"o0","name":"y"}`))
	if name := w.observation("o0").Name; name != "y" {
		w.Errorf("after reopening it is named %q", name)
	}
	// A record that comes late has the Seq with which it was accepted.
	late, last := w.record("late", wire.ObservationUpdate, noon, `{"id":"l","name":"late"}`), w.record("last", wire.ObservationUpdate, noon, `{"id":"l","name":"last"}`)
	w.insert(last)
	w.insert(late)
	if name := w.observation("l").Name; name != "last" {
		w.Errorf("with what came late it is named %q", name)
	}
	// A complete beats an update, which beats a create, of the same instant.
	w.insert(w.record("x1", wire.ObservationComplete, noon, `{"id":"r","status_message":"complete"}`),
		w.record("x2", wire.ObservationUpdate, noon, `{"id":"r","status_message":"update"}`),
		w.record("x3", wire.ObservationCreate, noon, `{"id":"r","trace_id":"t","name":"n","status_message":"create"}`))
	if got := w.observation("r").StatusMessage; got != "complete" {
		w.Errorf("status %q", got)
	}
	for _, v := range []float64{0.1, 0.9} {
		w.insert(w.record(fmt.Sprint("s", 1-v), wire.QualityScoreCreate, noon, `{"id":"s","trace_id":"t","name":"q","value":%v}`, v))
	}
	if page, err := query.ListScores(w.Context(), w, project, store.Query{}); err != nil || len(page.Data) != 1 || *page.Data[0].Value != 0.9 {
		w.Errorf("a score sent again: %+v, %v", page, err)
	}
}

// A create is the first word, however fast its clock runs; a latency of two clocks is none.
func testFastClock(w *warehouseTest) {
	w.insert(w.record("1", wire.ObservationComplete, noon, `{"id":"o","level":"error","status_message":"done"}`),
		w.record("2", wire.ObservationCreate, noon.Add(time.Hour), `{"id":"o","trace_id":"t","name":"job","level":"info","status_message":"running"}`))
	w.insert(w.record("3", wire.TraceCreate, noon.Add(time.Hour), `{"id":"t","name":"first"}`), w.record("4", wire.TraceUpdate, noon, `{"id":"t","name":"last"}`))
	for range 2 {
		o := w.observation("o")
		w.equal("the observation", []any{o.Name, o.Level, o.StatusMessage, o.LatencyMS, o.LatencyReason}, []any{"job", "ERROR", "done", nil, entity.EndBeforeStart})
		failed := true
		got := w.traces(store.Query{Filter: store.Filter{HasError: &failed}})
		if len(got) != 1 || got[0].Name != "last" || got[0].LatencyMS != nil || got[0].LatencyReason != entity.EndBeforeStart {
			w.Errorf("traces with an error: %+v", got)
		}
		w.checkpoint()
		w.reopen()
	}
}

// A trace has failed when it says so, else when its root has, and with it its session and its user: an error in it that it says it
// mended is an inner one.
func testFailedTraces(w *warehouseTest) {
	w.insert(
		w.record("1", wire.TraceCreate, noon, `{"id":"fine","name":"t","session_id":"s-fine","user_id":"u-fine"}`),
		w.record("2", wire.ObservationCreate, noon, `{"id":"o1","trace_id":"fine","name":"job"}`),
		w.record("3", wire.TraceCreate, noon, `{"id":"says","name":"t","session_id":"s-says","user_id":"u-says"}`),
		w.record("4", wire.ObservationCreate, noon, `{"id":"o2","trace_id":"says","name":"job"}`),
		w.record("5", wire.TraceUpdate, noon.Add(time.Second), `{"id":"says","status":"error","status_message":"no answer"}`),
		w.record("6", wire.TraceCreate, noon, `{"id":"step","name":"t","session_id":"s-step","user_id":"u-step","status":"ok"}`),
		w.record("7", wire.ObservationCreate, noon, `{"id":"o3","trace_id":"step","name":"job","level":"ERROR"}`),
		w.record("9", wire.TraceCreate, noon, `{"id":"root","name":"t","session_id":"s-root","user_id":"u-root"}`),
		w.record("10", wire.ObservationCreate, noon, `{"id":"o4","trace_id":"root","name":"job","level":"ERROR"}`),
		w.record("11", wire.TraceCreate, noon, `{"id":"inner","name":"t","session_id":"s-inner","user_id":"u-inner"}`),
		w.record("12", wire.ObservationCreate, noon, `{"id":"o5","trace_id":"inner","name":"job"}`),
		w.record("13", wire.ObservationCreate, noon, `{"id":"o6","trace_id":"inner","parent_observation_id":"o5","name":"tool","level":"ERROR"}`),
		w.record("8", wire.TraceCreate, noon, `{"id":"left","name":"t","session_id":"s-left","user_id":"u-left","status":"aborted"}`))
	for range 2 {
		for failed, want := range map[bool][]string{true: {"root", "says"}, false: {"fine", "inner", "left", "step"}} {
			f := store.Filter{HasError: &failed}
			var traces, sessions, users []string
			for _, t := range w.traces(store.Query{Filter: f}) {
				traces = append(traces, t.ID)
			}
			for _, s := range w.sessions(store.Query{Filter: f}) {
				sessions = append(sessions, strings.TrimPrefix(s.ID, "s-"))
			}
			for _, u := range w.users(store.Query{Filter: f}) {
				users = append(users, strings.TrimPrefix(u.ID, "u-"))
			}
			for what, got := range map[string][]string{"traces": traces, "sessions": sessions, "users": users} {
				slices.Sort(got)
				w.equal(fmt.Sprintf("%s that failed: %t", what, failed), got, want)
			}
			row := w.stats(store.StatsQuery{Filter: f, Of: "traces", Metrics: []string{"count", "error_rate"}})[0]
			rate := 0.0
			if failed {
				rate = 1
			}
			w.equal("statistics", row, wire.StatRow{"count": int64(len(want)), "error_rate": rate})
		}
		w.checkpoint()
		w.reopen()
	}
}

// One observation id in two traces is two observations; what names no trace is of the newest.
func testSameID(w *warehouseTest) {
	w.insert(w.record("1", wire.ObservationCreate, noon, `{"id":"step","trace_id":"A","name":"a","total_tokens":5,"total_cost":0.5}`),
		w.record("2", wire.ObservationUpdate, noon.Add(time.Minute), `{"id":"step","level":"error"}`),
		w.record("3", wire.QualityScoreCreate, noon, `{"id":"s","observation_id":"step","name":"q","value":1}`))
	w.checkpoint()
	w.insert(w.record("4", wire.ObservationCreate, noon.Add(time.Second), `{"id":"step","trace_id":"B","name":"b","total_tokens":7,"total_cost":0.7}`),
		w.record("5", wire.QualityScoreCreate, noon, `{"id":"s2","trace_id":"A","observation_id":"step","name":"q","value":3}`))
	for range 2 {
		w.equal("A", w.traceNumbers("A"), []any{5, 0.5, 0, map[string]any{"q": 3}})
		w.equal("B", w.traceNumbers("B"), []any{7, 0.7, 1, map[string]any{"q": 1}})
		for trace, want := range map[string][]entity.Seq{"A": {1, 5}, "B": {2, 3, 4}} {
			seqs, err := store.TraceEvents(w.Context(), w, project, trace)
			slices.Sort(seqs)
			if err != nil || !slices.Equal(seqs, want) {
				w.Errorf("events of %s: %v, %v; want %v", trace, seqs, err, want)
			}
		}
		seqs, err := store.EntityEvents(w.Context(), w, project, entity.ObservationKind, []string{"step"})
		slices.Sort(seqs["step"])
		if err != nil || !slices.Equal(seqs["step"], []entity.Seq{1, 2, 4}) {
			w.Errorf("events of the observations: %v, %v", seqs, err)
		}
		for _, f := range []store.Filter{{}, {TraceID: "B"}, {TraceID: "none"}} {
			f.ID = "step"
			page, err := query.ListObservations(w.Context(), w, project, store.Query{Filter: f, Order: store.Order{Asc: true}})
			if err != nil {
				w.Fatal(err)
			}
			names := ""
			for _, o := range page.Data {
				names += o.TraceID + ":" + o.Name + ":" + o.Level + " "
			}
			want := map[string]string{"": "A:a:DEFAULT B:b:ERROR ", "B": "B:b:ERROR ", "none": ""}[f.TraceID]
			if names != want {
				w.Errorf("of trace %q: %s, want %s", f.TraceID, names, want)
			}
		}
		w.checkpoint()
		w.reopen()
	}
	w.erase(4) // without it there is one trace again
	w.equal("A alone", w.traceNumbers("A"), []any{5, 0.5, 1, map[string]any{"q": 2}})
}

// traceNumbers are the sums, errors and scores of the one trace of that id.
func (w *warehouseTest) traceNumbers(id string) []any {
	w.Helper()
	got := w.traces(store.Query{Filter: store.Filter{TraceID: id}})
	if len(got) != 1 {
		w.Fatalf("%d traces %q", len(got), id)
	}
	return []any{got[0].TotalTokens, got[0].TotalCost, got[0].ErrorCount, got[0].Scores}
}

// cleared makes a record's event clear these fields.
func cleared(r entity.Record, names ...string) entity.Record {
	r.Fields.Values = slices.DeleteFunc(r.Fields.Values, func(v entity.FieldValue) bool { return v.Field == entity.Clear })
	r.Fields.Values = append(r.Fields.Values, entity.FieldValue{Field: entity.Clear, List: names})
	return r
}

// What an event clears is gone, and what it and later ones say is there.
func testClear(w *warehouseTest) {
	w.insert(w.record("1", wire.TraceCreate, noon, `{"id":"t","name":"n","user_id":"u","session_id":"s","tags":["x","y"]}`),
		w.record("2", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"n","model":"m","prompt_tokens":3,"total_cost":2,"level":"error","tags":["x"]}`))
	w.checkpoint()
	w.insert(w.record("3", wire.TraceUpdate, noon.Add(2*time.Second), `{"id":"t","tags":["w"]}`)) // later by its time
	w.insert(cleared(w.record("4", wire.TraceUpdate, noon.Add(time.Second), `{"id":"t","tags":["z"]}`), "tags", "user_id"),
		cleared(w.record("5", wire.ObservationComplete, noon.Add(time.Second), `{"id":"o","total_cost":1}`), "model", "prompt_tokens", "total_cost", "level", "tags"))
	for range 2 {
		got := w.traces(store.Query{})
		w.equal("the trace", []any{got[0].UserID, got[0].SessionID, got[0].Tags, got[0].Models, got[0].ErrorCount, got[0].TotalTokens, got[0].TotalCost},
			[]any{"", "s", []string{"w", "z"}, []string{}, 0, 0, 1})
		o := w.observation("o")
		w.equal("the observation", []any{o.Model, o.PromptTokens, o.TotalTokens, o.TotalCost, o.Level, o.Tags}, []any{"", nil, nil, 1, "DEFAULT", []string{}})
		for filter, f := range map[string]store.Filter{"user": {UserID: "u"}, "tag": {Tag: "x"}, "model": {Model: "m"}} {
			if got := w.traces(store.Query{Filter: f}); len(got) != 0 {
				w.Errorf("found by the %s that was cleared: %+v", filter, got)
			}
		}
		w.checkpoint()
		w.reopen()
	}
}

// An agent that carries the sum of its calls is not counted: in the trace, and in every
// list and statistic that adds up; in whatever order they come.
func testRolledUp(w *warehouseTest) {
	const usage = `"usage":{"prompt_tokens":100,"completion_tokens":20},"total_cost":0.012`
	w.insert(w.record("t", wire.TraceCreate, noon, `{"id":"t","name":"n","user_id":"u","session_id":"s"}`),
		w.record("r", wire.ObservationCreate, noon, `{"id":"r","trace_id":"t","type":"agent","name":"agent","usage":{"prompt_tokens":300,"completion_tokens":60},"total_cost":0.036}`))
	check := func(what string, tokens int64, cost float64, counted bool) {
		w.Helper()
		got := w.traces(store.Query{})
		w.equal("trace "+what, []any{got[0].TotalTokens, got[0].TotalCost}, []any{tokens, cost})
		if o := w.observation("r"); o.Counted != counted || *o.TotalTokens != 360 || *o.TotalCost != 0.036 {
			w.Errorf("%s: the agent is %+v", what, o)
		}
		for _, of := range []string{"traces", "observations"} {
			w.equal(of+" "+what, w.stats(store.StatsQuery{Of: of, Metrics: []string{"tokens", "cost"}}), []wire.StatRow{{"tokens": tokens, "cost": cost}})
		}
		session, user, environment := w.sessions(store.Query{})[0], w.users(store.Query{})[0], w.environments(store.Query{})[0]
		for _, t := range []wire.Totals{session.Totals, user.Totals, environment.Totals} {
			w.equal("totals "+what, []any{t.TotalTokens, t.TotalCost}, []any{tokens, cost})
		}
	}
	check("of the agent alone", 360, 0.036, true)
	w.checkpoint()
	for i := range 3 {
		w.insert(w.record(fmt.Sprint(i), wire.ObservationCreate, noon, `{"id":"c%d","trace_id":"t","parent_observation_id":"m","type":"generation","name":"call",%s}`, i, usage))
	}
	check("before its step comes", 720, 0.072, true)
	w.insert(w.record("m", wire.ObservationCreate, noon, `{"id":"m","trace_id":"t","parent_observation_id":"r","name":"step"}`))
	for range 2 {
		check("with its calls", 360, 0.036, false)
		w.checkpoint()
		w.reopen()
	}
	w.erase(3, 4, 5)
	check("after its calls are erased", 360, 0.036, true)
}

// failedTrace says whether the trace has failed.
func failedTrace(t *wire.Trace) bool { return t.Status == entity.StatusError }
