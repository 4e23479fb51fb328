package brokle_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

func TestCanonicalEventType(t *testing.T) {
	t.Parallel()
	for in, want := range map[brokle.EventType]brokle.EventType{
		"trace_create": brokle.TraceCreate, "trace_update": brokle.TraceUpdate,
		"observation_create": brokle.ObservationCreate, "observation_update": brokle.ObservationUpdate,
		"observation_complete": brokle.ObservationComplete, "quality_score_create": brokle.QualityScoreCreate,
		"quality_score_update": brokle.QualityScoreUpdate, "event_create": brokle.EventCreate,
		"trace": brokle.TraceCreate, "observation": brokle.ObservationCreate,
		"quality_score": brokle.QualityScoreCreate, "event": brokle.EventCreate,
	} {
		if got, ok := in.Canonical(); got != want || !ok {
			t.Errorf("%q is %q, %v; want %q", in, got, ok, want)
		}
	}
	for _, in := range []brokle.EventType{"", "TRACE_CREATE", "trace_delete", "span", " trace"} {
		if got, ok := in.Canonical(); got != in || ok {
			t.Errorf("%q is %q, %v; want it as it is, unknown", in, got, ok)
		}
	}
}

// An event is written with exactly the keys of the contract, and its payload is
// what went in.
func TestEventOnTheWire(t *testing.T) {
	t.Parallel()
	ev := brokle.Event{ID: "e1", Type: brokle.EventCreate, Payload: json.RawMessage(`{"b":1,"a":"<é>"}`)}
	for want, at := range map[string]time.Time{
		`{"event_id":"e1","event_type":"event_create","payload":{"b":1,"a":"\u003cé\u003e"}}`:                          {},
		`{"event_id":"e1","event_type":"event_create","payload":{"b":1,"a":"\u003cé\u003e"},"timestamp":1677610602.5}`: time.UnixMilli(1677610602500),
		`{"event_id":"e1","event_type":"event_create","payload":{"b":1,"a":"\u003cé\u003e"},"timestamp":0}`:            time.Unix(0, 0),
	} {
		ev.Timestamp = brokle.Timestamp{Time: at}
		got, err := json.Marshal(ev)
		if err != nil || string(got) != want {
			t.Errorf("written as %s, %v\nwant %s", got, err, want)
		}
		var back brokle.Event
		if err := json.Unmarshal(got, &back); err != nil || back.ID != ev.ID || !back.Timestamp.Equal(at) {
			t.Errorf("%s read as %+v, %v", got, back, err)
		}
	}
}
