package e2e

import (
	"os"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// A span that brokleotel sends (its tests hold the file) is read by the server as one from OpenTelemetry's door.
func TestASpanOfBrokleotelIsRead(t *testing.T) {
	payload, err := os.ReadFile("../../brokleotel/testdata/span.json")
	if err != nil {
		t.Fatal(err)
	}
	n := startNode(t, t.TempDir())
	client, err := brokle.New(brokle.Config{APIKey: rig.Key, Host: n.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SubmitEvent(brokle.Event{ID: "s", Type: brokle.ObservationCreate, Payload: payload}); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkAccounting(t, client)
	var got map[string]any
	n.GetJSON(t, "/v1/observations/0405000000000000?trace_id=01020300000000000000000000000000", &got)
	requireMembers(t, "span", got, `{"type":"generation","name":"chat gpt-4o-mini","parent_observation_id":"0600000000000000","start_time":"2023-11-14T22:13:20.123456Z","latency_ms":1500,
		"requested_model":"gpt-4o-mini","model":"gpt-4o-mini-2024-07-18","provider":"openai","response_id":"chatcmpl-1","finish_reason":"stop","prompt_tokens":100,"completion_tokens":50,
		"status":"error","status_message":"too much","cost_source":"computed","source":{"door":"otlp","scope":"test.genai","scope_version":"1.2"},"resource":{"service.name":"shop"},
		"attributes":{"b":true,"bs":[true],"bytes":"AQ==","map":{"list":[1]}}}`)
	if in, _ := got["messages_in"].([]any); len(in) != 1 {
		t.Errorf("messages %v", got["messages_in"])
	}
}
