package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/twinning"
)

// foldWithTwins folds the observations at these places anew, and all of which that changes something. mark says what follows.
func (s *settling) foldWithTwins(ctx context.Context, places []place) error {
	for len(places) > 0 {
		for some := range slices.Chunk(places, idsAtOnce) {
			if err := s.foldPlaces(ctx, some); err != nil {
				return err
			}
		}
		refs, err := s.search.Find(s.thorough())
		if err != nil {
			return err
		}
		places = places[:0:0]
		for _, ref := range refs {
			places = append(places, place{ref.TraceID, ref.ID})
		}
	}
	return nil
}

// foldPlaces folds observations anew that were not yet.
func (s *settling) foldPlaces(ctx context.Context, places []place) error {
	wanted := map[place]bool{}
	ids := map[string]bool{}
	for _, p := range places {
		ids[p.id] = true
	}
	unknown := map[string]bool{}
	for id := range ids {
		if !s.known[id] {
			unknown[id], s.known[id] = true, true
		}
	}
	if err := s.findNewest(ctx, slices.Sorted(maps.Keys(unknown))); err != nil {
		return err
	}
	for _, p := range places {
		if trace, floats := s.newest[p.id]; p.trace == "" && floats {
			wanted[place{trace, p.id}] = true // its events are there
		}
		wanted[p] = true
	}
	for id := range unknown {
		if trace, floats := s.newest[id]; floats {
			wanted[place{trace, id}] = true
		}
	}
	for p := range wanted {
		if _, done := s.groups[p]; done {
			delete(wanted, p)
		}
	}
	if err := s.readOld(ctx, wanted, slices.Sorted(maps.Keys(unknown))); err != nil {
		return err
	}
	return s.foldGroups(ctx, slices.SortedFunc(maps.Keys(wanted), comparePlaces))
}

// findNewest finds, of the ids that have events which name no trace, the trace with the newest observation: as entity.Newness has it, by the time of
// the first create, or, before all of these, of the first event.
func (s *settling) findNewest(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var id, trace proto.ColStr
	q := s.query()
	text := fmt.Sprintf(`SELECT entity_id, argMaxIf(trace, (newness, trace), trace != '') AS newest FROM
		(SELECT entity_id, trace_id AS trace, if(countIf(rank = %d) > 0, minIf(toUnixTimestamp64Micro(ts), rank = %[1]d), min(toUnixTimestamp64Micro(ts)) - 4611686018427387904) AS newness
		FROM events FINAL WHERE project = {p1:String} AND kind = %d AND entity_id IN %s GROUP BY entity_id, trace_id)
		GROUP BY entity_id HAVING countIf(trace = '') > 0`, entity.RankCreate, entity.ObservationKind, q.arg(ids))
	return s.w.ask(ctx, q, text, proto.Results{{Name: "entity_id", Data: &id}, {Name: "newest", Data: &trace}}, func(i int) {
		s.newest[id.Row(i)] = trace.Row(i)
	})
}

// oldTable is what is asked of a row whose place is taken.
var oldTable = observationTable.only("id", "trace_id", "parent_observation_id", "scope", "type", "start_time", "end_time", "prompt_key", "twin", "duplicate_of", "duplicate_of_trace", "floating")

// readOld reads the rows at these places as they are, and those where the events of ids were that name no trace: they may be elsewhere now.
func (s *settling) readOld(ctx context.Context, wanted map[place]bool, ids []string) error {
	if len(wanted) == 0 && len(ids) == 0 {
		return nil
	}
	var traces, names []string
	for p := range wanted {
		traces, names = append(traces, p.trace), append(names, p.id)
	}
	q := s.query()
	condition := fmt.Sprintf("((trace_id, id) IN arrayZip(%s, %s) OR id IN %s AND floating)", q.arg(traces), q.arg(names), q.arg(ids))
	return selectRows(ctx, s.w, oldTable, q, condition, func(_ []uint64, row *observationRow) {
		p := place{row.TraceID, row.ID}
		s.old[p] = true
		if _, done := s.groups[p]; !done {
			wanted[p] = true
		}
		if c := row.Call(); c != nil {
			kept := c.Ref
			if row.DuplicateOf != "" {
				kept = entity.Ref{TraceID: row.DuplicateOfTrace, ID: row.DuplicateOf}
			}
			s.search.Was(s.project, twinning.Placed{Call: c, Kept: kept})
		}
	})
}

// foldGroups reads the events at these places and folds them.
func (s *settling) foldGroups(ctx context.Context, places []place) error {
	if len(places) == 0 {
		return nil
	}
	if err := s.readGroups(ctx, places); err != nil {
		return err
	}
	for _, p := range places {
		if p.trace != "" {
			s.traces[p.trace] = true
		}
		row := &settled[observationRow]{project: s.project, deleted: true, row: observationRow{}}
		row.row.ID, row.row.TraceID = p.id, p.trace
		if facts := s.groups[p]; len(facts) > 0 {
			f := &entity.Folder{} // what it makes is kept
			if err := addAll(f, facts); err != nil {
				return err
			}
			row.deleted, row.seqs, row.row = false, seqsOf(facts), f.Observations(p.id)[0]
		}
		s.folded[p] = row
		if row.deleted {
			continue
		}
		if c := row.row.Call(); c != nil {
			s.calls[p] = c
			s.search.Is(s.project, c)
		}
	}
	return nil
}

// readGroups reads the events at these places.
func (s *settling) readGroups(ctx context.Context, places []place) error {
	var traces, ids, floating []string
	for _, p := range places {
		s.groups[p] = nil
		traces, ids = append(traces, p.trace), append(ids, p.id)
		if trace, floats := s.newest[p.id]; floats && trace == p.trace {
			floating = append(floating, p.id)
		}
	}
	q := s.query()
	condition := fmt.Sprintf("project = {p1:String} AND kind = %d AND entity_id IN %s AND ((trace_id, entity_id) IN arrayZip(%s, %s) AND trace_id != '' OR trace_id = '' AND entity_id IN %s)",
		entity.ObservationKind, q.arg(ids), q.arg(traces), q.arg(ids), q.arg(floating))
	return s.w.facts(ctx, q, condition, func(f fact) {
		p := place{f.traceID, f.entityID}
		if p.trace == "" {
			p.trace = s.newest[p.id]
		}
		s.groups[p] = append(s.groups[p], f)
	})
}

// mark tells the rows which of them are duplicates, and then what they cost.
func (s *settling) mark() {
	found := entity.Twins{}
	var rows []*observationRow
	places := slices.SortedFunc(maps.Keys(s.folded), comparePlaces)
	for _, p := range places {
		c := s.calls[p]
		if c == nil {
			continue
		}
		rows = append(rows, &s.folded[p].row)
		if kept := s.search.Kept(s.project, c); kept != c.Ref {
			found[c.Ref] = kept
		}
	}
	if len(found) > 0 {
		found.Mark(rows)
	}
	for _, p := range places {
		if row := s.folded[p]; !row.deleted {
			s.tariff.Price(&row.row)
		}
	}
}

// Folded implements twinning.Source.
func (s *settling) Folded(_ string, ref entity.Ref) bool {
	_, folded := s.folded[place{ref.TraceID, ref.ID}]
	return folded
}

// Enter implements twinning.Source: the table says which rows have a key.
func (s *settling) Enter(string, entity.Key) {}

// MayHave implements twinning.Source.
func (s *settling) MayHave(string, entity.Key) bool { return true }

// callKeyColumns are the columns in which keys of calls stand.
var callKeyColumns = map[entity.KeyKind]string{
	entity.ByResponseID: "response_id", entity.ByPromptKey: "prompt_key", entity.ByCounts: "substringIndex(twin, ' ', 1)",
}

// Read implements twinning.Source.
func (s *settling) Read(_ string, kind entity.KeyKind, keys []twinning.Wanted, found func(twinning.Placed)) error {
	wanted := make(map[string]twinning.Wanted, len(keys))
	values := make([]string, 0, len(keys))
	first, last := keys[0].First, keys[0].Last
	for _, k := range keys {
		wanted[k.Value] = k
		values = append(values, k.Value)
		first, last = min(first, k.First), max(last, k.Last)
	}
	q := s.query()
	condition := fmt.Sprintf("twin != '' AND %s IN %s AND toUnixTimestamp64Micro(start_time) <= %s AND toUnixTimestamp64Micro(end_time) >= %s",
		callKeyColumns[kind], q.arg(values), q.arg(last), q.arg(first))
	return selectRows(s.ctx, s.w, oldTable, q, condition, func(_ []uint64, row *observationRow) {
		c := row.Call()
		if c == nil {
			return
		}
		kept := c.Ref
		if row.DuplicateOf != "" {
			kept = entity.Ref{TraceID: row.DuplicateOfTrace, ID: row.DuplicateOf}
		}
		found(twinning.Placed{Call: c, Kept: kept})
	})
}
