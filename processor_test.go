package brokle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

// open makes a client of srv; the test closes it.
func open(t testing.TB, srv *brokletest.Server, change func(*brokle.Config)) *brokle.Client {
	t.Helper()
	cfg := srv.Config()
	if change != nil {
		change(&cfg)
	}
	c, err := brokle.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func submit(t testing.TB, c *brokle.Client, n int) (ids []string) {
	t.Helper()
	for i := range n {
		id, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]any{"n": i})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func closeClient(t testing.TB, c *brokle.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// balanced fails unless the books balance (property 32).
func balanced(t testing.TB, m brokle.Metrics) {
	t.Helper()
	sum := m.Delivered + m.Duplicate + m.Rejected + m.Pending
	for _, n := range m.Dropped {
		sum += n
	}
	if sum != m.Accepted {
		t.Errorf("accepted %d, but the outcomes and pending sum to %d: %+v", m.Accepted, sum, m)
	}
}

func TestEventsArriveOnceWithTheirBytes(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	payload := json.RawMessage(`{"name":"prompt é \u0000 <&>","n":1e3}`)
	id, err := c.SubmitBatchEvent(brokle.TraceCreate, payload)
	if err != nil || !brokle.ValidID(id) {
		t.Fatal(id, err)
	}
	ids := append(submit(t, c, 250), id)
	closeClient(t, c)
	srv.RequireIDs(t, ids...)
	got := srv.OfType(brokle.TraceCreate)[0]
	if string(got.Payload) != string(payload) {
		t.Errorf("payload %s", got.Payload)
	}
	if age := time.Since(got.Timestamp.Time); age < 0 || age > time.Minute {
		t.Errorf("timestamp %v", got.Timestamp)
	}
	if m := c.ProcessorMetrics(); m.Accepted != 251 || m.Delivered != 251 {
		t.Errorf("%+v", m)
	}
}

func TestAFullBatchGoesAtOnceAndTheRestWithTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		c := open(t, srv, func(c *brokle.Config) { c.BatchMaxSize = 10; c.BatchFlushInterval = 5 * time.Second })
		start := time.Now()
		submit(t, c, 13)
		synctest.Wait()
		srv.RequireStored(t, 10)
		if time.Since(start) != 0 {
			t.Error("a full batch waited")
		}
		// A trickle must not push the oldest event's time away.
		for range 4 {
			time.Sleep(time.Second)
			submit(t, c, 1)
		}
		synctest.Wait()
		srv.RequireStored(t, 10)
		time.Sleep(time.Second)
		synctest.Wait()
		srv.RequireStored(t, 17)
		closeClient(t, c)
	})
}

func TestRetriesUseTheSameIDsUntilTheServerIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		srv.Script(brokletest.Unavailable(7*time.Second), brokletest.Fault{HangUp: brokletest.BeforeStore},
			brokletest.Fault{HangUp: brokletest.AfterStore}, brokletest.Status(500), brokletest.Status(429), brokletest.Status(502))
		c := open(t, srv, nil)
		start := time.Now()
		ids := submit(t, c, 5)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d < 7*time.Second {
			t.Errorf("Retry-After of 7 s was not honoured: all done after %v", d)
		}
		srv.RequireIDs(t, ids...)
		m := c.ProcessorMetrics()
		if m.Duplicate != 5 || m.Delivered != 0 || m.Retries != 6 {
			t.Errorf("the hang-up after storing makes 5 duplicates: %+v", m)
		}
		closeClient(t, c)
	})
}

func TestPermanentAnswersAreFinal(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			srv := brokletest.NewServer(t)
			srv.Script(brokletest.Fault{Status: status, Code: "some_code"})
			var got []brokle.Outcome
			c := open(t, srv, func(c *brokle.Config) {
				c.OnOutcome = func(o brokle.Outcome) { got = append(got, o) }
			})
			ids := submit(t, c, 2)
			closeClient(t, c)
			srv.RequireStored(t, 0)
			if m := c.ProcessorMetrics(); m.Rejected != 2 || m.Retries != 0 {
				t.Errorf("%+v", m)
			}
			var ee *brokle.EventError
			var re *brokle.RequestError
			if len(got) != 2 || got[0].EventID != ids[0] || got[0].Kind != brokle.Rejected || !errors.As(got[0].Err, &ee) || ee.Code != "some_code" || !errors.As(got[0].Err, &re) || re.StatusCode != status {
				t.Errorf("outcomes %+v", got)
			}
		})
	}
}

func TestRefusedBatchIsSplitUntilItFits(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	srv.Rule(func(_ int, req *brokle.BatchRequest) brokletest.Fault {
		if len(req.Events) > 3 {
			return brokletest.Status(413)
		}
		return brokletest.OK()
	})
	c := open(t, srv, nil)
	ids := submit(t, c, 50)
	closeClient(t, c)
	srv.RequireIDs(t, ids...)
}

func TestOneTooLargeEventIsRejectedAlone(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	var big string
	srv.Rule(func(_ int, req *brokle.BatchRequest) brokletest.Fault {
		for _, ev := range req.Events {
			if ev.ID == big {
				return brokletest.Status(413)
			}
		}
		return brokletest.OK()
	})
	c := open(t, srv, nil)
	ids := submit(t, c, 50)
	big = ids[20]
	closeClient(t, c)
	srv.RequireIDs(t, append(ids[:20:20], ids[21:]...)...)
	if m := c.ProcessorMetrics(); m.Rejected != 1 {
		t.Errorf("%+v", m)
	}
}

func TestRetryableEventsAreSentAgainAlone(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	tried := map[string]int{}
	srv.Rule(func(n int, req *brokle.BatchRequest) brokletest.Fault {
		return brokletest.Fault{FailEvents: func(ev brokle.Event) *brokle.BatchEventError {
			tried[ev.ID]++
			var p struct{ N int }
			_ = json.Unmarshal(ev.Payload, &p)
			switch {
			case p.N%10 == 0 && tried[ev.ID] < 3:
				return &brokle.BatchEventError{Code: "claim_pending", Message: "Invalid event_id for now", Retryable: true}
			case p.N%10 == 1:
				return &brokle.BatchEventError{Code: "invalid_field", Message: "Invalid n"}
			}
			return nil
		}}
	})
	c := open(t, srv, func(c *brokle.Config) { c.Senders = 1 })
	submit(t, c, 100)
	closeClient(t, c)
	srv.RequireStored(t, 90)
	if m := c.ProcessorMetrics(); m.Delivered != 90 || m.Rejected != 10 || m.Retries != 2 {
		t.Errorf("%+v", m)
	}
	for _, r := range srv.Requests()[1:] {
		if len(r.Body.Events) != 10 {
			t.Errorf("a retry of %d events, want the 10 retryable ones", len(r.Body.Events))
		}
	}
}
