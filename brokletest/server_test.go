package brokletest_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func send(t *testing.T, srv *brokletest.Server, ids ...string) (*brokle.BatchResponse, error) {
	t.Helper()
	c, err := brokle.New(srv.Config())
	if err != nil {
		t.Fatal(err)
	}
	req := &brokle.BatchRequest{}
	for _, id := range ids {
		req.Events = append(req.Events, brokle.Event{ID: id, Type: brokle.EventCreate, Payload: json.RawMessage(`{}`)})
	}
	return c.SendBatch(t.Context(), req)
}

func TestScriptComesBeforeRuleAndInOrder(t *testing.T) {
	t.Parallel()
	srv := brokletest.New()
	srv.Script(brokletest.Status(503), brokletest.OK(), brokletest.Fault{HangUp: brokletest.AfterStore})
	srv.Rule(brokletest.Every(5, brokletest.Unavailable(1500*time.Millisecond)))
	var got []int
	for range 5 {
		_, err := send(t, srv, brokle.NewID())
		var re *brokle.RequestError
		switch {
		case err == nil:
			got = append(got, 200)
		case errors.As(err, &re):
			got = append(got, re.StatusCode)
			if len(got) == 5 && re.RetryAfter != 2*time.Second {
				t.Errorf("Retry-After %v", re.RetryAfter)
			}
		}
	}
	if want := []int{503, 200, 0, 200, 503}; len(got) != 5 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] || got[4] != want[4] {
		t.Errorf("statuses %v, want %v", got, want)
	}
	srv.RequireStored(t, 3)
}

func TestDelaysAreFakeTimeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		srv.Script(brokletest.Fault{Delay: 20 * time.Second})
		start := time.Now()
		if _, err := send(t, srv, "a"); err != nil || time.Since(start) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		srv.Script(brokletest.Fault{Delay: time.Hour})
		if _, err := send(t, srv, "b"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("beyond the client's timeout: %v", err)
		}
		srv.RequireIDs(t, "a")
	})
}

func TestWaitReturnsWhenEventsAreThere(t *testing.T) {
	t.Parallel()
	srv := brokletest.New()
	done := make(chan error, 1)
	go func() { done <- srv.Wait(context.Background(), 2) }()
	for _, id := range []string{"a", "a", "b"} {
		if _, err := send(t, srv, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := srv.Wait(ctx, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("wait for more than there is: %v", err)
	}
}
