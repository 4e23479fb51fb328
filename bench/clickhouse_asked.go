package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// turns is how often each of the two nodes is asked each question.
const turns = 41

// filled is what is kept of how a node was filled, so that a later run goes on where this one ended.
type filled struct {
	Begin  time.Time // of the load
	Next   int64     // requests sent
	Traces []string  // to ask for
}

// askBoth asks a node with its own warehouse and one with ClickHouse in turn, both with o.ask events. With o.keep they stay there, and are found again.
func askBoth(ctx context.Context, o options, to *report) (err error) {
	dir := o.keep
	if dir == "" {
		dir = filepath.Join(o.dir, "asked")
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	engine, err := newShared(filepath.Join(dir, "clickhouse"))
	if err != nil {
		return err
	}
	defer engine.engine.Kill()
	w := engine.on(o, nil, "asked")
	var e, c *asking
	var failed error
	var beside sync.WaitGroup
	beside.Go(func() { e, failed = fill(ctx, o, brokleSide(o, nil), nil, filepath.Join(dir, "embedded")) })
	c, err = fill(ctx, o, w.side, w, filepath.Join(dir, "with"))
	beside.Wait()
	defer func() { err = errors.Join(err, e.stop(), c.stop()) }()
	if err = errors.Join(failed, err); err != nil {
		return err
	}
	size, err := w.size(o.ask)
	if err != nil {
		return err
	}
	to.line("Asked over HTTP with %d events in each, ten a trace, one after the other in turn, each question after %d events that have just come: p50 of %d in ms, in brackets the first. %s B/event on the disk of ClickHouse.\n", o.ask, justCome, turns-1, size)
	to.line("| | embedded | ClickHouse | target, reached |\n| --- | ---: | ---: | --- |")
	for _, q := range questions() {
		if !q.shared {
			continue
		}
		mine, theirs, err := inTurn(ctx, q, e, c)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		to.both(q.name, mine, theirs)
	}
	to.line("")
	return errors.Join(e.keep(), c.keep())
}

// both is the line of a question.
func (r *report) both(name string, embedded, with []time.Duration) {
	e, c := percentile(embedded[1:], 50), percentile(with[1:], 50)
	ratio, reached := float64(c)/float64(e), "yes"
	if ratio > 3 {
		reached = "**no**"
	}
	r.line("| %s | %.1f (%.1f) | %.1f (%.1f), %.1f × | ≤ 3: %s |", name, ms(e), ms(embedded[0]), ms(c), ms(with[0]), ratio, reached)
	fmt.Printf("%s: %.1f and %.1f ms, %.1f times\n", name, ms(e), ms(c), ratio)
}

// inTurn is how long the answers of both took, the first one before the others.
func inTurn(ctx context.Context, q question, e, c *asking) (embedded, with []time.Duration, err error) {
	for _, a := range []*asking{e, c} {
		if err := a.send(ctx, justCome); err != nil {
			return nil, nil, err
		}
	}
	for _, a := range []*asking{e, c} {
		if err := a.indexed(ctx); err != nil {
			return nil, nil, err
		}
	}
	for range turns {
		for a, took := range map[*asking]*[]time.Duration{e: &embedded, c: &with} { // in any order
			begin := time.Now()
			if _, err := get(a.p.url + q.path(a)); err != nil {
				return nil, nil, err
			}
			*took = append(*took, time.Since(begin))
		}
	}
	return embedded, with, nil
}

// fill runs a node that has o.ask events, or as many as it was left with, when it and its engine have nothing to do.
func fill(ctx context.Context, o options, s *side, w *shared, dir string) (_ *asking, err error) {
	a := &asking{o: o, side: s, dir: dir}
	if a.load, err = newAskLoad(o.ask); err != nil {
		return nil, err
	}
	kept, err := os.ReadFile(a.notes())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if a.p, err = s.start(ctx, dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("fill %s: %w", dir, err), a.p.stop())
		}
	}()
	if kept != nil {
		var f filled
		if err := json.Unmarshal(kept, &f); err != nil {
			return nil, fmt.Errorf("read %s: %w", a.notes(), err)
		}
		a.load.begin, a.traces = f.Begin, f.Traces
		a.next.Store(f.Next)
	}
	if left := o.ask - int(a.next.Load())*askBatch; left > 0 {
		begin := time.Now()
		if err := a.send(ctx, left); err != nil {
			return nil, err
		}
		fmt.Printf("%s: %d events taken in %s\n", dir, left, time.Since(begin).Round(time.Second))
	}
	if err := a.caughtUp(ctx); err != nil {
		return nil, err
	}
	if err := settle(ctx, dir, a.p.cmd.Process.Pid); err != nil {
		return nil, err
	}
	if w != nil {
		if err := settle(ctx, w.dir, w.engine.PID()); err != nil {
			return nil, err
		}
	}
	return a, a.keep()
}

// stop ends the node, if it was filled.
func (a *asking) stop() error {
	if a == nil {
		return nil
	}
	return a.p.stop()
}

func (a *asking) notes() string { return a.dir + ".json" }

// keep writes down how far the node is filled.
func (a *asking) keep() error {
	notes, err := json.Marshal(filled{a.load.begin, a.next.Load(), a.traces})
	if err != nil {
		return err
	}
	return os.WriteFile(a.notes(), notes, 0o600)
}
