package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// scoreSum is the numeric scores of one name in one group.
type scoreSum struct {
	total float64
	n     int64
}

// scoreNames are the names that the metrics ask for, each once.
func (s *statement) scoreNames() []string {
	var names []string
	for _, m := range s.metrics {
		if m.expression == "" {
			names = append(names, m.Score)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// scoreStats adds up the scores of these names by the groups of the page, in one
// pass over the scores however many names there are: by group and by name.
func (v *view) scoreStats(ctx context.Context, p *store.StatsPlan, names []string) (map[string]map[string]scoreSum, error) {
	s := newStatement(v, p)
	s.metrics = nil // of the page only the groups are asked
	text := s.scoresText(names)
	sums := map[string]map[string]scoreSum{}
	err := v.rows(ctx, text, s.args, func(r *sql.Rows) error {
		values, err := scanAll(r)
		if err != nil {
			return err
		}
		group := s.group(values)
		if sums[group] == nil {
			sums[group] = map[string]scoreSum{}
		}
		rest := values[len(s.Groups):]
		name, _ := rest[0].(string)
		total, _ := rest[1].(float64)
		n, _ := rest[2].(int64)
		sums[group][name] = scoreSum{total, n}
		return nil
	})
	return sums, err
}

// scoresText writes the statement: the group keys, name, sum and number.
func (s *statement) scoresText(names []string) string {
	tables, from, conditions := s.source()
	name, value := "sc.name", "sc.value"
	switch s.Of {
	case "scores":
	case "traces": // whose columns the conditions name without tr
		name, value = "score_name", "score_value"
		from += " JOIN (SELECT placed_in, name AS score_name, value AS score_value FROM sc) AS named ON named.placed_in = tr.id"
		if !s.Scored() {
			tables = append(tables, ofScores, ofPlacedScores)
		}
	default:
		name, value = "s.name", "s.value"
		from += " JOIN s ON " + about
		if !s.Scored() {
			tables = append(tables, ofScores)
		}
	}
	selected, grouped := s.groupColumns()
	conditions = append(conditions, fmt.Sprintf("%s IS NOT NULL AND %s IN (SELECT unnest(%s::VARCHAR[]))", value, name, s.arg(names)))
	sums := "SELECT " + strings.Join(append(selected, name+" AS named_score", "sum("+value+") AS total", "count(*) AS n"), ", ") +
		" " + from + sqltext.Where(conditions...) + " GROUP BY " + strings.Join(append(slices.Clone(grouped), "named_score"), ", ")
	if len(grouped) == 0 {
		return with(tables, sums)
	}
	page := s.text()
	same := make([]string, len(grouped))
	for i, g := range grouped {
		same[i] = fmt.Sprintf("sums.%s IS NOT DISTINCT FROM page.%[1]s", g)
	}
	return with(append(tables, table("sums", sums), table("page", page)),
		"SELECT sums.* FROM sums SEMI JOIN page ON "+strings.Join(same, " AND "))
}
