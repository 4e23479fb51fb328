package clickhouse

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// Texts that ClickHouse takes to mean something else than DuckDB and the standard do, with other rows and without a word, are refused with words.

// checkAlike checks the tree of the text for them.
func (n *sqlNode) checkAlike() error {
	columns := n.columnsNamed()
	return n.walk(nil, func(n *sqlNode, _ []*sqlNode) error {
		if err := n.checkResults(columns); err != nil {
			return err
		}
		if err := n.checkTableNames(); err != nil {
			return err
		}
		return n.checkUnion()
	})
}

// columnsNamed says by name how many SELECTs and views have a column that is called so.
func (n *sqlNode) columnsNamed() map[string]int {
	columns := map[string]int{}
	for _, view := range sqlview.Views() {
		for _, c := range view.Columns {
			columns[c.Name]++
		}
	}
	_ = n.walk(nil, func(n *sqlNode, _ []*sqlNode) error {
		results := n.results()
		for _, result := range results {
			name := result.name()
			if result.says["alias"] == "" && slices.ContainsFunc(results, func(other *sqlNode) bool { return other.says["alias"] == name }) {
				continue // it is that result again
			}
			columns[name]++
		}
		return nil
	})
	return columns
}

// checkResults refuses a name that is the result's to ClickHouse and the column's to others: in WHERE, GROUP BY, a window, or beside it in SELECT (ISO 9075-2, 7.12 and 7.16:
// only ORDER BY knows the names of results). SELECT latency_ms / 1000 AS latency_ms … WHERE latency_ms > 2 has other rows. The setting prefer_column_name_to_alias
// would take the column in ORDER BY and HAVING, too, where both engines take the result.
func (n *sqlNode) checkResults(columns map[string]int) error {
	for _, result := range n.results() {
		name := result.says["alias"]
		if name == "" || result.kind == "IDENTIFIER" && afterDot(result.says["identifier"]) == name {
			continue // it is called as it is
		}
		if columns[name] < 2 && !result.mentions(name) {
			continue // nothing else can be called so
		}
		if place := n.mistakes(result, name); place != "" {
			return store.SQLErrorf("%[1]q is the name of a result and may be that of a column: in %[2]s ClickHouse takes the result, and other engines the column. "+
				"Give the result another name, or write the column with its table (t.%[1]s)", name, place)
		}
	}
	return nil
}

// checkTableNames refuses the name of a table that has another one in its SELECT: FROM traces AS u WHERE traces.id = … is a column of u to ClickHouse, and to others one of
// the SELECT around, or none.
func (n *sqlNode) checkTableNames() error {
	if n.kind != "QUERY" {
		return nil
	}
	hidden, shown := map[string]string{}, map[string]bool{}
	for _, part := range n.below {
		if part.kind == "JOIN TREE" {
			part.tablesNamed(hidden, shown)
		}
	}
	for _, part := range n.below {
		if err := part.walk(nil, func(n *sqlNode, _ []*sqlNode) error {
			table, _, of := strings.Cut(n.says["identifier"], ".")
			if alias := hidden[table]; of && n.kind == "IDENTIFIER" && alias != "" && !shown[table] {
				return store.SQLErrorf("%q is called %s where it is read: write %s.%s", table, alias, alias, afterDot(n.says["identifier"]))
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// tablesNamed adds the tables of a JOIN TREE to what has another name, by its own, and to what has its own.
func (n *sqlNode) tablesNamed(hidden map[string]string, shown map[string]bool) {
	if n.kind == "IDENTIFIER" {
		table, alias := n.says["identifier"], n.says["alias"]
		if alias != "" && alias != table {
			hidden[table] = alias
		} else {
			shown[table] = true
		}
	}
	if n.kind == "QUERY" || n.kind == "UNION" || n.kind == "JOIN EXPRESSION" {
		return
	}
	for _, below := range n.below {
		below.tablesNamed(hidden, shown)
	}
}

// checkUnion refuses an order or a limit behind a UNION, which is that of its last SELECT to ClickHouse, and of the whole to others. Where the first has one, too, they stand in brackets.
func (n *sqlNode) checkUnion() error {
	if n.kind != "UNION" || len(n.below) == 0 || len(n.below[0].below) == 0 {
		return nil
	}
	of := n.below[0].below[0].below
	if first, last := of[0], of[len(of)-1]; last.ends() && !first.ends() {
		return store.SQLErrorf("ORDER BY and LIMIT behind UNION, EXCEPT or INTERSECT are those of the last SELECT to ClickHouse, and of the whole to other engines: write SELECT * FROM (… UNION …) ORDER BY …")
	}
	return nil
}

// ends says whether a SELECT has an order or a limit.
func (n *sqlNode) ends() bool {
	return slices.ContainsFunc(n.below, func(part *sqlNode) bool {
		return n.kind == "QUERY" && (part.kind == "ORDER BY" || part.kind == "LIMIT" || part.kind == "OFFSET")
	})
}

// results are what a SELECT selects.
func (n *sqlNode) results() []*sqlNode {
	for _, part := range n.below {
		if n.kind == "QUERY" && part.kind == "PROJECTION" && len(part.below) == 1 {
			return part.below[0].below
		}
	}
	return nil
}

// name is how a result is called; "" if nothing of the text says it.
func (n *sqlNode) name() string {
	if alias := n.says["alias"]; alias != "" {
		return alias
	}
	return afterDot(n.says["identifier"])
}

func afterDot(identifier string) string { return identifier[strings.LastIndexByte(identifier, '.')+1:] }

// mistakes gives the part of a SELECT in which a name, which is also that of one of its results, is not this result to everybody; "" if there is none.
func (n *sqlNode) mistakes(result *sqlNode, name string) string {
	for _, part := range n.below {
		switch part.kind {
		case "PROJECTION":
			if slices.ContainsFunc(n.results(), func(other *sqlNode) bool { return other.besides(result, name) }) {
				return "SELECT"
			}
		case "WHERE", "GROUP BY", "WINDOW":
			if part.mentions(name) {
				return part.kind
			}
		case "ORDER BY": // the name alone is the result to both; in an expression it is the column to DuckDB
			if slices.ContainsFunc(part.below, func(list *sqlNode) bool {
				return slices.ContainsFunc(list.below, func(sort *sqlNode) bool { return sort.computes(name) })
			}) {
				return "an expression of ORDER BY"
			}
		}
	}
	return ""
}

// besides says whether a result mentions the name of another: an aggregate or a window that has that name itself means the column where it says it.
func (n *sqlNode) besides(result *sqlNode, name string) bool {
	if n != result {
		return n.mentions(name)
	}
	return slices.ContainsFunc(n.below, func(part *sqlNode) bool { return part.kind == "WINDOW" && part.mentions(name) })
}

// computes says whether a term of ORDER BY mentions a name, but not alone.
func (n *sqlNode) computes(name string) bool {
	for _, expression := range n.below {
		if strings.HasPrefix(expression.kind, "EXPRESSION") && len(expression.below) == 1 && expression.below[0].kind != "IDENTIFIER" && expression.mentions(name) {
			return true
		}
	}
	return false
}

// mentions says whether a name stands in an expression, without its table and not in a SELECT of its own.
func (n *sqlNode) mentions(name string) bool {
	if n.kind == "QUERY" || n.kind == "UNION" {
		return false
	}
	if n.kind == "IDENTIFIER" && n.says["identifier"] == name {
		return true
	}
	return slices.ContainsFunc(n.below, func(below *sqlNode) bool { return below.mentions(name) })
}
