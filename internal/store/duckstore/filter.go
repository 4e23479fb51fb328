package duckstore

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// columns says which expression of a relation each part of a filter compares.
// A part that the relation has no expression for cannot be asked of it.
type columns struct {
	time, id                                   string // id tells rows apart
	name, userID, sessionID, environment, tags string
	model, typ, level, traceID, latency, cost  string
	failed                                     string                            // a condition: has an error
	scores                                     string                            // relation of the scores that count: columns owner, name, value
	found                                      func(*query, []entity.Seq) string // a condition: has one of the events
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

// meanRange is what the conditions of one score name leave of its mean.
type meanRange struct{ least, most float64 }

// scoreConditions is the condition that all of them hold. The scores are read once and
// each mean is compared once, however many conditions there are.
func (q *query) scoreConditions(all []store.ScoreCondition, c columns) (string, error) {
	ranges := map[string]*meanRange{}
	var notNames []string
	var nots []float64
	for _, s := range all {
		r := ranges[s.Name]
		if r == nil {
			r = &meanRange{math.Inf(-1), math.Inf(1)}
			ranges[s.Name] = r
		}
		switch s.Op {
		case "=":
			r.least, r.most = max(r.least, s.Value), min(r.most, s.Value)
		case "!=":
			notNames, nots = append(notNames, s.Name), append(nots, s.Value)
		case "<":
			r.most = min(r.most, math.Nextafter(s.Value, math.Inf(-1)))
		case "<=":
			r.most = min(r.most, s.Value)
		case ">":
			r.least = max(r.least, math.Nextafter(s.Value, math.Inf(1)))
		case ">=":
			r.least = max(r.least, s.Value)
		default:
			return "", &store.QueryError{Param: "score", Message: fmt.Sprintf("unknown comparison %q", s.Op)}
		}
	}
	var names []string
	var least, most []float64
	for _, name := range slices.Sorted(maps.Keys(ranges)) {
		names, least, most = append(names, name), append(least, ranges[name].least), append(most, ranges[name].most)
	}
	but := ""
	if len(nots) > 0 {
		but = fmt.Sprintf(" ANTI JOIN (SELECT unnest(%s::VARCHAR[]) AS name, unnest(%s::DOUBLE[]) AS mean) AS nots USING (name, mean)", q.arg(notNames), q.arg(nots))
	}
	return fmt.Sprintf(`%s IN (SELECT owner FROM (SELECT owner, name, favg(value) AS mean FROM (%s) WHERE value IS NOT NULL GROUP BY owner, name) AS means
	JOIN (SELECT unnest(%s::VARCHAR[]) AS name, unnest(%s::DOUBLE[]) AS least, unnest(%s::DOUBLE[]) AS most) AS ranges USING (name)%s
	WHERE mean >= least AND mean <= most GROUP BY owner HAVING count(*) = %d)`,
		c.id, c.scores, q.arg(names), q.arg(least), q.arg(most), but, len(names)), nil
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
