package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/twinning"
)

// settle folds anew what events touch: these and those that other nodes have inserted and not settled. It writes the rows in the place of the old ones.
func (w *Warehouse) settle(ctx context.Context, touched []touch) error {
	at, err := w.now(ctx)
	if err != nil {
		return err
	}
	for _, n := range at.behind {
		more, err := w.touchedSince(ctx, n)
		if err != nil {
			return fmt.Errorf("find what node %d has not settled: %w", n.id, err)
		}
		touched = append(touched, more...)
	}
	byProject := map[string][]touch{}
	for _, t := range touched {
		byProject[t.project] = append(byProject[t.project], t)
	}
	for _, project := range slices.Sorted(maps.Keys(byProject)) {
		s := newSettling(w, project, at)
		if err := s.run(ctx, byProject[project]); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
	}
	return nil
}

// place names an observation of the project, or with an id alone a trace or a score. What events of an observation name no
// trace are at the place of the newest with the id, or at that without a trace.
type place struct{ trace, id string }

func comparePlaces(a, b place) int {
	return cmp.Or(strings.Compare(a.trace, b.trace), strings.Compare(a.id, b.id))
}

// settling is one project's part of a settle.
type settling struct {
	w       *Warehouse
	project string
	instant

	newest map[string]string                  // by observation id with events that name no trace: the trace where these are
	known  map[string]bool                    // ids of observations that were looked at
	groups map[place][]fact                   // the events of the observations that are folded anew
	old    map[place]bool                     // rows that are there of these
	folded map[place]*settled[observationRow] // what these are now
	calls  map[place]*entity.Call
	traces map[string]bool // to be rolled up anew

	observations []settled[observationRow] // to be written
	scores       []settled[scoreRow]
	rolled       []settled[traceRow]

	prices entity.Pricer
	search *twinning.Search
	ctx    context.Context //nolint:containedctx // for the search, which has none
}

func newSettling(w *Warehouse, project string, at instant) *settling {
	return &settling{
		w: w, project: project, instant: at, prices: w.options.Prices, newest: map[string]string{}, known: map[string]bool{}, groups: map[place][]fact{}, old: map[place]bool{},
		folded: map[place]*settled[observationRow]{}, calls: map[place]*entity.Call{}, traces: map[string]bool{},
	}
}

// thorough says that another node may be settling the same at the same time, from fewer or more events: then rows that seem
// to stay as they are are written too, because its rows may be in force by now.
func (s *settling) thorough() bool { return len(s.behind) > 0 }

// query begins a statement, whose first parameter is the project.
func (s *settling) query() *builder {
	q := &builder{}
	q.arg(s.project)
	return q
}

// begin prepares for foldWithTwins.
func (s *settling) begin(ctx context.Context) {
	s.ctx = ctx
	s.search = twinning.New(s)
}

func (s *settling) run(ctx context.Context, touched []touch) error {
	s.begin(ctx)
	var places []place
	scores := map[string]bool{}
	for _, t := range touched {
		switch t.kind {
		case entity.TraceKind:
			s.traces[t.id] = true
		case entity.ScoreKind:
			scores[t.id] = true
		case entity.ObservationKind:
			places = append(places, place{t.trace, t.id})
		}
	}
	if err := s.foldScores(ctx, slices.Sorted(maps.Keys(scores))); err != nil {
		return err
	}
	if err := s.foldWithTwins(ctx, places); err != nil {
		return err
	}
	if err := s.rollUp(ctx); err != nil {
		return err
	}
	// A question of this node comes before all of the rows or behind.
	s.w.gate.Lock()
	defer s.w.gate.Unlock()
	return s.write(ctx)
}

// write puts the rows into the tables. The gate is held.
func (s *settling) write(ctx context.Context) error {
	if err := insertRows(ctx, s.w, observationTable, s.version, s.observations); err != nil {
		return fmt.Errorf("write observations: %w", err)
	}
	if err := insertRows(ctx, s.w, scoreTable, s.version, s.scores); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	if err := insertRows(ctx, s.w, traceTable, s.version, s.rolled); err != nil {
		return fmt.Errorf("write traces: %w", err)
	}
	return nil
}

// idsAtOnce bounds how many entities one statement looks for.
const idsAtOnce = 5_000

// foldScores makes the rows of scores.
func (s *settling) foldScores(ctx context.Context, ids []string) error {
	var f entity.Folder
	for some := range slices.Chunk(ids, idsAtOnce) {
		events, err := s.factsOf(ctx, entity.ScoreKind, some)
		if err != nil {
			return err
		}
		for _, id := range some {
			row := settled[scoreRow]{project: s.project, deleted: true, row: scoreRow{ID: id}}
			if facts := events[id]; len(facts) > 0 {
				if err := addAll(&f, facts); err != nil {
					return err
				}
				row.deleted, row.seqs, row.row = false, seqsOf(facts), detachScore(f.Score(id))
			}
			s.scores = append(s.scores, row)
		}
	}
	return nil
}

// factsOf reads the events of entities of a kind, by id.
func (s *settling) factsOf(ctx context.Context, kind entity.Kind, ids []string) (map[string][]fact, error) {
	q := s.query()
	events := map[string][]fact{}
	err := s.w.facts(ctx, q, fmt.Sprintf("project = {p1:String} AND kind = %d AND entity_id IN %s", kind, q.arg(ids)), func(f fact) {
		events[f.entityID] = append(events[f.entityID], f)
	})
	return events, err
}

// addAll makes the facts those of the folder.
func addAll(f *entity.Folder, facts []fact) error {
	f.Reset()
	for i := range facts {
		if err := f.AddFact(facts[i].Fact); err != nil {
			return err
		}
	}
	return nil
}

func seqsOf(facts []fact) []uint64 {
	seqs := make([]uint64, len(facts))
	for i := range facts {
		seqs[i] = uint64(facts[i].Seq)
	}
	slices.Sort(seqs)
	return seqs
}
