package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// OpenWarehouse opens the warehouse kept in dir, and creates it the first time. log has what was inserted, and the Pricer.
type OpenWarehouse func(t testing.TB, dir string, log *Ledger) store.Warehouse

// Warehouse is the suite that every Warehouse passes; with names, these tests of it.
func Warehouse(t *testing.T, open OpenWarehouse, names ...string) {
	for _, test := range []struct {
		name string
		run  func(*warehouseTest)
	}{
		{"Empty", testEmpty},
		{"Cursor", testCursor},
		{"Repeated", testRepeated},
		{"Poison", testPoison},
		{"Visible", testVisible},
		{"Alike", testAlike},
		{"Permutations", testPermutations},
		{"Updates", testUpdates},
		{"Ties", testTies},
		{"FastClock", testFastClock},
		{"FailedTraces", testFailedTraces},
		{"SameID", testSameID},
		{"Clear", testClear},
		{"RolledUp", testRolledUp},
		{"Root", testRoot},
		{"Latency", testLatency},
		{"Totals", testTotals},
		{"Projects", testProjects},
		{"Membership", testMembership},
		{"Histories", testHistories},
		{"TwinHistories", testTwinHistories},
		{"SharedIDs", testSharedIDs},
		{"Floating", testFloating},
		{"Filters", testFilters},
		{"FilterGrammar", testFilterGrammar},
		{"Paging", testPaging},
		{"PagingWhileInserting", testPagingWhileInserting},
		{"PagingStats", testPagingStats},
		{"Stats", testStats},
		{"StatsBuckets", testStatsBuckets},
		{"ValueBuckets", testValueBuckets},
		{"RandomBuckets", testRandomBuckets},
		{"Lists", testLists},
		{"EverySort", testEverySort},
		{"ListsOfProjects", testListsOfProjects},
		{"ListsRefused", testListsRefused},
		{"Refused", testRefused},
		{"Erase", testErase},
		{"EraseHistory", testEraseHistory},
		{"ExpireHistory", testExpireHistory},
		{"ExpireProjects", testExpireProjects},
		{"Late", testLate},
		{"Search", testSearch},
		{"ReadsBesideWrites", testReadsBesideWrites},
		{"Reprice", testReprice},
		{"RepriceHistories", testRepriceHistories},
		{"RepriceAtOnce", testRepriceAtOnce},
	} {
		if names != nil && !slices.Contains(names, test.name) {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := &warehouseTest{TB: t, dir: dir, open: open, project: project}
			w.Warehouse = open(t, dir, &w.log)
			t.Cleanup(func() {
				if err := w.Warehouse.Close(); err != nil {
					t.Error(err)
				}
			})
			test.run(w)
		})
	}
}

// warehouseTest is one warehouse under test and the records it was given.
type warehouseTest struct {
	testing.TB
	store.Warehouse
	open    OpenWarehouse
	log     Ledger // the Log that it is a view of
	dir     string
	project string
	seq     entity.Seq
	recs    []entity.Record // all that were inserted
}

const project = "default"

// noon is the time of events whose time does not matter.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// record makes the next record; payload is formatted.
func (w *warehouseTest) record(id string, typ wire.EventType, at time.Time, payload string, args ...any) entity.Record {
	w.Helper()
	w.seq++
	r := entity.Record{
		Seq: w.seq, Project: project, Environment: "default", BatchID: "batch", ReceivedAt: noon,
		Event: wire.Event{ID: id, Type: typ, Payload: json.RawMessage(fmt.Sprintf(payload, args...)), Timestamp: wire.At(at)},
	}
	fields, failure := extract.Of(&r)
	if failure != nil {
		w.Fatalf("payload %s: %+v", r.Event.Payload, failure)
	}
	r.Fields = fields
	return r
}

// Insert puts the records into the Log before they go on, with their rows and nothing else read of them, as an
// indexer finds them.
func (w *warehouseTest) Insert(ctx context.Context, recs []entity.Record, upto entity.Seq) error {
	recs = slices.Clone(recs)
	for i := range recs {
		if recs[i].Fields != nil {
			recs[i].Row = recs[i].Fields.AppendRow(nil)
		}
	}
	w.log.Add(recs...)
	for i := range recs {
		recs[i].Fields = nil
	}
	return w.Warehouse.Insert(ctx, recs, upto)
}

// insert has the records written in one transaction.
func (w *warehouseTest) insert(recs ...entity.Record) {
	w.Helper()
	w.take(recs...)
	w.flush()
}

func (w *warehouseTest) flush() {
	w.Helper()
	if err := w.Flush(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// take hands the records over; when they are written is left to the Warehouse.
func (w *warehouseTest) take(recs ...entity.Record) {
	w.Helper()
	if err := w.Insert(w.Context(), recs, recs[len(recs)-1].Seq); err != nil {
		w.Fatal(err)
	}
	w.recs = append(w.recs, recs...)
}

func (w *warehouseTest) reopen() {
	w.Helper()
	if err := w.Warehouse.Close(); err != nil {
		w.Fatal(err)
	}
	w.Warehouse = w.open(w.TB, w.dir, &w.log)
}

func (w *warehouseTest) traces(q store.Query) []wire.TraceSummary {
	w.Helper()
	page, err := query.ListTraces(w.Context(), w, w.project, q)
	if err != nil {
		w.Fatal(err)
	}
	return page.Data
}

func (w *warehouseTest) observation(id string) wire.Observation {
	w.Helper()
	page, err := query.ListObservations(w.Context(), w, w.project, store.Query{Filter: store.Filter{ID: id}})
	if err != nil {
		w.Fatal(err)
	}
	if len(page.Data) != 1 {
		w.Fatalf("%d observations %q", len(page.Data), id)
	}
	return page.Data[0]
}

// eventSeq is the Seq of the one event of that id.
func (w *warehouseTest) eventSeq(project, id string) (entity.Seq, error) {
	seqs, err := store.EventSeqs(w.Context(), w, project, id)
	if err != nil || len(seqs) != 1 {
		return 0, fmt.Errorf("%d events %q: %w", len(seqs), id, err)
	}
	return seqs[0], nil
}

func (w *warehouseTest) stats(q store.StatsQuery) []wire.StatRow {
	w.Helper()
	page, err := query.ListStats(w.Context(), w.Warehouse, w.project, q)
	if err != nil {
		w.Fatal(err)
	}
	return page.Data
}

// equal compares the JSON forms, which is what a client sees.
func (w *warehouseTest) equal(what string, got, want any) {
	w.Helper()
	if g, x := canonical(w, got), canonical(w, want); !reflect.DeepEqual(g, x) {
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		w.Fatalf("%s:\n got %s\nwant %s", what, a, b)
	}
}

// canonical rounds numbers to 12 digits: sums of floats depend on their order.
func canonical(t testing.TB, v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return rounded(out)
}

func rounded(v any) any {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%.11g", v)
	case []any:
		for i := range v {
			v[i] = rounded(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = rounded(v[k])
		}
	}
	return v
}

func testEmpty(w *warehouseTest) {
	ctx := w.Context()
	if c, err := w.Cursor(ctx); c != 0 || err != nil {
		w.Errorf("cursor %d, %v", c, err)
	}
	traces, err := query.ListTraces(ctx, w, project, store.Query{})
	if err != nil || traces.Data == nil || len(traces.Data) != 0 || traces.NextCursor != nil {
		w.Errorf("traces %+v, %v", traces, err)
	}
	observations, err := query.ListObservations(ctx, w, project, store.Query{})
	if err != nil || observations.Data == nil || len(observations.Data) != 0 {
		w.Errorf("observations %+v, %v", observations, err)
	}
	scores, err := query.ListScores(ctx, w, project, store.Query{})
	if err != nil || scores.Data == nil || len(scores.Data) != 0 {
		w.Errorf("scores %+v, %v", scores, err)
	}
	if _, err := store.TraceEvents(ctx, w, project, "none"); !errors.Is(err, store.ErrNotFound) {
		w.Errorf("trace events: %v", err)
	}
	if _, err := store.EventSeqs(ctx, w, project, "none"); !errors.Is(err, store.ErrNotFound) {
		w.Errorf("event seq: %v", err)
	}
	for _, of := range []string{"", "observations", "traces", "scores", "events"} {
		w.equal("stats of "+of, w.stats(store.StatsQuery{Of: of}), []wire.StatRow{{"count": 0}})
		w.equal("groups of "+of, w.stats(store.StatsQuery{Of: of, GroupBy: []string{"name"}}), []wire.StatRow{})
	}
	w.equal("metrics of nothing", w.stats(store.StatsQuery{
		Metrics: []string{"error_rate", "latency_p50", "tokens", "cost", "score_avg:x", "score_count:x"}}),
		[]wire.StatRow{{"error_rate": nil, "latency_p50": nil, "tokens": nil, "cost": nil, "score_avg:x": nil, "score_count:x": 0}})
}

func testCursor(w *warehouseTest) {
	ctx := context.Background()
	at := func(want entity.Seq) {
		w.Helper()
		if c, err := w.Cursor(ctx); c != want || err != nil {
			w.Fatalf("cursor %d, %v; want %d", c, err, want)
		}
	}
	first := w.record("e1", wire.TraceCreate, noon, `{"name":"one"}`)
	w.insert(first)
	at(1)
	if err := w.Insert(ctx, nil, 7); err != nil { // only duplicates were there
		w.Fatal(err)
	}
	w.flush()
	at(7)
	w.reopen()
	at(7)
	if err := w.Insert(ctx, []entity.Record{first}, 5); err != nil { // re-read after a crash
		w.Fatal(err)
	}
	w.flush()
	at(7)
	w.seq = 7
	w.insert(w.record("e8", wire.TraceCreate, noon, `{"name":"two"}`))
	at(8)
	if seq, err := w.eventSeq(project, "e8"); seq != 8 || err != nil {
		w.Errorf("event seq %d, %v", seq, err)
	}
	if n := len(w.traces(store.Query{})); n != 2 {
		w.Errorf("%d traces", n)
	}
}

func testPoison(w *warehouseTest) {
	good := w.record("e1", wire.TraceCreate, noon, `{"name":"good"}`)
	bad := func(change func(*entity.Record)) entity.Record {
		r := w.record("bad", wire.TraceCreate, noon, `{"name":"bad"}`)
		change(&r)
		return r
	}
	set := func(v entity.FieldValue) func(*entity.Record) {
		return func(r *entity.Record) { r.Fields.Values = append(r.Fields.Values, v) }
	}
	nan := 0.0
	nan /= nan
	recs := []entity.Record{good,
		bad(func(r *entity.Record) { r.Fields = nil }),
		bad(func(r *entity.Record) { r.Fields.EntityID = "\xff" }),
		bad(func(r *entity.Record) { r.Event.Timestamp = wire.Timestamp{} }),
		bad(func(r *entity.Record) { r.Fields.Kind = 9 }),
		bad(set(entity.FieldValue{Field: entity.UserID, Text: "a\xc3("})),
		bad(set(entity.FieldValue{Field: entity.TotalCost, Num: nan})),
		bad(set(entity.FieldValue{Field: entity.StartTime, Int: -1})),
		bad(set(entity.FieldValue{Field: entity.Tags, List: []string{"fine", "\xf0"}})),
	}
	err := w.Insert(w.Context(), recs, w.seq)
	var poison *store.PoisonError
	if !errors.As(err, &poison) {
		w.Fatalf("error %v", err)
	}
	w.equal("poisoned", poison.Seqs, []entity.Seq{2, 3, 4, 5, 6, 7, 8, 9})
	if c, _ := w.Cursor(w.Context()); c != 0 || len(w.traces(store.Query{})) != 0 {
		w.Errorf("something went in; cursor %d", c)
	}
	if err := w.Insert(w.Context(), recs[:1], w.seq); err != nil {
		w.Fatal(err)
	}
	if got := w.traces(store.Query{}); len(got) != 1 || got[0].Name != "good" {
		w.Errorf("traces %+v", got)
	}
}

func testPermutations(w *warehouseTest) {
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	events := func(id string) []entity.Record {
		return []entity.Record{
			w.record(id+"c", wire.ObservationCreate, midnight.Add(-2*time.Second), `{"id":%q,"trace_id":"t","name":"a","model":"m","tags":["z","b"]}`, id),
			w.record(id+"u", wire.ObservationUpdate, midnight.Add(-time.Second), `{"id":%q,"name":"b","level":"warn","tags":["b","a"]}`, id),
			w.record(id+"f", wire.ObservationComplete, midnight.Add(time.Second), `{"id":%q,"usage":{"prompt_tokens":3,"completion_tokens":4}}`, id),
		}
	}
	var want wire.Observation
	for i, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		id := fmt.Sprintf("o%d", i)
		recs := events(id)
		for n, k := range order { // each in a batch of its own
			r := recs[k]
			r.Seq = recs[n].Seq
			w.insert(r)
			if n == i%3 {
				w.reopen()
			}
		}
		got := w.observation(id)
		got.ID = ""
		if i == 0 {
			want = got
		}
		w.equal(fmt.Sprint("order ", order), got, want)
	}
	if want.LatencyMS == nil || *want.LatencyMS != 3000 || want.Name != "b" || want.Level != "WARN" || *want.TotalTokens != 7 ||
		!slices.Equal(want.Tags, []string{"a", "b", "z"}) {
		w.Errorf("observation %+v", want)
	}
}

func testUpdates(w *warehouseTest) {
	var recs []entity.Record
	recs = append(recs, w.record("c", wire.TraceCreate, noon, `{"id":"t","name":"n"}`))
	for i := range 1000 {
		recs = append(recs, w.record(fmt.Sprint("u", i), wire.TraceUpdate, noon.Add(time.Second), `{"id":"t","tags":["tag%03d"]}`, i))
	}
	w.insert(recs...)
	if got := w.traces(store.Query{}); len(got) != 1 || len(got[0].Tags) != 1000 {
		w.Fatalf("%d traces", len(got))
	}
}

func testLatency(w *warehouseTest) {
	for i, d := range []time.Duration{0, time.Microsecond, 1500 * time.Microsecond, time.Second, 25 * time.Hour, -time.Second} {
		id := fmt.Sprint("o", i)
		end := noon.Add(d)
		w.insert(w.record(id+"c", wire.ObservationCreate, noon, `{"id":%q,"trace_id":"t%d","name":"n","start_time":%q}`, id, i, noon.Format(time.RFC3339Nano)),
			w.record(id+"f", wire.ObservationComplete, noon.Add(time.Hour), `{"id":%q,"end_time":%q,"latency_ms":77}`, id, end.Format(time.RFC3339Nano)))
		var want *float64
		reason := entity.EndBeforeStart
		if d >= 0 {
			ms := float64(d.Microseconds()) / 1000
			want, reason = &ms, ""
		}
		o := w.observation(id)
		w.equal(fmt.Sprint("latency of ", d), []any{o.LatencyMS, o.LatencyReason}, []any{want, reason})
		if !o.EndTime.Equal(end) || !o.StartTime.Equal(noon) || o.StartTimeInferred {
			w.Errorf("%v: %+v", d, o)
		}
		traces := w.traces(store.Query{Filter: store.Filter{TraceID: fmt.Sprint("t", i)}})
		w.equal(fmt.Sprint("latency of a trace of ", d), []any{traces[0].LatencyMS, traces[0].LatencyReason}, []any{want, reason})
	}
	w.insert(w.record("open", wire.ObservationCreate, noon, `{"id":"open","trace_id":"t","name":"n","latency_ms":12.5}`))
	if o := w.observation("open"); o.EndTime != nil || o.LatencyMS == nil || *o.LatencyMS != 12.5 || !o.StartTimeInferred {
		w.Errorf("without an end: %+v", o)
	}
}

func testTotals(w *warehouseTest) {
	for i, c := range []struct {
		payload string
		tokens  any
		cost    any
	}{
		{`{}`, nil, nil},
		{`{"prompt_tokens":3}`, 3, nil},
		{`{"prompt_tokens":3,"completion_tokens":4,"input_cost":0.25}`, 7, 0.25},
		{`{"prompt_tokens":3,"total_tokens":9,"input_cost":0.25,"output_cost":0.5}`, 9, 0.75},
		{`{"prompt_tokens":3,"completion_tokens":4,"total_tokens":9}`, 7, nil},
		{`{"input_cost":0.1,"output_cost":0.2}`, nil, 0.3},
		{`{"total_cost":2,"output_cost":0.5}`, nil, 2},
		{`{"prompt_tokens":0}`, 0, nil},
	} {
		id := fmt.Sprint("o", i)
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(c.payload), &fields); err != nil {
			w.Fatal(err)
		}
		fields["id"], fields["trace_id"], fields["name"] = id, "t", "n"
		b, _ := json.Marshal(fields)
		w.insert(w.record(id, wire.ObservationCreate, noon, "%s", b))
		o := w.observation(id)
		w.equal(c.payload, []any{o.TotalTokens, o.TotalCost}, []any{c.tokens, c.cost})
	}
	got := w.traces(store.Query{})
	w.equal("sums", []any{got[0].TotalTokens, got[0].TotalCost, got[0].ObservationCount}, []any{26, 3.3, 8})
	if *got[0].TotalCost != 3.3 || *w.observation("o5").TotalCost != 0.3 {
		w.Errorf("money is not exact: %v, %v", *got[0].TotalCost, *w.observation("o5").TotalCost)
	}
}

func testProjects(w *warehouseTest) {
	mine := w.record("e", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"mine"}`)
	yours := w.record("e", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"yours"}`)
	yours.Project = "other"
	w.insert(mine, yours)
	for p, want := range map[string]struct {
		name string
		seq  entity.Seq
	}{project: {"mine", 1}, "other": {"yours", 2}} {
		page, err := query.ListObservations(w.Context(), w, p, store.Query{})
		if err != nil || len(page.Data) != 1 || page.Data[0].Name != want.name {
			w.Errorf("%s: %+v, %v", p, page, err)
		}
		seqs, err := store.TraceEvents(w.Context(), w, p, "t")
		if err != nil || !slices.Equal(seqs, []entity.Seq{want.seq}) {
			w.Errorf("%s: %v, %v", p, seqs, err)
		}
		if seq, err := w.eventSeq(p, "e"); seq != want.seq || err != nil {
			w.Errorf("%s: event at %d, %v", p, seq, err)
		}
	}
}

func testMembership(w *warehouseTest) {
	w.insert(
		w.record("1", wire.QualityScoreCreate, noon, `{"id":"s","observation_id":"o","name":"q","value":0.5}`), // before its observation
		w.record("2", wire.ObservationUpdate, noon.Add(time.Second), `{"id":"o","model":"m"}`),                 // names no trace
		w.record("3", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"n"}`),
		w.record("4", wire.TraceCreate, noon, `{"id":"t","name":"trace"}`),
		w.record("5", wire.QualityScoreCreate, noon, `{"id":"s2","trace_id":"t","observation_id":"elsewhere","name":"q","value":1}`),
		w.record("6", wire.QualityScoreUpdate, noon.Add(time.Second), `{"id":"s","value":0.75}`),
		w.record("7", wire.ObservationCreate, noon, `{"id":"step","trace_id":"t","name":"n"}`),
		w.record("8", wire.ObservationUpdate, noon.Add(time.Second), `{"id":"step","trace_id":"t2"}`),
		w.record("9", wire.QualityScoreCreate, noon, `{"id":"s3","trace_id":"scored only","name":"q","value":1}`),
		w.record("10", wire.EventCreate, noon, `{"name":"no entity","trace_id":"t"}`),
	)
	for id, want := range map[string][]entity.Seq{"t": {1, 2, 3, 4, 5, 6, 7}, "t2": {8}} {
		seqs, err := store.TraceEvents(w.Context(), w, project, id)
		slices.Sort(seqs)
		if err != nil || !slices.Equal(seqs, want) {
			w.Errorf("%s: %v, %v", id, seqs, err)
		}
	}
	if _, err := store.TraceEvents(w.Context(), w, project, "scored only"); !errors.Is(err, store.ErrNotFound) {
		w.Errorf("a trace that only a score names: %v", err)
	}
	got := w.traces(store.Query{})
	if len(got) != 2 {
		w.Fatalf("traces %+v", got)
	}
	i := slices.IndexFunc(got, func(t wire.TraceSummary) bool { return t.ID == "t" })
	w.equal("scores", got[i].Scores, map[string]any{"q": 0.875})
	w.equal("models", got[i].Models, []string{"m"})
}
