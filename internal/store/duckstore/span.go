package duckstore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// span is a stretch of the events table, by Seq, both ends included.
type span struct{ first, last int64 }

// holds is the condition that a column is within s. The numbers stand in the
// text, because only constants make DuckDB pass over row groups out of range.
func (s span) holds(column string) string {
	return fmt.Sprintf("%[1]s >= %[2]d AND %[1]s <= %[3]d", column, s.first, s.last)
}

// add makes s cover o too.
func (s *span) add(o span) { s.first, s.last = min(s.first, o.first), max(s.last, o.last) }

// within is the condition that a column is in one of the spans.
func within(column string, spans []span) string {
	parts := make([]string, len(spans))
	for i, s := range spans {
		parts[i] = s.holds(column)
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

const (
	// nearby is up to how many events lie between two spans that are read as one:
	// about the rows that DuckDB reads or passes over as a whole.
	nearby = 100_000
	// fewSpans bounds the ranges of a condition that every row is compared with.
	fewSpans = 8
)

// joinSpans covers all spans with at most so many of them.
func joinSpans(spans []span, most int) []span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	for gap := int64(nearby); ; gap *= 4 {
		joined := spans[:0]
		for _, s := range spans {
			if n := len(joined); n > 0 && s.first-joined[n-1].last <= gap {
				joined[n-1].last = max(joined[n-1].last, s.last)
				continue
			}
			joined = append(joined, s)
		}
		if spans = joined; len(spans) <= most {
			return spans
		}
	}
}
