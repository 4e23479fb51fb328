package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Questions that people write in SQL. The server parses the text and tells its tree, before any name in it has a meaning: functions and views in it must be
// on our lists (sqltree.go), else it goes no further. Then it stands as a subquery behind our views, which have what is the project's (sqlviews.go), and the
// server tells the tree in which names have become tables: each of them is one of ours, read by one of our views. That is one of three locks. Another is
// that the server itself adds the condition on the project wherever one of our tables is read (additional_table_filters), and the third that the
// statement can change neither data nor settings (readonly).

var _ store.SQLer = (*Warehouse)(nil)

// SQL implements store.SQLer.
func (w *Warehouse) SQL(ctx context.Context, project string, question store.SQLQuestion) (answer *store.SQLAnswer, err error) {
	if len(question.Text) > store.MostSQLText {
		return nil, store.SQLErrorf("the text has %d bytes; at most %d are taken", len(question.Text), store.MostSQLText)
	}
	if strings.ContainsRune(question.Text, 0) {
		return nil, store.SQLErrorf("the text has a zero byte")
	}
	err = w.question(ctx, project, "answer in SQL", func(ctx context.Context, v *view) error {
		answer, err = v.sql(ctx, &question)
		return ofTheText(err)
	})
	var asked *store.SQLError
	if errors.As(err, &asked) {
		return nil, asked
	}
	return answer, err
}

func (v *view) sql(ctx context.Context, question *store.SQLQuestion) (*store.SQLAnswer, error) {
	text := strings.TrimRight(strings.TrimSpace(question.Text), "; \t\r\n")
	// Behind a line of its own no comment of the text hides what follows.
	whole := "SELECT * FROM (\n" + text + "\n)"
	tree, err := v.sqlTree(ctx, "EXPLAIN QUERY TREE run_passes = 0 "+whole)
	if err != nil {
		return nil, err
	}
	if err = tree.checkText(); err != nil {
		return nil, err
	}
	if err = tree.checkAlike(); err != nil {
		return nil, err
	}
	if err = tree.checkSize(); err != nil {
		return nil, err
	}
	views := v.sqlViews()
	if tree, err = v.sqlTree(ctx, "EXPLAIN QUERY TREE run_passes = 1, passes = 1 "+with(views, whole)); err != nil {
		return nil, err
	}
	if err = tree.checkTables(v); err != nil {
		return nil, err
	}
	answer := &store.SQLAnswer{Rows: [][]any{}}
	if answer.Columns, err = v.sqlColumns(ctx, with(views, whole)); err != nil {
		return nil, err
	}
	return answer, v.sqlRows(ctx, with(views, "SELECT formatRow('JSONCompactEachRow', *) AS line FROM (\n"+text+"\n)"), question, answer)
}

// sqlSettings are what a statement of a question in SQL is asked with.
func (v *view) sqlSettings() []ch.Setting {
	must := func(key, value string) ch.Setting { return ch.Setting{Key: key, Value: value, Important: true} }
	return []ch.Setting{
		must("readonly", "1"), must("allow_experimental_analyzer", "1"), must("additional_table_filters", v.tableFilters()), must("session_timezone", "UTC"),
		// What the text says is asked of the project's rows alone: a condition of its own that fails must not meet others.
		must("query_plan_filter_push_down", "0"),
		ch.SettingInt("do_not_merge_across_partitions_select_final", 0), ch.SettingInt("max_ast_depth", 500), ch.SettingInt("max_ast_elements", 20_000),
		ch.SettingInt("max_bytes_before_external_group_by", 256<<20), ch.SettingInt("max_bytes_before_external_sort", 256<<20),
		ch.SettingInt("output_format_json_quote_64bit_integers", 0), ch.SettingInt("output_format_json_quote_denormals", 0), ch.SettingInt("output_format_json_quote_decimals", 0),
		// As DuckDB has it: UNION is that of rows that differ, and a sum or a maximum of no rows is NULL.
		{Key: "union_default_mode", Value: "DISTINCT"}, {Key: "except_default_mode", Value: "DISTINCT"}, {Key: "intersect_default_mode", Value: "DISTINCT"},
		ch.SettingInt("aggregate_functions_null_for_empty", 1),
		{Key: "date_time_output_format", Value: "iso"}, ch.SettingInt("describe_compact_output", 1),
	}
}

// tableFilters is the condition on the project, for each table in which projects are beside each other.
func (v *view) tableFilters() string {
	var all []string
	for _, name := range ourTables {
		tables := []string{name}
		if local := v.w.local(name); local != name {
			tables = append(tables, local)
		}
		for _, table := range tables {
			all = append(all, quoted(v.w.options.Database+"."+table)+":"+quoted("project = "+quoted(v.project)))
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// ourTables are the tables that views read.
var ourTables = []string{"events", "observations", "scores", "traces"}

// sqlColumns are the columns of the answer.
func (v *view) sqlColumns(ctx context.Context, statement string) (columns []store.SQLColumn, err error) {
	var name, typ proto.ColStr
	err = v.w.askSet(ctx, &builder{}, "DESCRIBE TABLE ("+statement+")", v.sqlSettings(), proto.Results{{Name: "name", Data: &name}, {Name: "type", Data: &typ}}, func(i int) {
		columns = append(columns, store.SQLColumn{Name: name.Row(i), Type: typ.Row(i)})
	})
	return columns, ofTheAnalysis(err)
}

// errSQLEnough ends the reading of an answer of which there is more than is wanted.
var errSQLEnough = errors.New("there are enough rows")

// sqlRows reads the rows of an answer.
func (v *view) sqlRows(ctx context.Context, statement string, question *store.SQLQuestion, answer *store.SQLAnswer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var line proto.ColStr
	left := question.Bytes
	var failed error
	err := v.w.askSet(ctx, &builder{}, fmt.Sprintf("%s LIMIT %d", statement, question.Rows+1), v.sqlSettings(), proto.Results{{Name: "line", Data: &line}}, func(i int) {
		if failed != nil {
			return
		}
		if len(answer.Rows) == question.Rows || left <= 0 {
			answer.Truncated, failed = true, errSQLEnough
			cancel(failed)
			return
		}
		text := line.Row(i)
		left -= len(text)
		row, err := sqlRow(text, answer.Columns)
		if err != nil {
			failed = err
			cancel(err)
			return
		}
		answer.Rows = append(answer.Rows, row)
	})
	if failed != nil && !errors.Is(failed, errSQLEnough) {
		return failed
	}
	if failed != nil {
		return nil
	}
	return err
}

// ofTheText makes a *store.SQLError of what the server says of a text.
func ofTheText(err error) error {
	var said *ch.Exception
	if !errors.As(err, &said) {
		return err
	}
	const readOnly = 164
	switch {
	case said.Code == readOnly:
		return store.SQLErrorf("only a SELECT without settings is taken: nothing can be changed, set or loaded by SQL here")
	case wrong(said.Code):
		return store.SQLErrorf("%s", shortSQLError(said.Message))
	}
	return err
}

// ofTheAnalysis is ofTheText of a statement that is only looked at: nothing is read by it, so what the server says against it is about its text, but for what passes.
func ofTheAnalysis(err error) error {
	var said *ch.Exception
	if !errors.As(err, &said) || said.IsCode(proto.ErrMemoryLimitExceeded, proto.ErrTimeoutExceeded, proto.ErrSocketTimeout, proto.ErrNetworkError, proto.ErrAllConnectionTriesFailed,
		proto.ErrTooManySimultaneousQueries, proto.ErrAuthenticationFailed, proto.ErrAborted) || namesServer(said.Message) {
		return ofTheText(err)
	}
	return store.SQLErrorf("%s", shortSQLError(said.Message))
}

// shortSQLError leaves out where in our statement it was, which has more than was sent.
func shortSQLError(message string) string {
	if strings.Contains(message, "Correlated subqueries are not supported with remote tables") {
		return "over several shards a subquery cannot name columns of the query around it: write a JOIN, or IN with a subquery of its own"
	}
	for _, before := range []string{": In scope", ". In scope", " In scope", ". In query", " In query", " in scope ", ": while ", ": While ", " (in query:", " (version "} {
		message, _, _ = strings.Cut(message, before)
	}
	if namesServer(message) { // what another shard said, behind its address
		_, message, _ = strings.Cut(message, "DB::Exception: ")
	}
	return strings.TrimSpace(strings.TrimPrefix(message, "DB::Exception: "))
}
