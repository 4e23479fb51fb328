package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// asking is one server that holds many events and is asked.
type asking struct {
	o    options
	side *side
	dir  string
	load *askLoad
	next atomic.Int64 // requests sent
	p    *process

	mu     sync.Mutex // guards traces
	traces []string   // one of every needleIn requests
}

const (
	justCome   = 20_000 // events, before each question
	askedTimes = 20
	startTimes = 3
)

// question is what is asked, and how long its p50 may take.
type question struct {
	name string
	path func(a *asking) string
	most time.Duration // 0: no target
	// shared says that a node with ClickHouse is asked it, too.
	shared bool
}

func questions() []question {
	at := func(path string) func(*asking) string { return func(*asking) string { return path } }
	chart := "/v1/stats?of=observations&group_by=model&metrics=count,latency_p95,tokens,cost&interval="
	return []question{
		{"first page of traces", at("/v1/traces?limit=50"), 50 * time.Millisecond, true},
		{"the same of one user", at("/v1/traces?limit=50&user_id=user_0017"), 50 * time.Millisecond, false},
		{"by cost", at("/v1/traces?limit=50&sort=-total_cost"), 50 * time.Millisecond, false},
		{"with errors", at("/v1/traces?limit=50&has_error=true"), 50 * time.Millisecond, false},
		{"one trace", func(a *asking) string { return "/v1/traces/" + a.traces[len(a.traces)/2] }, 50 * time.Millisecond, true},
		{"24 h by hour and model", func(*asking) string {
			return chart + "1h&from=" + url.QueryEscape(time.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339))
		}, 50 * time.Millisecond, true},
		{"all days by day and model", at(chart + "1d"), 0, false},
		{"first page of observations", at("/v1/observations?limit=50"), 0, false},
		{"a rare word (one event of 200 000)", at("/v1/traces?limit=50&q=" + wordRare), 500 * time.Millisecond, true},
		{"an absent word", at("/v1/traces?limit=50&q=" + wordNone), 50 * time.Millisecond, false},
	}
}

// measureAsking fills a server with o.ask events, starts it again, and asks.
func measureAsking(ctx context.Context, o options, to *report) (err error) {
	a := &asking{o: o, side: brokleSide(o, nil), dir: o.roundDir("asking", 0)}
	if a.load, err = newAskLoad(o.ask); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(a.dir)) }()
	loadBefore := loadAverage()
	if a.p, err = a.side.start(ctx, a.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.p.stop()) }()
	fmt.Printf("filling a server with %d events of %d B\n", o.ask, a.load.mean)
	begin := time.Now()
	if err := a.send(ctx, o.ask); err != nil {
		return err
	}
	if err := a.side.waitQueryable(ctx, a.p.url, o.ask); err != nil {
		return err
	}
	rate := float64(o.ask) / time.Since(begin).Seconds()
	if err := settle(ctx, a.dir, a.p.cmd.Process.Pid); err != nil {
		return err
	}
	u, err := a.p.stopped()
	if err != nil {
		return err
	}
	disk, parts := diskUse(a.dir, o.ask)
	to.line("## Asking\n")
	to.line("A server with %d events of %d B of JSON, ten a trace, over %.0f days: %.0f a second until a reader counted all, %.0f per CPU-second until it had stopped, %.0f MB of memory at most,",
		o.ask, a.load.mean, float64(o.ask)/askPerDay, rate, float64(o.ask)/u.cpu.Seconds(), u.peakRSS)
	to.line("%.0f B/event on disk (%s). Asked over HTTP, each question after %d events that have just come: the first answer, then p50 and p95 of %d.", disk, disks(parts), justCome, askedTimes)
	stopped, killed, err := a.starts(ctx)
	if err != nil {
		return err
	}
	to.line("\n| | | first | p50 | p95 | target, reached |\n| --- | --- | ---: | ---: | ---: | --- |")
	cold := func(name string, took []time.Duration) {
		to.line("| %s | ms | %.0f | %.0f | | %s |", name, ms(took[0]), ms(percentile(took, 50)), reached(percentile(took, 50), 500*time.Millisecond))
	}
	cold("start after a stop", stopped)
	cold("start after SIGKILL under load", killed)
	for _, q := range questions() {
		if err := a.ask(ctx, q, to); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	to.line("\nThe load of the machine was %s before and %s after.\n", loadBefore, loadAverage())
	return nil
}

// send sends so many events more, over the bench's connections; a server that has too much to do is
// given time.
func (a *asking) send(ctx context.Context, events int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: a.o.conns, DisableCompression: true}}
	defer client.CloseIdleConnections()
	last := a.next.Load() + int64(events/askBatch)
	wire := brokleWire()
	errs := make([]error, a.o.conns)
	var failed atomic.Bool
	var wg sync.WaitGroup
	for c := range a.o.conns {
		wg.Go(func() {
			var body []byte
			for !failed.Load() && ctx.Err() == nil {
				n := a.next.Add(1)
				if n > last {
					return
				}
				var trace string
				body, trace = a.load.request(int(n)-1, body)
				err := wire.post(client, a.p.url, body, askBatch)
				for err != nil && strings.HasPrefix(err.Error(), "answer 503") && ctx.Err() == nil {
					if err = clock.Sleep(ctx, 200*time.Millisecond); err == nil {
						err = wire.post(client, a.p.url, body, askBatch)
					}
				}
				if err != nil {
					errs[c] = err
					failed.Store(true)
					return
				}
				if n%(needleIn/20) == 1 {
					a.mu.Lock()
					a.traces = append(a.traces, trace)
					a.mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	a.next.Store(last) // each connection has taken one too many
	return errors.Join(append(errs, ctx.Err())...)
}

// starts measures starts over what is there: after stops, and after SIGKILL with events just answered,
// of which none may be missing. The last one runs on.
func (a *asking) starts(ctx context.Context) (stopped, killed []time.Duration, err error) {
	for range startTimes {
		begin := time.Now()
		if a.p, err = a.side.start(ctx, a.dir); err != nil {
			return nil, nil, err
		}
		stopped = append(stopped, time.Since(begin))
		if err = a.p.stop(); err != nil {
			return nil, nil, err
		}
	}
	for range startTimes {
		if a.p, err = a.side.start(ctx, a.dir); err != nil {
			return nil, nil, err
		}
		if err = a.send(ctx, justCome); err != nil {
			return nil, nil, err
		}
		if err = a.p.kill(); err != nil {
			return nil, nil, err
		}
		begin := time.Now()
		if a.p, err = a.side.start(ctx, a.dir); err != nil {
			return nil, nil, err
		}
		killed = append(killed, time.Since(begin))
		if err = a.side.waitQueryable(ctx, a.p.url, int(a.next.Load())*askBatch); err != nil {
			return nil, nil, err
		}
		if err = a.p.stop(); err != nil {
			return nil, nil, err
		}
	}
	a.p, err = a.side.start(ctx, a.dir)
	return stopped, killed, err
}

// ask measures one question.
func (a *asking) ask(ctx context.Context, q question, to *report) error {
	took, err := a.times(ctx, q)
	if err != nil {
		return err
	}
	first, rest := took[0], took[1:]
	p50 := percentile(rest, 50)
	target := ""
	if q.most > 0 {
		target = reached(p50, q.most)
	}
	to.line("| %s | ms | %.1f | %.1f | %.1f | %s |", q.name, ms(first), ms(p50), ms(percentile(rest, 95)), target)
	fmt.Printf("%s: first %.1f, p50 %.1f ms\n", q.name, ms(first), ms(p50))
	return nil
}

// times is how long the answers took, the first one before the others.
func (a *asking) times(ctx context.Context, q question) (took []time.Duration, err error) {
	if err := a.send(ctx, justCome); err != nil {
		return nil, err
	}
	if err := a.indexed(ctx); err != nil {
		return nil, err
	}
	for range 1 + askedTimes {
		begin := time.Now()
		if _, err := get(a.p.url + q.path(a)); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
	}
	return took, nil
}

// indexed waits until the server has moved all it took to where it is asked, without asking it.
func (a *asking) indexed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainLongest)
	defer cancel()
	return a.caughtUp(ctx)
}

// caughtUp is indexed for as long as it takes.
func (a *asking) caughtUp(ctx context.Context) error {
	return until(ctx, pollEvery, func() error {
		behind, err := a.side.behind()
		if err == nil && behind > 0 {
			err = errNotYet
		}
		return err
	})
}

// reached says a bound, and whether it holds.
func reached(took, most time.Duration) string {
	if took <= most {
		return fmt.Sprintf("≤ %d: yes", most.Milliseconds())
	}
	return fmt.Sprintf("≤ %d: **no**", most.Milliseconds())
}
