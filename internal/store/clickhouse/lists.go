package clickhouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Observations answers with a page of observations.
func (w *Warehouse) Observations(ctx context.Context, project string, plan *store.Plan) (page []wire.Observation, next *store.Place, err error) {
	err = w.question(ctx, project, "query observations", func(ctx context.Context, v *view) error {
		keys, err := v.search(ctx, plan, nil, func(p *store.Plan) ([]key, error) {
			q := v.query()
			conditions := q.conditions(&p.Where, &observationColumns)
			tables, from := observationsWithTrace(observationColumns.need("t.", &p.Where), p.Scored())
			return v.keys(ctx, q, p, tables, "SELECT o.id AS id, o.trace_id AS tie, "+number(observationColumns.expression(p.By), p.Number)+" AS value, o.seqs AS own_seqs "+from+sqltext.Where(conditions...))
		})
		if err != nil {
			return err
		}
		if keys, next = cut(keys, plan.Limit); len(keys) == 0 {
			return nil
		}
		page, err = v.observations(ctx, keys, plan.Bare)
		return err
	})
	return page, next, err
}

// observations reads observations in the order of keys; bare ones have no previews.
func (v *view) observations(ctx context.Context, keys []key, bare bool) ([]wire.Observation, error) {
	ids, traces := idsOf(keys)
	found := make(map[place]*observationRow, len(keys))
	seqs := make(map[place][]uint64, len(keys))
	q := v.query()
	condition := fmt.Sprintf("(trace_id, id) IN arrayZip(%s, %s)", q.arg(traces), q.arg(ids))
	err := selectRows(ctx, v.w, observationTable, q, condition, func(own []uint64, row *observationRow) {
		p := place{row.TraceID, row.ID}
		found[p], seqs[p] = row, slices.Clone(own)
	})
	if err != nil {
		return nil, err
	}
	if !bare {
		if err := v.previews(ctx, found, seqs); err != nil {
			return nil, err
		}
	}
	page := make([]wire.Observation, 0, len(keys))
	for i := range keys {
		if row := found[place{keys[i].tie, keys[i].id}]; row != nil {
			row.Cite()
			page = append(page, row.Observation)
		}
	}
	return page, nil
}

// Scores answers with a page of scores.
func (w *Warehouse) Scores(ctx context.Context, project string, plan *store.Plan) (page []wire.Score, next *store.Place, err error) {
	err = w.question(ctx, project, "query scores", func(ctx context.Context, v *view) error {
		keys, err := v.search(ctx, plan, nil, func(p *store.Plan) ([]key, error) {
			q := v.query()
			conditions := q.conditions(&p.Where, &scoreColumns)
			tables, from := scoresWith(&p.Where)
			return v.keys(ctx, q, p, tables, "SELECT sc.id AS id, '' AS tie, "+number(scoreColumns.expression(p.By), p.Number)+" AS value, sc.seqs AS own_seqs "+from+sqltext.Where(conditions...))
		})
		if err != nil {
			return err
		}
		if keys, next = cut(keys, plan.Limit); len(keys) == 0 {
			return nil
		}
		ids, _ := idsOf(keys)
		found := make(map[string]*scoreRow, len(keys))
		q := v.query()
		err = selectRows(ctx, v.w, scoreTable, q, "id IN "+q.arg(ids), func(_ []uint64, row *scoreRow) { found[row.ID] = row })
		page = nil
		for _, id := range ids {
			if row := found[id]; row != nil {
				page = append(page, *row)
			}
		}
		return err
	})
	return page, next, err
}
