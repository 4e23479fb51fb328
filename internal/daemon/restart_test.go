package daemon

import (
	"net/http"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// What a node answers of events that it has just taken, and has in memory, it answers of them
// when it has to read them from its files again.
func TestAnswersAreTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	const events = `{"events":[
		{"event_id":"e1","event_type":"trace_create","timestamp":1772359200,"payload":{"id":"T","name":"turn","session_id":"S","user_id":"U","input":"hello","output":"world","metadata":{"a":1}}},
		{"event_id":"e2","event_type":"observation_create","timestamp":1772359201,"payload":{"id":"O","trace_id":"T","name":"call","type":"generation","model":"m","input":"ask","output":"told","usage":{"input_tokens":3,"output_tokens":4,"pages":2},"attributes":{"k":"v"}}},
		{"event_id":"e3","event_type":"observation_complete","timestamp":1772359202,"payload":{"id":"O","trace_id":"T","status_message":"done"}},
		{"event_id":"e4","event_type":"quality_score_create","timestamp":1772359203,"payload":{"id":"Q","trace_id":"T","name":"good","value":0.5,"comment":"so so"}},
		{"event_id":"e5","event_type":"trace_update","timestamp":1772359204,"payload":{"id":"T","output":"all"}}]}`
	paths := []string{
		"/v1/traces", "/v1/traces/T", "/v1/traces?id=T", "/v1/traces/T/history", "/v1/traces?q=hello", "/v1/traces?q=told",
		"/v1/observations", "/v1/observations/O", "/v1/observations/O/history", "/v1/observations?q=ask",
		"/v1/scores", "/v1/scores/Q/history", "/v1/sessions", "/v1/sessions/S", "/v1/sessions?id=S", "/v1/users", "/v1/environments",
		"/v1/stats?group_by=model&metrics=count,tokens,cost", "/v1/telemetry/events/e2",
	}
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	resp := n.postJSON(t, testKey, "/v1/telemetry/batch", events)
	_ = resp.Body.Close()
	watch.Until(t, "everything can be asked for", func() bool {
		_, body := n.get(t, testKey, "/v1/traces/T")
		return strings.Contains(body, `"output":"all"`) && strings.Contains(body, `"so so"`) && strings.Contains(body, `"done"`)
	})
	before := map[string]string{}
	for _, path := range paths {
		status, body := n.get(t, testKey, path)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
		before[path] = body
	}
	if !strings.Contains(before["/v1/sessions/S"], `"hello"`) {
		t.Errorf("a session without what was said: %s", before["/v1/sessions/S"])
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	n = start(t, cfg)
	for _, path := range paths {
		if _, body := n.get(t, testKey, path); body != before[path] {
			t.Errorf("%s was\n%s\nand is after a restart\n%s", path, before[path], body)
		}
	}
}
