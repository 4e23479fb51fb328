package clickhouse

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// sqlViews are the views, as what a statement begins with. The innermost SELECT of each is the one place where a table is read: checkTables knows its form.
func (v *view) sqlViews() []string {
	var all []string
	for _, s := range sqlview.Views() {
		all = append(all, table(s.Name, v.sqlView(&s)))
	}
	return all
}

// of is the project's rows of a table, as they are in force.
func (v *view) of(table string) string {
	return "(SELECT * FROM " + v.w.options.Database + "." + table + " FINAL WHERE project = " + quoted(v.project) + ")"
}

func (v *view) sqlView(s *sqlview.View) string {
	if s.Name == "sessions" {
		// Names inside are others than those of the columns: an alias is known everywhere in its SELECT.
		return "SELECT s.session_id AS id, arraySort(groupUniqArrayIf(s.user_id, s.user_id != '')) AS user_ids, arraySort(groupUniqArray(CAST(s.environment, 'String'))) AS environments," +
			" toInt64(count()) AS trace_count, toInt64(sum(s.observation_count)) AS observation_count, toInt64(sum(s.error_count)) AS error_count, " +
			exactTokens("s.total_tokens") + " AS total_tokens, " + exactSum("s.total_cost") + " AS total_cost, toInt64(sum(s.unpriced_count)) AS unpriced_count," +
			" CAST(max(s.status = 'error'), 'Bool') AS has_error, min(s.start_time) AS first_seen, max(greatest(s.start_time, ifNull(s.end_time, s.start_time))) AS last_seen" +
			" FROM " + v.of("traces") + " AS s WHERE s.session_id != '' GROUP BY s.session_id"
	}
	columns := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		columns[i] = sqlColumn(&c) + " AS `" + c.Name + "`"
	}
	text := "SELECT " + strings.Join(columns, ", ") + " FROM " + v.of(s.Name) + " AS o"
	if s.Name == "observations" {
		text += " WHERE o.duplicate_of = ''"
	}
	return text
}

// sqlColumn is the expression of a column over o, the rows of the table.
func sqlColumn(c *sqlview.Column) string {
	switch c.Name {
	case "counted_tokens":
		return countedTokens
	case "counted_cost":
		return countedPart("total_cost")
	case "received_at":
		return "o.received"
	case "seq":
		return "toInt64(o.seq)"
	}
	from := c.From
	switch {
	case from == "" && c.Name == "environment":
		return "if(o.environment != '', CAST(o.environment, 'String'), if(o.batch_environment != '', CAST(o.batch_environment, 'String'), 'default'))"
	case from == "" && c.Name == "timestamp":
		from = "ts"
	}
	switch {
	case c.Type == sqlview.List:
		return "CAST(o." + from + ", 'Array(String)')"
	case c.Type == sqlview.Text && c.Always:
		return "CAST(o." + from + ", 'String')"
	case c.Type == sqlview.Text:
		return text("o." + from)
	}
	return "o." + from
}

// sqlRow is a row in the form of store.SQLAnswer, of a line of JSON.
func sqlRow(line string, columns []store.SQLColumn) ([]any, error) {
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	var row []any
	if err := d.Decode(&row); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	if len(row) != len(columns) {
		return nil, fmt.Errorf("read a row: it has %d values for %d columns", len(row), len(columns))
	}
	for i := range row {
		row[i] = sqlValue(row[i], columns[i].Type)
	}
	return row, nil
}

func sqlValue(v any, typ string) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") && !strings.Contains(typ, "Decimal") {
			return f
		}
	case string:
		if strings.Contains(typ, "DateTime") && !strings.ContainsAny(typ[:1], "AMT") { // not within a list, a map or a tuple
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return at.UTC()
			}
		}
	case []any:
		for i := range v {
			v[i] = sqlValue(v[i], "")
		}
	case map[string]any:
		for name := range v {
			v[name] = sqlValue(v[name], "")
		}
	}
	return v
}
