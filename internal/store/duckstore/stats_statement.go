package duckstore

import (
	"slices"

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
		tables, from = observationsWithTrace(s.columns.need("t.", &s.Where, s.Groups...), s.Scored())
	}
	return tables, from, conditions
}
