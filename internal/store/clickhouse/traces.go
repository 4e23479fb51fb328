package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Traces answers with a page of traces.
func (w *Warehouse) Traces(ctx context.Context, project string, plan *store.Plan) (page []wire.TraceSummary, next *store.Place, err error) {
	err = w.question(ctx, project, "query traces", func(ctx context.Context, v *view) error {
		var rows map[string]*traceRow
		keys, err := v.search(ctx, plan, v.eventsOfTraces, func(p *store.Plan) (keys []key, err error) {
			var ok bool
			if keys, rows, ok, err = v.firstTraces(ctx, p); ok || err != nil {
				return keys, err
			}
			q := v.query()
			tables, conditions := q.filteredTraces(&p.Where)
			return v.keys(ctx, q, p, tables, traceRelation(p, conditions))
		})
		if err != nil {
			return err
		}
		if keys, next = cut(keys, plan.Limit); len(keys) == 0 {
			return nil
		}
		page, err = v.traceSummaries(ctx, keys, rows)
		return err
	})
	return page, next, err
}

// eventsOfTraces adds to the Seqs of traces those of their observations.
func (v *view) eventsOfTraces(ctx context.Context, keys []key) error {
	at := make(map[string]int, len(keys))
	ids := make([]string, len(keys))
	for i := range keys {
		at[keys[i].id], ids[i] = i, keys[i].id
	}
	q := v.query()
	return selectRows(ctx, v.w, observationTable.only("trace_id"), q, "trace_id IN "+q.arg(ids), func(seqs []uint64, row *observationRow) {
		keys[at[row.TraceID]].seqs = append(keys[at[row.TraceID]].seqs, seqs...)
	})
}

func idsOf(keys []key) (ids, ties []string) {
	for i := range keys {
		ids, ties = append(ids, keys[i].id), append(ties, keys[i].tie)
	}
	return ids, ties
}

// traceSummaries are the traces in the order of keys. It reads their rows, unless they were read with the keys.
func (v *view) traceSummaries(ctx context.Context, keys []key, rows map[string]*traceRow) ([]wire.TraceSummary, error) {
	ids, _ := idsOf(keys)
	var scores map[string]map[string]*scoreMean
	var failed error
	var beside sync.WaitGroup
	beside.Go(func() { scores, failed = v.traceScores(ctx, ids) })
	var err error
	if rows == nil {
		rows = make(map[string]*traceRow, len(keys))
		q := v.query()
		err = selectRows(ctx, v.w, traceTable, q, "id IN "+q.arg(ids), func(_ []uint64, row *traceRow) { rows[row.ID] = row })
	}
	beside.Wait()
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	traces := make([]wire.TraceSummary, 0, len(keys))
	for _, id := range ids {
		row := rows[id]
		if row == nil {
			continue // gone since
		}
		row.Scores = map[string]any{}
		for name, m := range scores[id] {
			if value := m.result(); value != nil {
				row.Scores[name] = value
			}
		}
		traces = append(traces, row.TraceSummary)
	}
	return traces, nil
}

// scoreMean collects the scores of one name in one trace.
type scoreMean struct {
	numbers []float64
	text    *string
}

// result is the mean of the numbers, or the last text, or nil.
func (m *scoreMean) result() any {
	switch {
	case len(m.numbers) > 0:
		if mean, ok := entity.Mean(m.numbers); ok {
			return mean
		}
	case m.text != nil:
		return *m.text
	}
	return nil
}

// placedScore is a score of a trace.
type placedScore struct {
	trace string
	scoreRow
}

// traceScores are the scores of traces, by trace and name.
func (v *view) traceScores(ctx context.Context, traces []string) (map[string]map[string]*scoreMean, error) {
	all, err := v.scoresOf(ctx, traces)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b placedScore) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), strings.Compare(a.ID, b.ID))
	})
	means := map[string]map[string]*scoreMean{}
	for i := range all {
		s := &all[i]
		if s.Name == "" {
			continue
		}
		if means[s.trace] == nil {
			means[s.trace] = map[string]*scoreMean{}
		}
		m := means[s.trace][s.Name]
		if m == nil {
			m = &scoreMean{}
			means[s.trace][s.Name] = m
		}
		if s.Value != nil {
			m.numbers = append(m.numbers, *s.Value)
		} else if s.DataType == entity.Categorical {
			m.text = &s.StringValue
		}
	}
	return means, nil
}

// fewScoreColumns are what the scores of a trace are made of.
var fewScoreColumns = scoreTable.only("id", "trace_id", "observation_id", "name", "value", "string_value", "data_type", "timestamp")

// scoresOf are the scores of traces: those that name them, and those that name an observation alone, of which the newest is in one of them.
func (v *view) scoresOf(ctx context.Context, traces []string) (all []placedScore, err error) {
	var loose []string
	q := v.query()
	selected, result, get := fewScoreColumns.selected("")
	err = v.scoresAbout(ctx, q, "", selected, q.arg(traces), result, func(i int) bool { return get(i).TraceID == "" }, func(i int) {
		row := get(i)
		all = append(all, placedScore{row.TraceID, *row})
		if row.TraceID == "" {
			loose = append(loose, row.ID)
		}
	})
	if err != nil {
		return nil, err
	}
	in, err := v.placed(ctx, loose)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].trace = cmp.Or(all[i].trace, in[all[i].ID])
	}
	return slices.DeleteFunc(all, func(s placedScore) bool { return !slices.Contains(traces, s.trace) }), nil
}
