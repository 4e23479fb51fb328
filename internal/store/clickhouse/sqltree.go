package clickhouse

import (
	"context"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// sqlNode is a line of a tree as the server tells it, with what is indented below: a node (QUERY id: 3, …), or a part of one (WHERE).
type sqlNode struct {
	kind  string // QUERY, FUNCTION, …, or the name of a part
	says  map[string]string
	below []*sqlNode
}

// sqlTree has the server tell a tree.
func (v *view) sqlTree(ctx context.Context, statement string) (*sqlNode, error) {
	var explain proto.ColStr
	var lines []string
	err := v.w.askSet(ctx, &builder{}, statement, v.sqlSettings(), proto.Results{{Name: "explain", Data: &explain}}, func(i int) {
		lines = append(lines, strings.Split(explain.Row(i), "\n")...)
	})
	if err != nil {
		return nil, ofTheAnalysis(err)
	}
	return treeOf(lines), nil
}

// treeOf reads the lines. One that a name in the text has forged makes more of the tree, and nothing of it less.
func treeOf(lines []string) *sqlNode {
	root := &sqlNode{}
	path, depths := []*sqlNode{root}, []int{-1}
	for _, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		if trimmed == "" {
			continue
		}
		depth := len(line) - len(trimmed)
		for depths[len(depths)-1] >= depth {
			path, depths = path[:len(path)-1], depths[:len(depths)-1]
		}
		n := nodeOf(trimmed)
		parent := path[len(path)-1]
		parent.below = append(parent.below, n)
		path, depths = append(path, n), append(depths, depth)
	}
	return root
}

// nodeOf reads a line: KIND id: 3, name: value, …
func nodeOf(line string) *sqlNode {
	kind, rest, isNode := strings.Cut(line, " id: ")
	if !isNode {
		return &sqlNode{kind: line}
	}
	n := &sqlNode{kind: kind, says: map[string]string{}}
	for _, part := range strings.Split(rest, ", ")[1:] {
		if name, value, ok := strings.Cut(part, ": "); ok {
			if _, said := n.says[name]; !said { // what follows a value that has commas is not believed
				n.says[name] = value
			}
		}
	}
	return n
}

// walk calls visit for each node, with the parts and nodes above it, the nearest last.
func (n *sqlNode) walk(above []*sqlNode, visit func(n *sqlNode, above []*sqlNode) error) error {
	if err := visit(n, above); err != nil {
		return err
	}
	above = append(slices.Clone(above), n)
	for _, b := range n.below {
		if err := b.walk(above, visit); err != nil {
			return err
		}
	}
	return nil
}

// sqlKinds are the nodes that a text may be made of.
var sqlKinds = map[string]bool{
	"QUERY": true, "UNION": true, "LIST": true, "IDENTIFIER": true, "MATCHER": true, "CONSTANT": true, "FUNCTION": true, "LAMBDA": true, "SORT": true, "WINDOW": true,
	"JOIN": true, "CROSS_JOIN": true, "ARRAY_JOIN": true, "SORT_COLUMN": true,
}

// oneRow is what a SELECT without FROM reads: one row, of nothing.
const oneRow = "system.one"

// tablePlaces are the parts in which a name is that of a table.
var tablePlaces = map[string]bool{"JOIN TREE": true, "LEFT TABLE EXPRESSION": true, "RIGHT TABLE EXPRESSION": true, "TABLE EXPRESSION": true, "TABLE EXPRESSIONS": true}

// checkText checks the tree of the text alone, whose names mean nothing yet.
func (n *sqlNode) checkText() error {
	known := map[string]bool{oneRow: true}
	for _, s := range sqlview.Views() {
		known[s.Name] = true
	}
	_ = n.walk(nil, func(n *sqlNode, _ []*sqlNode) error { // names that WITH gives
		if name := n.says["cte_name"]; name != "" {
			known[name] = true
		}
		return nil
	})
	return n.walk(nil, func(n *sqlNode, above []*sqlNode) error {
		switch {
		case n.says == nil:
			if strings.HasPrefix(n.kind, "SETTINGS") {
				return store.SQLErrorf("SETTINGS is not taken")
			}
			return nil
		case n.kind == "TABLE_FUNCTION":
			return store.SQLErrorf("the table function %s is not taken: it may read what is not the project's", n.says["table_function_name"])
		case !sqlKinds[n.kind]:
			return store.SQLErrorf("a part of the kind %s is not taken", n.kind)
		case n.kind == "FUNCTION" && !sqlFunctions[strings.ToLower(n.says["function_name"])]:
			return store.SQLErrorf("the function %s is not taken; docs/sql.md says which are", n.says["function_name"])
		case n.kind == "IDENTIFIER" && namesTable(n, above) && !known[n.says["identifier"]]:
			return store.SQLErrorf("there is no view %q; there are traces, observations, scores, events, sessions", n.says["identifier"])
		}
		return nil
	})
}

// namesTable says whether a name stands where one of a table does: in FROM, or behind IN.
func namesTable(n *sqlNode, above []*sqlNode) bool {
	if len(above) == 0 {
		return false
	}
	last := above[len(above)-1]
	if tablePlaces[last.kind] {
		return true
	}
	if last.kind != "LIST" || len(above) < 3 {
		return false
	}
	if tablePlaces[above[len(above)-2].kind] {
		return true
	}
	function := above[len(above)-3]
	return function.kind == "FUNCTION" && strings.Contains(strings.ToLower(function.says["function_name"]), "in") &&
		sqlSets[strings.ToLower(function.says["function_name"])] && len(last.below) == 2 && last.below[1] == n
}

// sqlSets are the functions whose second argument may be a table.
var sqlSets = map[string]bool{
	"in": true, "notin": true, "globalin": true, "globalnotin": true, "nullin": true, "notnullin": true, "globalnullin": true, "globalnotnullin": true,
}

// checkTables checks the tree in which names have become tables: whatever is read is a table of ours, in the innermost SELECT of one of our views.
func (n *sqlNode) checkTables(v *view) error {
	return n.walk(nil, func(n *sqlNode, above []*sqlNode) error {
		switch n.kind {
		case "TABLE_FUNCTION":
			return store.SQLErrorf("a table function is not taken")
		case "TABLE":
			name := n.says["table_name"]
			if name == oneRow {
				return nil
			}
			table, ours := strings.CutPrefix(name, v.w.options.Database+".")
			if !ours || !slices.Contains(ourTables, table) || len(above) < 2 || above[len(above)-1].kind != "JOIN TREE" || !above[len(above)-2].ofProject(v.project) {
				return store.SQLErrorf("the statement would read %s beyond the project of the key", name)
			}
		}
		return nil
	})
}

// ofProject says whether a SELECT has the condition on the project and no other.
func (n *sqlNode) ofProject(project string) bool {
	i := slices.IndexFunc(n.below, func(part *sqlNode) bool { return part.kind == "WHERE" })
	if n.kind != "QUERY" || i < 0 || len(n.below[i].below) != 1 {
		return false
	}
	equals := n.below[i].below[0]
	if equals.kind != "FUNCTION" || equals.says["function_name"] != "equals" || len(equals.below) != 1 || len(equals.below[0].below) != 1 {
		return false
	}
	arguments := equals.below[0].below[0].below
	return len(arguments) == 2 && arguments[0].kind == "COLUMN" && arguments[0].says["column_name"] == "project" &&
		arguments[1].kind == "CONSTANT" && arguments[1].says["constant_value"] == quoted(project)
}
