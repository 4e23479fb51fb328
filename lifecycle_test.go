package brokle_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/chance"
)

// Property 33: Flush returns when all before it are settled, not earlier, and
// says how many are not when the context ends.
func TestFlushWaitsForItsEventsAndCountsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		srv.Rule(brokletest.Every(1, brokletest.Fault{Delay: 2 * time.Second}))
		c := open(t, srv, func(c *brokle.Config) { c.BatchMaxSize = 10; c.Senders = 2; c.BatchFlushInterval = time.Minute })
		submit(t, c, 45) // 5 batches, 2 at a time: 6 s
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := c.Flush(ctx)
		var pe *brokle.PendingError
		if !errors.As(err, &pe) || !errors.Is(err, context.DeadlineExceeded) || pe.Pending != 25 {
			t.Fatalf("after 3 s 20 of 45 are settled: %v", err)
		}
		start := time.Now()
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("the second flush returned after %v", d)
		}
		srv.RequireStored(t, 45)
		closeClient(t, c)
	})
}

func TestFlushDoesNotWaitForLaterEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		c := open(t, srv, func(c *brokle.Config) { c.BatchFlushInterval = time.Minute })
		submit(t, c, 1)
		srv.Script(brokletest.Fault{Delay: time.Second}, brokletest.Fault{Delay: time.Hour})
		done := make(chan error)
		go func() { done <- c.Flush(context.Background()) }()
		synctest.Wait()
		submit(t, c, 100) // a full batch: sent at once, answered in an hour
		start := time.Now()
		if err := <-done; err != nil || time.Since(start) > time.Second {
			t.Errorf("flush: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = c.Close(ctx)
	})
}

func TestCloseGivesUpWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		srv.Rule(brokletest.Every(1, brokletest.Fault{Delay: time.Hour}))
		var mu sync.Mutex
		outcomes := map[brokle.DropReason]int{}
		c := open(t, srv, func(c *brokle.Config) {
			c.BatchMaxSize = 10
			c.Timeout = 10 * time.Minute
			c.OnOutcome = func(o brokle.Outcome) { mu.Lock(); outcomes[o.Reason]++; mu.Unlock() }
		})
		submit(t, c, 95)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		var pe *brokle.PendingError
		if err := c.Close(ctx); !errors.As(err, &pe) || pe.Pending != 95 {
			t.Fatalf("close: %v", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("close took %v", d)
		}
		m := c.ProcessorMetrics()
		balanced(t, m)
		if m.Dropped[brokle.DropShutdown] != 95 || m.Pending != 0 || outcomes[brokle.DropShutdown] != 95 {
			t.Errorf("%+v, told %v", m, outcomes)
		}
		if _, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]any{}); err != brokle.ErrClosed {
			t.Errorf("submit after close: %v", err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("second close: %v", err)
		}
	})
}

func TestCloseEndsWhenTheServerNeverComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		srv.Rule(brokletest.Every(1, brokletest.Status(503)))
		c := open(t, srv, func(c *brokle.Config) { c.Retry = brokle.ExponentialBackoff{} })
		submit(t, c, 10)
		time.Sleep(time.Hour) // far more than MaxRetries: while the process lives it goes on trying
		if m := c.ProcessorMetrics(); m.Pending != 10 || c.ProcessorHealthy() {
			t.Errorf("after an hour: %+v", m)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m := c.ProcessorMetrics(); m.Dropped[brokle.DropUndeliverable] != 10 {
			t.Errorf("%+v", m)
		}
	})
}

func TestQueueIsBoundedInEventsAndBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, change := range map[string]func(*brokle.Config){
			"events": func(c *brokle.Config) { c.QueueMaxEvents = 50 },
			"bytes":  func(c *brokle.Config) { c.QueueMaxBytes = 64 << 10 },
		} {
			srv := brokletest.New()
			srv.Rule(brokletest.Every(1, brokletest.Fault{Delay: time.Minute}))
			c := open(t, srv, func(c *brokle.Config) { c.Timeout = 5 * time.Minute; change(c) })
			payload := map[string]any{"text": string(make([]byte, 3000))} // 18 KB once escaped
			taken := 0
			for range 100 {
				switch _, err := c.SubmitBatchEvent(brokle.EventCreate, payload); err {
				case nil:
					taken++
				case brokle.ErrQueueFull:
				default:
					t.Fatal(err)
				}
			}
			m := c.ProcessorMetrics()
			if m.MemoryBytes > 64<<20 || name == "bytes" && (m.MemoryBytes > 64<<10 || taken != 3) || name == "events" && taken != 50 {
				t.Errorf("%s: %d taken, %d bytes held", name, taken, m.MemoryBytes)
			}
			if m.Refused.QueueFull != int64(100-taken) || m.Accepted != int64(taken) {
				t.Errorf("%s: %+v", name, m)
			}
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.SubmitBatchEvent(brokle.EventCreate, payload); err != nil {
				t.Errorf("%s: there is room again: %v", name, err)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAnEventLargerThanTheQueueIsTooLargeAndDoesNotCloseTheQueue(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, func(c *brokle.Config) { c.QueueMaxBytes = 64 << 10 })
	if _, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]any{"x": strings.Repeat("x", 70<<10)}); err != brokle.ErrTooLarge {
		t.Errorf("%v", err)
	}
	submit(t, c, 1)
	closeClient(t, c)
	srv.RequireStored(t, 1)
}

// Property 32 and 14: under a fault script, with many goroutines, the books balance
// at every look, nothing is lost and nothing counted twice.
func TestBooksBalanceAtEveryInstantUnderFaults(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	rng := chance.Of(t)
	var mu sync.Mutex
	bad := map[string]bool{}
	srv.Rule(func(n int, req *brokle.BatchRequest) brokletest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if n%10 == 0 {
			return brokletest.Status(503)
		}
		f := brokletest.Fault{FailEvents: func(ev brokle.Event) *brokle.BatchEventError {
			mu.Lock()
			defer mu.Unlock()
			if bad[ev.ID] || len(bad) < 60 && rng.IntN(100) == 0 { // the same event fails on every try
				bad[ev.ID] = true
				return &brokle.BatchEventError{Code: "invalid_field", Message: "Invalid luck"}
			}
			return nil
		}}
		switch rng.IntN(10) {
		case 0:
			f.HangUp = brokletest.BeforeStore
		case 1:
			f.HangUp = brokletest.AfterStore
		case 2:
			f.Delay = time.Duration(rng.IntN(5)) * time.Millisecond
		}
		return f
	})
	told := map[brokle.OutcomeKind]int64{}
	var toldMu sync.Mutex
	c := open(t, srv, func(c *brokle.Config) {
		c.BatchMaxSize = 20
		c.OnOutcome = func(o brokle.Outcome) { toldMu.Lock(); told[o.Kind]++; toldMu.Unlock() }
	})
	stop := make(chan struct{})
	var watch, writers sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				balanced(t, c.ProcessorMetrics())
			}
		}
	})
	var idsMu sync.Mutex
	var ids []string
	for range 8 {
		writers.Go(func() {
			mine := submit(t, c, 500)
			idsMu.Lock()
			ids = append(ids, mine...)
			idsMu.Unlock()
		})
	}
	writers.Wait()
	if err := c.Flush(t.Context()); err != nil { // Close alone would count the tries
		t.Fatal(err)
	}
	closeClient(t, c)
	close(stop)
	watch.Wait()
	m := c.ProcessorMetrics()
	balanced(t, m)
	if m.Accepted != 4000 || m.Pending != 0 || len(m.Dropped) != 0 || m.Rejected != int64(len(bad)) {
		t.Errorf("%+v, %d bad", m, len(bad))
	}
	if told[brokle.Delivered] != m.Delivered || told[brokle.Duplicate] != m.Duplicate || told[brokle.Rejected] != m.Rejected {
		t.Errorf("told %v, counted %+v", told, m)
	}
	var good []string
	for _, id := range ids {
		if !bad[id] {
			good = append(good, id)
		}
	}
	srv.RequireIDs(t, good...)
}

// Events of one trace reach the server in the order in which they were
// submitted, with four senders and failing requests.
func TestEventsOfATraceKeepTheirOrder(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	srv.Rule(func(n int, _ *brokle.BatchRequest) brokletest.Fault {
		switch {
		case n%7 == 0:
			return brokletest.Status(503)
		case n%5 == 0:
			return brokletest.Fault{Delay: 3 * time.Millisecond}
		}
		return brokletest.OK()
	})
	c := open(t, srv, func(c *brokle.Config) { c.BatchMaxSize = 7 })
	type payload struct {
		ID      string `json:"id,omitempty"`
		TraceID string `json:"trace_id"`
		Name    string `json:"name"`
		N       int    `json:"n"`
	}
	var want = map[string][]string{}
	for n := range 60 {
		for tr := range 10 {
			trace := string(rune('a' + tr))
			id, err := c.SubmitBatchEvent(brokle.ObservationCreate, payload{TraceID: trace, Name: "x", N: n})
			if err != nil {
				t.Fatal(err)
			}
			want[trace] = append(want[trace], id)
		}
	}
	closeClient(t, c)
	got := map[string][]string{}
	for _, ev := range srv.Events() {
		got[traceOf(t, ev)] = append(got[traceOf(t, ev)], ev.ID)
	}
	for trace, ids := range want {
		for i := range ids {
			if got[trace][i] != ids[i] {
				t.Fatalf("trace %s: event %d arrived out of order", trace, i)
			}
		}
	}
	most := 0
	for _, r := range srv.Requests() {
		most = max(most, len(r.Body.Events))
	}
	if most > 7 {
		t.Errorf("a batch of %d events", most)
	}
}
