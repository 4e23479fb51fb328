package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// history fills the warehouse with History(seed, n) in transactions of random size,
// with a checkpoint between some of them.
func (w *warehouseTest) history(seed uint64, n int) {
	w.Helper()
	w.insertHistory(seed, History(seed, n), 2*n/5)
}

// insertHistory inserts the records in transactions of most events at most, or in a few more.
func (w *warehouseTest) insertHistory(seed uint64, recs []entity.Record, most int) {
	w.Helper()
	w.project = HistoryProject
	n := len(recs)
	for i := range recs {
		fields, failure := extract.Of(&recs[i])
		if failure != nil {
			w.Fatal(failure)
		}
		recs[i].Fields = fields
	}
	rng := chance.From(seed, 7)
	half := rng.IntN(n)
	for rest := recs; len(rest) > 0; {
		k := min(1+rng.IntN(most), len(rest))
		if w.take(rest[:k]...); rng.IntN(3) > 0 { // else it is written with what follows
			w.flush()
		}
		rest = rest[k:]
		if rng.IntN(3) == 0 { // what follows meets rows after a checkpoint
			w.checkpoint()
		}
		if len(w.recs) >= half {
			w.reopen()
			half = n + 1
		}
	}
	w.flush() // what is repeated is known by what the log has, of which the test may take some away
}

// foldedAll is everything that the records fold into, by the Go fold.
type foldedAll struct {
	traces       map[string]*wire.Trace
	observations map[string]*entity.ObservationRow // by observationKey
	scores       map[string]*wire.Score
	traceOf      map[string]string     // score id → its trace
	about        map[string]string     // score id → the observationKey that it is about
	in           map[entity.Seq]string // the Seq of an observation's event → its observationKey
	twins        entity.Twins
}

// observationKey sorts as (id, trace id).
func observationKey(o *wire.Observation) string { return o.ID + "\x00" + o.TraceID }

func (w *warehouseTest) fold() *foldedAll {
	w.Helper()
	all := &foldedAll{map[string]*wire.Trace{}, map[string]*entity.ObservationRow{}, map[string]*wire.Score{},
		map[string]string{}, map[string]string{}, map[entity.Seq]string{}, nil}
	newest := w.foldObservations(all)
	ids := map[string]bool{}
	for _, o := range all.observations {
		ids[o.TraceID] = true
	}
	for _, r := range w.recs {
		switch id := r.Fields.EntityID; r.Fields.Kind {
		case entity.TraceKind:
			ids[id] = true
		case entity.ScoreKind:
			s, err := entity.FoldScore(w.recs, id)
			if err != nil {
				w.Fatal(err)
			}
			all.scores[id], all.about[id] = s, newest[s.ObservationID]
			if s.TraceID != "" {
				all.about[id] = observationKey(&wire.Observation{ID: s.ObservationID, TraceID: s.TraceID})
			}
		}
	}
	delete(ids, "")
	for id := range ids {
		t, err := entity.FoldTraceWith(w.recs, id, all.twins, w.tariff())
		if err != nil {
			w.Fatal(err)
		}
		all.traces[id] = t
		for _, s := range t.ScoreList {
			all.traceOf[s.ID] = id
		}
	}
	return all
}

// foldObservations fills in what is known of observations, and returns the newest of each id.
func (w *warehouseTest) foldObservations(all *foldedAll) (newest map[string]string) {
	w.Helper()
	newest = map[string]string{}
	folded, byTrace := map[string]bool{}, map[string][]*entity.ObservationRow{}
	var rows []*entity.ObservationRow
	for _, r := range w.recs {
		id := r.Fields.EntityID
		if r.Fields.Kind != entity.ObservationKind || folded[id] {
			continue
		}
		folded[id] = true
		f, err := entity.FoldOf(w.recs, entity.ObservationKind, id)
		if err != nil {
			w.Fatal(err)
		}
		for _, row := range f.Observations(id) {
			key := observationKey(&row.Observation)
			all.observations[key] = &row
			byTrace[row.TraceID], rows = append(byTrace[row.TraceID], &row), append(rows, &row)
			if row.Newest {
				newest[id] = key
			}
			for _, seq := range row.Seqs {
				all.in[seq] = key
			}
		}
	}
	all.twins = entity.FindTwins(rows)
	all.twins.Mark(rows)
	for _, row := range rows {
		w.tariff().Price(row)
	}
	for trace, rows := range byTrace {
		if trace != "" {
			entity.Count(rows)
		}
	}
	return newest
}

// tariff is that of the warehouse's prices.
func (w *warehouseTest) tariff() entity.Tariff {
	return entity.Tariff{Prices: w.log.Prices(), Project: w.project}
}

// firstOf leaves out the events that came before: those of the same id that say the same.
func firstOf(recs []entity.Record) []entity.Record {
	seen := map[entity.FactID]bool{}
	var first []entity.Record
	for _, r := range recs {
		if !seen[r.FactID()] {
			seen[r.FactID()] = true
			first = append(first, r)
		}
	}
	return first
}

// flat is the observation as a list shows it.
func flat(o *entity.ObservationRow) wire.Observation {
	c := o.Observation
	c.Children, c.Metadata, c.Input, c.Output, c.ModelParameters = nil, nil, nil, nil, nil
	return c
}

func testHistories(w *warehouseTest) {
	for i := range chance.Rounds(3) {
		w.empty(i > 0)
		w.history(chance.Seed(w), []int{30, 100, 200, 500}[i%4])
		w.compareWithFold()
	}
}

// empty begins anew, in an empty warehouse, if that is to be.
func (w *warehouseTest) empty(anew bool) {
	w.Helper()
	if !anew {
		return
	}
	w.recs = nil
	if err := w.Warehouse.Close(); err != nil {
		w.Fatal(err)
	}
	w.dir = w.TempDir()
	w.Warehouse = w.open(w.TB, w.dir, &w.log)
}

func (w *warehouseTest) compareWithFold() {
	w.Helper()
	want := w.fold()
	traces := w.traces(store.Query{Order: store.Order{Limit: 1000}})
	if len(traces) != len(want.traces) {
		w.Errorf("%d traces, want %d", len(traces), len(want.traces))
	}
	for _, got := range traces {
		if want.traces[got.ID] == nil {
			w.Fatalf("there is no trace %q", got.ID)
		}
		w.equal("trace "+got.ID, got, want.traces[got.ID].TraceSummary)
		if cost := orNaN(want.traces[got.ID].TotalCost); orNaN(got.TotalCost) != cost && got.TotalCost != nil {
			w.Errorf("trace %s costs %v, its detail %v", got.ID, *got.TotalCost, cost)
		}
		seqs, err := store.TraceEvents(w.Context(), w, w.project, got.ID)
		if err != nil {
			w.Fatal(err)
		}
		slices.Sort(seqs)
		w.equal("events of trace "+got.ID, seqs, w.eventsOf(want, got.ID))
	}
	all := true
	observations, err := query.ListObservations(w.Context(), w, w.project, store.Query{Filter: store.Filter{Duplicates: &all}, Order: store.Order{Limit: 1000}})
	if err != nil {
		w.Fatal(err)
	}
	if len(observations.Data) != len(want.observations) {
		w.Errorf("%d observations, want %d", len(observations.Data), len(want.observations))
	}
	for _, got := range observations.Data {
		if want.observations[observationKey(&got)] == nil {
			w.Fatalf("trace %q has no observation %q", got.TraceID, got.ID)
		}
		w.equal("observation "+got.ID+" of "+got.TraceID, got, flat(want.observations[observationKey(&got)]))
	}
	scores, err := query.ListScores(w.Context(), w, w.project, store.Query{Order: store.Order{Limit: 1000}})
	if err != nil {
		w.Fatal(err)
	}
	if len(scores.Data) != len(want.scores) {
		w.Errorf("%d scores, want %d", len(scores.Data), len(want.scores))
	}
	for _, got := range scores.Data {
		s := *want.scores[got.ID]
		s.Metadata = nil
		w.equal("score "+got.ID, got, s)
	}
	w.compareFacts()
	w.compareTwins(want)
}

// compareFacts looks for every event by its id.
func (w *warehouseTest) compareFacts() {
	w.Helper()
	facts := map[string][]entity.Seq{}
	for _, r := range firstOf(w.recs) {
		facts[r.Event.ID] = append(facts[r.Event.ID], r.Seq)
	}
	for id, want := range facts {
		if len(want) == 1 && want[0]%8 > 0 { // most are alike
			continue
		}
		got, err := store.EventSeqs(w.Context(), w, w.project, id)
		if err != nil {
			w.Fatal(err)
		}
		w.equal("events "+id, got, want)
	}
}

// eventsOf are the Seqs of the events that make up a trace.
func (w *warehouseTest) eventsOf(all *foldedAll, trace string) []entity.Seq {
	var seqs []entity.Seq
	for _, r := range firstOf(w.recs) {
		id, in := r.Fields.EntityID, false
		switch r.Fields.Kind {
		case entity.TraceKind:
			in = id == trace
		case entity.ObservationKind:
			in = all.observations[all.in[r.Seq]].TraceID == trace
		case entity.ScoreKind:
			in = all.traceOf[id] == trace
		}
		if in {
			seqs = append(seqs, r.Seq)
		}
	}
	return seqs
}

func testFilters(w *warehouseTest) {
	w.history(chance.Seed(w), 300)
	all := w.fold()
	number := func(f float64) *float64 { return &f }
	truth := func(b bool) *bool { return &b }
	mid := midnight.Add(10 * time.Second)
	some := func(t *wire.Trace, ok func(*wire.Observation) bool) bool {
		for _, o := range all.observations {
			if o.TraceID == t.ID && ok(&o.Observation) {
				return true
			}
		}
		return false
	}
	mean := func(scores map[string]any, name string) (float64, bool) {
		f, ok := scores[name].(float64)
		return f, ok
	}
	for _, c := range []struct {
		name   string
		filter store.Filter
		trace  func(*wire.Trace) bool
		obs    func(*wire.Observation) bool
	}{
		{"from", store.Filter{From: mid}, func(t *wire.Trace) bool { return !t.StartTime.Before(mid) }, func(o *wire.Observation) bool { return !o.StartTime.Before(mid) }},
		{"to", store.Filter{To: mid}, func(t *wire.Trace) bool { return t.StartTime.Before(mid) }, func(o *wire.Observation) bool { return o.StartTime.Before(mid) }},
		{"name", store.Filter{Name: "chat"}, func(t *wire.Trace) bool { return t.Name == "chat" }, func(o *wire.Observation) bool { return o.Name == "chat" }},
		{"environment", store.Filter{Environment: "qa"}, func(t *wire.Trace) bool { return t.Environment == "qa" }, func(o *wire.Observation) bool { return o.Environment == "qa" }},
		{"key", store.Filter{KeyID: historyKey(1)}, func(t *wire.Trace) bool { return t.KeyID == historyKey(1) }, func(o *wire.Observation) bool { return o.KeyID == historyKey(1) }},
		{"user", store.Filter{UserID: "użytkownik"}, func(t *wire.Trace) bool { return t.UserID == "użytkownik" }, nil},
		{"session", store.Filter{SessionID: "s-1"}, func(t *wire.Trace) bool { return t.SessionID == "s-1" }, nil},
		{"tag", store.Filter{Tag: "ü"}, func(t *wire.Trace) bool { return slices.Contains(t.Tags, "ü") }, func(o *wire.Observation) bool { return slices.Contains(o.Tags, "ü") }},
		{"model", store.Filter{Model: "m-large"}, func(t *wire.Trace) bool { return slices.Contains(t.Models, "m-large") }, func(o *wire.Observation) bool { return o.Model == "m-large" }},
		{"type", store.Filter{Type: "tool"}, func(t *wire.Trace) bool {
			return some(t, func(o *wire.Observation) bool { return o.Type == "tool" })
		}, func(o *wire.Observation) bool { return o.Type == "tool" }},
		{"level", store.Filter{Level: "INFO"}, func(t *wire.Trace) bool {
			return some(t, func(o *wire.Observation) bool { return o.Level == "INFO" })
		}, func(o *wire.Observation) bool { return o.Level == "INFO" }},
		{"trace", store.Filter{TraceID: HistoryTrace(1)}, func(t *wire.Trace) bool { return t.ID == HistoryTrace(1) }, func(o *wire.Observation) bool { return o.TraceID == HistoryTrace(1) }},
		{"latency", store.Filter{MinLatencyMS: number(1000), MaxLatencyMS: number(5e7)}, func(t *wire.Trace) bool { return t.LatencyMS != nil && *t.LatencyMS >= 1000 && *t.LatencyMS <= 5e7 },
			func(o *wire.Observation) bool {
				return o.LatencyMS != nil && *o.LatencyMS >= 1000 && *o.LatencyMS <= 5e7
			}},
		{"cost", store.Filter{MinCost: number(3.5)}, func(t *wire.Trace) bool { return t.TotalCost != nil && *t.TotalCost >= 3.5 }, func(o *wire.Observation) bool { return o.TotalCost != nil && *o.TotalCost >= 3.5 }},
		{"error", store.Filter{HasError: truth(true)}, failedTrace, func(o *wire.Observation) bool { return o.Level == "ERROR" }},
		{"no error", store.Filter{HasError: truth(false)}, func(t *wire.Trace) bool { return !failedTrace(t) }, func(o *wire.Observation) bool { return o.Level != "ERROR" }},
		{"score", store.Filter{Scores: []store.ScoreCondition{{Name: "quality", Op: ">=", Value: 2}, {Name: "quality", Op: "!=", Value: 5}}}, func(t *wire.Trace) bool {
			q, ok := mean(t.Scores, "quality")
			return ok && q >= 2 && q != 5
		}, nil},
		{"several", store.Filter{Environment: "default", HasError: truth(false), Tag: "a"}, func(t *wire.Trace) bool {
			return t.Environment == "default" && !failedTrace(t) && slices.Contains(t.Tags, "a")
		}, func(o *wire.Observation) bool {
			return o.Environment == "default" && o.Level != "ERROR" && slices.Contains(o.Tags, "a")
		}},
	} {
		var want, got []string
		for id, t := range all.traces {
			if c.trace(t) {
				want = append(want, id)
			}
		}
		for _, t := range w.traces(store.Query{Filter: c.filter, Order: store.Order{Limit: 1000}}) {
			got = append(got, t.ID)
		}
		w.equal("traces by "+c.name, slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
		w.equal("count of traces by "+c.name, w.stats(store.StatsQuery{Of: "traces", Filter: c.filter}), []wire.StatRow{{"count": len(want)}})
		if c.obs == nil {
			continue
		}
		want = nil
		for id, o := range all.observations {
			if c.obs(&o.Observation) {
				want = append(want, id)
			}
		}
		page, err := query.ListObservations(w.Context(), w, w.project, store.Query{Filter: c.filter, Order: store.Order{Limit: 1000}})
		if err != nil {
			w.Fatal(err)
		}
		got = nil
		for _, o := range page.Data {
			got = append(got, observationKey(&o))
		}
		w.equal("observations by "+c.name, slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
		w.equal("count of observations by "+c.name, w.stats(store.StatsQuery{Filter: c.filter}), []wire.StatRow{{"count": len(want)}})
	}
}

func testStats(w *warehouseTest) {
	w.history(chance.Seed(w), 500)
	all := w.fold()
	type group struct {
		count, errors, tokens int64
		cost, score           float64
		in, cached, out       entity.Money
		unpriced              int64
		parts                 [3]bool // there is one
		scores                int64
		latencies             []float64
	}
	groups := map[string]*group{}
	for _, o := range all.observations {
		g := groups[o.Model]
		if g == nil {
			g = &group{}
			groups[o.Model] = g
		}
		g.count++
		if o.Level == "ERROR" {
			g.errors++
		}
		if o.TotalTokens != nil && o.CountsTokens {
			g.tokens += *o.TotalTokens
		}
		if o.TotalCost != nil && o.CountsCost {
			g.cost += *o.TotalCost
		}
		for i, part := range []*float64{o.InputCost, o.CacheReadCost, o.OutputCost} {
			if part != nil && o.CountsCost {
				[]*entity.Money{&g.in, &g.cached, &g.out}[i].Add(*part)
				g.parts[i] = true
			}
		}
		if isUnpriced(o) {
			g.unpriced++
		}
		if o.LatencyMS != nil {
			g.latencies = append(g.latencies, *o.LatencyMS)
		}
		for _, s := range all.scores {
			if all.about[s.ID] == observationKey(&o.Observation) && s.Name == "quality" && s.Value != nil {
				g.score += *s.Value
				g.scores++
			}
		}
	}
	var want []wire.StatRow
	for model, g := range groups {
		row := wire.StatRow{"model": model, "count": g.count, "error_rate": float64(g.errors) / float64(g.count), "tokens": g.tokens,
			"cost": g.cost, "latency_p50": quantile(g.latencies, 0.5), "latency_p99": quantile(g.latencies, 0.99), "score_count:quality": g.scores, "score_avg:quality": nil}
		if model == "" {
			row["model"] = nil
		}
		row["unpriced_count"], row["cost_input"], row["cost_cached"], row["cost_output"] = g.unpriced, nil, nil, nil
		for i, name := range []string{"cost_input", "cost_cached", "cost_output"} {
			if g.parts[i] {
				row[name] = []*entity.Money{&g.in, &g.cached, &g.out}[i].Sum()
			}
		}
		if g.scores > 0 {
			row["score_avg:quality"] = g.score / float64(g.scores)
		}
		want = append(want, row)
	}
	slices.SortFunc(want, func(a, b wire.StatRow) int { return strings.Compare(fmt.Sprint(a["model"]), fmt.Sprint(b["model"])) })
	w.equal("observations by model", w.stats(store.StatsQuery{GroupBy: []string{"model"}, Metrics: []string{
		"count", "error_rate", "tokens", "cost", "latency_p50", "latency_p99", "score_count:quality", "score_avg:quality", "cost_input", "cost_cached", "cost_output", "unpriced_count"}}), want)

	count := map[string]int{}
	for _, r := range firstOf(w.recs) {
		count[string(r.Event.Type)]++
	}
	got := map[string]int{}
	for _, row := range w.stats(store.StatsQuery{Of: "events", GroupBy: []string{"event_type"}}) {
		n, _ := row["count"].(int64)
		got[fmt.Sprint(row["event_type"])] = int(n)
	}
	w.equal("events by type", got, count)

	var sum, n float64
	for _, t := range all.traces {
		for _, s := range t.ScoreList {
			if s.Name == "correct" && s.Value != nil {
				sum, n = sum+*s.Value, n+1
			}
		}
	}
	w.equal("score of traces", w.stats(store.StatsQuery{Of: "traces", Metrics: []string{"score_avg:correct", "score_count:correct", "count"}}),
		[]wire.StatRow{{"score_avg:correct": sum / n, "score_count:correct": n, "count": len(all.traces)}})
	sum, n = 0, 0
	for _, s := range all.scores {
		if s.Name == "correct" && s.Value != nil {
			sum, n = sum+*s.Value, n+1
		}
	}
	w.equal("scores themselves", w.stats(store.StatsQuery{Of: "scores", Metrics: []string{"score_avg:correct", "score_count:correct", "count"}}),
		[]wire.StatRow{{"score_avg:correct": sum / n, "score_count:correct": n, "count": len(all.scores)}})
}

// quantile interpolates between the two nearest values.
func quantile(values []float64, q float64) any {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	at := q * float64(len(values)-1)
	low := int(at)
	high := min(low+1, len(values)-1)
	return values[low] + (values[high]-values[low])*(at-float64(low))
}

func testStatsBuckets(w *warehouseTest) {
	for i, at := range []time.Time{noon, noon.Add(59 * time.Second), noon.Add(time.Minute), noon.Add(3 * time.Minute)} {
		w.insert(w.record(fmt.Sprint("e", i), wire.ObservationCreate, at, `{"trace_id":"t","name":"n%d","model":"m"}`, i%2))
	}
	w.equal("by minute", w.stats(store.StatsQuery{Interval: time.Minute}), []wire.StatRow{
		{"time": "2026-03-01T12:00:00.000000Z", "count": 2}, {"time": "2026-03-01T12:01:00.000000Z", "count": 1}, {"time": "2026-03-01T12:03:00.000000Z", "count": 1}})
	w.equal("by day and name", w.stats(store.StatsQuery{Interval: 24 * time.Hour, GroupBy: []string{"name"}}), []wire.StatRow{
		{"time": "2026-03-01T00:00:00.000000Z", "name": "n0", "count": 2}, {"time": "2026-03-01T00:00:00.000000Z", "name": "n1", "count": 2}})
	for of, n := range map[string]int{"traces": 1, "events": 3, "scores": 0} {
		if got := w.stats(store.StatsQuery{Of: of, Interval: time.Minute}); len(got) != n {
			w.Errorf("of %s: %v", of, got)
		}
	}
	for _, of := range []string{"observations", "traces", "scores", "events"} {
		for _, g := range []string{"name", "environment", "key_id", "user_id", "session_id", "release", "version"} {
			metrics := []string{"count", "tokens", "cost"}
			if of == "scores" {
				metrics = nil
			}
			if _, err := query.ListStats(w.Context(), w.Warehouse, project, store.StatsQuery{Of: of, GroupBy: []string{g}, Metrics: metrics}); err != nil {
				w.Errorf("%s by %s: %v", of, g, err)
			}
		}
	}
}

func testRefused(w *warehouseTest) {
	ctx := w.Context()
	for i := range 3 {
		w.insert(w.record(fmt.Sprint("e", i), wire.TraceCreate, noon, `{"name":"n"}`))
	}
	page, err := query.ListTraces(ctx, w, project, store.Query{Order: store.Order{Limit: 1}})
	if err != nil || page.NextCursor == nil {
		w.Fatalf("%+v, %v", page, err)
	}
	cursor := *page.NextCursor
	traces := func(q store.Query) error { _, err := query.ListTraces(ctx, w, project, q); return err }
	stats := func(q store.StatsQuery) error { _, err := query.ListStats(ctx, w.Warehouse, project, q); return err }
	for name, c := range map[string]struct {
		param string
		err   error
	}{
		"sort column":       {"sort", traces(store.Query{Order: store.Order{By: "name"}})},
		"sort injection":    {"sort", traces(store.Query{Order: store.Order{By: "start_time; DROP TABLE events"}})},
		"other sort":        {"cursor", traces(store.Query{Order: store.Order{By: "total_cost", Cursor: cursor}})},
		"other direction":   {"cursor", traces(store.Query{Order: store.Order{Asc: true, Cursor: cursor}})},
		"other filter":      {"cursor", traces(store.Query{Filter: store.Filter{Name: "n"}, Order: store.Order{Cursor: cursor}})},
		"garbage cursor":    {"cursor", traces(store.Query{Order: store.Order{Cursor: "%%%"}})},
		"limit":             {"limit", traces(store.Query{Order: store.Order{Limit: 1001}})},
		"negative limit":    {"limit", traces(store.Query{Order: store.Order{Limit: -1}})},
		"score comparison":  {"score", traces(store.Query{Filter: store.Filter{Scores: []store.ScoreCondition{{Name: "x", Op: "LIKE"}}}})},
		"of":                {"of", stats(store.StatsQuery{Of: "users"})},
		"metric":            {"metrics", stats(store.StatsQuery{Metrics: []string{"count(*)"}})},
		"metric of scores":  {"metrics", stats(store.StatsQuery{Of: "scores", Metrics: []string{"latency_p50"}})},
		"nameless score":    {"metrics", stats(store.StatsQuery{Metrics: []string{"score_avg:"}})},
		"group":             {"group_by", stats(store.StatsQuery{GroupBy: []string{"tags"}})},
		"group of traces":   {"group_by", stats(store.StatsQuery{Of: "traces", GroupBy: []string{"event_type"}})},
		"short interval":    {"interval", stats(store.StatsQuery{Interval: time.Second})},
		"cursor of another": {"cursor", stats(store.StatsQuery{GroupBy: []string{"name"}, Cursor: cursor})},
	} {
		var refused *store.QueryError
		if !errors.As(c.err, &refused) || refused.Param != c.param || refused.Message == "" {
			w.Errorf("%s: %v", name, c.err)
		}
	}
	// Names that look like SQL are only names.
	if got := w.stats(store.StatsQuery{Metrics: []string{"score_count:'); DROP TABLE events; --"}}); len(got) != 1 {
		w.Errorf("rows %v", got)
	}
}

func testReadsBesideWrites(w *warehouseTest) {
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			last := int64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				page, err := query.ListStats(w.Context(), w.Warehouse, project, store.StatsQuery{Of: "events"})
				if err != nil {
					w.Error(err)
					return
				}
				n, _ := page.Data[0]["count"].(int64)
				if n < last || n%10 != 0 { // transactions are of 10
					w.Errorf("%d events after %d", n, last)
				}
				last = n
				if _, err := query.ListTraces(w.Context(), w, project, store.Query{}); err != nil {
					w.Error(err)
					return
				}
			}
		})
	}
	for i := range 60 {
		var recs []entity.Record
		for k := range 10 {
			recs = append(recs, w.record(fmt.Sprint(i, "-", k), wire.ObservationCreate, noon, `{"trace_id":"t%d","name":"n"}`, k))
		}
		w.insert(recs...)
	}
	close(stop)
	readers.Wait()
}
