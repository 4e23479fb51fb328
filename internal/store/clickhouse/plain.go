package clickhouse

import (
	"context"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// folding is memory that blocks use again.
type folding struct {
	plain  *plain
	folder entity.Folder
	roller entity.Roller
	kin    []kinRow
	seqs   []uint64

	events       *eventInput
	observations spreadRows[observationRow]
	scores       spreadRows[scoreRow]
	traces       spreadRows[traceRow]
}

func newFolding(r *recent, shards int) *folding {
	return &folding{
		plain: newPlain(r), events: newEventInput(),
		observations: newSpreadRows(shards, observationTable), scores: newSpreadRows(shards, scoreTable), traces: newSpreadRows(shards, traceTable),
	}
}

// begin forgets what was sent.
func (f *folding) begin() {
	f.observations.reset()
	f.scores.reset()
	f.traces.reset()
}

// kinRow is an observation of the trace at hand. Its memory is used again.
type kinRow struct {
	entity.Folder
	row  *observationRow
	seqs []uint64
}

// writePlain folds the plain entities into the columns, and notes of observations that the block does not touch which amounts count now.
func (s *settling) writePlain(relatives map[int32][]relative) error {
	x := s.fold.plain
	for i := range x.entities {
		e := &x.entities[i]
		if e.long || e.kind == entity.ObservationKind && e.trace >= 0 { // or it is written with its trace
			continue
		}
		var err error
		switch e.kind {
		case entity.TraceKind:
			err = s.plainTrace(e, relatives[int32(i)])
		case entity.ScoreKind:
			err = s.plainScore(e)
		case entity.ObservationKind:
			if err = s.plainObservation(s.kinAt(0), e); err == nil {
				s.putKin(s.kinAt(0))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kinAt is the memory of the nth observation.
func (s *settling) kinAt(n int) *kinRow {
	for len(s.fold.kin) <= n {
		s.fold.kin = append(s.fold.kin, kinRow{})
	}
	return &s.fold.kin[n]
}

func (s *settling) plainScore(e *plainEntity) error {
	f := s.fold
	if err := f.plain.fold(&f.folder, e); err != nil {
		return err
	}
	f.seqs = f.plain.seqs(e, f.seqs[:0])
	slices.Sort(f.seqs)
	f.scores.add(s.project, s.version, false, f.seqs, f.folder.Score(e.id))
	return nil
}

// plainObservation folds one.
func (s *settling) plainObservation(k *kinRow, e *plainEntity) error {
	if err := s.fold.plain.fold(&k.Folder, e); err != nil {
		return err
	}
	k.seqs = s.fold.plain.seqs(e, k.seqs[:0])
	slices.Sort(k.seqs)
	k.row = &k.Folder.Observations(e.id)[0]
	s.tariff.Price(k.row)
	return nil
}

func (s *settling) putKin(k *kinRow) {
	s.fold.observations.add(s.project, s.version, false, k.seqs, k.row)
}

// plainTrace folds a trace and its observations.
func (s *settling) plainTrace(e *plainEntity, relatives []relative) error {
	x, f := s.fold.plain, &entity.Family{}
	for i := range relatives {
		r := &relatives[i]
		f.Put(&r.row, r.first, r.last)
		if s.thorough() {
			c, _ := f.Counts(r.row.ID)
			s.recounted[place{e.id, r.row.ID}] = c
		}
	}
	n := 0
	for i := e.kin; i >= 0; i = x.entities[i].next {
		k := s.kinAt(n)
		if err := s.plainObservation(k, &x.entities[i]); err != nil {
			return err
		}
		f.Put(k.row, entity.Seq(k.seqs[0]), entity.Seq(k.seqs[len(k.seqs)-1]))
		n++
	}
	own, err := s.plainOwn(e)
	if err != nil {
		return err
	}
	t, changed := s.fold.roller.RollUp(own, f, e.id)
	kin := s.fold.kin[:n]
	for _, c := range changed {
		if i := slices.IndexFunc(kin, func(k kinRow) bool { return k.row.ID == c.ID }); i >= 0 {
			row := kin[i].row
			row.CountsTokens, row.CountsCost, row.Counted = c.Tokens, c.Cost, c.Counted
		} else {
			s.recounted[place{string([]byte(e.id)), c.ID}] = c
		}
	}
	for i := range kin {
		s.putKin(&kin[i])
	}
	s.fold.seqs = x.seqs(e, s.fold.seqs[:0])
	slices.Sort(s.fold.seqs)
	s.fold.traces.add(s.project, s.version, false, s.fold.seqs, t)
	return nil
}

// plainOwn is what a trace says of itself; nil when it says nothing.
func (s *settling) plainOwn(e *plainEntity) (*wire.Trace, error) {
	if e.first < 0 {
		return nil, nil
	}
	if err := s.fold.plain.fold(&s.fold.folder, e); err != nil {
		return nil, err
	}
	return s.fold.folder.Trace(e.id), nil
}

// join folds the long way what the long way has come to: until no plain trace is among those that it rolls up, and no plain call may be a twin of what it has folded.
func (s *settling) join(ctx context.Context) error {
	x := s.fold.plain
	for {
		plainBefore := make([]bool, len(x.entities))
		for i := range x.entities {
			plainBefore[i] = !x.entities[i].long
		}
		found := s.meetsCalls()
		for trace := range s.traces {
			if at := x.find(entity.TraceKind, trace); at >= 0 && !x.entities[at].long {
				x.entities[at].long, found = true, true
			}
		}
		if !found {
			return nil
		}
		x.spread()
		var places []place
		for i := range x.entities {
			e := &x.entities[i]
			switch {
			case !e.long || !plainBefore[i]:
			case e.kind == entity.TraceKind:
				s.traces[e.id] = true
			case e.kind == entity.ObservationKind && e.trace >= 0:
				places = append(places, place{x.entities[e.trace].id, e.id})
			case e.kind == entity.ObservationKind:
				places = append(places, place{"", e.id})
			}
		}
		if err := s.foldWithTwins(ctx, places); err != nil {
			return err
		}
	}
}

// remember keeps the facts of the plain entities: the next events may be theirs. That they are in no row yet does no harm.
func (s *settling) remember() {
	x := s.fold.plain
	for i := range x.entities {
		if e := &x.entities[i]; !e.long && e.first >= 0 {
			x.recent.put(x, e)
		}
	}
}
