package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

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
	for _, m := range s.Metrics {
		if _, own := s.metrics[m.Of]; !own {
			names = append(names, m.Score)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// scoreStats adds up the scores of these names by the groups of the page, in one pass over the scores however many names there are.
func (v *view) scoreStats(ctx context.Context, p *store.StatsPlan, names []string) (map[string]map[string]scoreSum, error) {
	plain := *p
	plain.Metrics = nil // of the page only the groups are asked
	s := &statement{v.query(), subjectOf(p.Of), &plain}
	groups, result := s.groupValues()
	var name proto.ColStr
	var total proto.ColFloat64
	var n proto.ColInt64
	result = append(result, proto.ResultColumn{Name: "named_score", Data: &name}, proto.ResultColumn{Name: "total", Data: &total}, proto.ResultColumn{Name: "n", Data: &n})
	sums := map[string]map[string]scoreSum{}
	err := v.rows(ctx, s.builder, s.scoresText(names), result, func(at int) {
		row := make([]any, 0, len(groups))
		for _, g := range groups {
			row = append(row, g.row(at))
		}
		group := sqltext.GroupKey(row)
		if sums[group] == nil {
			sums[group] = map[string]scoreSum{}
		}
		sums[group][name.Row(at)] = scoreSum{total.Row(at), n.Row(at)}
	})
	return sums, err
}

// scoresText writes the statement: the group keys, name, sum and number.
func (s *statement) scoresText(names []string) string {
	tables, from, conditions := s.source()
	name, value := "named.name", "named.value"
	switch s.Of {
	case "scores":
		name, value = "sc.name", "sc.value"
	case "traces":
		from += " JOIN sc AS named ON named.placed_in = tr.id"
	default:
		from += " JOIN sc AS named ON named.observation_id = o.id AND named.placed_in = o.trace_id"
	}
	if s.Of != "scores" && !s.Where.Scored() {
		tables = append(tables, ofScores, ofPlacedScores)
	}
	selected, grouped := s.groupColumns()
	conditions = append(conditions, fmt.Sprintf("%s IS NOT NULL AND %s IN %s", value, name, s.arg(names)))
	sums := "SELECT " + strings.Join(append(selected, "CAST("+name+", 'String') AS named_score", "assumeNotNull(sumKahan("+value+")) AS total", "toInt64(count()) AS n"), ", ") +
		" " + from + sqltext.Where(conditions...) + " GROUP BY " + strings.Join(append(slices.Clone(grouped), "named_score"), ", ")
	if len(grouped) == 0 {
		return with(tables, sums)
	}
	same := "(" + strings.Join(grouped, ", ") + ")"
	// Groups without a value are groups. It is set here alone, since a server with it uses no index of what is IN a list.
	return with(append(tables, table("sums", sums), table("page", s.text())),
		"SELECT * FROM sums WHERE "+same+" IN (SELECT "+strings.Join(grouped, ", ")+" FROM page) SETTINGS transform_null_in = 1")
}
