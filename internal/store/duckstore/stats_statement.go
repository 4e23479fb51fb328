package duckstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// needs says whether a group or filter uses the relation with this alias.
func (s *statement) needs(alias string, filters ...string) bool {
	return s.Asks(filters...) || slices.ContainsFunc(s.Groups, func(g string) bool { return strings.Contains(s.subject.groups[g], alias) })
}

// source is the relation to aggregate over.
func (s *statement) source() (tables []string, from string, conditions []string, err error) {
	if s.Of == "traces" {
		tables, conditions, err = s.filteredTraces(&s.Where)
		return tables, "FROM tr", conditions, err
	}
	conditions, err = s.conditions(&s.Where, s.columns)
	switch s.Of {
	case "scores":
		tables, from = scoresWith(s.needs("o.", "model", "type", "level"), s.needs("sc.placed_in", "trace_id"), s.needs("t.", "user_id", "session_id", "tag"))
		if slices.Contains(s.Groups, store.GroupValue) {
			tables, from = bucketed(tables, from, conditions, slices.Contains(s.Groups, "name"))
		}
	case "events":
		return nil, "FROM events", append([]string{"project = $1"}, conditions...), err
	default:
		tables, from = observationsWithTrace(s.needs("t.", "user_id", "session_id"), len(s.Scores) > 0)
	}
	return tables, from, conditions, err
}

// beyond is the condition of groups behind the last page. NULL comes first.
func (s *statement) beyond() string {
	var any []string
	same := ""
	for i, value := range s.After {
		column := fmt.Sprintf("g%d", i)
		if value == nil {
			any = append(any, same+column+" IS NOT NULL")
			same += column + " IS NULL AND "
			continue
		}
		v := s.arg(value)
		any = append(any, fmt.Sprintf("%s%s > %s", same, column, v))
		same += column + " = " + v + " AND "
	}
	if any == nil {
		return ""
	}
	return "(" + strings.Join(any, " OR ") + ")"
}
