package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

// The program runs without a provider's key, and records two calls of the model and the tool between them in one trace.
func TestTheAgentAnswersAndIsRecorded(t *testing.T) {
	srv := brokletest.NewServer(t)
	t.Setenv("BROKLE_API_KEY", brokletest.Key)
	t.Setenv("BROKLE_HOST", srv.URL)
	t.Setenv("OPENAI_API_KEY", "")
	var out strings.Builder
	if err := run(t.Context(), "What is the weather in Bergen?", &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "The weather is Bergen: rain, 7 °C.\nlook: brokle trace ") {
		t.Errorf("it said %q", out.String())
	}
	var steps []string
	for _, ev := range srv.OfType(brokle.ObservationCreate) {
		var o brokle.Observation
		if err := json.Unmarshal(ev.Payload, &o); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, o.Type+" "+o.Name)
	}
	if got := strings.Join(steps, ", "); got != "generation chat gpt-4o-mini, tool get_weather, generation chat gpt-4o-mini" {
		t.Errorf("recorded %s", got)
	}
	srv.Require(9) // trace and its end, three steps with their ends, the tool's output
}
