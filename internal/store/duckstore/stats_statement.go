package duckstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// source is the relation to aggregate over.
func (s *statement) source() (tables []string, from string, conditions []string) {
	if s.Of == "traces" {
		tables, conditions = s.filteredTraces(&s.Where)
		return tables, "FROM tr", conditions
	}
	conditions = s.conditions(&s.Where, s.columns)
	switch s.Of {
	case "scores":
		tables, from = scoresWith(&s.Where, s.Groups...)
		if slices.Contains(s.Groups, store.GroupValue) {
			tables, from = bucketed(tables, from, conditions, slices.Contains(s.Groups, "name"))
		}
	case "events":
		return nil, "FROM events", append([]string{"project = $1"}, conditions...)
	default:
		tables, from = observationsWithTrace(s.columns.need("t.", &s.Where, s.Groups...), len(s.Scores) > 0)
	}
	return tables, from, conditions
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
