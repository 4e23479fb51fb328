package duckstore

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// sqlTree is a statement as DuckDB parsed it, which was checked.
type sqlTree struct {
	whole map[string]any
	node  map[string]any // of its only statement
	views map[string]bool
	// growth is how many times as large as a column a value may become; within and recursive count the calls that make larger ones and the recursive queries
	// that are around what is checked.
	growth, within, recursive int
}

// sqlTree parses a text and checks all that it says.
func (v *view) sqlTree(ctx context.Context, text string) (*sqlTree, error) {
	var raw string
	if err := v.tx.QueryRowContext(ctx, "SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", text).Scan(&raw); err != nil {
		return nil, ofTheText(err)
	}
	t := &sqlTree{views: map[string]bool{}, growth: 1}
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber() // a constant stays what it is
	if err := d.Decode(&t.whole); err != nil {
		return nil, store.SQLErrorf("the statement cannot be read: %v", err)
	}
	if t.whole["error"] == true {
		message, _ := t.whole["error_message"].(string)
		return nil, notTaken(message)
	}
	statements, _ := t.whole["statements"].([]any)
	if len(statements) != 1 {
		return nil, store.SQLErrorf("%d statements were sent; exactly one SELECT is taken", len(statements))
	}
	statement, _ := statements[0].(map[string]any)
	t.node, _ = statement["node"].(map[string]any)
	if t.node == nil {
		return nil, notTaken("")
	}
	if err := t.check(statement, nil); err != nil {
		return nil, err
	}
	return t, t.checkSize()
}

// notTaken is the error of a text that is no SELECT, or none that can be parsed.
func notTaken(message string) *store.SQLError {
	if message == "" || strings.Contains(message, "SELECT statements can be serialized") {
		return store.SQLErrorf("only a SELECT is taken: nothing can be changed, set or loaded by SQL here")
	}
	return store.SQLErrorf("%s", shortSQLError(message))
}

// ctes are the names that WITH gave to what a part of the tree is in.
type ctes struct {
	outer *ctes
	names []string
}

func (c *ctes) has(name string) bool {
	return c != nil && (slices.Contains(c.names, name) || c.outer.has(name))
}

// check goes through all parts. What it does not know it refuses.
func (t *sqlTree) check(part any, known *ctes) error {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			if err := t.check(p, known); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := t.checkNode(part, known); err != nil {
			return err
		}
		known = withNames(part, known)
		defer t.enter(part)()
		for _, key := range slices.Sorted(maps.Keys(part)) {
			below := part[key]
			if function, ok := below.(map[string]any); ok && part["type"] == "TABLE_FUNCTION" && key == "function" {
				below = function["children"] // its name was checked as that of a table function
			}
			if err := t.check(below, known); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter notes what is around all that is below a node; leave takes it back.
func (t *sqlTree) enter(node map[string]any) (leave func()) {
	name, _ := node["function_name"].(string)
	switch {
	case node["class"] == "FUNCTION" && growing[strings.ToLower(name)] > 0:
		t.within++
		return func() { t.within-- }
	case node["type"] == "RECURSIVE_CTE_NODE":
		t.recursive++
		return func() { t.recursive-- }
	}
	return func() {}
}

// withNames adds what a node of the tree names for what is below it.
func withNames(node map[string]any, known *ctes) *ctes {
	var names []string
	if name, ok := node["cte_name"].(string); ok {
		names = append(names, strings.ToLower(name))
	}
	if with, ok := node["cte_map"].(map[string]any); ok {
		list, _ := with["map"].([]any)
		for _, entry := range list {
			if entry, ok := entry.(map[string]any); ok {
				if name, ok := entry["key"].(string); ok {
					names = append(names, strings.ToLower(name))
				}
			}
		}
	}
	if names == nil {
		return known
	}
	return &ctes{known, names}
}

// checkNode checks one node by its class, which expressions have, or its type.
func (t *sqlTree) checkNode(node map[string]any, known *ctes) error {
	typ, ok := node["type"].(string)
	if !ok {
		return nil // no node: a list of names, the type of a constant
	}
	if class, ok := node["class"].(string); ok {
		switch {
		case class == "CONSTANT" && constantText(node) > longestConstant:
			return store.SQLErrorf("a text in the statement has %d bytes; at most %d are taken", constantText(node), longestConstant)
		case class == "PARAMETER":
			return store.SQLErrorf("parameters (? and $1) are not taken: write the values into the text")
		case class == "FUNCTION" || class == "WINDOW":
			return t.checkFunction(node, class)
		case !sqlClasses[class]:
			return store.SQLErrorf("an expression of the kind %s is not taken", class)
		}
		return nil
	}
	switch {
	case typ == "BASE_TABLE":
		return t.checkTable(node, known)
	case typ == "TABLE_FUNCTION":
		function, _ := node["function"].(map[string]any)
		if name, _ := function["function_name"].(string); !sqlTableFunctions[strings.ToLower(name)] {
			return store.SQLErrorf("the table function %s is not taken: it may read what is not the project's; %s", name, whatViews())
		}
	case typ == "SHOW_REF":
		return store.SQLErrorf("DESCRIBE, SHOW and SUMMARIZE are not taken: %s, and a SELECT * of one with LIMIT 0 has its columns", whatViews())
	case !sqlTypes[typ] && !strings.HasSuffix(typ, "_TYPE_INFO"):
		return store.SQLErrorf("a part of the kind %s is not taken", typ)
	}
	return nil
}

func (t *sqlTree) checkTable(node map[string]any, known *ctes) error {
	name, _ := node["table_name"].(string)
	name = strings.ToLower(name)
	if schema, catalog := node["schema_name"], node["catalog_name"]; schema != "" || catalog != "" {
		return store.SQLErrorf("%q is named with a schema: write the name of a view alone; %s", name, whatViews())
	}
	if node["at_clause"] != nil {
		return store.SQLErrorf("AT is not taken behind %q", name)
	}
	_, isView := sqlview.Named(name)
	if isView {
		t.views[name] = true // also where WITH has the name: not everywhere in it
		return nil
	}
	if !known.has(name) {
		return store.SQLErrorf("there is no view %q; %s", name, whatViews())
	}
	return nil
}

func whatViews() string {
	var names []string
	for _, v := range sqlview.Views() {
		names = append(names, v.Name)
	}
	return "there are " + strings.Join(names, ", ")
}

func (t *sqlTree) checkFunction(node map[string]any, class string) error {
	name, _ := node["function_name"].(string)
	name = strings.ToLower(name)
	schema, _ := node["schema"].(string)
	catalog, _ := node["catalog"].(string)
	if schema != "" && schema != "main" && schema != "pg_catalog" || catalog != "" && catalog != "system" || node["export_state"] == true {
		return store.SQLErrorf("the function %s is named with a schema: write its name alone", name)
	}
	if growing[name] > 0 && sqlFunctions[name] {
		return t.grows(node, name)
	}
	if sqlFunctions[name] || class == "WINDOW" && sqlWindows[name] {
		return nil
	}
	return store.SQLErrorf("the function %s is not taken; docs/sql.md says which are", name)
}

// limit bounds the number of rows, whatever the statement says.
func (t *sqlTree) limit(most int) error {
	modifiers, _ := t.node["modifiers"].([]any)
	for _, m := range modifiers {
		modifier, _ := m.(map[string]any)
		switch modifier["type"] {
		case "LIMIT_PERCENT_MODIFIER":
			return store.SQLErrorf("LIMIT with a percentage is not taken: write a number of rows")
		case "LIMIT_MODIFIER":
			if modifier["limit"] == nil {
				modifier["limit"] = sqlConstant(most)
				return nil
			}
			rows, ok := wholeNumber(modifier["limit"])
			if !ok {
				return store.SQLErrorf("LIMIT of the whole statement must be a number")
			}
			if rows > int64(most) {
				modifier["limit"] = sqlConstant(most)
			}
			return nil
		}
	}
	t.node["modifiers"] = append(modifiers, map[string]any{"type": "LIMIT_MODIFIER", "limit": sqlConstant(most), "offset": nil})
	return nil
}

// sqlConstant is a number as a node of the tree.
func sqlConstant(n int) map[string]any {
	return map[string]any{
		"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "", "query_location": 0,
		"value": map[string]any{"type": map[string]any{"id": "BIGINT", "type_info": nil}, "is_null": false, "value": n},
	}
}

// wholeNumber is the value of a node that is a constant number.
func wholeNumber(node any) (n int64, ok bool) {
	constant, _ := node.(map[string]any)
	value, _ := constant["value"].(map[string]any)
	number, isNumber := value["value"].(json.Number)
	if constant["class"] != "CONSTANT" || !isNumber {
		return 0, false
	}
	n, err := strconv.ParseInt(number.String(), 10, 64)
	return n, err == nil && n >= 0
}

// sqlText is the statement that the tree says.
func (v *view) sqlText(ctx context.Context, t *sqlTree) (text string, err error) {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false)
	if err = e.Encode(t.whole); err != nil {
		return "", store.SQLErrorf("the statement cannot be written: %v", err)
	}
	err = v.tx.QueryRowContext(ctx, "SELECT json_deserialize_sql($1::JSON)", raw.String()).Scan(&text)
	return text, ofTheText(err)
}
