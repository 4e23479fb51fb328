package clickhouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Reprice gives calls other costs, from what their rows hold, a piece at a time; those whose rows do not say enough are folded from their events. Then
// the traces of the piece are rolled up. Inserts and the questions of this node wait for it, so that they know all as before or all as after;
// another node may see a part of it meanwhile.
func (w *Warehouse) Reprice(ctx context.Context, r *store.Repricing) (store.Tally, error) {
	p := &repricing{Repricing: r, w: w, tally: store.Tally{}}
	if err := w.Flush(ctx); err != nil {
		return nil, fmt.Errorf("reprice: %w", err)
	}
	err := w.locked(ctx, func() error {
		if r.Done == nil {
			return p.run(ctx, p.look)
		}
		w.gate.Lock()
		err := p.run(ctx, p.write)
		w.gate.Unlock()
		if err != nil {
			return err
		}
		return r.Done()
	})
	if err != nil {
		return nil, fmt.Errorf("reprice: %w", err)
	}
	return p.tally, nil
}

// repricing is one run of Reprice.
type repricing struct {
	*store.Repricing
	w     *Warehouse
	tally store.Tally
}

// repriced is a piece of the calls.
type repriced struct {
	last    place
	n       int
	changed map[place]*settled[observationRow]
	unsure  map[place]*observationRow
}

// pieceRows is how many calls are in memory at once.
const pieceRows = 10_000

// run goes through the calls in the order of the table.
func (p *repricing) run(ctx context.Context, piece func(context.Context, *repriced) error) error {
	for last := (place{}); ; {
		calls, err := p.piece(ctx, last)
		if err == nil && calls.n > 0 {
			err = piece(ctx, calls)
		}
		if err != nil || calls.n < pieceRows {
			return err
		}
		last = calls.last
	}
}

// piece reads and prices the calls behind a place.
func (p *repricing) piece(ctx context.Context, last place) (*repriced, error) {
	calls := &repriced{changed: map[place]*settled[observationRow]{}, unsure: map[place]*observationRow{}}
	q := &builder{}
	q.arg(p.Project)
	start := us("start_time")
	condition := fmt.Sprintf("(trace_id, id) > (%s, %s) AND %s >= %s AND %s < %s AND lower(type) IN ('generation', 'llm', 'embedding') AND duplicate_of = '' ORDER BY trace_id, id LIMIT %d",
		q.arg(last.trace), q.arg(last.id), start, q.arg(p.From), start, q.arg(p.To), pieceRows)
	err := selectRows(ctx, p.w, observationTable, q, condition, func(seqs []uint64, row *observationRow) {
		at := place{row.TraceID, row.ID}
		calls.n++
		calls.last = at
		row.Seqs = make([]entity.Seq, len(seqs)) // any of them may be where a node heard of it first
		for i, seq := range seqs {
			row.Seqs[i] = entity.Seq(seq)
		}
		before := row.Costs()
		is := p.By.Reprice(p.Project, row)
		if is == entity.Unsure {
			calls.unsure[at] = row
			return
		}
		p.tally.Add(is, row, before.Total)
		if is == entity.Changed {
			calls.changed[at] = &settled[observationRow]{p.Project, false, slices.Clone(seqs), *row}
		}
	})
	return calls, err
}

// look tells what would become of the calls of which that is not known yet.
func (p *repricing) look(ctx context.Context, calls *repriced) error {
	s := newSettling(p.w, p.Project, instant{})
	s.tariff.Prices = nil // only what was sent
	if err := s.prepare(ctx, placesOf(calls.unsure)); err != nil {
		return err
	}
	for at, row := range calls.unsure {
		is, o := entity.Same, *row
		// What a twin said of its cost is not here; then the former cost is told.
		if folded := s.folded[at]; folded != nil && !folded.deleted && folded.row.TotalCost != nil {
			p.By.Price(p.Project, &folded.row)
			is, o.TotalCost = entity.Changed, folded.row.TotalCost
		}
		p.tally.Add(is, &o, row.TotalCost)
	}
	return nil
}

// write gives them their costs.
func (p *repricing) write(ctx context.Context, calls *repriced) error {
	if len(calls.changed) == 0 && len(calls.unsure) == 0 {
		return nil
	}
	if err := p.w.step(ctx, p.w.self); err != nil {
		return err
	}
	at, err := p.w.now(ctx)
	if err != nil {
		return err
	}
	s := newSettling(p.w, p.Project, at)
	s.tariff.Prices = p.By
	if err := s.prepare(ctx, placesOf(calls.unsure)); err != nil {
		return err
	}
	for at, row := range calls.changed {
		if s.folded[at] == nil {
			s.folded[at] = row
		}
		if at.trace != "" {
			s.traces[at.trace] = true
		}
	}
	p.w.folding.begin()
	if err := s.rollUp(ctx); err != nil {
		return err
	}
	return p.w.writeRows(ctx)
}

// prepare folds observations anew.
func (s *settling) prepare(ctx context.Context, places []place) error {
	s.begin(ctx)
	if err := s.foldWithTwins(ctx, places); err != nil {
		return err
	}
	s.mark()
	return nil
}

func placesOf(rows map[place]*observationRow) []place {
	places := make([]place, 0, len(rows))
	for at := range rows {
		places = append(places, at)
	}
	slices.SortFunc(places, comparePlaces)
	return places
}
