package duckstore

import (
	"regexp"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// Tables keep times as numbers, and views have them as times: a condition on one of these is looked at row by row, of all rows and all columns that are asked for. So what a
// SELECT says of a view's times by constants is said of the numbers, too, within the view: by that DuckDB passes over what cannot be meant. It leaves nothing out that the
// statement's own condition, which stays, would not.

// timeText is a constant that DuckDB reads as a time and nothing else.
var timeText = regexp.MustCompile(`^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$`)

// comparisons are those that bound a time, and what they are when their sides change places.
var comparisons = map[string][2]string{
	"COMPARE_GREATERTHAN": {">", "<"}, "COMPARE_GREATERTHANOREQUALTO": {">=", "<="}, "COMPARE_LESSTHAN": {"<", ">"}, "COMPARE_LESSTHANOREQUALTO": {"<=", ">="}, "COMPARE_EQUAL": {"=", "="},
}

// times are the conditions on the numbers of each view that the statement names once.
func (t *sqlTree) times() map[string][]string {
	named, found := map[string]int{}, map[string][]string{}
	t.selects(t.whole, named, found)
	for name := range found {
		if named[name] != 1 {
			delete(found, name)
		}
	}
	return found
}

// selects goes through all parts, counts where a view is named and finds what is said of its times where it stands alone in FROM.
func (t *sqlTree) selects(part any, named map[string]int, found map[string][]string) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			t.selects(p, named, found)
		}
	case map[string]any:
		if part["type"] == "BASE_TABLE" {
			name, _ := part["table_name"].(string)
			named[strings.ToLower(name)]++
		}
		if from, ok := part["from_table"].(map[string]any); ok && part["type"] == "SELECT_NODE" && from["type"] == "BASE_TABLE" && from["sample"] == nil {
			name, _ := from["table_name"].(string)
			if view, ok := sqlview.Named(strings.ToLower(name)); ok && view.Name != "sessions" {
				found[view.Name] = timesOf(part["where_clause"], &view)
			}
		}
		for _, p := range part {
			t.selects(p, named, found)
		}
	}
}

// timesOf are the conditions that a WHERE puts on the times of its view, of those that must all hold.
func timesOf(where any, view *sqlview.View) (all []string) {
	node, _ := where.(map[string]any)
	if node["type"] == "CONJUNCTION_AND" {
		children, _ := node["children"].([]any)
		for _, child := range children {
			all = append(all, timesOf(child, view)...)
		}
		return all
	}
	typ, _ := node["type"].(string)
	signs, ok := comparisons[typ]
	if !ok {
		return nil
	}
	column, constant, sign := node["left"], node["right"], signs[0]
	if _, _, ok := sqlBound(column, constant, view); !ok {
		column, constant, sign = constant, column, signs[1]
	}
	if number, at, ok := sqlBound(column, constant, view); ok {
		return []string{number + " " + sign + " epoch_us(TIMESTAMP " + quotedText(at) + ")"}
	}
	return nil
}

// sqlBound is the column of numbers and the time of a comparison of a view's time with a constant.
func sqlBound(column, constant any, view *sqlview.View) (number, at string, ok bool) {
	reference, _ := column.(map[string]any)
	names, _ := reference["column_names"].([]any)
	if reference["class"] != "COLUMN_REF" || len(names) != 1 {
		return "", "", false
	}
	text, _ := constant.(map[string]any)
	value, _ := text["value"].(map[string]any)
	at, _ = value["value"].(string)
	if text["class"] != "CONSTANT" || !timeText.MatchString(at) {
		return "", "", false
	}
	name, _ := names[0].(string)
	for _, c := range view.Columns {
		if c.Type == sqlview.Time && strings.EqualFold(c.Name, name) {
			return quotedName(timeColumn(&c)), at, true
		}
	}
	return "", "", false
}
