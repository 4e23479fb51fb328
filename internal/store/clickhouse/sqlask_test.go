package clickhouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// withForeign has beside each record one of another project, whose texts begin with FOREIGN.
func withForeign(t testing.TB, recs []entity.Record) []entity.Record {
	t.Helper()
	var all []entity.Record
	for _, r := range recs {
		f := r
		f.Project, f.Environment = "other", "FOREIGN1"
		f.Event.ID = "FOREIGN" + r.Event.ID
		f.Event.Payload = []byte(regexp.MustCompile(`"(name|id|user_id|session_id|trace_id|model)":"`).ReplaceAllString(string(r.Event.Payload), `"$1":"FOREIGN`))
		for _, r := range []entity.Record{r, f} {
			r.Seq = entity.Seq(len(all) + 1)
			all = append(all, r)
		}
	}
	return withRows(t, all)
}

func askSQL(ctx context.Context, w store.SQLer, text string) (*store.SQLAnswer, error) {
	return w.SQL(ctx, storetest.HistoryProject, store.SQLQuestion{Text: text, Rows: 1000, Bytes: 1 << 20})
}

// rowsOf is an answer as JSON, numbers as they are equal in both engines.
func rowsOf(t testing.TB, w store.SQLer, text string) string {
	t.Helper()
	a, err := askSQL(t.Context(), w, text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return ""
	}
	for _, row := range a.Rows {
		for i, v := range row {
			if f, ok := v.(float64); ok {
				row[i] = fmt.Sprintf("%.6g", f)
			}
			if n, ok := v.(int64); ok {
				row[i] = fmt.Sprintf("%.6g", float64(n))
			}
			if n, ok := v.(json.Number); ok { // a decimal
				row[i] = string(n)
			}
		}
	}
	raw, err := json.Marshal(a.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// portableSQL are statements with the same answer in both dialects.
var portableSQL = []string{
	"select 1 as a, 'x' as b, null as c", "select count(*) from traces", "select count(*) from observations", "select count(*) from scores", "select count(*) from events", "select count(*) from sessions",
	"select status, count(*) from traces group by status order by 1 nulls first", "select type, level, count(*), sum(counted_tokens) from observations group by 1, 2 order by 1, 2",
	"select id, name, user_id, session_id, start_time, end_time, latency_ms, total_tokens, observation_count, error_count, status from traces order by id",
	"select trace_id, id, name, type, model, start_time, latency_ms, total_cost, counted_cost, counted_tokens from observations order by trace_id nulls first, id",
	"select id, name, value, string_value, data_type, timestamp from scores order by id", "select id, trace_count, observation_count, error_count, total_tokens, has_error, first_seen, last_seen, user_ids, environments from sessions order by id",
	"select event_type, count(*) from events group by event_type order by event_type", "select date_trunc('hour', start_time) as h, count(*) from traces group by 1 order by 1",
	"with a as (select * from traces), b as (select trace_id, count(*) as n from observations group by trace_id) select count(*), sum(b.n) from a join b on a.id = b.trace_id",
	"select count(*) from traces where id in (select trace_id from observations where level = 'ERROR')", "select count(*) from traces where start_time >= '2026-03-01 00:00:00' and start_time < '2026-03-02 00:00:00'",
	"select count(distinct name) from observations", "select x.n from (select count(*) as n from traces union all select count(*) from scores) as x order by 1",
	"select tags from traces order by id", "select coalesce(name, '-') as n, case when latency_ms > 100 then 'slow' else 'fast' end as how, count(*) from observations group by 1, 2 order by 1, 2",
}

// Both warehouses answer what is portable alike, and the views of both have the same columns.
func TestSQLIsTheSame(t *testing.T) {
	t.Parallel()
	s := server(t)
	recs := withForeign(t, storetest.History(11, 300))
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	insert(t, w, recs, entity.Seq(len(recs)))
	duck, ok := reference(t, recs).(store.SQLer)
	if !ok {
		t.Fatal("the reference answers no SQL")
	}
	sameSQL(t, w, duck)
	for _, v := range sqlview.Views() {
		a, err := askSQL(t.Context(), w, "select * from "+v.Name+" order by "+v.Order())
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		for i, c := range v.Columns {
			if a.Columns[i].Name != c.Name {
				t.Errorf("%s: column %d is %s, want %s", v.Name, i, a.Columns[i].Name, c.Name)
			}
		}
	}
	over := httpOptions(t, s, o.Database)
	over.Node = 1
	h := openWith(t, over)
	for _, text := range portableSQL[:10] {
		if got, want := rowsOf(t, h, text), rowsOf(t, w, text); got != want {
			t.Errorf("over HTTP, %s:\n%s\n%s", text, got, want)
		}
	}
	closeOf(t, h)
	sizesSQL(t, w)
	plansSQL(t, w)
	closeOf(t, w)
}

// What has rows in two shards is answered in SQL as a warehouse in one place answers it, and has nothing of another project. The servers are run again when they end: the engine as a library
// does when another shard breaks a connection off in its first packets, as it may when a statement fails.
func TestSQLOnShards(t *testing.T) {
	if testing.Short() {
		t.Skip("the statements of TestSQLIsTheSame again, to two servers")
	}
	t.Parallel()
	all := clickhousetest.StartCluster(t, 2)
	for _, s := range all {
		s.Supervise(t)
	}
	recs := withForeign(t, storetest.History(11, 300))
	w := openWith(t, onShards(t, all, "asked"))
	insert(t, w, recs, entity.Seq(len(recs)))
	duck, ok := reference(t, recs).(store.SQLer)
	if !ok {
		t.Fatal("the reference answers no SQL")
	}
	sameSQL(t, w, duck)
	closeOf(t, w)
}

// sameSQL asks both what they answer alike, and w what it must not answer.
func sameSQL(t *testing.T, w *Warehouse, duck store.SQLer) {
	for _, text := range portableSQL {
		if got, want := rowsOf(t, w, text), rowsOf(t, duck, text); got != want {
			t.Errorf("%s:\n%s\n%s", text, got, want)
		}
	}
	aliasesSQL(t, w, duck)
	dialectsSQL(t, w, duck)
	documentedSQL(t, w)
	refusesSQL(t, w)
	tenancySQL(t, w)
}

// aliasesSQL asks what has a name that is a result's and a column's: it has the same answer in both dialects, or is refused in words that say so.
func aliasesSQL(t *testing.T, w *Warehouse, duck store.SQLer) {
	for _, text := range []string{ // both mean the same by it
		"select sum(latency_ms) as latency_ms from observations order by latency_ms", "select type, -sum(counted_tokens) as counted_tokens from observations group by type order by counted_tokens, type",
		"select o.latency_ms as latency_ms from observations as o where latency_ms > 100 order by 1", "select latency_ms / 1000 as latency_ms from observations as o where o.latency_ms > 100 order by 1",
		"select latency_ms / 1000 as seconds from observations where seconds > 0.1 order by 1", "select upper(type) as kind, count(*) as n from observations group by kind having n > 1 order by n desc, kind",
		"select type, sum(counted_tokens) as counted_tokens from observations group by 1 having counted_tokens > 10 order by 1", "select count(*) as id from traces where name in (select name from observations where id <> '')",
		"with x as (select latency_ms as a from observations) select a - 1 as a from x order by 1", "select latency_ms / 1000 as seconds, seconds, seconds * 2 from observations order by 1",
	} {
		if got, want := rowsOf(t, w, text), rowsOf(t, duck, text); got != want {
			t.Errorf("%s:\n%s\n%s", text, got, want)
		}
	}
	for text, place := range map[string]string{
		"select latency_ms / 1000 as latency_ms from observations where latency_ms > 100":                                "WHERE",
		"select upper(type) as type, count(*) from observations group by type":                                           "GROUP BY",
		"select latency_ms / 1000 as latency_ms, round(latency_ms) from observations":                                    "SELECT",
		"select sum(latency_ms) as latency_ms, sum(latency_ms) / count(*) from observations":                             "SELECT",
		"select -latency_ms as latency_ms, row_number() over (order by latency_ms) from observations":                    "SELECT",
		"select -latency_ms as latency_ms from observations order by latency_ms + 0":                                     "an expression of ORDER BY",
		"with x as (select latency_ms as a from observations) select a - 1 as a from x where a > 2":                      "WHERE",
		"select 1 from (select count(*) as id from traces where id <> '') as x":                                          "WHERE",
		"select id from traces where id in (select 'x' || trace_id as trace_id from observations where trace_id <> '-')": "WHERE",
	} {
		if _, err := askSQL(t.Context(), w, text); err == nil || !strings.Contains(err.Error(), "the name of a result") || !strings.Contains(err.Error(), "in "+place+" ClickHouse") {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := askSQL(t.Context(), duck, text); err != nil {
			t.Errorf("%s: %v", text, err) // the others take it, so that words are due
		}
	}
}

// dialectsSQL asks what docs/sql.md says is spelled alike and is something else; and both agree about what else is usual.
func dialectsSQL(t *testing.T, w *Warehouse, duck store.SQLer) {
	page, err := os.ReadFile("../../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\| `([^`]+)` \\| .*\\|$").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 10 {
		t.Fatalf("docs/sql.md has %d rows of what is something else", len(rows))
	}
	for _, row := range rows {
		text := "select " + row[1] + "\nas v"
		for i, asked := range []store.SQLer{duck, w} {
			if got, want := rowsOf(t, asked, text), "[["+strings.ReplaceAll(row[2+i], `"`, "")+"]]"; strings.ReplaceAll(got, `"`, "") != want {
				t.Errorf("%s of engine %d: %s, docs/sql.md says %s", row[1], i, got, want)
			}
		}
	}
	for _, text := range []string{
		"select sum(value), avg(value), min(value), max(value), count(value), count(distinct name), any_value(value), max(timestamp), min(id) from scores where id = 'none'", "select * from (select id from traces union select id from traces) as x order by 1",
		"select * from (select id from traces except select trace_id from observations) as x order by 1", "select * from (select name from traces intersect select name from traces) as x order by 1 nulls first",
		"select * from ((select id from traces order by id limit 2) union all (select id from observations order by id limit 2)) as x order by 1", "select traces.id from traces join traces as u on traces.id = u.id order by 1",
		"select name, max(latency_ms) from observations where id = 'none' group by name",
		"select abs(-2), ceil(1.2), floor(-1.2), trunc(-1.7), sign(-3), sqrt(4), round(ln(2), 3), log2(8), log10(1000), power(2, 3), greatest(1, 2), least(1, 2), gcd(4, 6), lcm(4, 6), round(exp(1), 3), round(pi(), 3), 7 % 3, -7 % 3, 5 / 2",
		"select round(sin(1), 4), round(cos(1), 4), round(tan(1), 4), round(asin(1), 4), round(acos(0.5), 4), round(atan(1), 4), round(atan2(1, 2), 4), round(cbrt(27), 3), round(degrees(1), 3), round(radians(180), 3), round(1.26, 1), round(-1.26, 1)",
		"select lower('ABC'), upper('abc'), lcase('A'), ucase('a'), length('abc'), char_length('abc'), substring('abc', 2, 1), substr('abc', 2), left('abc', 2), right('abc', 2), reverse('abc'), position('b' in 'abc'), instr('abc', 'c')",
		"select trim(' a '), ltrim(' a '), rtrim(' a '), replace('aba', 'a', 'c'), concat('a', 'b'), 'a' || 'b', 'a' || null, concat_ws('-', 'a', 'b'), ascii('a'),  nullif(1, 1), coalesce(null, 2), hex('a'), nullif('a', 'b')",
		"select year(x), quarter(x), month(x), day(x), dayofmonth(x), dayofyear(x), hour(x), minute(x), second(x), monthname(x), date_trunc('hour', x), date_trunc('minute', x), date_diff('day', x, x + interval 40 day), datediff('month', x, x + interval 40 day) from (select max(start_time) as x from traces) as y",
		"select round(corr(latency_ms, counted_tokens), 6), round(stddev_pop(latency_ms), 3), round(stddev_samp(latency_ms), 3), round(var_pop(counted_tokens), 3), round(var_samp(counted_tokens), 3), round(covar_pop(latency_ms, counted_tokens), 3), round(covar_samp(latency_ms, counted_tokens), 3) from observations",
		"select id, row_number() over (order by id), rank() over (order by type), dense_rank() over (order by type), ntile(3) over (order by id), sum(counted_tokens) over (order by id), percent_rank() over (order by id), cume_dist() over (order by id), first_value(id) over (order by id) from observations where level = 'ERROR' order by id",
	} {
		if got, want := rowsOf(t, w, text), rowsOf(t, duck, text); got != want {
			t.Errorf("%s:\n%s\n%s", text, got, want)
		}
	}
	for text, words := range map[string]string{
		"select id from traces union all select id from observations order by 1":                                   "behind UNION",
		"select id from traces except select trace_id from observations limit 1":                                   "behind UNION",
		"select id from traces where exists (select 1 from traces as u where traces.id <> u.id)":                   `"traces" is called u where it is read: write u.id`,
		"select count(*) from observations as o join traces as t on o.trace_id = t.id where observations.id <> ''": `"observations" is called o`,
	} {
		if _, err := askSQL(t.Context(), w, text); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", text, err)
		}
	}
	correlated := "select id from traces where exists (select 1 from observations as o where o.trace_id = traces.id and o.level = 'ERROR') order by id"
	if w.sharded() {
		if _, err := askSQL(t.Context(), w, correlated); err == nil || !strings.Contains(err.Error(), "over several shards a subquery cannot name columns of the query around it") {
			t.Errorf("%s: %v", correlated, err)
		}
	} else if got, want := rowsOf(t, w, correlated), rowsOf(t, duck, correlated); got != want {
		t.Errorf("%s:\n%s\n%s", correlated, got, want)
	}
	if got := rowsOf(t, w, "select substring('é', 1, 1)"); got != `[["`+"\ufffd"+`"]]` {
		t.Errorf("half of a letter is %s", got)
	}
}

// documentedSQL asks the questions of docs/sql.md, the sixth in the words of this dialect.
func documentedSQL(t *testing.T, w *Warehouse) {
	page, err := os.ReadFile("../../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile("(?m)^### \\d+\\. .+\n\n```sql\n((?:.+\n)+)```").FindAllSubmatch(page, -1)
	if len(all) != 10 {
		t.Fatalf("docs/sql.md has %d questions", len(all))
	}
	percentile := regexp.MustCompile(`quantile_cont\((\w+), ([\d.]+)\)`)
	for _, m := range all {
		if _, err := askSQL(t.Context(), w, percentile.ReplaceAllString(string(m[1]), "quantileExactInclusive($2)($1)")); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
	}
}

// refusesSQL tries what is not taken.
func refusesSQL(t *testing.T, w *Warehouse) {
	db := w.options.Database
	for _, text := range []string{
		"", ";", "nonsense", "select", "select 'a", "select (((1)", "select 1; select 2", "select 1) union all (select 2", "select 1 /*", "insert into traces values (1)", "drop table traces", "create table a (b Int8) engine = Memory",
		"alter table traces delete where 1", "system shutdown", "set max_memory_usage = 0", "use system", "kill query where 1", "grant all on *.* to x", "optimize table traces", "truncate table traces", "attach table x", "show tables", "describe traces", "explain select 1",
		"select * from traces settings readonly = 0", "select * from (select * from traces settings max_memory_usage = 0)", "select 1 into outfile 'x'", "select 1 format JSON",
		"select * from system.tables", "select * from " + db + ".traces", "select * from " + db + ".documents", "select * from " + db + ".datasets", "select * from information_schema.tables", "select * from nothing", "select * from file('x')", "select * from url('http://127.0.0.1/')",
		"select * from remote('127.0.0.1', system.one)", "select * from s3('x')", "select * from numbers(10)", "select * from merge('x', 'y')", "select * from cluster('x', system.one)", "select * from executable('x')", "select * from view(select 1)",
		"select * from mysql('a', 'b', 'c', 'd', 'e')", "select * from input('a Int8')", "select * from values('a Int8', 1)", "select getSetting('readonly')", "select hostName()", "select currentUser()", "select version()", "select file('x')", "select sleep(3)", "select dictGet('a', 'b', 1)",
		"select joinGet('a', 'b', 1)", "select repeat('a', 1000000000)", "select range(1000000000)", "select currentDatabase()", "select getMacro('x')", "select serverUUID()", "select query_id()", "select evalMLMethod('x', 1)", "select catboostEvaluate('x', 1)", "select throwIf(1)",
		"select (select count() from system.tables)", "select 1 where 'a' in system.tables", "select name in " + db + ".traces from traces", "select * from traces join system.tables as s on 1 = 1", "select * apply(file) from traces",
		"with system.tables as x select * from x", "with (select count() from system.tables) as x select x", "select {a:String}", "select nothing from traces", "select project from traces", "select row_version from observations", "select payload from events",
		"select sum(name) from traces", "select * from traces final", "select * from traces prewhere 1", "select * from traces sample 0.1 settings a = 1",
	} {
		a, err := askSQL(t.Context(), w, text)
		var refused *store.SQLError
		switch {
		case err == nil:
			t.Errorf("%s: answered with %v", text, a.Rows)
		case !errors.As(err, &refused) || refused.Message == "":
			t.Errorf("%s: %v", text, err)
		case ofAnother.MatchString(refused.Message):
			t.Errorf("%s: %q has something of another project", text, refused.Message)
		}
	}
}

// sizesSQL tries what doubles with each name, which the server would make before it looks at the clock; and what is large as people write it is taken.
func sizesSQL(t *testing.T, w *Warehouse) {
	double := func(times int, first, next, last string) string {
		text := first
		for i := range times {
			text += strings.NewReplacer("NEXT", fmt.Sprint("a", i+1), "LAST", fmt.Sprint("a", i)).Replace(next)
		}
		return text + strings.ReplaceAll(last, "LAST", fmt.Sprint("a", times))
	}
	selects := []string{"with a0 as (select id from traces)", ", NEXT as (select l.id from LAST as l join LAST as r on l.id = r.id)", " select count(*) from LAST"}
	values := []string{"select 1 as a0", ", (LAST, LAST) as NEXT", ", LAST"}
	for _, parts := range [][]string{selects, values} {
		if a, err := askSQL(t.Context(), w, double(40, parts[0], parts[1], parts[2])); err == nil || !strings.Contains(err.Error(), "comes to more than") {
			t.Errorf("%s doubled: %v, %v", parts[0], a, err)
		}
		if _, err := askSQL(t.Context(), w, double(3, parts[0], parts[1], parts[2])); err != nil {
			t.Errorf("%s doubled three times: %v", parts[0], err)
		}
	}
	for _, text := range []string{
		"select 1" + strings.Repeat(" + 1", 100), "select count(*) from (" + strings.TrimPrefix(strings.Repeat(" union all select id from traces", 30), " union all ") + ") as x",
		"with a as (select id, name as other from traces), b as (select other as id from a) select other as id from a where other in (select id from b)",
	} {
		if _, err := askSQL(t.Context(), w, text); err != nil {
			t.Errorf("%.200s: %v", text, err)
		}
	}
}

// plansSQL asks the tree in which names are tables alone, past the check of the text.
func plansSQL(t *testing.T, w *Warehouse) {
	db := w.options.Database
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"select * from traces as t join observations as o on o.trace_id = t.id", true}, {"select * from sessions where id in (select session_id from traces)", true},
		{"select * from " + db + ".traces final where project = 'history'", true}, // it is the same
		{"select * from " + db + ".traces", false}, {"select * from " + db + ".traces where project = 'other'", false}, {"select * from " + db + ".traces where project = 'history' or 1", false},
		{"select * from " + db + ".traces where id = 'project = ''history'''", false}, {"select * from (select name as project from " + db + ".traces) where project = 'history'", false},
		{"select * from " + db + ".documents", false}, {"select * from system.one", true}, {"select * from numbers(3)", false},
	} {
		err := w.question(t.Context(), storetest.HistoryProject, "plan", func(ctx context.Context, v *view) error {
			tree, err := v.sqlTree(ctx, "EXPLAIN QUERY TREE run_passes = 1, passes = 1 "+with(v.sqlViews(), "SELECT * FROM (\n"+c.text+"\n)"))
			if err != nil {
				return err
			}
			return tree.checkTables(v)
		})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	// The server adds the condition itself.
	err := w.question(t.Context(), storetest.HistoryProject, "filter", func(ctx context.Context, v *view) error {
		answer := &store.SQLAnswer{Columns: []store.SQLColumn{{Name: "n"}}}
		err := v.sqlRows(ctx, "SELECT formatRow('JSONCompactEachRow', n) AS line FROM (SELECT uniqExact(project) AS n FROM "+db+".events)", &store.SQLQuestion{Rows: 1, Bytes: 1000}, answer)
		if err == nil && fmt.Sprint(answer.Rows) != "[[1]]" {
			err = fmt.Errorf("a statement without a condition sees %v projects", answer.Rows)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

var ofAnother = regexp.MustCompile(`FOREIGN[0-9A-Za-z]`)

// tenancySQL asks at random, with and without what is not taken.
func tenancySQL(t *testing.T, w *Warehouse) {
	r := chance.Of(t)
	answered := 0
	rounds := chance.Rounds(150)
	for range rounds {
		text := randomSQL(r, w.options.Database, 2)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		a, err := askSQL(ctx, w, text)
		for w.sharded() && errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil { // a server is run again
			<-time.After(50 * time.Millisecond)
			a, err = askSQL(ctx, w, text)
		}
		cancel()
		var refused *store.SQLError
		switch {
		case err == nil:
			answered++
			for _, row := range a.Rows {
				if ofAnother.MatchString(fmt.Sprint(row)) {
					t.Fatalf("%s: the answer has something of another project: %v", text, row)
				}
			}
		case !errors.As(err, &refused) && !errors.Is(err, store.ErrStarved) && !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("%s: %v", text, err)
		case ofAnother.MatchString(err.Error()):
			t.Errorf("%s: %v", text, err)
		}
	}
	if answered < rounds/20 {
		t.Errorf("only %d statements of %d were answered", answered, rounds)
	}
}

func randomSQL(r *rand.Rand, db string, depth int) string {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	table := func() string {
		if depth > 0 && r.IntN(3) == 0 {
			return "(" + randomSQL(r, db, depth-1) + ")"
		}
		if r.IntN(10) == 0 {
			return one(db+".traces", db+".events", "system.one", "numbers(3)", "q0")
		}
		return one("traces", "observations", "scores", "sessions", "events")
	}
	value := func() string {
		return one("a.id", "a.name", "a.environment", "a.user_id", "a.*", "count(*)", "max(a.name)", "groupArray(a.name)", "toString(a.id)", "toInt64OrNull(a.name)", "toInt64(a.name)", "1", "'FOREIGN'", "(select max(name) from traces)", "a.project", "hostName()", "tuple(a.id, a.name)")
	}
	var b strings.Builder
	if depth > 0 && r.IntN(5) == 0 {
		fmt.Fprintf(&b, "with %s as (%s) ", one("q0", "traces", "observations"), randomSQL(r, db, depth-1))
	}
	b.WriteString("select " + one("", "distinct ") + value() + " as v0, " + value() + " as v1 from " + table() + " as a")
	if r.IntN(3) == 0 {
		b.WriteString(" " + one("join", "left join", "full join") + " " + table() + " as b on " + one("a.id = b.id", "a.name = b.name", "1 = 1"))
	}
	if r.IntN(2) == 0 {
		b.WriteString(" where " + one("a.name is not null", "a.name like 'FOREIGN%'", "1 = 1 or a.id = ''", "a.id in (select id from traces)", "a.id in traces", "toInt64(a.name) > 0", "a.project = 'other'", "throwIf(a.name = '') = 0", "parseDateTime(a.name, '%Y') > now()"))
	}
	b.WriteString(one("", "", " order by 1", " limit 5", " group by 1, 2", " group by all"))
	if depth > 0 && r.IntN(6) == 0 {
		b.WriteString(" union all " + randomSQL(r, db, depth-1))
	}
	return b.String()
}
