package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// add counts a trace in.
func add(t *wire.Totals, trace *wire.Trace) {
	seen(t, trace.StartTime, trace.EndTime)
	t.TraceCount++
	t.ObservationCount += trace.ObservationCount
	t.ErrorCount += trace.ErrorCount
	t.TotalTokens += trace.TotalTokens
	t.UnpricedCount += trace.UnpricedCount
	addCost(t, trace.TotalCost)
}

// addCost adds a cost that may not be known.
func addCost(t *wire.Totals, cost *float64) {
	if cost == nil {
		return
	}
	if t.TotalCost == nil {
		t.TotalCost = new(float64)
	}
	*t.TotalCost += *cost
}

// isUnpriced says that an observation is a call whose cost is not known.
func isUnpriced(o *entity.ObservationRow) bool {
	return slices.Contains([]string{"generation", "llm", "embedding"}, o.Type) && o.TotalCost == nil && o.DuplicateOf == "" && (o.Status != "error" || o.TotalTokens != nil)
}

// seen moves FirstSeen and LastSeen.
func seen(t *wire.Totals, start time.Time, end *time.Time) {
	if t.FirstSeen.IsZero() || start.Before(t.FirstSeen) {
		t.FirstSeen = start
	}
	for _, at := range []*time.Time{&start, end} {
		if at != nil && at.After(t.LastSeen) {
			t.LastSeen = *at
		}
	}
}

// lists are the sessions, users and environments of what was folded, of the
// traces that count.
func (all *foldedAll) lists(count func(*wire.Trace) bool) (map[string]*wire.SessionSummary, map[string]*wire.UserSummary) {
	sessions, users := map[string]*wire.SessionSummary{}, map[string]*wire.UserSummary{}
	sessionsOf := map[string]map[string]bool{}
	for _, t := range all.traces {
		if !count(t) {
			continue
		}
		if t.SessionID != "" {
			s := sessions[t.SessionID]
			if s == nil {
				s = &wire.SessionSummary{ID: t.SessionID, UserIDs: []string{}}
				sessions[t.SessionID] = s
			}
			if t.UserID != "" {
				s.UserIDs = append(s.UserIDs, t.UserID)
			}
			s.Environments = append(s.Environments, t.Environment)
			slices.Sort(s.UserIDs)
			slices.Sort(s.Environments)
			s.UserIDs, s.Environments = slices.Compact(s.UserIDs), slices.Compact(s.Environments)
			add(&s.Totals, t)
		}
		if t.UserID != "" {
			if users[t.UserID] == nil {
				users[t.UserID], sessionsOf[t.UserID] = &wire.UserSummary{ID: t.UserID}, map[string]bool{}
			}
			if t.SessionID != "" {
				sessionsOf[t.UserID][t.SessionID] = true
			}
			users[t.UserID].SessionCount = int64(len(sessionsOf[t.UserID]))
			add(&users[t.UserID].Totals, t)
		}
	}
	return sessions, users
}

func (all *foldedAll) environments() map[string]*wire.EnvironmentSummary {
	environments := map[string]*wire.EnvironmentSummary{}
	of := func(name string) *wire.Totals {
		if environments[name] == nil {
			environments[name] = &wire.EnvironmentSummary{Name: name}
		}
		return &environments[name].Totals
	}
	for _, t := range all.traces {
		e := of(t.Environment)
		e.TraceCount++
		seen(e, t.StartTime, t.EndTime)
	}
	for _, o := range all.observations {
		e := of(o.Environment)
		e.ObservationCount++
		if o.Level == "ERROR" {
			e.ErrorCount++
		}
		if o.TotalTokens != nil && o.CountsTokens {
			e.TotalTokens += *o.TotalTokens
		}
		if o.CountsCost {
			addCost(e, o.TotalCost)
		}
		if isUnpriced(o) {
			e.UnpricedCount++
		}
		seen(e, o.StartTime, o.EndTime)
	}
	for _, s := range all.scores {
		seen(of(s.Environment), s.Timestamp, nil)
	}
	return environments
}

func (w *warehouseTest) sessions(q store.Query) []wire.SessionSummary {
	w.Helper()
	page, err := query.ListSessions(w.Context(), w, w.project, q)
	if err != nil {
		w.Fatal(err)
	}
	return page.Data
}

func (w *warehouseTest) users(q store.Query) []wire.UserSummary {
	w.Helper()
	page, err := query.ListUsers(w.Context(), w, w.project, q)
	if err != nil {
		w.Fatal(err)
	}
	return page.Data
}

func (w *warehouseTest) environments(q store.Query) []wire.EnvironmentSummary {
	w.Helper()
	page, err := query.ListEnvironments(w.Context(), w, w.project, q)
	if err != nil {
		w.Fatal(err)
	}
	return page.Data
}

// testLists compares sessions, users and environments with the Go fold.
func testLists(w *warehouseTest) {
	w.history(chance.Seed(w), 400)
	all := w.fold()
	yes, no := true, false
	half := midnight.Add(20 * time.Second)
	everything := func(*wire.Trace) bool { return true }
	for _, c := range []struct {
		name   string
		filter store.Filter
		count  func(*wire.Trace) bool
		failed *bool
	}{
		{"no filter", store.Filter{}, everything, nil},
		{"user", store.Filter{UserID: "u-1"}, func(t *wire.Trace) bool { return t.UserID == "u-1" }, nil},
		{"session", store.Filter{SessionID: "77"}, func(t *wire.Trace) bool { return t.SessionID == "77" }, nil},
		{"environment", store.Filter{Environment: "qa"}, func(t *wire.Trace) bool { return t.Environment == "qa" }, nil},
		{"name", store.Filter{Name: "chat"}, func(t *wire.Trace) bool { return t.Name == "chat" }, nil},
		{"tag", store.Filter{Tag: "ü"}, func(t *wire.Trace) bool { return slices.Contains(t.Tags, "ü") }, nil},
		{"model", store.Filter{Model: "m-large"}, func(t *wire.Trace) bool { return slices.Contains(t.Models, "m-large") }, nil},
		{"from", store.Filter{From: half}, func(t *wire.Trace) bool { return !t.StartTime.Before(half) }, nil},
		{"to", store.Filter{To: half}, func(t *wire.Trace) bool { return t.StartTime.Before(half) }, nil},
		{"failed", store.Filter{HasError: &yes}, everything, &yes},
		{"without error", store.Filter{HasError: &no}, everything, &no},
	} {
		sessions, users := all.lists(c.count)
		if c.failed != nil {
			failedSessions, failedUsers := all.lists(failedTrace)
			maps.DeleteFunc(sessions, func(id string, _ *wire.SessionSummary) bool { return (failedSessions[id] != nil) != *c.failed })
			maps.DeleteFunc(users, func(id string, _ *wire.UserSummary) bool { return (failedUsers[id] != nil) != *c.failed })
		}
		gotSessions := map[string]wire.SessionSummary{}
		for _, s := range w.sessions(store.Query{Filter: c.filter}) {
			gotSessions[s.ID] = s
		}
		w.equal("sessions by "+c.name, gotSessions, sessions)
		gotUsers := map[string]wire.UserSummary{}
		for _, u := range w.users(store.Query{Filter: c.filter}) {
			gotUsers[u.ID] = u
		}
		w.equal("users by "+c.name, gotUsers, users)
	}
	got := map[string]wire.EnvironmentSummary{}
	for _, e := range w.environments(store.Query{}) {
		got[e.Name] = e
	}
	w.equal("environments", got, all.environments())
	sessions, _ := all.lists(everything)
	if len(sessions) < 2 || len(got) < 3 {
		w.Fatalf("a poor history: %d sessions, %d environments", len(sessions), len(got))
	}
	// The same numbers as statistics give.
	for _, row := range w.stats(store.StatsQuery{GroupBy: []string{"environment"}, Metrics: []string{"count", "tokens"}}) {
		e := got[fmt.Sprint(row["environment"])]
		if n, _ := row["count"].(int64); n != e.ObservationCount {
			w.Errorf("%v, but %+v", row, e)
		}
	}
	// Times restrict what counts in an environment.
	if got := w.environments(store.Query{Filter: store.Filter{From: midnight.AddDate(1, 0, 0)}}); got == nil || len(got) != 0 {
		w.Errorf("environments of a year later: %v", got)
	}
}

// testListsOfProjects looks for what another project's session would leak.
func testListsOfProjects(w *warehouseTest) {
	mine := w.record("e1", wire.TraceCreate, noon, `{"id":"t","name":"mine","user_id":"me","session_id":"s","environment":"here"}`)
	yours := w.record("e1", wire.TraceCreate, noon, `{"id":"t","name":"yours","user_id":"you","session_id":"s","environment":"there"}`)
	yours.Project = "other"
	w.insert(mine, yours)
	for p, want := range map[string]struct {
		user, environment string
		seq               entity.Seq
	}{project: {"me", "here", 1}, "other": {"you", "there", 2}, "none": {}} {
		w.project = p
		count := 1
		if want.seq == 0 {
			count = 0
		}
		sessions, users, environments := w.sessions(store.Query{}), w.users(store.Query{}), w.environments(store.Query{})
		if len(sessions) != count || len(users) != count || len(environments) != count {
			w.Fatalf("%s: %v %v %v", p, sessions, users, environments)
		}
		seqs, err := store.EntityEvents(w.Context(), w, p, entity.TraceKind, []string{"t", "unknown"})
		if err != nil {
			w.Fatal(err)
		}
		if count == 0 {
			if len(seqs) != 0 {
				w.Errorf("%s: events %v", p, seqs)
			}
			continue
		}
		if sessions[0].TraceCount != 1 || !slices.Equal(sessions[0].UserIDs, []string{want.user}) || users[0].ID != want.user ||
			environments[0].Name != want.environment || !slices.Equal(seqs["t"], []entity.Seq{want.seq}) || len(seqs) != 1 {
			w.Errorf("%s: %v %v %v %v", p, sessions, users, environments, seqs)
		}
	}
}

// testListsRefused asks the lists for what they do not have.
func testListsRefused(w *warehouseTest) {
	w.insert(w.record("e1", wire.TraceCreate, noon, `{"name":"n","session_id":"s1","user_id":"u1"}`),
		w.record("e2", wire.TraceCreate, noon, `{"name":"n","session_id":"s2","user_id":"u2"}`))
	page, err := query.ListSessions(w.Context(), w, project, store.Query{Order: store.Order{Limit: 1}})
	if err != nil || page.NextCursor == nil {
		w.Fatalf("%+v, %v", page, err)
	}
	for _, o := range []store.Order{{By: "id"}, {By: "start_time"}, {By: "session_count"}, {Limit: 1001}, {Cursor: "x"}, {Asc: true, Cursor: *page.NextCursor}} {
		_, err := query.ListSessions(w.Context(), w, project, store.Query{Order: o})
		var refused *store.QueryError
		if !errors.As(err, &refused) || !strings.Contains("sort limit cursor", refused.Param) {
			w.Errorf("%+v: %v", o, err)
		}
	}
	var refused *store.QueryError
	if _, err := query.ListUsers(w.Context(), w, project, store.Query{Order: store.Order{Cursor: *page.NextCursor}}); !errors.As(err, &refused) || refused.Param != "cursor" {
		w.Errorf("a session's cursor for users: %v", err)
	}
	if _, err := query.ListEnvironments(w.Context(), w, project, store.Query{Order: store.Order{By: "name"}}); !errors.As(err, &refused) || refused.Param != "sort" {
		w.Errorf("environments by name: %v", err)
	}
}
