package storetest

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// filterCase is a filter in our grammar and what passes it; nil: it is not asked.
type filterCase struct {
	text        string
	trace       func(*wire.Trace) bool
	observation func(*wire.Observation) bool
	score       func(*wire.Score) bool
}

// filterCases have what the grammar can say, of the columns of a History.
func filterCases(all *foldedAll) []filterCase {
	of := func(t *wire.Trace, ok func(*wire.Observation) bool) bool {
		for _, o := range all.observations {
			if o.TraceID == t.ID && ok(&o.Observation) {
				return true
			}
		}
		return false
	}
	mean := func(t *wire.Trace, name string) float64 {
		if f, ok := t.Scores[name].(float64); ok {
			return f
		}
		return math.NaN()
	}
	known := func(f *float64) float64 {
		if f == nil {
			return math.NaN()
		}
		return *f
	}
	scored := func(o *wire.Observation, name string) bool {
		for id, key := range all.about {
			if s := all.scores[id]; key == observationKey(o) && s.Name != "" && (name == "" || s.Name == name) {
				return true
			}
		}
		return false
	}
	mid := midnight.Add(10 * time.Second)
	return []filterCase{
		{"name:chat", func(t *wire.Trace) bool { return t.Name == "chat" }, func(o *wire.Observation) bool { return o.Name == "chat" }, func(s *wire.Score) bool { return s.Name == "chat" }},
		{"-name:chat,call,quality", func(t *wire.Trace) bool { return t.Name != "chat" && t.Name != "call" }, func(o *wire.Observation) bool { return o.Name != "call" }, func(s *wire.Score) bool { return s.Name != "quality" }}, // a trace may have the name of its outermost observation
		{"name:*A*", func(t *wire.Trace) bool { return strings.ContainsAny(t.Name, "aA") }, func(o *wire.Observation) bool { return strings.ContainsAny(o.Name, "aA") }, nil},
		{"name:C*,шаг,tone", func(t *wire.Trace) bool { return strings.HasPrefix(t.Name, "c") || t.Name == "шаг" }, func(o *wire.Observation) bool { return strings.HasPrefix(o.Name, "c") || o.Name == "шаг" }, func(s *wire.Score) bool { return s.Name == "tone" || s.Name == "correct" }},
		{`name:"chat*",*_*,*%*`, func(*wire.Trace) bool { return false }, func(*wire.Observation) bool { return false }, func(*wire.Score) bool { return false }},
		{"-name:*Ш*", func(*wire.Trace) bool { return true }, func(*wire.Observation) bool { return true }, nil}, // the case of ASCII only
		{"env:qa,canary", func(t *wire.Trace) bool { return t.Environment == "qa" || t.Environment == "canary" }, func(o *wire.Observation) bool { return o.Environment == "qa" || o.Environment == "canary" }, func(s *wire.Score) bool { return s.Environment == "qa" || s.Environment == "canary" }},
		{"-has:user", func(t *wire.Trace) bool { return t.UserID == "" }, nil, nil},
		{"user:* -session:77", func(t *wire.Trace) bool { return t.UserID != "" && t.SessionID != "77" }, nil, nil},
		{"tag:a,ü", func(t *wire.Trace) bool { return slices.Contains(t.Tags, "a") || slices.Contains(t.Tags, "ü") }, func(o *wire.Observation) bool { return slices.Contains(o.Tags, "a") || slices.Contains(o.Tags, "ü") }, nil},
		{"-tag:K*", func(t *wire.Trace) bool { return !slices.Contains(t.Tags, "k:v") }, func(o *wire.Observation) bool { return !slices.Contains(o.Tags, "k:v") }, nil},
		{"has:tag", func(t *wire.Trace) bool { return len(t.Tags) > 0 }, func(o *wire.Observation) bool { return len(o.Tags) > 0 }, nil},
		{"model:m-*", func(t *wire.Trace) bool { return len(t.Models) > 0 }, func(o *wire.Observation) bool { return o.Model != "" }, nil},
		{"-model:m-large", func(t *wire.Trace) bool { return !slices.Contains(t.Models, "m-large") }, func(o *wire.Observation) bool { return o.Model != "m-large" }, nil},
		{"level:error,info", func(t *wire.Trace) bool {
			return of(t, func(o *wire.Observation) bool { return o.Level == "ERROR" || o.Level == "INFO" })
		}, func(o *wire.Observation) bool { return o.Level == "ERROR" || o.Level == "INFO" }, nil},
		{"-level:error", func(t *wire.Trace) bool { return !of(t, func(o *wire.Observation) bool { return o.Level == "ERROR" }) }, func(o *wire.Observation) bool { return o.Level != "ERROR" }, nil},
		{"-type:tool", func(t *wire.Trace) bool { return !of(t, func(o *wire.Observation) bool { return o.Type == "tool" }) }, func(o *wire.Observation) bool { return o.Type != "tool" }, nil},
		{"has:provider -type:*T*", func(t *wire.Trace) bool {
			return of(t, func(o *wire.Observation) bool { return o.Provider != "" }) && !of(t, func(o *wire.Observation) bool { return strings.Contains(o.Type, "t") })
		}, func(o *wire.Observation) bool { return o.Provider != "" && !strings.Contains(o.Type, "t") }, nil},
		{"error:true", failedTrace, func(o *wire.Observation) bool { return o.Level == "ERROR" }, nil},
		{"-has:error", func(t *wire.Trace) bool { return !failedTrace(t) }, func(o *wire.Observation) bool { return o.Level != "ERROR" }, nil},
		{"latency:>1s", func(t *wire.Trace) bool { return known(t.LatencyMS) > 1000 }, func(o *wire.Observation) bool { return known(o.LatencyMS) > 1000 }, nil},
		{"-latency:1..5000s", func(t *wire.Trace) bool { f := known(t.LatencyMS); return !(f >= 1 && f <= 5e6) }, nil, nil},
		{"-has:latency", func(t *wire.Trace) bool { return t.LatencyMS == nil }, func(o *wire.Observation) bool { return o.LatencyMS == nil }, nil},
		{"cost:<$1", func(t *wire.Trace) bool { return known(t.TotalCost) < 1 }, func(o *wire.Observation) bool { return known(o.TotalCost) < 1 }, nil},
		{"cost:1..", func(t *wire.Trace) bool { return known(t.TotalCost) >= 1 }, func(o *wire.Observation) bool { return known(o.TotalCost) >= 1 }, nil},
		{"tokens:<=20 tokens:>0", func(t *wire.Trace) bool { return t.TotalTokens > 0 && t.TotalTokens <= 20 }, func(o *wire.Observation) bool {
			return o.TotalTokens != nil && *o.TotalTokens > 0 && *o.TotalTokens <= 20
		}, nil},
		{"tokens:12,15,20", func(t *wire.Trace) bool { return slices.Contains([]int64{12, 15, 20}, t.TotalTokens) }, func(o *wire.Observation) bool {
			return o.TotalTokens != nil && slices.Contains([]int64{12, 15, 20}, *o.TotalTokens)
		}, nil},
		{"observations:>5 -errors:0", func(t *wire.Trace) bool { return t.ObservationCount > 5 && t.ErrorCount != 0 }, nil, nil},
		{"prompt_tokens:>=12", nil, func(o *wire.Observation) bool { return o.PromptTokens != nil && *o.PromptTokens >= 12 }, nil},
		{"start:>=" + mid.Format(time.RFC3339), func(t *wire.Trace) bool { return !t.StartTime.Before(mid) }, func(o *wire.Observation) bool { return !o.StartTime.Before(mid) }, func(s *wire.Score) bool { return !s.Timestamp.Before(mid) }},
		{"start:2026-02-28", func(t *wire.Trace) bool { return t.StartTime.Before(midnight) }, func(o *wire.Observation) bool { return o.StartTime.Before(midnight) }, func(s *wire.Score) bool { return s.Timestamp.Before(midnight) }},
		{"-start:>2026-02-28 has:end", func(t *wire.Trace) bool { return t.StartTime.Before(midnight) && t.EndTime != nil }, func(o *wire.Observation) bool { return o.StartTime.Before(midnight) && o.EndTime != nil }, nil},
		{"score.quality:>=2 -score.quality:5", func(t *wire.Trace) bool { f := mean(t, "quality"); return f >= 2 && f != 5 }, nil, nil},
		{"-score.quality:>2", func(t *wire.Trace) bool { return !(mean(t, "quality") > 2) }, nil, nil},
		{"has:score", func(t *wire.Trace) bool { return len(t.ScoreList) > 0 }, func(o *wire.Observation) bool { return scored(o, "") }, nil},
		{"-has:score.tone", func(t *wire.Trace) bool {
			return !slices.ContainsFunc(t.ScoreList, func(s wire.Score) bool { return s.Name == "tone" })
		}, func(o *wire.Observation) bool { return !scored(o, "tone") }, nil},
		{"id:" + HistoryTrace(1) + ",obs-1", func(t *wire.Trace) bool { return t.ID == HistoryTrace(1) }, func(o *wire.Observation) bool { return o.ID == "obs-1" }, func(*wire.Score) bool { return false }},
		{"-trace:" + HistoryTrace(1), nil, func(o *wire.Observation) bool { return o.TraceID != HistoryTrace(1) }, nil},
		{"value:>2 source:human,eval", nil, nil, func(s *wire.Score) bool { return known(s.Value) > 2 && (s.Source == "HUMAN" || s.Source == "EVAL") }},
		{"string_value:*o* -has:comment", nil, nil, func(s *wire.Score) bool { return strings.Contains(s.StringValue, "o") && s.Comment == "" }},
	}
}

// said is a filter of the grammar, as the API reads it.
func (w *warehouseTest) said(subject, text string) store.Filter {
	w.Helper()
	terms, searches, err := query.ReadFilter(subject, text)
	if err != nil || searches != nil {
		w.Fatalf("%s: %d searches, %v", text, len(searches), err)
	}
	return store.Filter{Said: text, Terms: terms}
}

// Whatever the grammar of filters can say leaves what the fold says, in lists and in counts.
func testFilterGrammar(w *warehouseTest) {
	w.history(chance.Seed(w), 300)
	all := w.fold()
	for _, c := range filterCases(all) {
		if c.trace != nil {
			w.passes(c.text, "traces", w.tracesWhere, keysOf(all.traces, func(_ string, t *wire.Trace) bool { return c.trace(t) }))
		}
		if c.observation != nil {
			w.passes(c.text, "observations", w.observationsWhere, keysOf(all.observations, func(_ string, o *entity.ObservationRow) bool { return c.observation(&o.Observation) }))
		}
		if c.score != nil {
			w.passes(c.text, "scores", w.scoresWhere, keysOf(all.scores, func(_ string, s *wire.Score) bool { return c.score(s) }))
		}
	}
	w.filteredTotals(all)
	w.foundFilters(all)
}

// filteredTotals: users and sessions are those of the traces that pass; has_error, which is asked of the groups, is not tried here.
func (w *warehouseTest) filteredTotals(all *foldedAll) {
	w.Helper()
	for _, c := range filterCases(all) {
		terms, searches, err := query.ReadFilter("users", c.text)
		if c.trace == nil || err != nil || searches != nil || strings.Contains(c.text, "error") {
			continue
		}
		users, sessions := map[string]bool{}, map[string]bool{}
		for _, t := range all.traces {
			if c.trace(t) {
				users[t.UserID], sessions[t.SessionID] = true, true
			}
		}
		q := store.Query{Filter: store.Filter{Said: c.text, Terms: terms}, Order: store.Order{Limit: 1000}}
		if page, err := query.ListUsers(w.Context(), w, w.project, q); err != nil {
			w.Errorf("users of %s: %v", c.text, err)
		} else {
			w.sameIDs("users of "+c.text, idsOf(page.Data, func(u wire.UserSummary) string { return u.ID }), users)
		}
		if terms, _, err = query.ReadFilter("sessions", c.text); err != nil {
			continue
		}
		q.Filter.Terms = terms
		if page, err := query.ListSessions(w.Context(), w, w.project, q); err != nil {
			w.Errorf("sessions of %s: %v", c.text, err)
		} else {
			w.sameIDs("sessions of "+c.text, idsOf(page.Data, func(s wire.SessionSummary) string { return s.ID }), sessions)
		}
	}
}

func idsOf[T any](rows []T, id func(T) string) (ids []string) {
	for _, r := range rows {
		ids = append(ids, id(r))
	}
	return ids
}

// sameIDs compares ids with those that should be there; the empty one is none.
func (w *warehouseTest) sameIDs(what string, got []string, want map[string]bool) {
	w.Helper()
	delete(want, "")
	slices.Sort(got)
	w.equal(what, append([]string{}, got...), append([]string{}, slices.Sorted(maps.Keys(want))...))
}

func keysOf[T any](all map[string]T, passes func(string, T) bool) []string {
	keys := []string{}
	for key, value := range all {
		if passes(key, value) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// passes compares a list and a count with what should be in it.
func (w *warehouseTest) passes(text, subject string, list func(store.Filter, store.Order) []string, want []string) {
	w.Helper()
	f := w.said(subject, text)
	by := "" // half of them by a number
	if len(text)%2 == 0 {
		by = map[string]string{"traces": "latency_ms", "observations": "latency_ms", "scores": "value"}[subject]
	}
	got := append([]string{}, list(f, store.Order{By: by, Limit: 40})...)
	slices.Sort(got)
	w.equal(subject+" of "+text+" by "+by, got, want)
	w.equal("count of "+subject+" of "+text, w.stats(store.StatsQuery{Of: subject, Filter: f}), []wire.StatRow{{"count": len(want)}})
}

func (w *warehouseTest) scoresWhere(f store.Filter, o store.Order) []string {
	w.Helper()
	return pages(w, func() {}, func(cursor string) (ids []string, next *string, err error) {
		o.Cursor = cursor
		page, err := query.ListScores(w.Context(), w, w.project, store.Query{Filter: f, Order: o})
		if err != nil {
			return nil, nil, err
		}
		for i := range page.Data {
			ids = append(ids, page.Data[i].ID)
		}
		return ids, page.NextCursor, nil
	})
}

// foundFilters: what searches found restricts as it should, several together, of which one may exclude, each given as events or asked for.
func (w *warehouseTest) foundFilters(all *foldedAll) {
	w.Helper()
	rng := chance.From(chance.Seed(w), 12)
	for i := range 4 {
		one, other := w.choose(rng, all, 0.3), w.choose(rng, all, []float64{0, 0.1, 0.5, 0.5}[i])
		found := func(s *searched, asked, not bool) store.Found {
			if asked {
				return store.Found{Match: s.match, Not: not}
			}
			return store.Found{Seqs: s.seqs, Not: not}
		}
		not := i%2 == 0
		for way := range 4 {
			f := store.Filter{Said: "found", Found: []store.Found{found(one, way&1 > 0, false), found(other, way&2 > 0, not)}}
			for _, list := range []struct {
				what       string
				ids        func(store.Filter, store.Order) []string
				all        []string
				one, other map[string]bool
			}{
				{"traces", w.tracesWhere, keysOf(all.traces, func(string, *wire.Trace) bool { return true }), one.traces, other.traces},
				{"observations", w.observationsWhere, keysOf(all.observations, func(string, *entity.ObservationRow) bool { return true }), one.observations, other.observations},
			} {
				got := append([]string{}, list.ids(f, store.Order{Limit: 30})...)
				slices.Sort(got)
				want := slices.DeleteFunc(list.all, func(id string) bool { return !list.one[id] || list.other[id] == not })
				w.equal(list.what+" that were found", got, want)
				if way == 0 {
					w.equal(list.what+" that were found, counted", w.stats(store.StatsQuery{Of: list.what, Filter: f})[0]["count"], len(want))
				}
			}
		}
	}
}
