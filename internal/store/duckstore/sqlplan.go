package duckstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// planNode is a node of a plan as EXPLAIN (FORMAT json) tells it.
type planNode struct {
	Name     string                     `json:"name"`
	Children []planNode                 `json:"children"`
	Info     map[string]json.RawMessage `json:"extra_info"`
}

// checkPlan has DuckDB plan the statement and looks at what it would read, before it reads. It looks twice: at the plan before the optimizer, in which
// names have become tables and nothing has been moved, each table is read directly below the filter of our views; and at the plan behind it, in which each scan
// itself has the filter. (A name in the filter of the first may be that of an outer query; a filter of the second is of the scan's own column.)
func (v *view) checkPlan(ctx context.Context, text string) error {
	plans := map[string][]planNode{}
	err := v.rows(ctx, "EXPLAIN (FORMAT json) "+text, nil, func(r *sql.Rows) error {
		var kind, value string
		if err := r.Scan(&kind, &value); err != nil {
			return err
		}
		var plan []planNode
		err := json.Unmarshal([]byte(value), &plan)
		plans[kind] = plan
		return err
	})
	if err != nil {
		return err
	}
	for kind, check := range map[string]func(n, parent *planNode) error{"logical_plan": v.checkRead, "logical_opt": v.checkScan} {
		if len(plans[kind]) == 0 {
			return errors.New("the engine tells no plan of the statement")
		}
		for i := range plans[kind] {
			if err := plans[kind][i].walk(nil, check); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *planNode) walk(parent *planNode, check func(n, parent *planNode) error) error {
	if err := check(n, parent); err != nil {
		return err
	}
	for i := range n.Children {
		if err := n.Children[i].walk(n, check); err != nil {
			return err
		}
	}
	return nil
}

// scans is the node that reads a table.
const scans = "SEQ_SCAN"

// checkRead checks a node of the plan before the optimizer.
func (v *view) checkRead(n, parent *planNode) error {
	name := strings.TrimSpace(n.Name)
	switch {
	case sqlPlanNodes[name]:
		return nil
	case name != scans:
		return store.SQLErrorf("the statement would be worked at by %s, which is not taken", name)
	case !v.ours(n.text("Table")) || parent == nil || strings.TrimSpace(parent.Name) != "FILTER" || parent.text("Expressions") != "(project = CAST("+quotedText(v.project)+" AS VARCHAR))":
		return beyondTheProject(n)
	}
	return nil
}

// checkScan checks a scan of the plan behind the optimizer. One other form is right: rows that were found in a scan with the filter are read again by their places, for
// the rest of their columns.
func (v *view) checkScan(n, parent *planNode) error {
	if strings.TrimSpace(n.Name) != scans || slices.Contains(n.texts("Filters"), "project="+quotedText(v.project)) {
		return nil
	}
	again := parent != nil && strings.TrimSpace(parent.Name) == "COMPARISON_JOIN" && n == &parent.Children[0] && parent.text("Join Type") == "SEMI" && parent.text("Conditions") == "(rowid = rowid)"
	if !again || !v.ours(n.text("Table")) {
		return beyondTheProject(n)
	}
	return nil
}

func beyondTheProject(n *planNode) error {
	return store.SQLErrorf("the statement would read %s beyond the project of the key", n.text("Table"))
}

// texts are what a node says under a name: one text, or a list of them.
func (n *planNode) texts(name string) (list []string) {
	var one string
	if json.Unmarshal(n.Info[name], &one) == nil {
		return []string{one}
	}
	if json.Unmarshal(n.Info[name], &list) != nil {
		return nil
	}
	return list
}

// text is what a node says under a name where that is one text.
func (n *planNode) text(name string) string {
	if list := n.texts(name); len(list) == 1 {
		return list[0]
	}
	return ""
}

// ours says whether a table is one that views read.
func (v *view) ours(table string) bool {
	name := table[strings.LastIndexByte(table, '.')+1:]
	return name == "events" || name == observationTable.name || name == scoreTable.name || name == traceTable.name
}

// sqlPlanNodes are the nodes of a plan before the optimizer that read nothing by themselves.
var sqlPlanNodes = set("PROJECTION FILTER AGGREGATE ORDER_BY LIMIT TOP_N DISTINCT WINDOW UNNEST COMPARISON_JOIN ANY_JOIN CROSS_PRODUCT POSITIONAL_JOIN DELIM_JOIN DELIM_GET DEPENDENT_JOIN ASOF_JOIN " +
	"UNION EXCEPT INTERSECT REC_CTE CTE CTE_SCAN REC_CTE_SCAN CHUNK_GET DUMMY_SCAN EXPRESSION_GET EMPTY_RESULT SAMPLE RANGE GENERATE_SERIES")
