package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// subject is what statistics can be of: its groups, metrics and filters as SQL.
type subject struct {
	columns columns
	groups  map[string]string
	metrics map[string]string
	// scored says that score_avg and score_count can be asked.
	scored bool
}

const eventEnvironment = "coalesce(environment, nullif(batch_environment, 'default'), 'default')"

func metricsOf(failed, latency string, more map[string]string) map[string]string {
	m := map[string]string{"count": "count(*)"}
	if failed != "" {
		m["error_rate"] = "count(*) FILTER (" + failed + ")::DOUBLE / nullif(count(*), 0)"
	}
	if latency != "" {
		for name, q := range map[string]string{"latency_p50": "0.5", "latency_p95": "0.95", "latency_p99": "0.99"} {
			m[name] = "quantile_cont(" + latency + ", " + q + ")"
		}
	}
	for name, expression := range more {
		m[name] = expression
	}
	return m
}

func subjectOf(of string) (*subject, error) {
	switch of {
	case "", "observations":
		return &subject{columns: observationColumns, scored: true,
			groups: map[string]string{
				"model": "o.model", "name": "o.name", "environment": "o.environment", "type": "o.type", "level": "o.level",
				"provider": "o.provider", "version": "o.version", "trace_id": "o.trace_id",
				"user_id": observationColumns.userID, "session_id": observationColumns.sessionID, "release": "coalesce(o.release, t.release)",
			},
			metrics: metricsOf("o.level = 'ERROR'", "o.latency_ms", map[string]string{
				"tokens": saturate("sum(o.total_tokens)"), "cost": exactSum("o.total_cost")}),
		}, nil
	case "traces":
		return &subject{scored: true,
			groups: map[string]string{
				"name": "tr.name", "environment": "tr.environment", "user_id": "tr.user_id", "session_id": "tr.session_id",
				"version": "tr.version", "release": "tr.release",
			},
			metrics: metricsOf("tr.error_count > 0", "tr.latency_ms", map[string]string{
				"tokens": saturate("sum(tr.total_tokens)"), "cost": exactSum("tr.total_cost")}),
		}, nil
	case "scores":
		return &subject{columns: scoreColumns, scored: true,
			groups: map[string]string{
				"name": "sc.name", "environment": "sc.environment", "data_type": "sc.data_type", "source": "sc.source",
				"evaluator_name": "sc.evaluator_name", "evaluator_version": "sc.evaluator_version", "string_value": "sc.string_value",
				"trace_id": "sc.placed_in", "user_id": "t.user_id", "session_id": "t.session_id", "release": "t.release",
				"model": "o.model", "type": "o.type", "level": "o.level", "provider": "o.provider", "version": "o.version",
				valueBucket: bucketBound(""),
			},
			metrics: metricsOf("", "", nil),
		}, nil
	case "events":
		return &subject{
			columns: columns{time: "ts", id: "event_id", name: "name", userID: "user_id", sessionID: "session_id",
				environment: eventEnvironment, tags: "tags", model: "model", typ: "type", level: "level", traceID: "trace_id",
				latency: "latency_ms", cost: "total_cost", failed: "coalesce(level, '') = 'ERROR'",
				found: func(q *query, seqs []store.Seq) string { return "seq IN (" + q.seqs(seqs) + ")" }},
			groups: map[string]string{
				"event_type": "event_type", "name": "name", "environment": eventEnvironment, "user_id": "user_id",
				"session_id": "session_id", "model": "model", "type": "type", "level": "level", "provider": "provider",
				"version": "version", "release": "release", "trace_id": "trace_id",
			},
			metrics: metricsOf("level = 'ERROR'", "", map[string]string{
				"tokens": saturate("sum(total_tokens)"), "cost": exactSum("total_cost")}),
		}, nil
	}
	return nil, &store.QueryError{Param: "of", Message: "must be observations, traces, scores or events"}
}

// statement is a statistics query in the making.
type statement struct {
	*query
	*subject
	sq      *store.StatsQuery
	groups  []string // names, in the order asked
	metrics []string
	exprs   []string // of the metrics
	joins   string   // of the scores that the metrics ask for
}

// Stats answers with a page of aggregates, ordered by time and group.
func (w *Warehouse) Stats(ctx context.Context, project string, sq store.StatsQuery) (*store.StatsPage, error) {
	subject, err := subjectOf(sq.Of)
	if err != nil {
		return nil, err
	}
	if sq.Match != nil {
		return nil, &store.QueryError{Param: "q", Message: "is no filter of statistics, unless as a list of events"}
	}
	limit := sq.Limit
	if limit == 0 {
		limit = maxLimit
	}
	if limit, err = checkLimit(limit); err != nil {
		return nil, err
	}
	keyed := sq
	keyed.Limit, keyed.Cursor = 0, ""
	hash, err := hashOf(project, "stats", keyed)
	if err != nil {
		return nil, err
	}
	after, err := decodeCursor(sq.Cursor, hash)
	if err != nil {
		return nil, err
	}
	page := &store.StatsPage{Data: []brokle.StatRow{}}
	ask := w.ask
	if sq.Of == "events" {
		ask = w.askEvents
	}
	err = ask(ctx, project, "query statistics", func(v *view) error {
		s := &statement{query: v.query(), subject: subject, sq: &sq}
		text, err := s.text(after, limit)
		if err != nil {
			return err
		}
		page.Data, page.NextCursor, err = s.run(ctx, v, text, hash, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// text writes the statement: the group keys first, then the metrics.
func (s *statement) text(after *position, limit int) (string, error) {
	if err := s.chooseGroups(); err != nil {
		return "", err
	}
	tables, from, conditions, err := s.source()
	if err != nil {
		return "", err
	}
	if err := s.chooseMetrics(); err != nil {
		return "", err
	}
	var selected, grouped []string
	for i, g := range s.groups {
		expression := s.subject.groups[g]
		if g == valueBucketEnd {
			expression = bucketBound(" + 1")
		}
		if g == "time" {
			us := s.arg(s.sq.Interval.Microseconds())
			expression = fmt.Sprintf("(%[1]s - %[1]s %% %[2]s::BIGINT)", s.timeColumn(), us)
		}
		selected = append(selected, fmt.Sprintf("%s AS g%d", expression, i))
		grouped = append(grouped, fmt.Sprintf("g%d", i))
	}
	for i, e := range s.exprs {
		selected = append(selected, fmt.Sprintf("%s AS m%d", e, i))
	}
	inner := "SELECT " + strings.Join(selected, ", ") + " " + from + s.joins + where(conditions...)
	outer := ""
	if len(grouped) > 0 {
		inner += " GROUP BY " + strings.Join(grouped, ", ")
		beyond, err := s.beyond(after)
		if err != nil {
			return "", err
		}
		outer = where(beyond) + " ORDER BY " + strings.Join(grouped, " NULLS FIRST, ") + " NULLS FIRST"
	}
	text := fmt.Sprintf("SELECT * FROM (%s)%s LIMIT %d", inner, outer, limit+1)
	if len(tables) == 0 {
		return text, nil
	}
	return with(tables, text), nil
}

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

// run reads the rows of the statement.
func (s *statement) run(ctx context.Context, v *view, text, hash string, limit int) ([]brokle.StatRow, *string, error) {
	rows := []brokle.StatRow{}
	var keys []string // of the last row of the page
	more := false
	err := v.rows(ctx, text, s.args, func(r *sql.Rows) error {
		if len(rows) == limit {
			more = true
			return nil
		}
		values := make([]any, len(s.groups)+len(s.metrics))
		targets := make([]any, len(values))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := r.Scan(targets...); err != nil {
			return err
		}
		var row brokle.StatRow
		row, keys = s.row(values)
		rows = append(rows, row)
		return nil
	})
	if err != nil || !more {
		return rows, nil, err
	}
	next, err := encodeCursor(position{Query: hash, Keys: keys})
	return rows, next, err
}

// wireTime is RFC 3339 with microseconds, as all times in answers.
const wireTime = "2006-01-02T15:04:05.000000Z07:00"

// row names the values, and makes the cursor's keys of the group.
func (s *statement) row(values []any) (brokle.StatRow, []string) {
	row := make(brokle.StatRow, len(values))
	keys := make([]string, len(s.groups))
	for i, g := range s.groups {
		value := values[i]
		if value != nil {
			keys[i] = "=" + fmt.Sprint(value)
		}
		if us, ok := value.(int64); ok && g == "time" {
			value = microTime(us).Format(wireTime)
		}
		row[g] = value
	}
	for i, m := range s.metrics {
		value := values[len(s.groups)+i]
		if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			value = nil // JSON cannot say it
		}
		row[m] = value
	}
	return row, keys
}
