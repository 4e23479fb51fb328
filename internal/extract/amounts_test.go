package extract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// An amount that cannot be is left out with a note at every door, and what was sent beside it stays.
func TestAmountsThatCannotBe(t *testing.T) {
	t.Parallel()
	own := func(members string) *entity.Fields {
		return extracted(t, wire.ObservationCreate, `{"id":"o","trace_id":"t","name":"n",`+members+`}`)
	}
	theirs := func(members string) *entity.Fields {
		return extracted(t, wire.ObservationCreate, string(extract.AppendLangfuse(nil, "generation-create", "", []byte(`{"id":"o","traceId":"t","name":"n",`+members+`}`))))
	}
	span := func(members string) *entity.Fields {
		var s otel.Span
		if err := otlp.SpanOfJSON([]byte(`{"traceId":"0123456789abcdef0123456789abcdef","spanId":"0123456789abcdef","name":"n","attributes":[`+members+`]}`), &s); err != nil {
			t.Fatal(err)
		}
		return extract.Item(&wire.Event{ID: "e"}, otlp.Origin{}, &otlp.Item{Span: &s})
	}
	attribute := func(key, kind, value string) string {
		return fmt.Sprintf(`{"key":%q,"value":{%q:%s}}`, key, kind, value)
	}
	call := attribute("gen_ai.operation.name", "stringValue", `"chat"`) + "," + attribute("gen_ai.usage.output_tokens", "intValue", "5") + ","
	fuse := attribute("langfuse.observation.type", "stringValue", `"generation"`) + ","
	for name, c := range map[string]struct {
		got        *entity.Fields
		note, left string // what is noted, and the field that is not there
		kept       string // another one that is
	}{
		"own, tokens":            {own(`"prompt_tokens":-1,"completion_tokens":5`), "payload.prompt_tokens", "prompt_tokens", "completion_tokens=5"},
		"own, usage":             {own(`"usage":{"prompt_tokens":-1,"completion_tokens":5}`), "payload.usage.prompt_tokens", "prompt_tokens", "completion_tokens=5"},
		"own, a cost":            {own(`"total_cost":-3,"completion_tokens":5`), "payload.total_cost", "total_cost", "completion_tokens=5"},
		"own, an absurd cost":    {own(`"total_cost":1e30,"completion_tokens":5`), "payload.total_cost", "total_cost", "completion_tokens=5"},
		"own, an older SDK's":    {own(`"attributes":{"llm.usage.prompt_tokens":-5,"llm.usage.completion_tokens":5}`), "prompt_tokens among the attributes", "prompt_tokens", "completion_tokens=5"},
		"Langfuse, tokens":       {theirs(`"usageDetails":{"input":-1,"output":5}`), "body.usage.input", "prompt_tokens", "completion_tokens=5"},
		"Langfuse, a cost":       {theirs(`"costDetails":{"input":-1,"output":5,"cache_read_input_tokens":0.5}`), "body.costDetails or body.usage", "", "output_cost=5"},
		"Langfuse, an older one": {theirs(`"usage":{"output":5,"totalCost":-1}`), "body.costDetails or body.usage", "total_cost", "completion_tokens=5"},
		"a span, tokens":         {span(call + attribute("gen_ai.usage.input_tokens", "intValue", "-1")), "gen_ai.usage.input_tokens", "prompt_tokens", "completion_tokens=5"},
		"a span, half a token":   {span(call + attribute("gen_ai.usage.input_tokens", "doubleValue", "1.5")), "gen_ai.usage.input_tokens", "prompt_tokens", "completion_tokens=5"},
		"a span, words":          {span(call + attribute("gen_ai.usage.input_tokens", "stringValue", `"many"`)), "gen_ai.usage.input_tokens", "prompt_tokens", "completion_tokens=5"},
		"a span, a cost":         {span(call + attribute("gen_ai.usage.cost", "doubleValue", "-0.5")), "total_cost", "total_cost", "completion_tokens=5"},
		"a span, an absurd cost": {span(call + attribute("gen_ai.usage.cost", "doubleValue", "1e15")), "total_cost", "total_cost", "completion_tokens=5"},
		"a span, NaN":            {span(call + attribute("gen_ai.usage.cost", "doubleValue", `"NaN"`)), "gen_ai.usage.cost", "total_cost", "completion_tokens=5"},
		"a span, infinite":       {span(call + attribute("gen_ai.usage.cost", "doubleValue", `"Infinity"`)), "gen_ai.usage.cost", "total_cost", "completion_tokens=5"},
		"a span, too early":      {span(call + attribute("gen_ai.response.time_to_first_chunk", "doubleValue", "-1")), "time_to_first_token_ms", "time_to_first_token_ms", "completion_tokens=5"},
		"Langfuse's span":        {span(fuse + attribute("langfuse.observation.usage_details", "stringValue", `"{\"input\":-1,\"output\":5}"`)), "a count of its usage", "prompt_tokens", "completion_tokens=5"},
		"Langfuse's span, cost":  {span(fuse + attribute("langfuse.observation.cost_details", "stringValue", `"{\"total\":-1,\"output\":5}"`)), "langfuse.observation.cost_details", "total_cost", "output_cost=5"},
	} {
		said := show(c.got)
		if !slices.ContainsFunc(c.got.Notes, func(n string) bool { return strings.Contains(n, c.note+" was left out: it must be") }) {
			t.Errorf("%s: notes %q, want one of %s", name, c.got.Notes, c.note)
		}
		if !strings.Contains(said, " "+c.kept) || c.left != "" && strings.Contains(said, " "+c.left+"=") {
			t.Errorf("%s: %s", name, said)
		}
	}
}

func extracted(t *testing.T, typ wire.EventType, payload string) *entity.Fields {
	t.Helper()
	f, failure := extract.Extract(&wire.Event{ID: "e", Type: typ, Payload: []byte(payload)})
	if failure != nil {
		t.Fatal(failure)
	}
	return f
}
