package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
)

// shared is a node whose warehouse is a ClickHouse server on the same machine.
type shared struct {
	*side
	engine   *clickhousetest.Server
	dir      string // of the engine
	database string
}

// newShared starts a server over dir. Each database is the warehouse of one node, which on runs with o and l.
func newShared(dir string) (*shared, error) {
	s := &shared{dir: dir}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	s.engine, err = clickhousetest.Open(s.dir)
	return s, err
}

// on is the node with a database of its own.
func (s *shared) on(o options, l *load, database string) *shared {
	o.serve = []string{"--warehouse-url", s.engine.URL(database)}
	of := brokleSide(o, l)
	of.name = "with ClickHouse"
	return &shared{of, s.engine, s.dir, database}
}

// cost is what one round took.
type cost struct {
	result
	engine float64 // events per second of the engine's processor time
	tables string  // bytes an event, by table
}

// measureClickHouse lets a node with its own warehouse and one with ClickHouse take turns, and asks both.
func measureClickHouse(ctx context.Context, o options, to *report) error {
	if o.rounds > 0 {
		if err := takeTurns(ctx, o, to); err != nil {
			return err
		}
	}
	if o.ask == 0 {
		return nil
	}
	return askBoth(ctx, o, to)
}

// takeTurns has both take events in.
func takeTurns(ctx context.Context, o options, to *report) error {
	l, err := newLoad(o, brokleWire())
	if err != nil {
		return err
	}
	engine, err := newShared(filepath.Join(o.dir, "clickhouse"))
	if err != nil {
		return err
	}
	defer engine.engine.Kill()
	var embedded, with, without []cost
	var drained time.Duration
	for round := range o.rounds {
		e, err := takeIn(ctx, o, brokleSide(o, l), nil, round)
		if err != nil {
			return fmt.Errorf("embedded: %w", err)
		}
		w := engine.on(o, l, fmt.Sprintf("in%d", round))
		c, err := takeIn(ctx, o, w.side, w, round)
		if err != nil {
			return fmt.Errorf("with clickhouse: %w", err)
		}
		a := engine.on(o, l, fmt.Sprintf("away%d", round))
		var n cost
		if n.accepted, drained, err = a.away(ctx, o, round); err != nil {
			return fmt.Errorf("with clickhouse stopped: %w", err)
		}
		embedded, with, without = append(embedded, e), append(with, c), append(without, n)
		fmt.Printf("round %d: embedded accepted %.0f, %.0f events per CPU-second; with ClickHouse %.0f, %.0f (engine %.0f); stopped %.0f\n", round+1, e.accepted, e.perCPU, c.accepted, c.perCPU, c.engine, n.accepted)
	}
	to.taken(o, l, embedded, with, without, drained)
	return nil
}

// takeIn is one round of a node: as fast as events are taken, all of it paid for. w is the shared warehouse of it, if it has one.
func takeIn(ctx context.Context, o options, s *side, w *shared, round int) (c cost, err error) {
	dir := o.roundDir(strings.ReplaceAll(s.name, " ", "-"), round)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	before := w.cpu()
	p, err := s.start(ctx, dir)
	if err != nil {
		return c, err
	}
	if err := s.full(ctx, o, p, &c.result, round == o.rounds-1); err != nil {
		return c, errors.Join(err, p.stop())
	}
	if err := settle(ctx, dir, p.cmd.Process.Pid); err != nil {
		return c, errors.Join(err, p.stop())
	}
	u, err := p.stopped()
	if err != nil {
		return c, err
	}
	c.perCPU, c.peakRSS = float64(o.events)/u.cpu.Seconds(), u.peakRSS
	c.disk, c.diskParts = diskUse(dir, o.events)
	if w == nil {
		return c, nil
	}
	if err := settle(ctx, w.dir, w.engine.PID()); err != nil { // its merges
		return c, err
	}
	c.engine = float64(o.events) / (w.cpu() - before).Seconds()
	c.tables, err = w.size(o.events)
	return c, err
}

// cpu is what the engine has used; nothing without one.
func (s *shared) cpu() time.Duration {
	if s == nil {
		return 0
	}
	return cpuNow(s.engine.PID())
}

// size is the bytes an event on the engine's disk, all of them and table by table.
func (s *shared) size(events int) (string, error) {
	out, err := s.engine.Query("SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = '" + s.database + "' GROUP BY table ORDER BY table FORMAT TSV")
	if err != nil {
		return "", err
	}
	total, parts := 0.0, []string(nil)
	for line := range strings.Lines(out) {
		table, size, _ := strings.Cut(strings.TrimSpace(line), "\t")
		bytes, err := strconv.ParseFloat(size, 64)
		if err != nil {
			return "", err
		}
		if each := bytes / float64(events); each >= 0.5 {
			total += each
			parts = append(parts, fmt.Sprintf("%s %.0f", table, each))
		}
	}
	return fmt.Sprintf("%.0f (%s)", total, strings.Join(parts, ", ")), nil
}

// away is a round while the engine is stopped, and how long afterwards until a reader counts all.
func (s *shared) away(ctx context.Context, o options, round int) (accepted float64, drained time.Duration, err error) {
	dir := o.roundDir("away", round)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := s.start(ctx, dir)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	counted := func(events int) error { // questions are refused until it has connected
		return until(ctx, pollEvery, func() error {
			if n, err := s.count(p.url); err != nil || n < events {
				return errNotYet
			}
			return nil
		})
	}
	if err := counted(0); err != nil {
		return 0, 0, err
	}
	s.engine.Kill()
	took, _, err := s.load.fire(p.url, o)
	if err != nil {
		return 0, 0, err
	}
	if err := s.engine.Again(); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	err = counted(o.events)
	return float64(o.events) / took.Seconds(), time.Since(begin), err
}

// taken is the table of taking events in.
func (r *report) taken(o options, l *load, embedded, with, without []cost, drained time.Duration) {
	r.line("%d events of %d B of JSON on the average, %d a request, %d connections, %d rounds in turn; medians. **embedded**: the node with a warehouse of its own. **ClickHouse**: the node with `--warehouse-url`, the server on the same machine,",
		o.events, l.meanEventBytes(), o.batch, o.conns, o.rounds)
	r.line("so that it takes from the processors of the node what is told apart. All in: until the process has stopped, and the engine has merged (no file changed for %v). In brackets: the ratio to embedded.\n", quietFor)
	e, w, a := medianCost(embedded), medianCost(with), medianCost(without)
	r.line("| | | embedded | ClickHouse | target, reached |\n| --- | --- | ---: | ---: | --- |")
	row := func(what, unit string, mine, theirs, target float64) {
		of := ""
		if ratio := theirs / mine; target > 0 && ratio >= target {
			of = fmt.Sprintf("≥ %.1f: yes", target)
		} else if target > 0 {
			of = fmt.Sprintf("≥ %.1f: **no**", target)
		}
		r.line("| %s | %s | %.0f | %.0f (%.2f) | %s |", what, unit, mine, theirs, theirs/mine, of)
	}
	row("events per CPU-second of our process, all in", "", e.perCPU, w.perCPU, 0.7)
	row("the same until queryable", "", e.perCPUQueryable, w.perCPUQueryable, 0)
	r.line("| events per CPU-second of the engine, merges included | | | %.0f | |", w.engine)
	row("accepted", "events/s", e.accepted, w.accepted, 0)
	row("queryable", "events/s", e.queryable, w.queryable, 0)
	row("peak RSS of our process", "MB", e.peakRSS, w.peakRSS, 0)
	r.line("| disk of the node | B/event | %.0f (%s) | %.0f (%s) | |", e.disk, disks(e.diskParts), w.disk, disks(w.diskParts))
	r.line("| disk of ClickHouse | B/event | | %s | |", with[len(with)-1].tables)
	reached := "**no**"
	if a.accepted >= 0.95*w.accepted {
		reached = "yes"
	}
	r.line("| accepted while ClickHouse is stopped | events/s | | %.0f (%.2f of it running) | ≥ 1: %s |", a.accepted, a.accepted/w.accepted, reached)
	r.line("\nAfter a start of ClickHouse a reader counted all %d events of the last of these rounds in %.1f s.\n", o.events, drained.Seconds())
}

// medianCost is median with the engine's time.
func medianCost(all []cost) cost {
	var results []result
	var engine []float64
	for _, c := range all {
		results, engine = append(results, c.result), append(engine, c.engine)
	}
	return cost{result: median(results), engine: percentile(engine, 50)}
}
