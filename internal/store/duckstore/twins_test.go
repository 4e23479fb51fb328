package duckstore

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// spans makes records of spans that report calls.
type spans struct {
	*testing.T
	storetest.Ledger // what was inserted
	seq              entity.Seq
}

const (
	framework = "openinference.instrumentation.langchain"
	library   = "openinference.instrumentation.openai"
	ownSDK    = "com.anthropic.sdk.python"
)

var spanTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// call is a span of a call from ms to ms behind spanTime; said are keys and values of attributes.
func (s *spans) call(trace, id int, scope string, from, to int, said ...string) entity.Record {
	s.Helper()
	s.seq++
	at := func(ms int) string { return fmt.Sprint(spanTime.Add(time.Duration(ms) * time.Millisecond).UnixNano()) }
	attributes := []any{}
	for i := 0; i < len(said); i += 2 {
		attributes = append(attributes, map[string]any{"key": said[i], "value": map[string]any{"stringValue": said[i+1]}})
	}
	attributes = append(attributes, map[string]any{"key": "gen_ai.operation.name", "value": map[string]any{"stringValue": "chat"}})
	raw, err := json.Marshal(map[string]any{"otlp": map[string]any{"door": "otlp", "scope": map[string]any{"name": scope}, "span": map[string]any{
		"traceId": fmt.Sprintf("%032x", trace), "spanId": fmt.Sprintf("%016x", id), "name": "chat", "kind": 1,
		"startTimeUnixNano": at(from), "endTimeUnixNano": at(to), "attributes": attributes,
	}}})
	if err != nil {
		s.Fatal(err)
	}
	rec := entity.Record{Seq: s.seq, Project: "default", Environment: "default", ReceivedAt: spanTime,
		Event: wire.Event{ID: fmt.Sprint("otlp_", s.seq), Type: wire.ObservationCreate, Timestamp: wire.At(spanTime.Add(time.Duration(to) * time.Millisecond)), Payload: raw}}
	fields, failure := extract.Extract(&rec.Event)
	if failure != nil {
		s.Fatal(failure)
	}
	rec.Fields, rec.Row = fields, fields.AppendRow(nil)
	return rec
}

func prompt(text string) []string {
	return []string{"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"` + text + `"}]}]`}
}

func (s *spans) insertAll(w *Warehouse, recs ...entity.Record) {
	s.Helper()
	s.Add(recs...)
	if err := insertNow(s.Context(), w, recs); err != nil {
		s.Fatal(err)
	}
}

// looks counts the looks for twins in the table.
func looks(w *Warehouse) *int {
	n := 0
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write.fault = func(s string) error {
		if strings.Contains(s, "AS wanted") {
			n++
		}
		return nil
	}
	return &n
}

func list(t *testing.T, w *Warehouse, f store.Filter) map[string]wire.Observation {
	t.Helper()
	page, err := query.ListObservations(t.Context(), w, "default", store.Query{Filter: f, Order: store.Order{Limit: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]wire.Observation{}
	for _, o := range page.Data {
		all[strings.TrimLeft(o.ID, "0")] = o
	}
	return all
}

// Two reports in two traces, in two transactions and before and after a restart, are one call whichever comes first;
// without the kept one, the other stands for itself.
func TestTwinsInTwoTraces(t *testing.T) {
	t.Parallel()
	yes := true
	for _, first := range []int{0, 1} {
		s := &spans{T: t}
		path := filepath.Join(t.TempDir(), "w.db")
		recs := []entity.Record{
			s.call(1, 1, library, 0, 100, append(prompt("hello"), "gen_ai.response.id", "r1", "gen_ai.usage.input_tokens", "20", "gen_ai.usage.output_tokens", "7")...),
			s.call(2, 2, ownSDK, 10, 90, "gen_ai.response.id", "r1", "gen_ai.usage.input_tokens", "110", "gen_ai.usage.output_tokens", "50", "gen_ai.response.model", "m-1", "session.id", "s"),
		}
		recs[0], recs[1] = recs[first], recs[1-first]
		recs[0].Seq, recs[1].Seq = 1, 2
		w := openAt(t, path, s)
		s.insertAll(w, recs[0])
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w = openAt(t, path, s)
		s.insertAll(w, recs[1])
		both, one := list(t, w, store.Filter{Duplicates: &yes}), list(t, w, store.Filter{})
		kept := one["1"]
		if len(both) != 2 || len(one) != 1 || both["2"].DuplicateOf != kept.ID || both["2"].DuplicateOfTrace != kept.TraceID || both["2"].Counted {
			t.Fatalf("%d reports, %d calls, the twin is %+v", len(both), len(one), both["2"])
		}
		if *kept.PromptTokens != 110 || *kept.TotalTokens != 160 || kept.Model != "m-1" || kept.DuplicateOf != "" {
			t.Errorf("the kept one is %+v", kept)
		}
		traces, err := query.ListTraces(t.Context(), w, "default", store.Query{Order: store.Order{By: "total_tokens"}})
		if err != nil || traces.Data[0].TotalTokens != 160 || traces.Data[0].SessionID != "s" || traces.Data[1].TotalTokens != 0 || traces.Data[1].ObservationCount != 0 {
			t.Errorf("traces %+v, %v", traces.Data, err)
		}
		ofKept := recs[0].Seq
		if first == 1 {
			ofKept = recs[1].Seq
		}
		s.Erase("default", ofKept)
		if err := w.Erase(t.Context(), "default", []entity.Seq{ofKept}); err != nil {
			t.Fatal(err)
		}
		if one = list(t, w, store.Filter{}); len(one) != 1 || one["2"].DuplicateOf != "" || !one["2"].Counted || *one["2"].TotalTokens != 160 {
			t.Errorf("without the kept one: %+v", one)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sound(t, path, s)
	}
}

// A framework's report and that of a library below it are one call by what went in, or by their counts, when it is
// sure which belong together; else all are kept.
func TestTwinsWithoutAnID(t *testing.T) {
	t.Parallel()
	counts := func(in, out string) []string {
		return []string{"gen_ai.usage.input_tokens", in, "gen_ai.usage.output_tokens", out}
	}
	s := &spans{T: t}
	for name, c := range map[string]struct {
		recs []entity.Record
		kept int
	}{
		"the same prompt":                {[]entity.Record{s.call(1, 1, framework, 0, 100, prompt("a")...), s.call(2, 2, library, 10, 90, prompt("a")...)}, 1},
		"another prompt":                 {[]entity.Record{s.call(1, 1, framework, 0, 100, prompt("a")...), s.call(2, 2, library, 10, 90, prompt("b")...)}, 2},
		"not within":                     {[]entity.Record{s.call(1, 1, framework, 0, 100, prompt("a")...), s.call(2, 2, library, 10, 101, prompt("a")...)}, 2},
		"other counts":                   {[]entity.Record{s.call(1, 1, framework, 0, 100, append(prompt("a"), counts("1", "2")...)...), s.call(2, 2, library, 10, 90, append(prompt("a"), counts("1", "3")...)...)}, 2},
		"one level":                      {[]entity.Record{s.call(1, 1, "openlit.instrumentation.openai", 0, 100, prompt("a")...), s.call(2, 2, library, 10, 90, prompt("a")...)}, 2},
		"one scope":                      {[]entity.Record{s.call(1, 1, library, 0, 100, prompt("a")...), s.call(2, 2, library, 10, 90, prompt("a")...)}, 2},
		"counts alone":                   {[]entity.Record{s.call(1, 1, framework, 0, 100, counts("1", "2")...), s.call(2, 2, library, 10, 90, append(prompt("a"), counts("1", "2")...)...)}, 1},
		"nothing to go by":               {[]entity.Record{s.call(1, 1, framework, 0, 100), s.call(2, 2, library, 10, 90)}, 2},
		"two below one":                  {[]entity.Record{s.call(1, 1, framework, 0, 100, prompt("a")...), s.call(2, 2, library, 10, 40, prompt("a")...), s.call(2, 3, library, 50, 90, prompt("a")...)}, 3},
		"two above one":                  {[]entity.Record{s.call(1, 1, framework, 0, 100, prompt("a")...), s.call(3, 3, framework, 5, 95, prompt("a")...), s.call(2, 2, library, 10, 40, prompt("a")...)}, 3},
		"one after the other":            {[]entity.Record{s.call(1, 1, framework, 0, 40, prompt("a")...), s.call(2, 2, library, 10, 30, prompt("a")...), s.call(1, 3, framework, 50, 100, prompt("a")...), s.call(2, 4, library, 60, 90, prompt("a")...)}, 2},
		"an id on one of three, a chain": {[]entity.Record{s.call(1, 1, framework, 0, 100, prompt("a")...), s.call(2, 2, library, 10, 90, append(prompt("a"), "gen_ai.response.id", "r")...), s.call(3, 3, ownSDK, 20, 80, "gen_ai.response.id", "r")}, 1},
		"other ids":                      {[]entity.Record{s.call(1, 1, framework, 0, 100, append(prompt("a"), "gen_ai.response.id", "q")...), s.call(2, 2, library, 10, 90, append(prompt("a"), "gen_ai.response.id", "r")...)}, 2},
		"the same id at another time":    {[]entity.Record{s.call(1, 1, framework, 0, 100, "gen_ai.response.id", "r"), s.call(2, 2, library, 101, 190, "gen_ai.response.id", "r")}, 2},
	} {
		for i := range c.recs {
			c.recs[i].Seq = entity.Seq(i + 1)
		}
		rng := chance.Of(t)
		rng.Shuffle(len(c.recs), func(i, j int) { c.recs[i], c.recs[j] = c.recs[j], c.recs[i] })
		w := openAt(t, filepath.Join(t.TempDir(), "w.db"), s)
		for _, rec := range c.recs {
			s.insertAll(w, rec)
		}
		if got := list(t, w, store.Filter{}); len(got) != c.kept {
			t.Errorf("%s: %d calls, want %d", name, len(got), c.kept)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Calls without twins are simple and cost no look into the table, however often their prompts and counts return; those that have
// some cost few for a transaction, however long they go on.
func TestLooksForTwins(t *testing.T) {
	t.Parallel()
	n := 10_000
	if chance.Rounds(1) > 1 {
		n = 100_000
	}
	s := &spans{T: t}
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), s)
	defer func() { _ = w.Close() }()
	found := looks(w)
	id := 0
	fill := func(scopes ...string) {
		t.Helper()
		const size = 1000
		for range n / size {
			recs := make([]entity.Record, 0, size)
			for range size / len(scopes) {
				id++
				for i, scope := range scopes {
					said := append(prompt("the same"), "gen_ai.usage.input_tokens", "1", "gen_ai.usage.output_tokens", "2")
					if len(scopes) == 1 && id%2 == 0 {
						said = append(said, "gen_ai.response.id", fmt.Sprint("r", id))
					}
					recs = append(recs, s.call(id, 10*id+i, scope, 200*id-i, 200*id+100+i, said...))
				}
			}
			s.insertAll(w, recs...)
		}
	}
	fill(library)
	if *found != 0 {
		t.Errorf("%d looks for twins of %d calls that have none", *found, n)
	}
	if slices.ContainsFunc(w.folding.index.entities, func(e hotEntity) bool { return e.long }) {
		t.Error("calls that have no twins go the long way")
	}
	fill(library, framework)
	// By the prompt, of each transaction: those around it, and once more those around what was found.
	if *found == 0 || *found > 3*n/1000 {
		t.Errorf("%d looks for twins in %d transactions", *found, n/1000)
	}
	page, err := query.ListStats(t.Context(), w, "default", store.StatsQuery{Metrics: []string{"count", "tokens"}})
	if want := int64(n + n/2); err != nil || page.Data[0]["count"] != want || page.Data[0]["tokens"] != 3*want {
		t.Errorf("%v, %v; want %d calls", page.Data, err, want)
	}
}

// What calls cost is in the rows by the same rule as in a fold of the log, whatever comes later: twins, updates, and prices that
// hold for what came after them.
func TestPrices(t *testing.T) {
	t.Parallel()
	recs := storetest.CallHistory(chance.Seed(t), 400)
	extract.Fill(recs)
	for i := range recs {
		recs[i].Row = recs[i].Fields.AppendRow(nil)
	}
	s := &spans{T: t}
	path, prices := filepath.Join(t.TempDir(), "w.db"), storetest.Prices{Raised: 200}
	w, err := Open(path, Options{Records: s.Records, Prices: prices})
	if err != nil {
		t.Fatal(err)
	}
	for rest := recs; len(rest) > 0; rest = rest[min(90, len(rest)):] {
		s.insertAll(w, rest[:min(90, len(rest))]...)
	}
	rows, err := w.Stats(t.Context(), storetest.HistoryProject, &store.StatsPlan{Of: "observations", Groups: []string{"cost_source"}, Metrics: []store.Metric{{Of: "count"}}, Limit: 10})
	if err != nil || len(rows) != 3 {
		t.Errorf("%v, %v: want some of each", rows, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for p, sound := range map[storetest.Prices]bool{prices: true, {}: false} {
		_, wrong, _ := foldedWith(t, path, s, 100, Options{Prices: p})
		if (len(wrong) == 0) != sound {
			t.Errorf("by %+v: %d rows are wrong, such as %+v", p, len(wrong), wrong[:min(3, len(wrong))])
		}
	}
}

// A check of the file knows twins: it finds nothing in a sound one, and what was changed in another.
func TestCheckOfTwins(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	recs := storetest.CallHistory(seed, 300)
	extract.Fill(recs)
	for i := range recs {
		recs[i].Row = recs[i].Fields.AppendRow(nil)
	}
	s := &spans{T: t}
	path := filepath.Join(t.TempDir(), "w.db")
	w := openAt(t, path, s)
	for rest := recs; len(rest) > 0; rest = rest[min(70, len(rest)):] {
		s.insertAll(w, rest[:min(70, len(rest))]...)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, path, s)
	for _, harm := range []string{
		"UPDATE observations SET duplicate_of = NULL, duplicate_of_trace = NULL WHERE rowid = (SELECT min(rowid) FROM observations WHERE duplicate_of IS NOT NULL)",
		"UPDATE observations SET duplicate_of = 'x' WHERE rowid = (SELECT min(rowid) FROM observations WHERE duplicate_of IS NULL)",
		"UPDATE observations SET twin = NULL WHERE rowid = (SELECT min(rowid) FROM observations WHERE duplicate_of IS NULL AND twin IS NOT NULL)",
	} {
		w = openAt(t, path, s)
		if err := w.write.exec(harm); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, wrong, _ := folded(t, path, s, 100); len(wrong) == 0 {
			t.Errorf("after %s: nothing is wrong", harm)
		}
	}
}

// own is a call as Brokle's own SDK reports it.
func (s *spans) own(trace, id int, from, to int, response string) entity.Record {
	s.Helper()
	s.seq++
	at := func(ms int) string {
		return spanTime.Add(time.Duration(ms) * time.Millisecond).Format(time.RFC3339Nano)
	}
	rec := entity.Record{Seq: s.seq, Project: "default", Environment: "default", ReceivedAt: spanTime,
		Event: wire.Event{ID: fmt.Sprint("own_", s.seq), Type: wire.ObservationCreate, Timestamp: wire.At(spanTime), Payload: fmt.Appendf(nil,
			`{"id":"%016x","trace_id":"%032x","type":"generation","name":"chat","start_time":%q,"end_time":%q,"response_id":%q,"prompt_tokens":20,"completion_tokens":7}`,
			id, trace, at(from), at(to), response)}}
	fields, failure := extract.Extract(&rec.Event)
	if failure != nil {
		s.Fatal(failure)
	}
	rec.Fields, rec.Row = fields, fields.AppendRow(nil)
	return rec
}

// What our own SDK reports and a span of the provider's SDK are one call, in one transaction and in two, whichever comes first; another id of the
// answer is another call.
func TestOwnReportsHaveTwins(t *testing.T) {
	t.Parallel()
	for _, apart := range []bool{false, true} {
		for _, first := range []int{0, 1} {
			s := &spans{T: t}
			recs := []entity.Record{
				s.own(1, 1, 10, 90, "r1"),
				s.call(2, 2, "com.anthropic.sdk.go", 0, 100, "gen_ai.response.id", "r1", "gen_ai.usage.input_tokens", "20", "gen_ai.usage.output_tokens", "7", "gen_ai.response.model", "m-1"),
				s.call(3, 3, "com.anthropic.sdk.go", 0, 100, "gen_ai.response.id", "r2", "gen_ai.usage.input_tokens", "20", "gen_ai.usage.output_tokens", "7"),
			}
			recs[0], recs[1] = recs[first], recs[1-first]
			path := filepath.Join(t.TempDir(), "w.db")
			w := openAt(t, path, s)
			if apart {
				s.insertAll(w, recs[0])
				s.insertAll(w, recs[1:]...)
			} else {
				s.insertAll(w, recs...)
			}
			yes := true
			all, calls := list(t, w, store.Filter{Duplicates: &yes}), list(t, w, store.Filter{})
			if len(all) != 3 || len(calls) != 2 || all["2"].DuplicateOf != all["1"].ID || calls["1"].Model != "m-1" || calls["3"].DuplicateOf != "" {
				t.Errorf("apart %t, %d first: %d reports of %d calls: %+v", apart, first, len(all), len(calls), all)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			sound(t, path, s)
		}
	}
}
