package brokle_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

const testKey = "bk_test_0123456789"

// newClient makes a client of a handler over a real socket; both end with the test.
func newClient(t *testing.T, h http.Handler, change func(*brokle.Config)) *brokle.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	cfg := brokle.Config{APIKey: testKey, Host: srv.URL, MaxRetries: -1}
	if change != nil {
		change(&cfg)
	}
	c, err := brokle.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	return c
}

func TestSendBatchIsOneRequestWithTheWiresFields(t *testing.T) {
	t.Parallel()
	var got map[string]json.RawMessage
	var head http.Header
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head = r.Header
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &got); err != nil {
			t.Error(err)
		}
		io.WriteString(w, `{"batch_id":"b1","processed_events":1,"duplicate_events":0,"failed_events":0,"processing_time_ms":3,"errors":[],"duplicate_event_ids":[]}`)
	}), func(c *brokle.Config) { c.Environment = "staging" })
	req := &brokle.BatchRequest{Events: []brokle.Event{{Type: brokle.TraceCreate, Payload: json.RawMessage(`{"name":"a<b"}`)}}}
	ans, err := c.SendBatch(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if ans.BatchID != "b1" || ans.ProcessedEvents != 1 {
		t.Errorf("answer %+v", ans)
	}
	if !brokle.ValidID(req.Events[0].ID) {
		t.Error("the event's id was not filled in in place")
	}
	if s := string(got["environment"]); s != `"staging"` {
		t.Errorf("environment %s", s)
	}
	if s := string(got["deduplication"]); s != `{"enabled":true,"ttl":3600,"use_redis_cache":true,"fail_on_duplicate":false}` {
		t.Errorf("deduplication %s", s)
	}
	if s := string(got["events"]); !strings.Contains(s, `{"name":"a<b"}`) {
		t.Errorf("payload was rewritten: %s", s)
	}
	if head.Get("X-API-Key") != testKey || head.Get("User-Agent") != "brokle-go/"+brokle.Version || head.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", head)
	}
}

func TestSendBatchReadsAnswersTolerantly(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"flat 200":       {200, `{"batch_id":"b1","processed_events":1}`},
		"flat 201":       {201, `{"batch_id":"b1","processed_events":1}`},
		"data 202":       {202, `{"data":{"batch_id":"b1","processed_events":1},"meta":{"x":1}}`},
		"null lists 200": {200, `{"batch_id":"b1","processed_events":1,"errors":null,"duplicate_event_ids":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(answer.status)
				io.WriteString(w, answer.body)
			}), nil)
			ans, err := c.SendBatch(t.Context(), &brokle.BatchRequest{Events: []brokle.Event{{Type: brokle.EventCreate, Payload: json.RawMessage(`{}`)}}})
			if err != nil || ans.BatchID != "b1" || ans.ProcessedEvents != 1 {
				t.Errorf("%+v, %v", ans, err)
			}
		})
	}
}

func TestSendBatchErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		h     http.HandlerFunc
		want  brokle.RequestError
		retry bool
		ans   bool
	}{
		"503": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(503)
			io.WriteString(w, `{"error":{"code":"draining","message":"shutting down"}}`)
		}, brokle.RequestError{StatusCode: 503, Code: "draining", Message: "shutting down", RetryAfter: 7 * time.Second}, true, false},
		"502 html": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(502)
			io.WriteString(w, `<html>`)
		}, brokle.RequestError{StatusCode: 502, Code: "http_502", Message: "Bad Gateway"}, true, false},
		"409": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(409)
			io.WriteString(w, `{"error":{"code":"duplicate_events","message":"1 duplicate"},"batch_id":"b","processed_events":0,"duplicate_events":1,"failed_events":0,"errors":[],"duplicate_event_ids":["x"]}`)
		}, brokle.RequestError{StatusCode: 409, Code: "duplicate_events", Message: "1 duplicate"}, false, true},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
		}, brokle.RequestError{StatusCode: 307, Code: "http_307", Message: "Temporary Redirect"}, false, false},
		"hang-up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			brokle.RequestError{}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, tc.h, nil)
			ans, err := c.SendBatch(context.Background(), &brokle.BatchRequest{Events: []brokle.Event{{ID: "x", Type: brokle.EventCreate, Payload: json.RawMessage(`{}`)}}})
			var re *brokle.RequestError
			if !errors.As(err, &re) {
				t.Fatalf("error is %T %v", err, err)
			}
			if re.StatusCode != tc.want.StatusCode || re.Code != tc.want.Code || re.Message != tc.want.Message || re.RetryAfter != tc.want.RetryAfter {
				t.Errorf("got %+v", re)
			}
			if re.Retryable() != tc.retry {
				t.Errorf("Retryable() = %v", re.Retryable())
			}
			if (ans != nil) != tc.ans {
				t.Errorf("answer %+v", ans)
			}
			if strings.Contains(err.Error(), testKey) {
				t.Error("the key is in the error")
			}
		})
	}
}
