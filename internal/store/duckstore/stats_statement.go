package duckstore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

func (s *statement) chooseGroups() error {
	if i := s.sq.Interval; i != 0 {
		if i < time.Minute || i > 24*time.Hour {
			return &store.QueryError{Param: "interval", Message: "must be 1 minute to 1 day"}
		}
		s.groups = append(s.groups, "time")
	}
	for _, g := range s.sq.GroupBy {
		if _, ok := s.subject.groups[g]; !ok {
			return &store.QueryError{Param: "group_by", Message: fmt.Sprintf("cannot group by %q", g)}
		}
		if !slices.Contains(s.groups, g) {
			s.groups = append(s.groups, g)
		}
	}
	if slices.Contains(s.groups, valueBucket) {
		s.groups = append(s.groups, valueBucketEnd)
	}
	return nil
}

// needs says whether a group or filter uses the relation with this alias.
func (s *statement) needs(alias string, filters ...string) bool {
	for _, g := range s.groups {
		if strings.Contains(s.subject.groups[g], alias) {
			return true
		}
	}
	return slices.ContainsFunc(filters, func(f string) bool { return f != "" })
}

// source is the relation to aggregate over.
func (s *statement) source() (tables []string, from string, conditions []string, err error) {
	f := &s.sq.Filter
	scored := slices.ContainsFunc(s.sq.Metrics, func(m string) bool { return strings.HasPrefix(m, "score_") })
	switch s.sq.Of {
	case "traces":
		tables, conditions, err = s.filteredTraces(f)
		if scored && len(f.Scores) == 0 {
			tables = append(tables, s.scores(), placedScores())
		}
		return tables, "FROM tr", conditions, err
	case "scores":
		conditions, err = s.conditions(f, s.columns)
		tables, from = s.scoresWith(s.needs("o.", f.Model, f.Type, f.Level), s.needs("sc.placed_in", f.TraceID), s.needs("t.", f.UserID, f.SessionID, f.Tag))
		if slices.Contains(s.groups, valueBucket) {
			tables, from = bucketed(tables, from, conditions, slices.Contains(s.groups, "name"))
		}
		return tables, from, conditions, err
	case "events":
		conditions, err = s.conditions(f, s.columns)
		return nil, "FROM events", append([]string{"project = $1"}, conditions...), err
	}
	conditions, err = s.conditions(f, s.columns)
	tables, from = s.observationsWithTrace(s.needs("t.", f.UserID, f.SessionID), scored || len(f.Scores) > 0)
	return tables, from, conditions, err
}

func (s *statement) timeColumn() string {
	if s.sq.Of == "traces" {
		return "tr.start_time"
	}
	return s.columns.time
}

func (s *statement) chooseMetrics() error {
	asked := s.sq.Metrics
	if len(asked) == 0 {
		asked = []string{"count"}
	}
	joined := make(map[string]string) // score name → its join's alias
	for _, m := range asked {
		if slices.Contains(s.metrics, m) {
			continue
		}
		expression, ok := s.subject.metrics[m]
		if !ok {
			kind, name, found := strings.Cut(m, ":")
			if !found || name == "" || !s.scored || kind != "score_avg" && kind != "score_count" {
				return &store.QueryError{Param: "metrics", Message: fmt.Sprintf("unknown metric %q", m)}
			}
			expression = s.scoreMetric(kind, name, joined)
		}
		s.metrics = append(s.metrics, m)
		s.exprs = append(s.exprs, expression)
	}
	return nil
}

// scoreMetric is the expression for the numeric scores of a name. Those of
// observations and traces are summed per owner first, so that a join of two
// names does not multiply rows.
func (s *statement) scoreMetric(kind, name string, joined map[string]string) string {
	if s.sq.Of == "scores" {
		n := s.arg(name)
		if kind == "score_count" {
			return "count(sc.value) FILTER (sc.name = " + n + ")"
		}
		return finite("avg(sc.value) FILTER (sc.name = " + n + ")")
	}
	alias := joined[name]
	if alias == "" {
		alias = fmt.Sprintf("by%d", len(joined))
		joined[name] = alias
		owner, relation, id := "observation_id", "s", "o.id"
		if s.sq.Of == "traces" {
			owner, relation, id = "placed_in", "sc", "tr.id"
		}
		s.joins += fmt.Sprintf(" LEFT JOIN (SELECT %s AS owner, sum(value) AS total, count(value) AS n FROM %s WHERE name = %s GROUP BY owner) AS %s ON %s = %[4]s.owner",
			owner, relation, s.arg(name), alias, id)
	}
	if kind == "score_count" {
		return "coalesce(sum(" + alias + ".n), 0)::BIGINT"
	}
	return finite("sum(" + alias + ".total) / nullif(sum(" + alias + ".n), 0)")
}

// beyond is the condition of groups behind the cursor. NULL comes first.
func (s *statement) beyond(after *position) (string, error) {
	if after == nil {
		return "", nil
	}
	if len(after.Keys) != len(s.groups) {
		return "", &store.QueryError{Param: "cursor", Message: "is not the next_cursor of this query"}
	}
	var any []string
	same := ""
	for i, k := range after.Keys {
		column := fmt.Sprintf("g%d", i)
		if k == "" { // NULL
			any = append(any, same+column+" IS NOT NULL")
			same += column + " IS NULL AND "
			continue
		}
		value, err := groupValue(s.groups[i], k)
		if err != nil {
			return "", err
		}
		v := s.arg(value)
		any = append(any, fmt.Sprintf("%s%s > %s", same, column, v))
		same += column + " = " + v + " AND "
	}
	return "(" + strings.Join(any, " OR ") + ")", nil
}

// groupValue is a key of a cursor as its group compares it: whoever changed the
// cursor gets an error instead of a failed conversion in the database.
func groupValue(group, key string) (any, error) {
	text, found := strings.CutPrefix(key, "=")
	var value any = text
	var err error
	switch group {
	case "time":
		value, err = strconv.ParseInt(text, 10, 64)
	case valueBucket, valueBucketEnd:
		value, err = strconv.ParseFloat(text, 64)
	}
	if !found || err != nil {
		return nil, &store.QueryError{Param: "cursor", Message: "is not the next_cursor of this query"}
	}
	return value, nil
}
