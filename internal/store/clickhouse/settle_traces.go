package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// relativeTable is what a roll-up asks of an observation.
var relativeTable = observationTable.only("id", "trace_id", "parent_observation_id", "type", "level", "model", "environment", "start_time", "end_time", "total_tokens", "total_cost",
	"counts_tokens", "counts_cost", "status", "duplicate_of", "name", "trace_name", "user_id", "session_id", "release", "door", "tags", "key_id")

// rollUp makes the rows of the touched traces, and finds the observations of which it changed whether their amounts count.
func (s *settling) rollUp(ctx context.Context) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(s.traces)), idsAtOnce) {
		own, err := s.factsOf(ctx, entity.TraceKind, ids)
		if err != nil {
			return err
		}
		families, err := s.families(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.rollUpTrace(id, own[id], families[id]); err != nil {
				return err
			}
		}
	}
	if err := s.recount(ctx); err != nil {
		return err
	}
	for _, p := range slices.SortedFunc(maps.Keys(s.folded), comparePlaces) {
		if row := s.folded[p]; !row.deleted || s.old[p] || s.thorough() {
			s.fold.observations.add(s.project, s.version, row.deleted, row.seqs, &row.row)
		}
	}
	return nil
}

// families are the observations of the traces, as the tables have them and as those are that were folded anew.
func (s *settling) families(ctx context.Context, ids []string) (map[string]*entity.Family, error) {
	families := make(map[string]*entity.Family, len(ids))
	for _, id := range ids {
		families[id] = &entity.Family{}
	}
	q := s.query()
	err := selectRows(ctx, s.w, relativeTable, q, "trace_id IN "+q.arg(ids), func(seqs []uint64, row *observationRow) {
		p := place{row.TraceID, row.ID}
		if _, anew := s.folded[p]; anew || len(seqs) == 0 {
			return
		}
		first, last := ends(seqs)
		families[row.TraceID].Put(row, first, last)
		if s.thorough() {
			c, _ := families[row.TraceID].Counts(row.ID)
			s.recounted[p] = c
		}
	})
	for _, p := range slices.SortedFunc(maps.Keys(s.folded), comparePlaces) {
		if row := s.folded[p]; !row.deleted && families[p.trace] != nil {
			families[p.trace].Put(&row.row, entity.Seq(row.seqs[0]), entity.Seq(row.seqs[len(row.seqs)-1]))
		}
	}
	return families, err
}

func (s *settling) rollUpTrace(id string, facts []fact, f *entity.Family) error {
	var own *wire.Trace
	if len(facts) > 0 {
		folder := &entity.Folder{} // what it makes is kept
		if err := addAll(folder, facts); err != nil {
			return err
		}
		own = folder.Trace(id)
	}
	roller := &entity.Roller{} // what it makes is kept
	t, changed := roller.RollUp(own, f, id)
	for _, c := range changed {
		s.recounted[place{id, c.ID}] = c
	}
	row := settled[traceRow]{project: s.project, deleted: true, row: traceRow{TraceSummary: wire.TraceSummary{ID: id}}}
	if t != nil {
		row.deleted, row.seqs, row.row = false, seqsOf(facts), *t
	}
	s.fold.traces.add(s.project, s.version, row.deleted, row.seqs, &row.row)
	return nil
}

// recount notes which amounts count: in the rows that were folded anew, and in others, which are written once more.
func (s *settling) recount(ctx context.Context) error {
	var traces, ids []string
	for _, p := range slices.SortedFunc(maps.Keys(s.recounted), comparePlaces) {
		if row := s.folded[p]; row != nil {
			c := s.recounted[p]
			row.row.CountsTokens, row.row.CountsCost, row.row.Counted = c.Tokens, c.Cost, c.Counted
			continue
		}
		traces, ids = append(traces, p.trace), append(ids, p.id)
	}
	for from := 0; from < len(ids); from += idsAtOnce {
		to := min(from+idsAtOnce, len(ids))
		q := s.query()
		condition := fmt.Sprintf("(trace_id, id) IN arrayZip(%s, %s)", q.arg(traces[from:to]), q.arg(ids[from:to]))
		err := selectRows(ctx, s.w, observationTable, q, condition, func(seqs []uint64, row *observationRow) {
			c := s.recounted[place{row.TraceID, row.ID}]
			row.CountsTokens, row.CountsCost, row.Counted = c.Tokens, c.Cost, c.Counted
			s.fold.observations.add(s.project, s.version, false, seqs, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// detachScore is a score in memory of its own.
func detachScore(s *wire.Score) wire.Score {
	row := *s
	if s.Value != nil {
		v := *s.Value
		row.Value = &v
	}
	return row
}
