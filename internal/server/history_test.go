package server

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The history of an observation: its own events only, in the order of the fold,
// whatever order they came in, with payloads as sent.
func TestHistory(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(`{"event_id":"done","event_type":"observation_complete","timestamp":30,"payload":{"id":"o1","output":"late"}}`,
		`{"event_id":"other","event_type":"observation_create","timestamp":5,"payload":{"id":"o2","trace_id":"t1","name":"other"}}`)
	h.post(`{"event_id":"change","event_type":"observation_update","timestamp":10,"payload":{"id":"o1","name":"second"}}`,
		`{"event_id":"make","event_type":"observation_create","timestamp":10,"payload":{"id":"o1","trace_id":"t1","name":"first"}}`)
	h.settle()
	page := decoded[wire.Page[wire.ObservationEvent]](t, h.get("/v1/observations/o1/history"))
	var ids string
	for _, e := range page.Data {
		ids += e.EventID + " "
		if e.BatchID == "" || e.ReceivedAt.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	if ids != "make change done " || string(page.Data[1].Payload) != `{"id":"o1","name":"second"}` {
		t.Errorf("history %s%+v", ids, page.Data)
	}
	if rep := h.get("/v1/observations/o3/history"); rep.status != 404 {
		t.Errorf("unknown observation: %d", rep.status)
	}
}

// An observation that no event has put into a trace yet is readable like any
// other: lists show it, so its id must lead to it.
func TestObservationWithoutTrace(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("early", "observation_update", `{"id":"o1","name":"before its create","output":"x"}`))
	h.settle()
	if got := ids(t, h.get("/v1/observations")); len(got) != 1 {
		t.Fatalf("the list has %v", got)
	}
	if got := decoded[wire.Observation](t, h.get("/v1/observations/o1")); got.ID != "o1" || string(got.Output) != `"x"` {
		t.Errorf("%+v", got)
	}
	if page := decoded[wire.Page[wire.ObservationEvent]](t, h.get("/v1/observations/o1/history")); len(page.Data) != 1 {
		t.Errorf("history %+v", page)
	}
}

// Traces and scores have a history too: of the trace itself, not of what belongs to it.
func TestHistoryOfTracesAndScores(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(`{"event_id":"t2","event_type":"trace_update","timestamp":20,"payload":{"id":"t","output":"x"}}`,
		`{"event_id":"t1","event_type":"trace_create","timestamp":10,"payload":{"id":"t","name":"n"}}`,
		`{"event_id":"o1","event_type":"observation_create","timestamp":10,"payload":{"id":"o","trace_id":"t","name":"n"}}`,
		`{"event_id":"s2","event_type":"quality_score_update","timestamp":20,"payload":{"id":"s","value":0.5}}`,
		`{"event_id":"s1","event_type":"quality_score_create","timestamp":10,"payload":{"id":"s","trace_id":"t","name":"q","value":1}}`)
	h.settle()
	other := h.newKey("two", "read")
	for path, want := range map[string]string{"/v1/traces/t/history": "t1 t2", "/v1/scores/s/history": "s1 s2", "/v1/observations/o/history": "o1"} {
		var got []string
		for _, e := range decoded[wire.Page[wire.ObservationEvent]](t, h.get(path)).Data {
			got = append(got, e.EventID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", path, got)
		}
		if rep := h.get(path, "X-API-Key", "", "X-API-Key", other); rep.status != 404 {
			t.Errorf("%s of another project: %d %s", path, rep.status, rep.body)
		}
	}
	for _, path := range []string{"/v1/traces/o/history", "/v1/scores/t/history", "/v1/observations/s/history"} {
		if rep := h.get(path); rep.status != 404 {
			t.Errorf("%s: %d", path, rep.status)
		}
	}
}
