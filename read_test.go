package brokle_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

func TestListsFollowTheCursorAndSendEveryFilter(t *testing.T) {
	t.Parallel()
	var queries []string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.Query().Encode())
		switch r.URL.Query().Get("cursor") {
		case "":
			io.WriteString(w, `{"data":[{"id":"a"},{"id":"b"}],"next_cursor":"c1"}`)
		case "c1":
			io.WriteString(w, `{"data":[],"next_cursor":"c2"}`)
		default:
			io.WriteString(w, `{"data":[{"id":"c"}],"next_cursor":null}`)
		}
	}), nil)
	low, yes := 1.5, true
	q := brokle.TraceQuery{Filter: brokle.Filter{From: time.Unix(1700000000, 0), Name: "n", MinLatencyMS: &low, HasError: &yes, Scores: []string{"q>=0.8"}, Text: "x"}, Order: brokle.Order{Sort: "-latency_ms", Limit: 2}}
	var got string
	for row, err := range c.Traces.List(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		got += row.ID
	}
	if got != "abc" || len(queries) != 3 {
		t.Errorf("rows %q in %d pages", got, len(queries))
	}
	if want := "from=2023-11-14T22%3A13%3A20Z&has_error=true&limit=2&min_latency_ms=1.5&name=n&q=x&score=q%3E%3D0.8&sort=-latency_ms"; queries[0] != want {
		t.Errorf("query\n%s, want\n%s", queries[0], want)
	}
	for range c.Traces.List(t.Context(), q) { // a caller may stop early
		break
	}
	if len(queries) != 4 {
		t.Error("a page was read that nobody wanted")
	}
}

func TestReadsAreTriedAgainAndErrorsEndAList(t *testing.T) {
	t.Parallel()
	n := 0
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n < 3 {
			w.WriteHeader(503)
			return
		}
		w.WriteHeader(404)
		io.WriteString(w, `{"error":{"code":"not_found","message":"no"}}`)
	}), func(c *brokle.Config) { c.MaxRetries = 5; c.Retry = brokle.ExponentialBackoff{Base: time.Millisecond} })
	rows := 0
	for _, err := range c.Scores.List(t.Context(), brokle.ScoreQuery{DataType: "NUMERIC"}) {
		rows++
		if !brokle.IsNotFound(err) {
			t.Errorf("error %v", err)
		}
	}
	if rows != 1 || n != 3 {
		t.Errorf("%d rows, %d requests", rows, n)
	}
}

func TestStatsAndOneOfEach(t *testing.T) {
	t.Parallel()
	var path string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.RequestURI()
		io.WriteString(w, `{"id":"x/y","data":[{"model":"m","count":3}],"next_cursor":null}`)
	}), nil)
	ctx := t.Context()
	page, err := c.Stats(ctx, brokle.StatsQuery{Of: "traces", Metrics: []string{"count", "score_avg:q"}, GroupBy: []string{"model"}, Interval: 6 * time.Hour})
	if err != nil || page.Data[0]["count"] != 3.0 || path != "/v1/stats?group_by=model&interval=6h&metrics=count%2Cscore_avg%3Aq&of=traces" {
		t.Errorf("%v %v %s", page, err, path)
	}
	if tr, err := c.Traces.Get(ctx, "x/y"); err != nil || tr.ID != "x/y" || path != "/v1/traces?id=x%2Fy" {
		t.Errorf("%v %v %s", tr, err, path)
	}
	if o, err := c.Observations.Get(ctx, "o"); err != nil || o.ID != "x/y" || path != "/v1/observations/o" {
		t.Errorf("%v %v %s", o, err, path)
	}
	if _, err := c.Receipt(ctx, "e"); err != nil || path != "/v1/telemetry/events/e" {
		t.Errorf("%v %s", err, path)
	}
}

func TestWaitJobEndsWithTheJobOrTheContext(t *testing.T) {
	t.Parallel()
	n := 0
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := "processing"
		if n++; n == 3 {
			status = "completed"
		}
		fmt.Fprintf(w, `{"job_id":"j","batch_id":"b","status":%q,"created_at":"2024-01-01T00:00:00Z"}`, status)
	}), func(c *brokle.Config) { c.Timeout = 100 * time.Millisecond })
	if job, err := c.WaitJob(t.Context(), "j"); err != nil || job.Status != brokle.JobCompleted || n != 3 {
		t.Errorf("%v %v after %d", job, err, n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	if _, err := c.WaitJob(ctx, "j"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a job that never ends: %v", err)
	}
}

func TestStreamGoesOnBehindTheLastEventSeen(t *testing.T) {
	t.Parallel()
	var resumed []string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resumed = append(resumed, r.Header.Get("Last-Event-ID"))
		if len(resumed) == 3 {
			w.WriteHeader(403)
			return
		}
		fmt.Fprintf(w, ": hello\nretry: 1\n\nid: %d\nevent: event\ndata: {\"event_id\":\"e%d\",\ndata: \"event_type\":\"event_create\",\"payload\":{},\"batch_id\":\"b\",\"environment\":\"qa\"}\n\nid: 99\ndata: {\"event_id\":\"cut", len(resumed), len(resumed))
	}), func(c *brokle.Config) { c.Retry = brokle.ExponentialBackoff{Base: time.Millisecond} })
	var ids []string
	var last error
	for ev, err := range c.Stream(t.Context(), brokle.Filter{Name: "x"}) {
		if err != nil {
			last = err
			continue
		}
		ids = append(ids, ev.EventID+" "+ev.BatchID+" "+ev.Environment)
	}
	var re *brokle.RequestError
	if fmt.Sprint(ids) != "[e1 b qa e2 b qa]" || fmt.Sprint(resumed) != "[ 1 2]" || !errors.As(last, &re) || re.StatusCode != 403 {
		t.Errorf("events %v, resumed at %q, ended with %v", ids, resumed, last)
	}
}
