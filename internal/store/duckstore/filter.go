package duckstore

import (
	"fmt"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// columns says which expression of a relation each part of a filter compares.
// A part that the relation has no expression for cannot be asked of it.
type columns struct {
	time, id                                   string // id tells rows apart
	name, userID, sessionID, environment, tags string
	model, typ, level, traceID, latency, cost  string
	failed                                     string                           // a condition: has an error
	scores                                     string                           // relation of the scores that count: columns owner, name, value
	found                                      func(*query, []store.Seq) string // a condition: has one of the events
}

// conditions are the parts of f as SQL conditions that must all hold.
func (q *query) conditions(f *store.Filter, c columns) ([]string, error) {
	var all []string
	var unknown string
	add := func(param, column, format string, value any) {
		if column == "" {
			unknown = param
			return
		}
		all = append(all, fmt.Sprintf(format, column, q.arg(value)))
	}
	if !f.From.IsZero() {
		add("from", c.time, "%s >= %s", f.From.UnixMicro())
	}
	if !f.To.IsZero() {
		// A fraction of a microsecond in To keeps the microsecond it is in.
		add("to", c.time, "%s < %s", f.To.Add(time.Microsecond-1).UnixMicro())
	}
	for _, t := range []struct{ param, column, value string }{
		{"name", c.name, f.Name}, {"user_id", c.userID, f.UserID}, {"session_id", c.sessionID, f.SessionID},
		{"environment", c.environment, f.Environment}, {"model", c.model, f.Model}, {"type", c.typ, f.Type},
		{"level", c.level, f.Level}, {"trace_id", c.traceID, f.TraceID},
	} {
		if t.value != "" {
			add(t.param, t.column, "%s = %s", t.value)
		}
	}
	if f.Tag != "" {
		add("tag", c.tags, "list_contains(%s, %s)", f.Tag)
	}
	for _, n := range []struct {
		param, column, format string
		value                 *float64
	}{
		{"min_latency_ms", c.latency, "%s >= %s::DOUBLE", f.MinLatencyMS},
		{"max_latency_ms", c.latency, "%s <= %s::DOUBLE", f.MaxLatencyMS},
		{"min_cost", c.cost, "%s >= %s::DOUBLE", f.MinCost},
	} {
		if n.value != nil {
			add(n.param, n.column, n.format, *n.value)
		}
	}
	if f.HasError != nil {
		add("has_error", c.failed, "(%s) = %s", *f.HasError)
	}
	if f.Seqs != nil && c.found != nil {
		all = append(all, c.found(q, f.Seqs))
	} else if f.Seqs != nil || f.Match != nil && c.found == nil {
		unknown = "q"
	}
	if len(f.Scores) > 0 && c.scores == "" {
		unknown = "score"
	} else if len(f.Scores) > 0 {
		condition, err := q.scoreConditions(f.Scores, c)
		if err != nil {
			return nil, err
		}
		all = append(all, condition)
	}
	if unknown != "" {
		return nil, &store.QueryError{Param: unknown, Message: "is not a filter of this list"}
	}
	return all, nil
}

// scoreConditions is the condition that all of them hold. The scores are read once,
// however many conditions there are: each mean meets the conditions of its name, and whoever
// meets all of them passes.
func (q *query) scoreConditions(all []store.ScoreCondition, c columns) (string, error) {
	var names, ops []string
	var bounds []float64
	for _, s := range all {
		switch s.Op {
		case "=", "!=", "<", "<=", ">", ">=":
		default:
			return "", &store.QueryError{Param: "score", Message: fmt.Sprintf("unknown comparison %q", s.Op)}
		}
		names, ops, bounds = append(names, s.Name), append(ops, s.Op), append(bounds, s.Value)
	}
	name := q.arg(names)
	return fmt.Sprintf(`%s IN (SELECT owner FROM (SELECT owner, name, favg(value) AS mean FROM (%s)
		WHERE value IS NOT NULL AND name IN (SELECT unnest(%s::VARCHAR[])) GROUP BY owner, name)
	JOIN (SELECT unnest(%[3]s::VARCHAR[]) AS name, unnest(%[4]s::VARCHAR[]) AS op, unnest(%[5]s::DOUBLE[]) AS bound) USING (name)
	WHERE CASE op WHEN '=' THEN mean = bound WHEN '!=' THEN mean <> bound WHEN '<' THEN mean < bound WHEN '<=' THEN mean <= bound
		WHEN '>' THEN mean > bound ELSE mean >= bound END
	GROUP BY owner HAVING count(*) = %[6]d)`, c.id, c.scores, name, q.arg(ops), q.arg(bounds), len(all)), nil
}

// where joins conditions, leaving out empty ones.
func where(conditions ...string) string {
	var kept []string
	for _, c := range conditions {
		if c != "" {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(kept, " AND ")
}
