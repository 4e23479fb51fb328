package duckstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// traceFailed says that the trace has failed. What failed in it may have been mended.
const traceFailed = "(coalesce(status, '') = '" + entity.StatusError + "')"

// traceColumns is the filter over tr. It needs o. A trace has a model, type or level when one
// of its observations has it.
var traceColumns = columns{
	of: withObservations(map[string]string{
		"time": "start_time", "tag": "list_contains(tags, %s)", "model": "list_contains(models, %s)",
		"trace_id": "id",
	}),
	some:  someOfTraces(),
	flags: map[string][2]string{"has_error": {"NOT " + traceFailed, traceFailed}},
	hash:  "trace_hash", id: "id", scores: "SELECT placed_in AS owner, name, value FROM sc", found: (*builder).foundTraces,
}

// withObservations adds what a trace is by its observations.
func withObservations(of map[string]string) map[string]string {
	for _, column := range store.OfObservations() {
		of[column] = "id IN (SELECT trace_id FROM o WHERE " + column + " = %s)"
	}
	return of
}

// someOfTraces are what a trace has several of: of some, its observations say what they are.
func someOfTraces() map[string]sqltext.Some {
	some := map[string]sqltext.Some{"tag": someOf("tags"), "model": someOf("models")}
	for _, column := range store.OfObservations() {
		some[column] = sqltext.Some{Element: column, Around: "id IN (SELECT trace_id FROM o WHERE %s)"}
	}
	return some
}

// someOf are the elements of a list.
func someOf(list string) sqltext.Some {
	return sqltext.Some{Element: "one", Around: "len(list_filter(" + list + ", lambda one: %s)) > 0"}
}

// Traces answers with a page of traces. It first finds the ids of the page with
// the columns that filter and sort, then reads these traces whole.
func (w *Warehouse) Traces(ctx context.Context, project string, plan *store.Plan) ([]wire.TraceSummary, *store.Place, error) {
	p := &pager{plan, ""}
	var page []wire.TraceSummary
	var next *store.Place
	err := w.ask(ctx, project, "query traces", func(ctx context.Context, v *view) error {
		page = nil
		keys, err := v.search(ctx, p, traceEvents, func(p *pager) ([]key, error) { return v.traceKeys(ctx, p) })
		if err != nil {
			return err
		}
		if keys, next = cut(keys, p.Limit); len(keys) == 0 {
			return nil
		}
		page, err = v.traceSummaries(ctx, keys)
		return err
	})
	return page, next, err
}

// traceKeys finds the traces of a page.
func (v *view) traceKeys(ctx context.Context, p *pager) ([]key, error) {
	return v.pageKeys(ctx, p, func(q *builder, columns string, more ...string) string {
		tables, conditions := q.filteredTraces(&p.Where)
		return with(tables, "SELECT "+columns+" FROM (SELECT "+keyColumns(p.By, noTrace)+" FROM tr"+sqltext.Where(conditions...)+")"+sqltext.Where(append(more, p.where(q))...))
	})
}

// filteredTraces returns the tables that define o and tr, and the conditions
// of f on tr. When f asks for scores, they define s and sc too.
func (q *builder) filteredTraces(f *store.Where) (tables, conditions []string) {
	tables = []string{ofTraces, ofObservations}
	if f.Scored() {
		tables = append(tables, ofScores, ofPlacedScores)
	}
	return tables, q.conditions(f, traceColumns)
}

// traceSummaries reads the traces in the order of keys.
func (v *view) traceSummaries(ctx context.Context, keys []key) ([]wire.TraceSummary, error) {
	rows, err := whole(ctx, v, tracePage, keys, func(t *wire.Trace, k *key) { t.ID = k.id })
	if err != nil {
		return nil, err
	}
	traces := make([]wire.TraceSummary, len(rows))
	found := make(map[string]*wire.TraceSummary, len(rows))
	for i := range rows {
		traces[i] = rows[i].row.TraceSummary
		traces[i].Scores = map[string]any{}
		found[traces[i].ID] = &traces[i]
	}
	return traces, v.traceScores(ctx, keys, found)
}

// scoreMean collects the scores of one name in one trace.
type scoreMean struct {
	numbers []float64
	text    sql.NullString
}

// result is the mean of the numbers, or the last text, or nil.
func (m *scoreMean) result() any {
	if len(m.numbers) > 0 {
		if mean, ok := entity.Mean(m.numbers); ok {
			return mean
		}
		return nil
	}
	if !m.text.Valid {
		return nil
	}
	return m.text.String
}

// traceScore is a score of a trace.
type traceScore struct {
	trace, name string
	id          string // where it tells it from another
	value       sql.NullFloat64
	text        sql.NullString
	at, row     int64
}

// traceScores fills in the scores of the traces.
func (v *view) traceScores(ctx context.Context, keys []key, traces map[string]*wire.TraceSummary) error {
	loose, err := v.hasLoose(ctx)
	if err != nil {
		return err
	}
	q := v.query()
	var scores []traceScore
	statement := with([]string{ofObservations, ofScores, q.scoresOf(keys, loose)},
		"SELECT placed_in, name, value, CASE WHEN data_type = '"+entity.Categorical+"' THEN coalesce(string_value, '') END, timestamp, row FROM sc WHERE name IS NOT NULL")
	err = v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var s traceScore
		err := r.Scan(&s.trace, &s.name, &s.value, &s.text, &s.at, &s.row)
		scores = append(scores, s)
		return err
	})
	if err == nil {
		err = v.sortScores(ctx, scores)
	}
	if err != nil {
		return err
	}
	means := make(map[[2]string]*scoreMean)
	for i := range scores {
		s := &scores[i]
		m := means[[2]string{s.trace, s.name}]
		if m == nil {
			m = &scoreMean{}
			means[[2]string{s.trace, s.name}] = m
		}
		if s.value.Valid {
			m.numbers = append(m.numbers, s.value.Float64)
		} else if s.text.Valid {
			m.text = s.text
		}
	}
	for at, m := range means {
		if t, value := traces[at[0]], m.result(); t != nil && value != nil {
			t.Scores[at[1]] = value
		}
	}
	return nil
}

// sortScores brings scores into the order of (timestamp, id). Ids are read of those only of which they decide.
func (v *view) sortScores(ctx context.Context, scores []traceScore) error {
	type moment struct {
		trace, name string
		at          int64
	}
	same := make(map[moment][]key, len(scores))
	for _, s := range scores {
		if s.text.Valid { // the mean of numbers is that of any order
			m := moment{s.trace, s.name, s.at}
			same[m] = append(same[m], key{row: s.row})
		}
	}
	var tied []key
	for _, keys := range same {
		if len(keys) > 1 {
			tied = append(tied, keys...)
		}
	}
	if len(tied) > 0 {
		ids := make(map[int64]string, len(tied))
		q := v.query()
		err := v.rows(ctx, "SELECT rowid, id FROM scores WHERE project = $1 AND rowid IN ("+q.rows(tied)+")", q.args, func(r *sql.Rows) error {
			var row int64
			var id string
			err := r.Scan(&row, &id)
			ids[row] = id
			return err
		})
		if err != nil {
			return err
		}
		for i := range scores {
			scores[i].id = ids[scores[i].row]
		}
	}
	slices.SortFunc(scores, func(a, b traceScore) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.id, b.id)) })
	return nil
}

// observationsOf is a SELECT of the columns of the observations of traces: their events are among
// those of the traces, and their rows were not written after the traces' rows. It needs o.
func (q *builder) observationsOf(keys []key, columns string) string {
	rows, events := make([]span, len(keys)), make([]span, len(keys))
	for i, k := range keys {
		rows[i], events[i] = span{k.span.first, k.written}, k.span
	}
	return "SELECT " + columns + " FROM o WHERE " + q.ofTraces("observations", "trace_id", keys, within("written", joinSpans(rows, fewSpans)), within("first_seq", joinSpans(events, fewSpans)))
}

// hasLoose says whether there are scores that name no trace. To find where those are takes a look at all
// observations of a trace.
func (v *view) hasLoose(ctx context.Context) (loose bool, err error) {
	err = v.rows(ctx, "SELECT 1 FROM scores WHERE project = $1 AND trace_id IS NULL LIMIT 1", []any{v.project}, func(*sql.Rows) error {
		loose = true
		return nil
	})
	return loose, err
}

// scoresOf is sc, of the traces of keys only: their scores, and, where there are loose ones, those of their
// observations that name no trace. It needs o and s.
func (q *builder) scoresOf(keys []key, loose bool) string {
	placed := "SELECT s.*, s.trace_id AS placed_in FROM s WHERE " + q.ofTraces("scores", "trace_id", keys)
	if !loose {
		return table("sc", placed)
	}
	return table("sc", placed+`
	UNION ALL SELECT s.*, own.placed_in FROM s JOIN (`+q.observationsOf(keys, "id AS own_id, trace_id AS placed_in")+` AND newest) AS own
	ON s.observation_id = own.own_id WHERE s.trace_id IS NULL`)
}
