package brokle_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
)

// An id that a path would lose on the way is asked for in the query.
func TestIDsThatPathsLose(t *testing.T) {
	t.Parallel()
	var asked []string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		io.WriteString(w, `{"data":[]}`)
	}), nil)
	ctx := t.Context()
	for _, read := range []func() error{
		func() error { _, err := c.Traces.Get(ctx, "a b"); return err },
		func() error { _, err := c.Traces.Get(ctx, ".."); return err },
		func() error { _, err := c.Traces.History(ctx, "a/b"); return err },
		func() error { _, err := c.Observations.GetIn(ctx, "t", "."); return err },
		func() error { _, err := c.Observations.HistoryIn(ctx, "t", "/"); return err },
		func() error { _, err := c.Scores.History(ctx, "s"); return err },
		func() error { _, err := c.Sessions.Get(ctx, ".."); return err },
		func() error { _, err := c.Receipt(ctx, "e/1"); return err },
		func() error { _, err := c.Receipt(ctx, "e1"); return err },
	} {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	want := "/v1/traces/a%20b /v1/traces?id=.. /v1/traces/-/history?id=a%2Fb /v1/observations?id=.&trace_id=t " +
		"/v1/observations/-/history?id=%2F&trace_id=t /v1/scores/s/history /v1/sessions?id=.. /v1/telemetry/events?id=e%2F1 /v1/telemetry/events/e1"
	if got := strings.Join(asked, " "); got != want {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
}

// A metric whose name a comma list would lose is sent as a JSON string.
func TestStatsSendsAnyScoreName(t *testing.T) {
	t.Parallel()
	var got string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query().Get("metrics")
		io.WriteString(w, `{"data":[]}`)
	}), nil)
	if _, err := c.Stats(t.Context(), brokle.StatsQuery{Metrics: []string{"count", "score_avg:a,b", "score_avg:q ", `"x"`}}); err != nil {
		t.Fatal(err)
	}
	if want := `count,"score_avg:a,b","score_avg:q ","\"x\""`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}
