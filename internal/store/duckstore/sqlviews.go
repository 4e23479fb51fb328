package duckstore

import (
	"context"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// sqlSession are the settings of a question in SQL. They stay on the connection, and are nothing to other questions.
var sqlSession = []string{
	"SET TimeZone = 'UTC'", // what now() and casts of times go by
	"SET explain_output = 'all'",
}

// sqlViews makes the views that a question names, of what is the project's. They are temporary, which are found before tables of the same
// name, and go with the transaction. Of a view that times has only the rows of which these conditions hold are needed.
func (v *view) sqlViews(ctx context.Context, named map[string]bool, times map[string][]string) error {
	for _, set := range sqlSession {
		if _, err := v.tx.ExecContext(ctx, set); err != nil {
			return err
		}
	}
	if len(named) == 0 {
		return nil
	}
	var catalog string
	if err := v.tx.QueryRowContext(ctx, "SELECT current_database()").Scan(&catalog); err != nil {
		return err
	}
	for _, s := range sqlview.Views() {
		if !named[s.Name] {
			continue
		}
		if _, err := v.tx.ExecContext(ctx, "CREATE TEMP VIEW "+s.Name+" AS "+viewSQL(catalog, v.project, &s, times[s.Name])); err != nil {
			return err
		}
	}
	return nil
}

// ViewSQL is the SELECT of a view over the tables of a database. Its innermost part is the one place where a table is read: checkPlan knows its form.
func ViewSQL(catalog, project string, s *sqlview.View) string {
	return viewSQL(catalog, project, s, nil)
}

func viewSQL(catalog, project string, s *sqlview.View, conditions []string) string {
	of := func(table string) string {
		return "(SELECT * FROM " + quotedName(catalog) + ".main." + table + " WHERE project = " + quotedText(project) + ")"
	}
	if s.Name == "sessions" {
		return "SELECT session_id AS id, coalesce(list_sort(list(DISTINCT user_id) FILTER (user_id IS NOT NULL)), []) AS user_ids, coalesce(list_sort(list(DISTINCT environment) FILTER (environment IS NOT NULL)), []) AS environments," +
			" count(*) AS trace_count, sum(observation_count)::BIGINT AS observation_count, sum(error_count)::BIGINT AS error_count, " +
			saturate("sum(total_tokens)") + " AS total_tokens, sum(total_cost) AS total_cost, sum(unpriced_count)::BIGINT AS unpriced_count, bool_or(" + traceFailed + ") AS has_error," +
			" make_timestamp(min(start_time)) AS first_seen, make_timestamp(max(greatest(start_time, end_time))) AS last_seen FROM " + of("traces") + " WHERE session_id IS NOT NULL GROUP BY session_id"
	}
	columns := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		columns[i] = sqlColumn(&c) + " AS " + quotedName(c.Name)
	}
	if s.Name == "observations" {
		conditions = append([]string{"duplicate_of IS NULL"}, conditions...)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + of(s.Name) + sqltext.Where(conditions...)
}

// sqlColumn is the expression of a column over the table of its view.
func sqlColumn(c *sqlview.Column) string {
	switch {
	case c.Type == sqlview.Time:
		return "make_timestamp(" + quotedName(timeColumn(c)) + ")"
	case c.From != "":
		return quotedName(c.From)
	case c.Name == "environment":
		return eventEnvironment
	case c.Name == "counted_tokens":
		return "CASE WHEN counts_tokens THEN total_tokens END"
	case c.Name == "counted_cost":
		return "CASE WHEN counts_cost THEN total_cost END"
	}
	panic("duckstore: nothing says what the column " + c.Name + " is made of")
}

// timeColumn is the column of the table that has a time as microseconds.
func timeColumn(c *sqlview.Column) string {
	switch {
	case c.From != "":
		return c.From
	case c.Name == "received_at":
		return "received"
	}
	return "ts"
}

func quotedName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quotedText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
