package duckstore

import (
	"fmt"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// columns is what a filter asks of a relation.
type columns struct {
	// of has an expression for each column of a filter, or the whole condition, with %s for the value.
	of     map[string]string
	id     string                            // tells rows apart
	scores string                            // relation of the scores that count: columns owner, name, value
	found  func(*builder, []entity.Seq) string // a condition: has one of the events
}

// compared is a condition as SQL, of an expression and a value.
func compared(op store.Op) string {
	return [...]string{
		store.Equal: "%s = %s", store.In: "%s IN (SELECT unnest(%s::VARCHAR[]))",
		store.AtLeast: "%s >= %s", store.AtMost: "%s <= %s", store.Below: "%s < %s",
	}[op]
}

// conditions are the parts of w as SQL conditions that must all hold.
func (q *builder) conditions(w *store.Where, c columns) ([]string, error) {
	var all []string
	for _, part := range w.Conditions {
		expression, value := c.of[part.Column], q.arg(part.Value)
		if _, ok := part.Value.(float64); ok {
			value += "::DOUBLE"
		}
		switch {
		case expression == "":
			return nil, fmt.Errorf("no column for the filter %s", part.Column)
		case strings.Contains(expression, "%s"):
			all = append(all, fmt.Sprintf(expression, value))
		default:
			all = append(all, fmt.Sprintf(compared(part.Op), expression, value))
		}
	}
	if w.Seqs != nil {
		all = append(all, c.found(q, w.Seqs))
	}
	if len(w.Scores) > 0 {
		all = append(all, q.scoreRanges(w.Scores, c))
	}
	return all, nil
}

// scoreRanges is the condition that all of them hold. The scores are read once and
// each mean is compared once, however many ranges there are.
func (q *builder) scoreRanges(all []store.ScoreRange, c columns) string {
	var names, notNames []string
	var least, most, nots []float64
	for _, r := range all {
		names, least, most = append(names, r.Name), append(least, r.Least), append(most, r.Most)
		for _, not := range r.Not {
			notNames, nots = append(notNames, r.Name), append(nots, not)
		}
	}
	but := ""
	if len(nots) > 0 {
		but = fmt.Sprintf(" ANTI JOIN (SELECT unnest(%s::VARCHAR[]) AS name, unnest(%s::DOUBLE[]) AS mean) AS nots USING (name, mean)", q.arg(notNames), q.arg(nots))
	}
	return fmt.Sprintf(`%s IN (SELECT owner FROM (SELECT owner, name, favg(value) AS mean FROM (%s) WHERE value IS NOT NULL GROUP BY owner, name) AS means
	JOIN (SELECT unnest(%s::VARCHAR[]) AS name, unnest(%s::DOUBLE[]) AS least, unnest(%s::DOUBLE[]) AS most) AS ranges USING (name)%s
	WHERE mean >= least AND mean <= most GROUP BY owner HAVING count(*) = %d)`,
		c.id, c.scores, q.arg(names), q.arg(least), q.arg(most), but, len(names))
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
