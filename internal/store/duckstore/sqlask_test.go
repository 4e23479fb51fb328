package duckstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// foreignText is in every text of the rows of the other project.
const foreignText = "FOREIGN"

// twoProjects is a warehouse in which the rows of the project default lie among those of another.
func twoProjects(t testing.TB, events int, o Options) *Warehouse {
	t.Helper()
	ledger := &storetest.Ledger{}
	o.Records = ledger.Records
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	g := newGenerator(7)
	var seq entity.Seq
	for range events / 100 {
		own := g.next(100)
		var recs []entity.Record
		for _, r := range own {
			for _, r := range []entity.Record{r, foreignRecord(r)} {
				seq++
				r.Seq = seq
				ledger.Add(r)
				recs = append(recs, r)
			}
		}
		if err := w.Insert(t.Context(), recs, seq); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// foreignRecord is a record as another project has it.
func foreignRecord(r entity.Record) entity.Record {
	f := *r.Fields
	f.Values = append([]entity.FieldValue(nil), f.Values...)
	for i := range f.Values {
		switch v := &f.Values[i]; v.Field {
		case entity.ObservationType, entity.DataType, entity.Source, entity.Input, entity.Output:
		default:
			if v.Text != "" {
				v.Text = foreignText + v.Text
			}
		}
	}
	f.EntityID = foreignText + f.EntityID
	r.Fields, r.Project, r.Environment = &f, "other", foreignText
	r.Event.ID = foreignText + r.Event.ID
	r.Row = f.AppendRow(nil)
	return r
}

func askSQL(ctx context.Context, w *Warehouse, text string) (*store.SQLAnswer, error) {
	return w.SQL(ctx, "default", store.SQLQuestion{Text: text, Rows: 1000, Bytes: 1 << 20})
}

// answerOf is the answer as JSON.
func answerOf(t testing.TB, w *Warehouse, text string) string {
	t.Helper()
	a, err := askSQL(t.Context(), w, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	raw, err := json.Marshal(a.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestSQLAnswers(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	for _, c := range []struct{ text, want string }{
		{"select 1 as a, 'x' as b, null, true, 1.5", `[[1,"x",null,true,1.5]]`},
		{"select count(*) from traces", `[[50]]`},
		{"FROM traces SELECT count(*)", `[[50]]`},
		{"select count(*) from Observations;", `[[150]]`},
		{"select count(*) from events", `[[400]]`},
		{"select count(*), count(distinct id) from sessions", `[[50,50]]`},
		{"with a as (select * from traces), traces as (select * from a limit 3) select count(*) from traces", `[[3]]`},
		{"select x from range(5) t(x) order by x desc limit 2", `[[4],[3]]`},
		{"select x from range(5) t(x) order by x desc limit 2 offset 3", `[[1],[0]]`},
		{"select 1::hugeint << 80, 12345678901234567890::decimal(30,2), 'a'::blob, date '2026-03-01', time '09:00:00', interval 1 day, [1,2], {'a': 1}, map {'k': 2}, timestamp '2026-03-01 09:00:00.000001'",
			`[[1208925819614629174706176,12345678901234567890,"61","2026-03-01","09:00:00.000000","1 days",[1,2],{"a":1},{"k":2},"2026-03-01T09:00:00.000001Z"]]`},
		{"select 'inf'::double, 'nan'::double, -1e308", `[[null,null,-1e+308]]`},
		{"select 'infinity'::timestamp, '-infinity'::timestamptz, 'infinity'::date, [timestamp 'infinity'], timestamp '9999-12-31 23:59:59'", `[[null,null,null,[null],"9999-12-31T23:59:59Z"]]`},
		{"select name || '-' || environment || '-' || coalesce(user_id, '?') <> '', replace(name, 'support', 'help'), concat_ws(' ', 'a', 'b') from traces limit 1", `[[true,"help-chat","a b"]]`},
		{"with recursive r as (select 'a' as s union all select s || 'b' from r where length(s) < 3) select max(s) from r", `[["abb"]]`},
		{"values (1), (2) order by 1 desc", `[[2],[1]]`},
		{"select 1 union all select 2 order by 1 desc", `[[2],[1]]`},
		{"(select 1 limit 1)", `[[1]]`},
		{"select list_filter([1,2], lambda x: x > 1), list_filter(['a','b'], lambda x: x = 'b')", `[[[2],["b"]]]`},
		{"select sum(x) over (order by x) from range(3) t(x)", `[[0],[1],[3]]`},
		{"with recursive r as (select 1 as n union all select n + 1 from r where n < 3) select n from r order by n", `[[1],[2],[3]]`},
		{"select typeof(start_time), typeof(tags) from observations limit 1", `[["TIMESTAMP","VARCHAR[]"]]`},
		{"select (select count(*) from observations o where o.trace_id = t.id) as n from traces t group by all", `[[3]]`},
		{"select count(*) from traces where start_time >= '2026-01-01' and start_time < now()", fmt.Sprintf(`[[%d]]`, seenBy(time.Now()))},
		{"select count(*) from traces t join observations o on o.trace_id = t.id join scores s on s.trace_id = t.id", `[[150]]`},
	} {
		if got := answerOf(t, w, c.text); got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

// seenBy is how many of the traces of twoProjects began before now, whose clock may be anywhere.
func seenBy(now time.Time) int {
	if now.Before(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) {
		return 0
	}
	return 50
}

// Each column of the catalogue is there, and every view can be read whole.
func TestSQLViews(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	for _, v := range sqlview.Views() {
		a, err := askSQL(t.Context(), w, "select * from "+v.Name+" order by "+v.Order())
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		types := map[sqlview.Type]string{sqlview.Text: "VARCHAR", sqlview.Integer: "BIGINT", sqlview.Number: "DOUBLE", sqlview.Time: "TIMESTAMP", sqlview.List: "VARCHAR[]", sqlview.Flag: "BOOLEAN"}
		if len(a.Columns) != len(v.Columns) || len(a.Rows) == 0 {
			t.Fatalf("%s: %d columns and %d rows", v.Name, len(a.Columns), len(a.Rows))
		}
		for i, c := range v.Columns {
			if a.Columns[i].Name != c.Name || a.Columns[i].Type != types[c.Type] {
				t.Errorf("%s: column %d is %v, want %s %s", v.Name, i, a.Columns[i], c.Name, types[c.Type])
			}
			for _, row := range a.Rows {
				if row[i] == nil && (c.Always || c.Name == v.Day) {
					t.Errorf("%s: %s is NULL", v.Name, c.Name)
					break
				}
			}
		}
	}
}

// refusedSQL are statements that are not taken, and a word of why.
var refusedSQL = []struct{ text, why string }{
	{"", ""}, {"   ", ""}, {";", ""}, {"nonsense", ""}, {"select", ""}, {"select 1 +", ""}, {"select 'a", ""}, {"select (((1)", ""}, {"\x00", ""}, {"select 1 /* a", ""},
	{"select 1; select 2", "exactly one"}, {"select 1;;select 2", "exactly one"},
	{"insert into traces values (1)", "SELECT"}, {"update traces set name = 'x'", "SELECT"}, {"delete from traces", "SELECT"}, {"drop table traces", "SELECT"},
	{"create table a as select 1", "SELECT"}, {"create view a as select 1", "SELECT"}, {"attach 'x.db'", "SELECT"}, {"detach main", "SELECT"}, {"copy traces to 'x'", "SELECT"},
	{"copy (select 1) to 'x.csv'", "SELECT"}, {"install httpfs", "SELECT"}, {"load httpfs", "SELECT"}, {"set memory_limit = '1TB'", "SELECT"}, {"pragma database_list", ""}, {"checkpoint", "SELECT"},
	{"begin", "SELECT"}, {"commit", "SELECT"}, {"explain select 1", "SELECT"}, {"explain analyze select 1", "SELECT"}, {"call pragma_version()", "SELECT"}, {"vacuum", "SELECT"}, {"export database 'x'", "SELECT"},
	{"prepare a as select 1", "SELECT"}, {"execute a", "SELECT"}, {"set variable a = 1", "SELECT"}, {"use main", "SELECT"}, {"create macro f(a) as a", "SELECT"}, {"create secret (type s3)", ""},
	{"describe traces", "LIMIT 0"}, {"show tables", "LIMIT 0"}, {"summarize traces", "LIMIT 0"}, {"select * from (describe traces)", "LIMIT 0"}, {"select * from (show tables)", ""}, {"select * from (summarize traces)", ""},
	{"with a as (delete from traces returning *) select * from a", ""},
	{"select * from 'x.csv'", "no view"}, {"select * from 'x.parquet'", "no view"}, {`select * from "/etc/passwd"`, "no view"}, {"select * from nothing", "no view"}, {"select * from meta", "no view"},
	{"select * from main.traces", "schema"}, {"select * from w.main.traces", "schema"}, {"select * from temp.main.traces", "schema"}, {"select * from information_schema.tables", "schema"}, {"select * from sqlite_master", "no view"},
	{"select * from duckdb_settings", "no view"}, {"select * from pg_catalog.pg_tables", "schema"}, {"select * from traces at (version => 1)", ""},
	{"select * from read_csv('/etc/passwd')", "not taken"}, {"select * from read_text('/etc/passwd')", "not taken"}, {"select * from read_parquet('x')", "not taken"}, {"select * from glob('*')", "not taken"},
	{"select * from duckdb_settings()", "not taken"}, {"select * from duckdb_tables()", "not taken"}, {"select * from query('select 1')", "not taken"}, {"select * from query_table('traces')", "not taken"},
	{"select * from pragma_database_list()", "not taken"}, {"select * from parquet_scan('x')", "not taken"}, {"select * from json_execute_serialized_sql('x')", "not taken"}, {"select * from seq_scan('traces')", "not taken"},
	{"select * from repeat_row(1, num_rows => 5)", "not taken"}, {"select * from sniff_csv('x')", "not taken"}, {"select * from which_secret('x', 's3')", "not taken"}, {"select * from read_blob('x')", "not taken"},
	{"select current_setting('memory_limit')", "not taken"}, {"select getenv('HOME')", "not taken"}, {"select getvariable('a')", "not taken"}, {"select current_database()", "not taken"}, {"select current_query()", "not taken"},
	{"select nextval('a')", "not taken"}, {"select repeat('a', 1000000000)", "not taken"}, {"select lpad('a', 1000000000, 'b')", "not taken"}, {"select range(1000000000)", "not taken"}, {"select error('x')", "not taken"},
	{"select version()", "not taken"}, {"select txid_current()", "not taken"}, {"select read_text('x')", "not taken"}, {"select list_resize([1], 1000000000)", "not taken"}, {"select json_serialize_sql('select 1')", "not taken"},
	{"select write_log('x')", "not taken"}, {"select main.lower('a') from main.lower('b')", ""}, {"select system.main.current_setting('threads')", ""}, {"select nothing_such(1)", "not taken"},
	{"select ?", "parameters"}, {"select $1", "parameters"}, {"select $a", "parameters"},
	{"select * from traces limit 10%", "percentage"}, {"select * from traces limit (select 5)", "number"},
	{"select nothing from traces", "nothing"}, {"select project from traces", "project"}, {"select rowid from traces", "rowid"}, {"select seqs from observations", "seqs"},
	{"select 'a'::int", "a"}, {"select cast(name as integer) from traces", ""}, {"select sum(name) from traces", ""}, {"select * from traces t where t.id in (1, [2])", ""},
	{"with meta as (select 1) select * from (with x as (select 1) select * from x), duckdb_tables", "no view"},
	{"pivot traces on status using count(*)", ""}, {"select * from (pivot traces on status in ('ok') using count(*))", ""},
	{"select columns('.*') from meta", ""}, {"select * from traces positional join meta", ""}, {"select * from traces where exists (from meta)", ""}, {"select (from meta select cursor)", ""},
	{"select " + strings.Repeat("not ", 5000) + "true", ""},
	{"select replace(name, 'a', name) from traces", "stands in the statement"}, {"select replace(replace(replace(name, 'a', 'bbbbbbbbbbbb'), 'b', 'cccccccccccc'), 'c', 'dddddddddddd') from traces", "too large"},
	{"select s||s||s||s||s||s||s from (select s||s||s||s||s||s||s as s from (select s||s||s||s||s||s||s as s from (select name as s from traces)))", "too large"},
	{"select [s, s, s, s, s, s, s] from (select [s, s, s, s, s, s, s] as s from (select [s, s, s, s, s, s, s] as s from (select name as s from traces)))", "too large"},
	{"select hex(hex(hex(hex(hex(hex(hex(hex(hex(name))))))))) from traces", "too large"}, {"select list_reduce(['a'], lambda x, y: x || x)", "not taken"}, {"select list_transform([1], lambda x: [x, x])", "not taken"},
	{"with recursive r as (select 'a' as s union all select s || s from r) select s from r", "RECURSIVE"}, {"select '" + strings.Repeat("x", 5000) + "'", "at most"},
	{"select " + strings.Repeat("x", store.MostSQLText), "at most"},
}

func TestSQLRefused(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	for _, c := range refusedSQL {
		short := c.text[:min(len(c.text), 80)]
		a, err := askSQL(t.Context(), w, c.text)
		var refused *store.SQLError
		switch {
		case err == nil:
			t.Errorf("%s: answered with %d rows", short, len(a.Rows))
		case !errors.As(err, &refused):
			t.Errorf("%s: %v", short, err)
		case !strings.Contains(refused.Message, c.why) || refused.Message == "":
			t.Errorf("%s: %q does not say %q", short, refused.Message, c.why)
		case strings.Contains(refused.Message, foreignText):
			t.Errorf("%s: %q has something of another project", short, refused.Message)
		}
	}
	if got := answerOf(t, w, "select count(*) from traces"); got != "[[50]]" {
		t.Errorf("afterwards there are %s traces", got)
	}
}

func TestSQLLimits(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	for _, c := range []struct {
		text      string
		rows      int
		truncated bool
	}{
		{"select * from range(5)", 5, false}, {"select * from range(7)", 7, false}, {"select * from range(8)", 7, true}, {"select * from range(100000000)", 7, true},
		{"select * from range(100) limit 3", 3, false}, {"select * from range(100) limit 99", 7, true}, {"select * from range(100) offset 95", 5, false},
	} {
		a, err := w.SQL(t.Context(), "default", store.SQLQuestion{Text: c.text, Rows: 7, Bytes: 1 << 20})
		if err != nil || len(a.Rows) != c.rows || a.Truncated != c.truncated {
			t.Errorf("%s: %+v, %v", c.text, a, err)
		}
	}
	a, err := w.SQL(t.Context(), "default", store.SQLQuestion{Text: "select 'twenty bytes of text' from range(100)", Rows: 1000, Bytes: 200})
	if err != nil || !a.Truncated || len(a.Rows) != 10 {
		t.Errorf("%d rows, %v", len(a.Rows), err)
	}
}

// A statement that is slow ends with its time or its client; one that needs too much memory fails alone. Rows are taken meanwhile and afterwards.
func TestSQLBounds(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 2000, Options{MemoryLimit: 96 << 20})
	const slow = "select count(*) from range(1000000000) a(x), range(1000000000) b(y) where x * y % 7 = 3"
	within, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := askSQL(within, w, slow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slow statement: %v", err)
	}
	gone, leave := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, leave)
	if _, err := askSQL(gone, w, slow); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that goes: %v", err)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("both took %v", took)
	}
	for _, large := range []string{
		"select list(x) from (select hash(x) as x from range(100000000) t(x))",
		"select length(string_agg(x::varchar, ',')) from range(100000000) t(x)",
	} {
		if _, err := askSQL(t.Context(), w, large); !errors.Is(err, store.ErrStarved) {
			t.Errorf("%s: %v", large, err)
		}
	}
	recs := newGenerator(8).next(100)
	for i := range recs {
		recs[i].Seq += 1_000_000
	}
	if err := w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	if got := answerOf(t, w, "select count(*) from events"); got != "[[2100]]" {
		t.Errorf("afterwards there are %s events", got)
	}
}

// A checkpoint does not wait for a statement that takes long: that gives way, and begins again behind it.
func TestSQLGivesWay(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := askSQL(ctx, w, "select count(*) from range(1000000000) a(x), range(1000000000) b(y) where x * y % 7 = 3")
		ended <- err
	}()
	asked := func() (running, long, sequence int) {
		w.asking.mu.Lock()
		defer w.asking.mu.Unlock()
		return len(w.asking.running), len(w.asking.long), w.asking.sequence
	}
	watch.Until(t, "it is worked at", func() bool { _, long, _ := asked(); return long == 1 })
	_, _, before := asked()
	begun := time.Now()
	if err := w.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > longWait+10*time.Second {
		t.Errorf("the checkpoint took %v", took)
	}
	watch.Until(t, "it is worked at again", func() bool { _, long, sequence := asked(); return long == 1 && sequence > before })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the statement ended with %v", err)
	}
}
