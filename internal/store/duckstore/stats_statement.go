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
	switch s.sq.Of {
	case "traces":
		tables, conditions, err = s.filteredTraces(f)
		return tables, "FROM tr", conditions, err
	case "scores":
		conditions, err = s.conditions(f, s.columns)
		tables, from = scoresWith(s.needs("o.", f.Model, f.Type, f.Level), s.needs("sc.placed_in", f.TraceID), s.needs("t.", f.UserID, f.SessionID, f.Tag))
		if slices.Contains(s.groups, valueBucket) {
			tables, from = bucketed(tables, from, conditions, slices.Contains(s.groups, "name"))
		}
		return tables, from, conditions, err
	case "events":
		conditions, err = s.conditions(f, s.columns)
		return nil, "FROM events", append([]string{"project = $1"}, conditions...), err
	}
	conditions, err = s.conditions(f, s.columns)
	tables, from = observationsWithTrace(s.needs("t.", f.UserID, f.SessionID), len(f.Scores) > 0)
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
	known := make(map[string]bool, len(asked))
	for _, name := range asked {
		if known[name] {
			continue
		}
		known[name] = true
		m := metric{name: name, expression: s.subject.metrics[name]}
		if m.expression == "" {
			kind, score, found := strings.Cut(name, ":")
			if !found || score == "" || !s.scored || kind != "score_avg" && kind != "score_count" {
				return &store.QueryError{Param: "metrics", Message: fmt.Sprintf("unknown metric %q", name)}
			}
			m.score, m.counts = score, kind == "score_count"
		}
		s.metrics = append(s.metrics, m)
	}
	return nil
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
