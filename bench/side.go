package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// side is a server that takes the events.
type side struct {
	name, version, promise string

	bin  string
	env  []string
	says bool // it prints "listening on" once it takes requests
	load *load
	// command gives the arguments to serve on addr and keep data in dir.
	command func(addr, dir string) ([]string, error)
	// count is how many events a reader sees by now; nil: nobody can read.
	count func(url string) (int, error)
	// behind is how many events it took that are not where they are asked for; nil: it does not tell.
	behind func() (float64, error)
	// fsyncs is how often it has synced so far; nil: it does not tell.
	fsyncs func(url string) (float64, error)
	// profile saves what its processors do, until it is saved; nil: it cannot.
	profile func(o options) error

	rounds []result
}

// start runs a side over dir.
func (s *side) start(ctx context.Context, dir string) (*process, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args, err := s.command(addr, dir)
	if err != nil {
		return nil, err
	}
	if s.says {
		return start(ctx, s.bin, s.env, args...)
	}
	return startAt(ctx, addr, s.bin, s.env, args...)
}

// measure is one round: as fast as events are taken, all of it paid for; then starts; then, on an
// empty server, a rate that all can keep.
func (s *side) measure(ctx context.Context, o options, round int) (r result, err error) {
	dir := o.roundDir(strings.ToLower(s.name), round)
	defer func() { err = errors.Join(err, os.RemoveAll(dir), os.RemoveAll(dir+"-open")) }()
	p, err := s.start(ctx, dir)
	if err != nil {
		return r, err
	}
	if err := s.full(ctx, o, p, &r, round == o.rounds-1); err != nil {
		return r, errors.Join(err, p.stop())
	}
	if s.count != nil { // the others have nothing to do when nothing comes
		if err := settle(ctx, dir, p.cmd.Process.Pid); err != nil {
			return r, errors.Join(err, p.stop())
		}
	}
	u, err := p.stopped()
	if err != nil {
		return r, err
	}
	n := float64(o.events)
	r.perCPU, r.peakRSS, r.written = n/u.cpu.Seconds(), u.peakRSS, u.written/n
	r.disk, r.diskParts = diskUse(dir, o.events)
	if s.says && s.count != nil {
		if err := s.starts(ctx, o, dir, &r); err != nil {
			return r, err
		}
	}
	if o.openRate == 0 {
		return r, nil
	}
	return r, s.openLoop(ctx, o, dir+"-open", &r)
}

// full sends all as fast as it is taken and waits until it can be read.
func (s *side) full(ctx context.Context, o options, p *process, r *result, last bool) error {
	profiled := make(chan error, 1)
	if last && o.profile != "" && s.profile != nil {
		go func() { profiled <- s.profile(o) }()
	} else {
		profiled <- nil
	}
	begin := time.Now()
	took, answers, err := s.load.fire(p.url, o)
	if err != nil {
		return err
	}
	r.accepted = float64(o.events) / took.Seconds()
	r.p50, r.p99 = ms(percentile(answers, 50)), ms(percentile(answers, 99))
	if s.count != nil {
		if err := s.waitQueryable(ctx, p.url, o.events); err != nil {
			return err
		}
		r.queryable = float64(o.events) / time.Since(begin).Seconds()
		r.perCPUQueryable = float64(o.events) / cpuNow(p.cmd.Process.Pid).Seconds()
	}
	if s.fsyncs != nil {
		n, err := s.fsyncs(p.url)
		if err != nil {
			return err
		}
		r.fsyncs = n / float64(o.events/o.batch)
	}
	return <-profiled
}

// waitQueryable returns when a reader counts all events: not when the server says that it has
// caught up, but when a reader sees it.
func (s *side) waitQueryable(ctx context.Context, url string, want int) error {
	ctx, cancel := context.WithTimeout(ctx, drainLongest)
	defer cancel()
	return until(ctx, pollEvery, func() error {
		got, err := s.count(url)
		if err != nil || got == want {
			return err
		}
		if got < want {
			err = errNotYet
		}
		return errors.Join(fmt.Errorf("a reader of %s counts %d events of %d sent", s.name, got, want), err)
	})
}

// killedWith is how many events are under way, at least, when a server is killed.
const killedWith = 20_000

// starts measures a start after a stop, and one after SIGKILL with events just answered, of which
// none may be missing.
func (s *side) starts(ctx context.Context, o options, dir string, r *result) error {
	begin := time.Now()
	p, err := s.start(ctx, dir)
	if err != nil {
		return fmt.Errorf("cold start: %w", err)
	}
	r.coldStart = ms(time.Since(begin))
	more := o
	more.events = killedWith
	if _, _, err := s.load.fire(p.url, more); err != nil {
		return errors.Join(err, p.stop())
	}
	if err := p.kill(); err != nil {
		return err
	}
	begin = time.Now()
	if p, err = s.start(ctx, dir); err != nil {
		return fmt.Errorf("start after SIGKILL: %w", err)
	}
	r.afterKill = ms(time.Since(begin))
	return errors.Join(s.waitQueryable(ctx, p.url, o.events+killedWith), p.stop())
}

// openLoop sends at a fixed rate, whatever the answers do.
func (s *side) openLoop(ctx context.Context, o options, dir string, r *result) error {
	p, err := s.start(ctx, dir)
	if err != nil {
		return err
	}
	answers, err := s.load.fireAt(ctx, p.url, o)
	if err != nil {
		return errors.Join(err, p.stop())
	}
	r.openP50, r.openP99 = ms(percentile(answers, 50)), ms(percentile(answers, 99))
	return p.stop()
}
