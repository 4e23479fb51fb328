package e2e

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// What options can say and the real server refuses is told: OnOutcome gets each event with the server's
// code, the log a line, and the books balance. What merely breaks a field's rule costs no event.
func TestWhatTheServerRefusesOfOptionsIsTold(t *testing.T) {
	n := startNode(t, t.TempDir())
	var mu sync.Mutex
	var log strings.Builder
	codes := map[string]int{}
	told := map[brokle.OutcomeKind]int64{}
	client, err := brokle.New(brokle.Config{
		APIKey: rig.Key, Host: n.URL, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		OnOutcome: func(o brokle.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			told[o.Kind]++
			var ee *brokle.EventError
			if errors.As(o.Err, &ee) {
				codes[ee.Code]++
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 300)
	ctx, trace := client.StartTrace(t.Context(), "t", brokle.ID("t1"))
	_, fine := client.StartSpan(ctx, "s", brokle.Level("CRITICAL"))
	fine.End(brokle.Level("Fatal"), brokle.Output("kept"))
	_, odd := client.StartSpan(ctx, "odd", brokle.Level("banana"), brokle.Usage(-1, 3), brokle.Input("kept"))
	odd.End()
	trace.Update(brokle.UserID(long), brokle.Input("kept"))
	trace.Score("quality", 1, brokle.Source("somebody"))
	client.StartTrace(t.Context(), "")                   // no name
	client.StartTrace(t.Context(), "t", brokle.ID(long)) // an id that is none
	client.StartSpan(ctx, "")                            // named by its type
	trace.Score("", 1)
	trace.Score("empty", "")
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkAccounting(t, client)
	m := client.ProcessorMetrics()
	if m.Rejected != 4 || codes["missing_field"] != 3 || codes["invalid_field"] != 1 || told[brokle.Rejected] != 4 || told[brokle.Delivered] != m.Delivered || m.Accepted != 12 {
		t.Errorf("told %v, codes %v, %+v, refused %+v", told, codes, m, m.Refused)
	}
	if !strings.Contains(log.String(), "telemetry events rejected") {
		t.Errorf("log: %s", log.String())
	}
	waitEvents(t, n, int(m.Delivered))
	var got brokle.Trace
	n.GetJSON(t, "/v1/traces/t1", &got)
	for _, o := range got.Observations {
		if o.Name == "s" && (o.Level != brokle.LevelError || string(o.Output) != `"kept"`) || o.Name == "odd" && string(o.Input) != `"kept"` {
			t.Errorf("%+v", o)
		}
	}
	if got.ObservationCount != 3 || got.TotalTokens != 3 || string(got.Input) != `"kept"` || got.Scores["quality"] != 1.0 {
		t.Errorf("%+v", got.TraceSummary)
	}
}
