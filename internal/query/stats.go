package query

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// subject is what statistics can be of.
type subject struct {
	name    string
	groups  []string
	metrics []string
	scored  bool // the metrics of scores can be asked too
}

// subjects are all of them.
func subjects() []subject {
	amounts := []string{"count", "error_rate", "tokens", "cost"}
	latencies := []string{"latency_p50", "latency_p95", "latency_p99"}
	observations := groupsOf(entity.ObservationKind)
	parts, unpriced := []string{"cost_input", "cost_cached", "cost_output"}, []string{"unpriced_count"}
	return []subject{
		{"observations", observations, slices.Concat(amounts, parts, unpriced, latencies), true},
		{"traces", groupsOf(entity.TraceKind), slices.Concat(amounts, unpriced, latencies), true},
		// A score has what its observation and its trace have, too.
		{"scores", slices.Concat(groupsOf(entity.ScoreKind), observations, []string{store.GroupValue}), []string{"count"}, true},
		{"events", slices.Concat(observations, []string{"event_type"}), amounts, false},
	}
}

// groupsOf are the columns of a kind's rows that statistics can be grouped by.
func groupsOf(kind entity.Kind) []string {
	var groups []string
	for _, c := range entity.Columns(kind) {
		if c.Group {
			groups = append(groups, c.Name)
		}
	}
	return groups
}

func subjectNames() []string {
	var names []string
	for _, s := range subjects() {
		names = append(names, s.name)
	}
	return names
}

// subjectOf finds a subject; "" is observations.
func subjectOf(of string) (subject, error) {
	for _, s := range subjects() {
		if s.name == of || of == "" {
			return s, nil
		}
	}
	return subject{}, &store.QueryError{Param: "of", Message: "must be observations, traces, scores or events"}
}

// statsPlan checks a query. hash identifies it.
func statsPlan(project string, q *store.StatsQuery) (p *store.StatsPlan, hash string, err error) {
	s, err := subjectOf(q.Of)
	if err != nil {
		return nil, "", err
	}
	if q.Match != nil || slices.ContainsFunc(q.Found, func(f store.Found) bool { return f.Match != nil }) {
		return nil, "", &store.QueryError{Param: "q", Message: "is no filter of statistics, unless as a list of events"}
	}
	p = &store.StatsPlan{Of: s.name}
	if p.Limit, err = checkLimit(q.Limit, MaxLimit, MaxLimit); err != nil {
		return nil, "", err
	}
	keyed := *q
	keyed.Limit, keyed.Cursor = 0, ""
	if hash, err = hashOf(project, "stats", keyed); err != nil {
		return nil, "", err
	}
	at, err := decodeCursor(q.Cursor, hash)
	if err != nil {
		return nil, "", err
	}
	if p.Groups, err = s.chooseGroups(q); err != nil {
		return nil, "", err
	}
	if p.Metrics, err = s.chooseMetrics(q.Metrics); err != nil {
		return nil, "", err
	}
	if p.Where, err = whereOf(&q.Filter, Stats, s.name); err != nil {
		return nil, "", err
	}
	if q.Interval != 0 {
		zone, err := store.Zone(q.Zone)
		if err != nil {
			return nil, "", err
		}
		if p.Buckets, err = store.NewBuckets(q.Interval, zone, q.From, q.To); err != nil {
			return nil, "", err
		}
	}
	p.After, err = at.row(p.Groups)
	return p, hash, err
}

func (s *subject) chooseGroups(q *store.StatsQuery) ([]string, error) {
	var groups []string
	if i := q.Interval; i != 0 {
		if i < time.Minute || i > 24*time.Hour {
			return nil, &store.QueryError{Param: "interval", Message: "must be 1 minute to 1 day"}
		}
		groups = append(groups, store.GroupTime)
	}
	for _, g := range q.GroupBy {
		if !slices.Contains(s.groups, g) {
			return nil, &store.QueryError{Param: "group_by", Message: fmt.Sprintf("cannot group by %q", g)}
		}
		if !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	if slices.Contains(groups, store.GroupValue) {
		groups = append(groups, store.GroupValueEnd)
	}
	return groups, nil
}

func (s *subject) chooseMetrics(asked []string) ([]store.Metric, error) {
	if len(asked) == 0 {
		asked = []string{"count"}
	}
	var metrics []store.Metric
	for _, name := range asked {
		if slices.ContainsFunc(metrics, func(m store.Metric) bool { return m.Name == name }) {
			continue
		}
		m := store.Metric{Name: name, Of: name}
		if !slices.Contains(s.metrics, name) {
			m.Of, m.Score, _ = strings.Cut(name, ":")
			if m.Score == "" || !s.scored || m.Of != store.MeanOfScores && m.Of != store.NumberOfScores {
				return nil, &store.QueryError{Param: "metrics", Message: fmt.Sprintf("unknown metric %q", name)}
			}
		}
		metrics = append(metrics, m)
	}
	return metrics, nil
}

// ListStats answers with a page of aggregates, ordered by time and group.
func ListStats(ctx context.Context, w store.Warehouse, project string, q store.StatsQuery) (*wire.Page[wire.StatRow], error) {
	plan, hash, err := statsPlan(project, &q)
	if err != nil {
		return nil, err
	}
	rows, err := w.Stats(ctx, project, plan)
	if err != nil {
		return nil, err
	}
	out := &wire.Page[wire.StatRow]{Data: []wire.StatRow{}}
	if len(rows) > plan.Limit {
		rows = rows[:plan.Limit]
		last := rows[plan.Limit-1][:len(plan.Groups)]
		if out.NextCursor, err = encodeCursor(position{Query: hash, Keys: keysOf(last)}); err != nil {
			return nil, err
		}
	}
	for _, values := range rows {
		out.Data = append(out.Data, statRow(plan, values))
	}
	return out, nil
}

// statRow names the values.
func statRow(p *store.StatsPlan, values []any) wire.StatRow {
	// RFC 3339 with microseconds, as all times in answers.
	const wireTime = "2006-01-02T15:04:05.000000Z07:00"
	row := make(wire.StatRow, len(values))
	for i, g := range p.Groups {
		row[g] = values[i]
		if us, ok := values[i].(int64); ok && g == store.GroupTime {
			row[g] = time.UnixMicro(us).UTC().Format(wireTime)
		}
	}
	for i, m := range p.Metrics {
		value := values[len(p.Groups)+i]
		if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			value = nil // JSON cannot say it
		}
		row[m.Name] = value
	}
	return row
}
