package duckstore

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// foldUnsure folds the calls from their events whose rows do not say all that their costs depend on.
func (p *repricing) foldUnsure() error {
	w := p.w
	written := max(w.lastWritten, int64(w.cursor))
	for some := range slices.Chunk(p.unsure, foldAtOnce) {
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
				p.touched.add(traceHash(c.key.trace))
			}
		}
	}
	return p.touched.write(w)
}

// lookAtUnsure tells what would become of them.
func (p *repricing) lookAtUnsure() error {
	for some := range slices.Chunk(p.unsure, foldAtOnce) {
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
