package duckstore

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// unsureCall is a call whose row does not say all that its cost depends on.
type unsureCall struct {
	key   entityKey
	model string
	cost  *float64
}

// foldUnsure folds these calls from their events.
func (p *repricing) foldUnsure() error {
	w := p.w
	written := max(w.lastWritten, int64(w.cursor))
	calls, err := p.unsureCalls()
	if err != nil {
		return err
	}
	for some := range slices.Chunk(calls, foldAtOnce) {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		r := w.newRefold(written, len(some))
		r.prices = p.By
		if _, err := r.touch(keysOf(some)); err != nil {
			return err
		}
		if err := r.write(); err != nil {
			return err
		}
		p.changed += len(some)
		for _, c := range some {
			if c.key.trace != "" {
				p.whole.add(traceHash(c.key.trace))
			}
		}
	}
	return nil
}

// unsureCalls are all of them.
func (p *repricing) unsureCalls() (calls []unsureCall, err error) {
	for some := range slices.Chunk(p.unsure, foldAtOnce) {
		err := p.w.write.scan("SELECT id, trace_id, model, total_cost FROM observations WHERE rowid IN (SELECT unnest($1::BIGINT[]))", []any{some}, func(b block) {
			traces, models, costs := b.valid(1), b.valid(2), b.valid(3)
			for i := range b.rows {
				c := unsureCall{key: entityKey{p.Project, entity.ObservationKind, "", b.text(0, i)}}
				if traces.has(i) {
					c.key.trace = b.text(1, i)
				}
				if models.has(i) {
					c.model = b.text(2, i)
				}
				if costs.has(i) {
					cost := b.floats(3)[i]
					c.cost = &cost
				}
				calls = append(calls, c)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// lookAtUnsure tells what would become of them.
func (p *repricing) lookAtUnsure() error {
	calls, err := p.unsureCalls()
	if err != nil {
		return err
	}
	for some := range slices.Chunk(calls, foldAtOnce) {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		r := p.w.newRefold(0, len(some))
		if _, err := r.touch(keysOf(some)); err != nil {
			return err
		}
		for _, c := range some {
			if err := p.lookAt(r.bundles[r.place(c.key)], &c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *repricing) lookAt(b *bundle, c *unsureCall) error {
	is, o := entity.Same, observationRow{}
	o.Model, o.TotalCost = c.model, c.cost
	if !b.empty() {
		events, err := b.folder()
		if err != nil {
			return err
		}
		// What a twin said of its cost is not here; then the former cost is told.
		if folded := events.Observations(c.key.id)[0]; folded.TotalCost != nil {
			p.By.Price(p.Project, &folded)
			is, o.TotalCost = entity.Changed, folded.TotalCost
		}
	}
	p.tally.Add(is, &o, c.cost)
	return nil
}

func keysOf(calls []unsureCall) []entityKey {
	keys := make([]entityKey, len(calls))
	for i := range calls {
		keys[i] = calls[i].key
	}
	return keys
}
