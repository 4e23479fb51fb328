package duckstore

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// DuckDB looks at its deadline and its limit of memory when it works at a statement, not while it makes the plan. A short text can have a plan that is never
// done: each SELECT of a WITH may take twice the columns of the one before it, or read that twice. So what becomes of a statement, when each name of WITH
// is what it stands for, is counted on its tree, and bounded.
const (
	// mostDepth is how deep parts may stand within each other. Planning takes the square of it. Lists and structs, which take the third power, count twice, and
	// a query in the place of a value, each of which may double what there is to plan, as ofValue.
	mostDepth = 200
	ofValue   = 18
	// mostReads is how often views are read.
	mostReads = 100
	// mostColumns is how many columns a SELECT may have, with those that are within structs.
	mostColumns = 2000
	// mostParts is the largest count that is told from larger ones.
	mostParts = 1 << 30
)

// sqlSize is what a part of a statement comes to.
type sqlSize struct {
	depth, reads int
	columns      int // that it has, when it is a query or something in FROM; of structs those that are within
	widest       int // how many of these one column may be
}

func (s sqlSize) and(o sqlSize) sqlSize {
	return sqlSize{max(s.depth, o.depth), min(s.reads+o.reads, mostParts), min(s.columns+o.columns, mostParts), max(s.widest, o.widest)}
}

// sized are the sizes of the names that WITH gave to what a part of the tree is in.
type sized struct {
	outer *sized
	name  string
	size  sqlSize
}

// checkSize refuses a statement that comes to too much.
func (t *sqlTree) checkSize() error {
	named := map[string]bool{}
	tableNames(t.node, named)
	_, err := (&sizing{named, t.growth}).size(t.node, nil, sqlSize{})
	return err
}

// sizing counts a statement.
type sizing struct {
	tables map[string]bool // the names that stand for rows somewhere in it
	growth int             // as in sqlTree
}

func (s sqlSize) fault() error {
	switch {
	case s.depth > mostDepth:
		return store.SQLErrorf("the parts of the statement stand within each other deeper than %d, with what WITH names: write it flatter", mostDepth)
	case s.reads > mostReads:
		return store.SQLErrorf("the statement reads views more than %d times, where each name of WITH counts as what it stands for: read them fewer times", mostReads)
	case s.columns > mostColumns:
		return store.SQLErrorf("a SELECT of the statement has, or is FROM, more than %d columns: name those that are needed, in the innermost SELECT", mostColumns)
	}
	return nil
}

// size counts a part of the tree. around are the columns of what it is in, which it may name.
func (z *sizing) size(part any, known *sized, around sqlSize) (s sqlSize, err error) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			below, err := z.size(p, known, around)
			if err != nil {
				return s, err
			}
			s = s.and(below)
		}
	case map[string]any:
		switch typ, _ := part["type"].(string); {
		case typ == "BASE_TABLE":
			return tableSize(part, known), nil
		case strings.HasSuffix(typ, "_NODE"):
			s, err = z.querySize(part, known, around)
		case typ == "JOIN":
			s, err = z.joinSize(part, known, around)
		default:
			s, err = z.partsSize(part, known, around)
		}
		s.depth += levels(part)
	}
	if err == nil {
		err = s.fault()
	}
	return s, err
}

func (z *sizing) partsSize(node map[string]any, known *sized, around sqlSize) (s sqlSize, err error) {
	for _, below := range node {
		one, err := z.size(below, known, around)
		if err != nil {
			return s, err
		}
		s = s.and(one)
	}
	if node["type"] == "TABLE_FUNCTION" { // its rows are of what it was given
		s.columns, s.widest = max(1, s.widest, around.widest), max(1, s.widest, around.widest)
	}
	if values, ok := node["values"].([]any); ok && node["type"] == "EXPRESSION_LIST" && len(values) > 0 {
		first, _ := values[0].([]any)
		s.columns, s.widest = len(first)*max(1, s.widest), max(1, s.widest)
	}
	return s, nil
}

func tableSize(node map[string]any, known *sized) sqlSize {
	name, _ := node["table_name"].(string)
	name = strings.ToLower(name)
	for k := known; k != nil; k = k.outer {
		if k.name == name {
			return k.size
		}
	}
	view, _ := sqlview.Named(name)
	return sqlSize{depth: 1, reads: 1, columns: len(view.Columns), widest: 1}
}

// joinSize adds both sides, of which the right one may name columns of the left one.
func (z *sizing) joinSize(node map[string]any, known *sized, around sqlSize) (sqlSize, error) {
	left, err := z.size(node["left"], known, around)
	if err != nil {
		return left, err
	}
	right, err := z.size(node["right"], known, around.and(left))
	if err != nil {
		return right, err
	}
	both := left.and(right)
	condition, err := z.size(node["condition"], known, around.and(both))
	condition.columns, condition.widest = 0, 0
	return both.and(condition), err
}

// combining are the members of a query that hold queries whose rows are its own.
var combining = []string{"left", "right", "children", "query", "child"}

// querySize counts a query: what it selects, of what it is FROM.
func (z *sizing) querySize(node map[string]any, known *sized, around sqlSize) (s sqlSize, err error) {
	if known, s, err = z.withSizes(node, known, around); err != nil {
		return s, err
	}
	from, err := z.size(node["from_table"], known, around)
	if err != nil {
		return s, err
	}
	within := around.and(from)
	s = s.read(from)
	for _, name := range combining {
		one, err := z.size(node[name], known, around)
		if err != nil {
			return s, err
		}
		s = s.read(one)
		s.columns, s.widest = max(s.columns, one.columns), max(s.widest, one.widest)
		if own, ok := node["cte_name"].(string); ok && node["type"] == "RECURSIVE_CTE_NODE" && name == "left" {
			known = &sized{known, strings.ToLower(own), one}
		}
	}
	selected, _ := node["select_list"].([]any)
	for _, entry := range selected {
		one, err := z.size(entry, known, within)
		if err != nil {
			return s, err
		}
		s = s.read(one)
		rows, stars := z.wide(entry)
		widest := max(1, one.widest, within.widest, min(rows*within.columns*z.growth, mostParts))
		s.columns, s.widest = min(s.columns+widest+stars*within.columns, mostParts), max(s.widest, widest)
	}
	for name, below := range node {
		if slices.Contains(combining, name) || name == "select_list" || name == "from_table" || name == "cte_map" {
			continue
		}
		one, err := z.size(below, known, within)
		if err != nil {
			return s, err
		}
		s = s.read(one)
	}
	return s, nil
}

// read adds what is read by a part whose columns are not the query's.
func (s sqlSize) read(part sqlSize) sqlSize {
	s.depth, s.reads = max(s.depth, part.depth), min(s.reads+part.reads, mostParts)
	return s
}

// withSizes counts what WITH names, each by the ones before it. What nobody names is planned, too.
func (z *sizing) withSizes(node map[string]any, known *sized, around sqlSize) (*sized, sqlSize, error) {
	var s sqlSize
	with, _ := node["cte_map"].(map[string]any)
	list, _ := with["map"].([]any)
	for _, entry := range list {
		named, _ := entry.(map[string]any)
		name, _ := named["key"].(string)
		one, err := z.size(named["value"], known, around)
		if err != nil {
			return known, s, err
		}
		s = s.read(one)
		known = &sized{known, strings.ToLower(name), one}
	}
	return known, s, nil
}

// levels is by how much a node is deeper than what it holds.
func levels(node map[string]any) int {
	name, _ := node["function_name"].(string)
	switch _, typed := node["type"].(string); {
	case !typed:
		return 0
	case growing[strings.ToLower(name)] > 0:
		return 2
	case node["class"] == "SUBQUERY":
		return ofValue
	}
	return 1
}

// wide counts, in what a SELECT has in a place of its list, the names of tables, which are whole rows, and the stars. Queries in it count themselves.
func (z *sizing) wide(part any) (rows, stars int) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			r, s := z.wide(p)
			rows, stars = rows+r, stars+s
		}
	case map[string]any:
		name, _ := part["function_name"].(string)
		switch {
		case part["class"] == "STAR":
			stars++
		case part["class"] == "COLUMN_REF" && z.isTable(part["column_names"]), strings.EqualFold(name, "unnest"):
			rows++
		}
		for key, below := range part {
			if key != "subquery" {
				r, s := z.wide(below)
				rows, stars = rows+r, stars+s
			}
		}
	}
	return rows, stars
}

func (z *sizing) isTable(names any) bool {
	list, _ := names.([]any)
	if len(list) == 0 {
		return false
	}
	name, _ := list[len(list)-1].(string)
	return z.tables[strings.ToLower(name)]
}

// tableNames collects the names of all that stands in FROM.
func tableNames(part any, into map[string]bool) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			tableNames(p, into)
		}
	case map[string]any:
		if part["class"] == nil {
			for _, key := range []string{"alias", "table_name"} {
				if name, _ := part[key].(string); name != "" {
					into[strings.ToLower(name)] = true
				}
			}
		}
		for _, below := range part {
			tableNames(below, into)
		}
	}
}
