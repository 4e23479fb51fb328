package server

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Ids that a path loses on the way are read and erased by ?id=, beside what a path can say.
func TestIDsInTheQuery(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	ids := []string{".", "..", "a/b", "/", "-", "history", "x?y&z=1#%2e", "é ü"}
	for i, id := range ids {
		n := string(rune('a' + i))
		quoted := jsonText(id)
		h.accept(event("t"+n, "trace_create", `{"id":`+quoted+`,"name":"n","user_id":`+quoted+`,"session_id":`+quoted+`}`),
			event("o"+n, "observation_create", `{"id":`+quoted+`,"trace_id":`+quoted+`,"name":"step"}`),
			event("s"+n, "quality_score_create", `{"id":`+quoted+`,"trace_id":`+quoted+`,"name":"q","value":1}`))
	}
	h.accept(event("..", "event_create", `{}`))
	h.settle()
	for _, id := range ids {
		q := "?id=" + url.QueryEscape(id)
		if got := decoded[wire.Trace](t, h.get("/v1/traces"+q)); got.ID != id || len(got.Observations) != 1 {
			t.Errorf("trace %q: %+v", id, got)
		}
		if got := decoded[wire.Observation](t, h.get("/v1/observations"+q)); got.ID != id {
			t.Errorf("observation %q: %+v", id, got)
		}
		if got := decoded[wire.Observation](t, h.get("/v1/observations"+q+"&trace_id="+url.QueryEscape(id))); got.TraceID != id {
			t.Errorf("observation %q of its trace: %+v", id, got)
		}
		if got := decoded[wire.Session](t, h.get("/v1/sessions"+q)); got.ID != id || len(got.Traces) != 1 {
			t.Errorf("session %q: %+v", id, got)
		}
		for _, path := range []string{"/v1/traces/-/history", "/v1/observations/-/history", "/v1/scores/-/history"} {
			if got := decoded[wire.Page[wire.ObservationEvent]](t, h.get(path+q)); len(got.Data) != 1 {
				t.Errorf("%s of %q: %+v", path, id, got.Data)
			}
		}
	}
	if got := decoded[wire.EventReceipt](t, h.get("/v1/telemetry/events?id=..")); got.EventID != ".." || got.Status != "stored" {
		t.Errorf("receipt: %+v", got)
	}
	for path, want := range map[string]int{
		"/v1/traces?id=nobody": 404, "/v1/traces?id=a&limit=5": 400, "/v1/traces?id=a&id=b": 400, "/v1/traces?id=%00": 400,
		"/v1/traces/x/history?id=..": 400, "/v1/traces?id=": 200, "/v1/traces?id=-&limit=": 200, "/v1/traces/-": 200, "/v1/traces/history": 200,
	} {
		if rep := h.get(path); rep.status != want {
			t.Errorf("%s: %d %.200s, want %d", path, rep.status, rep.body, want)
		}
	}
	for i, id := range ids {
		path := "/v1/traces?id="
		if i%2 == 1 {
			path = "/v1/users?id="
		}
		rep := h.send("DELETE", path+url.QueryEscape(id), nil)
		if got := decoded[erasure](t, rep); rep.status != 200 || len(got.TraceIDs) != 1 || got.TraceIDs[0] != id || got.Erased.Events != 3 {
			t.Errorf("erase %q: %d %s", id, rep.status, rep.body)
		}
	}
	for _, path := range []string{"/v1/traces", "/v1/users", "/v1/traces?id="} {
		if rep := h.send("DELETE", path, nil); rep.status != 400 {
			t.Errorf("DELETE %s: %d %s", path, rep.status, rep.body)
		}
	}
	if rep := h.get("/v1/traces"); len(decoded[wire.Page[wire.TraceSummary]](t, rep).Data) != 0 {
		t.Errorf("left: %s", rep.body)
	}
}

// Statistics of a score are asked for by whatever its name is.
func TestStatsOfAnyScoreName(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for i, name := range []string{"clear, short", " lead", "a:b", `"said"`, "a>b"} {
		n := string(rune('a' + i))
		h.accept(event(n, "quality_score_create", `{"trace_id":"t","name":`+jsonText(name)+`,"value":0.5}`))
	}
	h.accept(event("t", "trace_create", `{"id":"t","name":"n"}`))
	h.settle()
	for metrics, key := range map[string]string{
		"score_avg:clear, short": "score_avg:clear, short", `count,"score_avg: lead"`: "score_avg: lead", "score_avg:a:b": "score_avg:a:b",
		`"score_avg:\"said\""`: `score_avg:"said"`, "score_avg:a>b": "score_avg:a>b",
	} {
		got := decoded[wire.Page[wire.StatRow]](t, h.get("/v1/stats?of=scores&metrics="+url.QueryEscape(metrics)))
		if len(got.Data) != 1 || got.Data[0][key] != 0.5 {
			t.Errorf("%s: %+v", metrics, got.Data)
		}
	}
	for _, score := range []string{"a>b>=0.5", `" lead"=0.5`, `"\"said\""<1`, "clear, short=0.5"} {
		if got := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?score="+url.QueryEscape(score))); len(got.Data) != 1 {
			t.Errorf("%s: %d traces", score, len(got.Data))
		}
	}
}

func jsonText(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(b)
}

// Of several parameters that are too many the answer names the same one each time.
func TestOneOfTooManyParameters(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for range 20 {
		if rep := h.get("/v1/sessions?model=c&environment=a&id=b&tag=d"); rep.status != 400 || !strings.Contains(string(rep.body), "parameter environment: ") {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
}
