package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// What a soak runs with. Events are spread over the last half minute, and kept for a
// fifteenth of the soak, so that most of it runs while old events go.
const (
	soakSpread   = 30 * time.Second
	soakBacklog  = 200_000
	soakReaders  = 2
	soakPause    = 250 * time.Millisecond // between two questions of a reader
	soakSample   = 3 * time.Second
	soakMarkTTL  = 60               // seconds; ids may leave the index within the soak, too
	shortSoak    = 3 * time.Minute  // below it nothing is old enough to say whether disk and memory stay level
	levelSoak    = 15 * time.Minute // below it memory may still fill what it may have
	leastKept    = time.Minute
	soakKeptPart = 15
)

// stoppedEarly is the status of a server that was told to stop and left something for its next start:
// it may have that many events to index.
const stoppedEarly = 3

// soak is one run: a server at full load, readers beside it, and what was seen.
type soak struct {
	o    options
	dir  string
	kept time.Duration
	p    *process
	ops  string
	load *load

	next     atomic.Int64 // requests begun
	begin    time.Time
	accepted atomic.Int64 // events
	refused  atomic.Int64 // requests, with 503 and Retry-After
	asked    atomic.Int64 // questions answered

	mu      sync.Mutex // guards all below
	answers []time.Duration
	failure error // the first answer that should not have been
}

// runSoak prints what it saw, writes chart and table, and fails when a bound was broken.
func runSoak(ctx context.Context, o options) error {
	load, err := newLoad(o, brokleWire())
	if err != nil {
		return err
	}
	s := &soak{o: o, dir: filepath.Join(o.dir, "soak"), kept: max(leastKept, o.soak/soakKeptPart), load: load}
	for i := range load.bodies { // marks that go while it runs
		b := &load.bodies[i].body
		*b = append(bytes.TrimSuffix(*b, []byte("}")), fmt.Sprintf(`,"deduplication":{"ttl":%d}}`, soakMarkTTL)...)
	}
	if s.ops, err = freeAddress(); err != nil {
		return err
	}
	s.p, err = start(ctx, o.bin, []string{"BROKLE_BOOTSTRAP_API_KEY=" + benchKey}, "serve", "--data", s.dir, "--listen", "127.0.0.1:0",
		"--ops-listen", s.ops, "--log-level", "warn", "--retention", s.kept.String(), "--max-backlog-events", strconv.Itoa(soakBacklog))
	if err != nil {
		return err
	}
	fmt.Printf("soak of %v, %s: events of %d B (mean), %d a request, %d connections, %d readers, retention %v\n",
		o.soak, soakPace(o), load.meanEventBytes(), o.batch, o.conns, soakReaders, s.kept)
	samples := s.run(ctx)
	stopped := s.p.stop()
	if s.p.cmd.ProcessState.ExitCode() == stoppedEarly {
		stopped = nil
	}
	if err := errors.Join(s.failure, ctx.Err(), stopped); err != nil {
		return err
	}
	r := newSoakReport(s, samples)
	fmt.Print(r.table())
	if err := r.write(o); err != nil {
		return err
	}
	return r.broken()
}

// run sends, asks and samples until the time is over.
func (s *soak) run(ctx context.Context) []soakSampled {
	ctx, cancel := context.WithTimeout(ctx, s.o.soak)
	defer cancel()
	s.begin = time.Now()
	var wg sync.WaitGroup
	for range s.o.conns {
		wg.Go(func() { s.fail(ctx, cancel, s.send(ctx)) })
	}
	for i := range soakReaders {
		wg.Go(func() { s.fail(ctx, cancel, s.ask(ctx, i)) })
	}
	samples, err := s.sample(ctx)
	s.fail(ctx, cancel, err)
	wg.Wait()
	return samples
}

// fail ends the soak over an error that is not its end.
func (s *soak) fail(ctx context.Context, cancel func(), err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = err
	}
	cancel()
}

// soakPace says how fast a soak sends.
func soakPace(o options) string {
	if o.soakRate == 0 {
		return "as fast as it is taken"
	}
	return fmt.Sprintf("%d events/s at most", o.soakRate)
}

// due waits until the nth request may be sent. What was delayed, as by a refusal, is made up for.
func (s *soak) due(ctx context.Context, n int) error {
	if s.o.soakRate == 0 {
		return nil
	}
	return clock.Sleep(ctx, time.Until(s.begin.Add(time.Duration(n*s.o.batch)*time.Second/time.Duration(s.o.soakRate))))
}

// send posts requests, one after the other, until ctx ends.
func (s *soak) send(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}}
	defer client.CloseIdleConnections()
	rng := rand.New(rand.NewPCG(rand.Uint64(), 5))
	var body []byte
	for ctx.Err() == nil {
		n := int(s.next.Add(1))
		if err := s.due(ctx, n); err != nil {
			return err
		}
		body = s.load.request(n, body)
		now := time.Now().Unix()
		for _, at := range s.load.bodies[n%len(s.load.bodies)].times {
			strconv.AppendInt(body[at:at], now-rng.Int64N(int64(soakSpread/time.Second)), 10)
		}
		if err := s.post(ctx, client, body); err != nil {
			return err
		}
	}
	return nil
}

// post sends one request and waits as a refusal asks for.
func (s *soak) post(ctx context.Context, client *http.Client, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.p.url+"/v1/telemetry/batch", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-API-Key", benchKey)
	sent := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	switch wait := resp.Header.Get("Retry-After"); {
	case resp.StatusCode == http.StatusOK && bytes.Contains(answer, []byte(`"processed_events":`+strconv.Itoa(s.o.batch)+`,`)):
		s.accepted.Add(int64(s.o.batch))
		s.mu.Lock()
		s.answers = append(s.answers, time.Since(sent))
		s.mu.Unlock()
		return nil
	case resp.StatusCode == http.StatusServiceUnavailable && wait != "":
		s.refused.Add(1)
		seconds, err := strconv.Atoi(wait)
		if err != nil {
			return fmt.Errorf("Retry-After is %q", wait)
		}
		return clock.Sleep(ctx, time.Duration(seconds)*time.Second)
	}
	return fmt.Errorf("answer %d: %.300s", resp.StatusCode, answer)
}

// ask puts one question after the other, as pages do.
func (s *soak) ask(ctx context.Context, i int) error {
	questions := []string{
		"/v1/traces?limit=50", "/v1/stats?of=observations&group_by=model&metrics=count,latency_p95,cost", "/v1/observations?limit=50&sort=-latency_ms",
		"/v1/stats?of=traces&interval=1m&metrics=count,error_rate", "/v1/traces?limit=20&q=" + words[40], "/v1/telemetry/audit",
	}
	for ; ctx.Err() == nil; i++ {
		if _, err := get(s.p.url + questions[i%len(questions)]); err != nil {
			return err
		}
		s.asked.Add(1)
		if err := clock.Sleep(ctx, soakPause); err != nil {
			return err
		}
	}
	return nil
}

// takeAnswers are the times of the answers since the last call.
func (s *soak) takeAnswers() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.answers
	s.answers = nil
	return taken
}

// write puts the chart and the table where the options say.
func (r *soakReport) write(o options) error {
	if o.chart != "" {
		if err := os.WriteFile(o.chart, []byte(r.chart()), 0o644); err != nil {
			return err
		}
	}
	if o.doc == "" {
		return nil
	}
	page, err := os.ReadFile(o.doc)
	if err != nil {
		return err
	}
	const begin, end = "<!-- soak:begin -->\n", "<!-- soak:end -->"
	head, rest, found := bytes.Cut(page, []byte(begin))
	_, tail, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table: lines %q and %q", o.doc, begin, end)
	}
	return os.WriteFile(o.doc, slices.Concat(head, []byte(begin), []byte(r.table()), []byte(end), tail), 0o644)
}
