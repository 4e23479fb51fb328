package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// spanSide is a server that takes spans.
type spanSide struct {
	name, version, promise string
	bin                    string
	env                    []string
	path                   string // of its endpoint
	// command gives the arguments to serve on addr and keep data in dir.
	command func(addr, dir string) ([]string, error)
	// drained returns when all spans are where they go: queryable, or sent on. Not every side can tell.
	drained func(ctx context.Context, url string, spans int) error
	// has says how many spans of a trace are there.
	has    func(url, trace string) (int, error)
	rounds []result
	killed killResult
}

// killResult is what a SIGKILL under load left.
type killResult struct{ asked, whole int }

const (
	openLoopSpans = 2000 // spans per second, for openLoopTime
	openLoopTime  = 12 * time.Second
	killAfter     = 4 * time.Second
	tracesAsked   = 200 // the last that were acknowledged
	drainLongest  = 5 * time.Minute
	spanConns     = 8
)

// measureSpans lets all sides take turns with OpenTelemetry's protocol over HTTP.
func measureSpans(ctx context.Context, o options, to *report) error {
	l, err := newSpanLoad()
	if err != nil {
		return err
	}
	sink, err := newSink()
	if err != nil {
		return err
	}
	defer sink.close()
	sides, err := spanSides(ctx, o, sink)
	if err != nil {
		return err
	}
	fmt.Printf("%d spans of %d B a round, %d connections, %d rounds; then %d spans/s for %s\n", o.events, l.mean, spanConns, o.rounds, openLoopSpans, openLoopTime)
	for round := range o.rounds {
		for _, side := range sides {
			r, err := side.measure(ctx, o, l, round)
			if err != nil {
				return fmt.Errorf("%s: %w", side.name, err)
			}
			side.rounds = append(side.rounds, r)
			fmt.Printf("round %d: %s %.0f spans/s, %.0f per CPU-second, p99 %.1f ms at %d spans/s\n", round+1, side.name, r.accepted, r.perCPU, r.openP99, openLoopSpans)
		}
	}
	for _, side := range sides {
		if side.has == nil { // the floor answers no questions
			continue
		}
		if side.killed, err = side.kill(ctx, o, l); err != nil {
			return fmt.Errorf("%s after SIGKILL: %w", side.name, err)
		}
		fmt.Printf("SIGKILL: %s has %d of the last %d acknowledged\n", side.name, side.killed.whole, side.killed.asked)
	}
	to.spans(o, l, sides)
	return nil
}

// start runs a side over dir.
func (s *spanSide) start(ctx context.Context, dir string) (*process, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args, err := s.command(addr, dir)
	if err != nil {
		return nil, err
	}
	return startAt(ctx, addr, s.bin, s.env, args...)
}

// measure is one round: as fast as spans are taken, all of it paid for; then, on an empty server, at a
// rate that all can keep.
func (s *spanSide) measure(ctx context.Context, o options, l *spanLoad, round int) (r result, err error) {
	dir := o.roundDir(strings.ToLower(s.name)+"-spans", round)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := s.start(ctx, dir)
	if err != nil {
		return r, err
	}
	shot := spanShot{load: l, url: p.url + s.path, spans: o.events}
	if err := shot.fire(ctx); err != nil {
		return r, errors.Join(err, p.stop())
	}
	r.accepted = float64(shot.taken) / shot.took.Seconds()
	waits := shot.waits()
	r.p50, r.p99 = ms(percentile(waits, 50)), ms(percentile(waits, 99))
	if err := s.settled(ctx, p.url, shot.taken); err != nil {
		return r, errors.Join(err, p.stop())
	}
	u, err := p.stopped()
	if err != nil {
		return r, err
	}
	r.peakRSS, r.perCPU = u.peakRSS, float64(shot.taken)/u.cpu.Seconds()
	r.disk, r.diskParts = diskUse(dir, shot.taken)
	return r, s.openLoop(ctx, l, filepath.Join(dir, "open"), &r)
}

func (s *spanSide) settled(ctx context.Context, url string, spans int) error {
	if s.drained == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainLongest)
	defer cancel()
	return s.drained(ctx, url, spans)
}

// openLoop sends at a fixed rate, whatever the answers do.
func (s *spanSide) openLoop(ctx context.Context, l *spanLoad, dir string, r *result) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	p, err := s.start(ctx, dir)
	if err != nil {
		return err
	}
	shot := spanShot{load: l, url: p.url + s.path, spans: int(openLoopSpans * openLoopTime.Seconds()), rate: openLoopSpans}
	if err := shot.fire(ctx); err != nil {
		return errors.Join(err, p.stop())
	}
	waits := shot.waits()
	r.openP50, r.openP99 = ms(percentile(waits, 50)), ms(percentile(waits, 99))
	return p.stop()
}

// kill ends the server with SIGKILL under full load, starts it again and asks for the traces that were
// acknowledged last.
func (s *spanSide) kill(ctx context.Context, o options, l *spanLoad) (r killResult, err error) {
	dir := o.roundDir(strings.ToLower(s.name)+"-killed", 0)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := s.start(ctx, dir)
	if err != nil {
		return r, err
	}
	timer := time.AfterFunc(killAfter, func() { _ = p.cmd.Process.Signal(syscall.SIGKILL) })
	defer timer.Stop()
	shot := spanShot{load: l, url: p.url + s.path, spans: 1 << 40}
	if err := shot.fire(ctx); err == nil {
		return r, errors.New("the load ended before the server was killed")
	}
	_ = p.cmd.Wait() // killed
	if p, err = s.start(ctx, dir); err != nil {
		return r, err
	}
	if err := s.settled(ctx, p.url, 0); err != nil {
		return r, errors.Join(err, p.stop())
	}
	slices.SortFunc(shot.done, func(a, b acknowledged) int { return a.at.Compare(b.at) })
	for _, one := range shot.done[max(0, len(shot.done)-tracesAsked):] {
		n, err := s.has(p.url, one.trace)
		if err != nil {
			return r, errors.Join(err, p.stop())
		}
		r.asked++
		if n == spansPerTrace {
			r.whole++
		}
	}
	return r, p.stop()
}
