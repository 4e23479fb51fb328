package duckstore

import (
	"context"
	"database/sql"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

var observationSorts = sortTypes{
	"start_time": "BIGINT", "end_time": "BIGINT", "latency_ms": "DOUBLE", "prompt_tokens": "BIGINT",
	"completion_tokens": "BIGINT", "total_tokens": "BIGINT", "input_cost": "DOUBLE", "output_cost": "DOUBLE",
	"total_cost": "DOUBLE", "quality_score": "DOUBLE",
}

// observationColumns is the filter over o; user_id and session_id are those of
// the trace (t) when the observation itself names none.
var observationColumns = columns{
	time: "o.start_time", id: "o.id", name: "o.name", userID: "coalesce(o.user_id, t.user_id)",
	sessionID: "coalesce(o.session_id, t.session_id)", environment: "o.environment", tags: "o.tags", model: "o.model",
	typ: "o.type", level: "o.level", traceID: "o.trace_id", latency: "o.latency_ms", cost: "o.total_cost",
	failed: "o.level = 'ERROR'", scores: "SELECT observation_id AS owner, name, value FROM s", found: (*query).foundObservations,
}

// Observations answers with a page of observations.
func (w *Warehouse) Observations(ctx context.Context, project string, oq store.ObservationQuery) (*store.ObservationPage, error) {
	p, err := newPager(project, "observations", []any{oq.Filter, oq.ID}, oq.Order, "start_time", observationSorts)
	if err != nil {
		return nil, err
	}
	page := &store.ObservationPage{Data: []brokle.Observation{}}
	err = w.ask(ctx, project, "query observations", func(v *view) error {
		keys, err := v.search(ctx, p, oq.Match, observationEvents, func(p *pager) ([]key, error) { return v.observationKeys(ctx, p, &oq) })
		if err != nil {
			return err
		}
		if keys, page.NextCursor, err = p.cut(keys); err != nil || len(keys) == 0 {
			return err
		}
		page.Data, err = v.wholeObservations(ctx, keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// observationKeys finds the observations of a page.
func (v *view) observationKeys(ctx context.Context, p *pager, oq *store.ObservationQuery) ([]key, error) {
	q := v.query()
	conditions, err := q.conditions(&oq.Filter, observationColumns)
	if err != nil {
		return nil, err
	}
	if oq.ID != "" {
		conditions = append(conditions, "o.id = "+q.arg(oq.ID))
	}
	tables, from := q.observationsWithTrace(oq.UserID != "" || oq.SessionID != "", len(oq.Scores) > 0)
	beyond, err := p.where(q)
	if err != nil {
		return nil, err
	}
	return v.keys(ctx, q, with(tables,
		"SELECT id, "+p.column+", first_seq, last_seq FROM (SELECT o.* "+from+where(conditions...)+")"+where(beyond)+p.order()))
}

// observationsWithTrace defines o, t when it is needed and s when scores are,
// and the FROM clause.
func (q *query) observationsWithTrace(trace, scores bool) (tables []string, from string) {
	tables, from = []string{q.observations()}, "FROM o"
	if trace {
		tables, from = append(tables, q.traces()), "FROM o LEFT JOIN t ON o.trace_id = t.id"
	}
	if scores {
		tables = append(tables, q.scores())
	}
	return tables, from
}

// wholeObservations folds the observations in the order of keys.
func (v *view) wholeObservations(ctx context.Context, keys []key) ([]brokle.Observation, error) {
	q := v.query()
	q.only[store.ObservationKind] = q.selectKeys(keys)
	found := make(map[string]*brokle.Observation, len(keys))
	err := v.rows(ctx, `SELECT id, coalesce(trace_id, ''), coalesce(parent_observation_id, ''),
		type, coalesce(name, ''), environment, start_time, start_sent IS NULL, end_time, latency_ms, level, coalesce(status_message, ''),
		coalesce(version, ''), coalesce(model, ''), coalesce(provider, ''), prompt_tokens, completion_tokens, total_tokens,
		input_cost, output_cost, total_cost, quality_score, tags, coalesce(input_preview, ''), coalesce(output_preview, '')
		FROM (`+q.foldObservations()+")",
		q.args, func(r *sql.Rows) error {
			o, err := scanObservation(r)
			if err != nil {
				return err
			}
			found[o.ID] = o
			return nil
		})
	if err != nil {
		return nil, err
	}
	all := make([]brokle.Observation, 0, len(keys))
	for _, k := range keys {
		if o := found[k.id]; o != nil {
			all = append(all, *o)
		}
	}
	return all, nil
}

func scanObservation(r *sql.Rows) (*brokle.Observation, error) {
	var (
		o                                             = &brokle.Observation{}
		start                                         int64
		end, prompt, completion, total                sql.NullInt64
		latency, inputCost, outputCost, cost, quality sql.NullFloat64
		tags                                          any
	)
	err := r.Scan(&o.ID, &o.TraceID, &o.ParentObservationID, &o.Type, &o.Name, &o.Environment, &start, &o.StartTimeInferred, &end,
		&latency, &o.Level, &o.StatusMessage, &o.Version, &o.Model, &o.Provider, &prompt, &completion, &total,
		&inputCost, &outputCost, &cost, &quality, &tags, &o.InputPreview, &o.OutputPreview)
	if err != nil {
		return nil, err
	}
	o.StartTime, o.EndTime, o.LatencyMS, o.Tags = microTime(start), microTimePtr(end), floatPtr(latency), texts(tags)
	o.PromptTokens, o.CompletionTokens, o.TotalTokens = intPtr(prompt), intPtr(completion), intPtr(total)
	o.InputCost, o.OutputCost, o.TotalCost, o.QualityScore = floatPtr(inputCost), floatPtr(outputCost), floatPtr(cost), floatPtr(quality)
	return o, nil
}
