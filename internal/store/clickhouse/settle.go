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

// settle folds anew what the events of a block touch, what else is touched, and what other nodes have inserted and not settled. It writes the rows in the place of the old ones.
func (w *Warehouse) settle(ctx context.Context, recs []entity.Record, touched []touch) (err error) {
	defer func() {
		if err != nil {
			w.recent.forget() // it knows this block already
		}
	}()
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
	events := map[string][]int32{} // places in recs
	for i := range recs {
		events[recs[i].Project] = append(events[recs[i].Project], int32(i))
		if _, there := byProject[recs[i].Project]; !there {
			byProject[recs[i].Project] = nil
		}
	}
	f := w.folding
	f.begin()
	for _, project := range slices.Sorted(maps.Keys(byProject)) {
		f.plain.reset(project)
		for _, i := range events[project] {
			f.plain.take(w.self.id, &recs[i])
		}
		if err := newSettling(w, project, at).run(ctx, byProject[project]); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
	}
	// A question of this node comes before all of the rows or behind.
	w.gate.Lock()
	defer w.gate.Unlock()
	return w.writeRows(ctx)
}

// writeRows puts what was folded into the tables. The gate is held.
func (w *Warehouse) writeRows(ctx context.Context) error {
	if err := w.folding.observations.insert(ctx, w); err != nil {
		return fmt.Errorf("write observations: %w", err)
	}
	if err := w.folding.scores.insert(ctx, w); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	if err := w.folding.traces.insert(ctx, w); err != nil {
		return fmt.Errorf("write traces: %w", err)
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

	fold      *folding // has what is to be written
	recounted map[place]entity.Counts
	tariff    entity.Tariff
	search    *twinning.Search
	ctx       context.Context //nolint:containedctx // for the search, which has none
}

func newSettling(w *Warehouse, project string, at instant) *settling {
	return &settling{
		w: w, project: project, instant: at, fold: w.folding, tariff: entity.Tariff{Prices: w.options.Prices, Project: project}, recounted: map[place]entity.Counts{}, newest: map[string]string{}, known: map[string]bool{}, groups: map[place][]fact{}, old: map[place]bool{},
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
	x := s.fold.plain
	for _, t := range touched { // somebody else has to do with it
		if at := x.find(t.kind, t.id); at >= 0 {
			x.entities[at].long = true
		}
	}
	if err := x.part(&s.fold.folder); err != nil {
		return err
	}
	if err := s.partTwins(ctx); err != nil {
		return err
	}
	if err := s.w.confirm(ctx, x); err != nil {
		return err
	}
	if err := s.foldLong(ctx, touched); err != nil {
		return err
	}
	relatives, err := s.w.relatives(ctx, x)
	if err != nil {
		return err
	}
	if err := s.writePlain(relatives); err != nil {
		return err
	}
	s.remember()
	return s.rollUp(ctx)
}

// foldLong folds what is touched and not plain.
func (s *settling) foldLong(ctx context.Context, touched []touch) error {
	x := s.fold.plain
	var places []place
	scores := map[string]bool{}
	add := func(t touch) {
		switch t.kind {
		case entity.TraceKind:
			s.traces[t.id] = true
		case entity.ScoreKind:
			scores[t.id] = true
		case entity.ObservationKind:
			places = append(places, place{t.trace, t.id})
		}
	}
	for _, t := range touched {
		add(t)
	}
	for i := range x.entities {
		e := &x.entities[i]
		if !e.long {
			continue
		}
		if e.kind != entity.ObservationKind {
			add(touch{kind: e.kind, id: e.id})
			continue
		}
		for f := e.first; f >= 0; f = x.facts[f].next {
			add(touch{kind: e.kind, id: e.id, trace: alias(x.facts[f].row.Get(entity.TraceID))})
		}
	}
	if err := s.foldScores(ctx, slices.Sorted(maps.Keys(scores))); err != nil {
		return err
	}
	if err := s.foldWithTwins(ctx, places); err != nil {
		return err
	}
	if err := s.join(ctx); err != nil {
		return err
	}
	s.mark()
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
			s.fold.scores.add(s.project, s.version, row.deleted, row.seqs, &row.row)
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

func ends(seqs []uint64) (first, last entity.Seq) {
	return entity.Seq(slices.Min(seqs)), entity.Seq(slices.Max(seqs))
}

func seqsOf(facts []fact) []uint64 {
	seqs := make([]uint64, len(facts))
	for i := range facts {
		seqs[i] = uint64(facts[i].Seq)
	}
	slices.Sort(seqs)
	return seqs
}
