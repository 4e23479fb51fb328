package duckstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// The plan alone says what is read: statements that no check of the text has seen are refused when they would read anything but the views' tables below the views' filter.
func TestSQLPlan(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"select * from traces", true}, {"select count(*) from traces t join observations o on o.trace_id = t.id where o.model = 'x' or t.name = 'y'", true},
		{"select (select max(o.start_time) from observations o where o.trace_id = t.id and o.name <> t.name) from traces t", true},
		{"select * from traces where id in (select trace_id from scores) union select * from traces order by 1 limit 3", true},
		{"select * from sessions s, lateral (select * from traces t where t.session_id = s.id) x", true},
		{"select * from w.main.traces where project = 'default'", true}, // it is the same
		{"select * from observations order by latency_ms desc limit 5", true}, {"select * from observations using sample 3 rows", true},
		{"select * from w.main.traces", false}, {"select * from w.main.traces where project = 'other'", false}, {"select * from w.main.traces where project = 'default' or true", false},
		{"select * from w.main.traces where project <> 'default'", false}, {"select * from w.main.traces where id = '(project = ''default'')'", false},
		{"select * from (select 'default' as project, * exclude (project) from w.main.traces) where project = 'default'", false},
		{"select * from (select name as project from w.main.traces) where project = 'default'", false},
		{"select (select count(*) from w.main.traces x where q.project = 'default') from (select 'default' as project) q", false},
		{"select * from traces, w.main.traces", false}, {"select * from traces where id in (select id from w.main.traces)", false}, {"select count(*) from w.main.events", false},
		{"select * from w.main.meta", false}, {"select * from w.main.meta where 'default' = 'default'", false}, {"select * from duckdb_settings()", false}, {"select * from duckdb_tables()", false}, {"select * from glob('*')", false},
		{"select * from information_schema.tables", false}, {"select * from pragma_table_info('traces')", false}, {"select * from repeat('x', 3)", false},
	} {
		err := w.ask(t.Context(), "default", "plan", func(ctx context.Context, v *view) error {
			if err := v.sqlViews(ctx, map[string]bool{"traces": true, "observations": true, "scores": true, "sessions": true, "events": true}, nil); err != nil {
				return err
			}
			return v.checkPlan(ctx, c.text)
		})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

// statements makes random statements, of which most run and some try what they must not.
type statements struct{ r *rand.Rand }

func (s *statements) one(of ...string) string { return of[s.r.IntN(len(of))] }

func (s *statements) table(depth int) string {
	if depth > 0 && s.r.IntN(3) == 0 {
		return "(" + s.query(depth-1) + ")"
	}
	if s.r.IntN(30) == 0 {
		return s.one("w.main.traces", "main.observations", "meta", "temp.main.traces", "duckdb_tables()", "'x.csv'", "w.main.events", "query('from w.main.traces')", "range(3)", "pg_tables", "seq_scan('traces')", "q0")
	}
	return s.one("traces", "observations", "scores", "traces", "observations", "scores", "events", "sessions", "TRACES", `"observations"`)
}

func (s *statements) value(a string) string {
	if s.r.IntN(3) > 0 {
		return s.one(a+".id", a+".name", a+".environment", "upper("+a+".name)", "length("+a+".id)", a+".id || "+a+".name", "coalesce("+a+".name, '-')", "md5("+a+".id)", "min("+a+".name) over ()")
	}
	return s.one(a+".id", a+".name", a+".environment", a+".start_time", a+".user_id", a+".trace_id", a+".model", "count(*)", a, a+".*", "columns("+a+".*)", "1", "null", "'"+foreignText+"'", a+".total_cost",
		"upper("+a+".name)", "cast("+a+".name as integer)", "try_cast("+a+".id as integer)", "md5("+a+".name)", a+".project", a+".rowid", "to_json("+a+")", "list("+a+".name)", "string_agg("+a+".id, ',')",
		"max("+a+".name)", "min("+a+".id) over ()", "(select max(name) from traces)", "current_setting('threads')", "getenv('HOME')", "arg_max("+a+".id, "+a+".name)", "unnest(["+a+".name])", "struct_pack(x := "+a+".name)")
}

func (s *statements) condition(a string, depth int) string {
	c := s.one("true", a+".name is not null", a+".name like '"+foreignText+"%'", a+".environment = '"+foreignText+"'", a+".id > ''", "1 = 1 or true", a+".project = 'other'", "project = 'other'", "cast("+a+".name as integer) > 0",
		a+".id not in ('')", "exists (select 1 from observations x where x.name >= "+a+".name)", "length("+a+".name) > 3", a+".name ~ 'F.*'", "error("+a+".name)", a+".name between 'A' and 'z'", a+".id in (select trace_id from scores)",
		a+".start_time >= '2026-01-01'", "start_time < '2026-03-01 09:00:10.5'", "'2026-03-01 09:00' <= start_time", "1 / 0 > 1", "strptime("+a+".name, '%Y') is not null", "sqrt(length("+a+".name) - 12) > 0", "regexp_extract("+a+".name, '(') = ''")
	switch s.r.IntN(4) {
	case 0:
		return c + s.one(" and ", " or ") + s.condition(a, depth)
	case 1:
		if depth > 0 {
			return c + " or " + a + ".id in (select " + s.one("id", "name", "environment") + " from " + s.table(depth-1) + " z)"
		}
	}
	return c
}

func (s *statements) query(depth int) string {
	var b strings.Builder
	if depth > 0 && s.r.IntN(5) == 0 {
		fmt.Fprintf(&b, "with %s as %s(%s) ", s.one("q0", "traces", "observations", "meta", "duckdb_tables"), s.one("", "materialized ", "not materialized "), s.query(depth-1))
	}
	b.WriteString("select " + s.one("", "distinct ") + s.value("a"))
	for range s.r.IntN(3) {
		b.WriteString(", " + s.value("a"))
	}
	b.WriteString(" from " + s.table(depth) + " a")
	if s.r.IntN(3) == 0 {
		fmt.Fprintf(&b, " %s %s b %s", s.one("join", "left join", "full join", "semi join", "anti join", "asof join", "cross join"), s.table(depth), s.one("on a.id = b.id", "using (id)", "", "on true", "on a.name >= b.name"))
	}
	if s.r.IntN(2) == 0 {
		b.WriteString(" where " + s.condition("a", depth))
	}
	b.WriteString(s.one("", "", " group by all", " group by 1", " order by 1", " order by all", " limit 5", " qualify row_number() over () < 4", " using sample 3 rows"))
	if depth > 0 && s.r.IntN(6) == 0 {
		b.WriteString(s.one(" union ", " union all ", " union all by name ", " except ", " intersect ") + s.query(depth-1))
	}
	return b.String()
}

// Whatever a statement is, nothing of another project is in its answer or its error.
func TestSQLTenancy(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	s := &statements{chance.Of(t)}
	answered := 0
	for range chance.Rounds(1000) {
		text := s.query(2)
		if foreignSQL(t, w, text) {
			answered++
		}
	}
	for _, c := range refusedSQL {
		foreignSQL(t, w, c.text)
	}
	t.Logf("%d were answered", answered)
	if answered < chance.Rounds(1000)/20 {
		t.Errorf("only %d statements were answered: they show little", answered)
	}
}

// ofAnother is what every text of the other project is like, and no statement here.
var ofAnother = regexp.MustCompile(foreignText + `[0-9A-Za-z]`)

// foreignSQL asks and looks for what is of another project; it says whether there was an answer.
func foreignSQL(t testing.TB, w *Warehouse, text string) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a, err := w.SQL(ctx, "default", store.SQLQuestion{Text: text, Rows: 500, Bytes: 1 << 20})
	if err != nil {
		var refused *store.SQLError
		if !errors.As(err, &refused) && !errors.Is(err, store.ErrStarved) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", text, err)
		}
		if ofAnother.MatchString(err.Error()) {
			t.Errorf("%s: the error has something of another project: %v", text, err)
		}
		return false
	}
	for _, row := range a.Rows {
		for _, v := range row {
			if ofAnother.MatchString(fmt.Sprint(v)) {
				t.Fatalf("%s: the answer has something of another project: %v", text, row)
			}
		}
	}
	return true
}

// What a list names is there, so that a name that is spelled otherwise shows.
func TestSQLNames(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 100, Options{})
	known := map[string]bool{}
	err := w.ask(t.Context(), "default", "functions", func(ctx context.Context, v *view) error {
		rows, err := v.tx.QueryContext(ctx, "SELECT DISTINCT lower(function_name) FROM duckdb_functions()")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			known[name] = true
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range sqlFunctions {
		if !known[name] {
			t.Errorf("there is no function %q", name)
		}
	}
}

func FuzzSQL(f *testing.F) {
	for _, c := range refusedSQL {
		if len(c.text) < 500 {
			f.Add(c.text)
		}
	}
	s := &statements{chance.From(1, 1)}
	for range 50 {
		f.Add(strings.ReplaceAll(s.query(2), foreignText, "x"))
	}
	w := twoProjects(f, 400, Options{})
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.Contains(text, foreignText) { // what it says itself it may be told
			foreignSQL(t, w, text)
		}
	})
}
