package brokle_test

import (
	"encoding/json"
	"testing"

	"github.com/brokle-ai/brokle-go"
)

// The published SDK chokes on null lists and on a missing count, so the shape of
// an answer is held to the byte.
func TestBatchResponseOnTheWire(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(brokle.BatchResponse{
		BatchID: "b", ProcessedEvents: 1, FailedEvents: 1, ProcessingTimeMS: 12, DuplicateEventIDs: []string{},
		Errors: []brokle.BatchEventError{{EventID: "e", Message: "Missing required field 'name'", Details: "d", Code: "missing_field"}},
	})
	const want = `{"batch_id":"b","processed_events":1,"duplicate_events":0,"failed_events":1,"processing_time_ms":12,` +
		`"errors":[{"event_id":"e","error":"Missing required field 'name'","details":"d","code":"missing_field","retryable":false}],` +
		`"duplicate_event_ids":[]}`
	if err != nil || string(got) != want {
		t.Errorf("written as %s, %v\nwant       %s", got, err, want)
	}
}

func TestBatchRequestOnTheWire(t *testing.T) {
	t.Parallel()
	d := brokle.DefaultDeduplication()
	got, err := json.Marshal(brokle.BatchRequest{Events: []brokle.Event{}, Environment: "prod", Deduplication: &d, AsyncMode: true})
	const want = `{"events":[],"environment":"prod","deduplication":{"enabled":true,"ttl":3600,"use_redis_cache":true,` +
		`"fail_on_duplicate":false},"async_mode":true}`
	if err != nil || string(got) != want {
		t.Errorf("written as %s, %v\nwant       %s", got, err, want)
	}
	if got, err := json.Marshal(brokle.BatchRequest{Events: []brokle.Event{}}); err != nil || string(got) != `{"events":[]}` {
		t.Errorf("an empty request is %s, %v", got, err)
	}
}
