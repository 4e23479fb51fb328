package server

import (
	"testing"

	"github.com/brokle-ai/brokle-go"
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
	page := decoded[brokle.Page[brokle.ObservationEvent]](t, h.get("/v1/observations/o1/history"))
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
