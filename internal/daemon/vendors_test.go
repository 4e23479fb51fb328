package daemon

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// vendorsCall is a call of internal/price/testdata/calls.txt.
type vendorsCall struct {
	provider, model, tier string
	start                 time.Time
	tokens                map[string]int // by the names of that file
	cost                  float64
}

// vendorsCalls are those with a price whose tokens every door can say: none of images.
func vendorsCalls(t testing.TB) (calls []vendorsCall) {
	t.Helper()
	raw, err := os.ReadFile(filepath.FromSlash("../price/testdata/calls.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if line[0] == '#' || len(cells) != 6 || strings.Contains(cells[4], "image") || strings.HasPrefix(cells[5], "none: ") {
			continue
		}
		c := vendorsCall{provider: cells[0], model: cells[1], tier: cells[2], start: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), tokens: map[string]int{}}
		if cells[3] != "" {
			if c.start, err = time.Parse(time.RFC3339, cells[3]); err != nil {
				t.Fatal(err)
			}
		}
		for word := range strings.FieldsSeq(cells[4]) {
			kind, count, _ := strings.Cut(word, "=")
			if c.tokens[kind], err = strconv.Atoi(count); err != nil {
				t.Fatal(err)
			}
		}
		sum := new(big.Rat)
		for term := range strings.SplitSeq(cells[5], " + ") {
			tokens, dollars, _ := strings.Cut(term, "*")
			a, okA := new(big.Rat).SetString(tokens)
			b, okB := new(big.Rat).SetString(dollars)
			if !okA || !okB {
				t.Fatalf("%q is no rule", cells[5])
			}
			sum.Add(sum, a.Mul(a, b))
		}
		c.cost, _ = sum.Quo(sum, big.NewRat(1e6, 1)).Float64()
		calls = append(calls, c)
	}
	return calls
}

// object is the members that are more than 0, as JSON, and the input and the output.
func object(members map[string]int) string {
	for name, n := range members {
		if n == 0 && name != "input" && name != "output" {
			delete(members, name)
		}
	}
	raw, _ := json.Marshal(members) // numbers always marshal
	return string(raw)
}

// own is the call as an event of ours: with the usage that OpenAI answers, and what that has no name for.
func (c *vendorsCall) own(id, typ string) string {
	n := c.tokens
	usage := fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"prompt_tokens_details":%s,"completion_tokens_details":%s}`, n["in"], n["out"],
		object(map[string]int{"cached_tokens": n["read"], "cache_write_tokens": n["write"], "audio_tokens": n["audio"], "ephemeral_1h_input_tokens": n["write1h"]}),
		object(map[string]int{"reasoning_tokens": n["reason"], "audio_tokens": n["audio-out"]}))
	return fmt.Sprintf(`{"event_id":%q,"event_type":"observation_create","payload":{"id":%[1]q,"trace_id":"t-%[1]s","name":"n","type":%q,"provider":%q,"model":%q,"usage":%s,"service_tier":%q,"start_time":%q}}`,
		id, typ, c.provider, c.model, usage, c.tier, c.start.Format(time.RFC3339))
}

// theirs is the call as an event of Langfuse's, which has no provider: it stands before the model.
func (c *vendorsCall) theirs(id, typ string) string {
	n := c.tokens
	usage := object(map[string]int{"input": n["in"] - n["read"] - n["write"], "cache_read_input_tokens": n["read"], "cache_creation_input_tokens": n["write"] - n["write1h"],
		"input_cache_creation_1h": n["write1h"], "output": n["out"] - n["reason"], "output_reasoning_tokens": n["reason"], "input_audio_tokens": n["audio"], "output_audio_tokens": n["audio-out"]})
	return fmt.Sprintf(`{"id":%q,"type":"%s-create","timestamp":"2026-11-20T12:00:00Z","body":{"id":%[1]q,"traceId":"t-%[1]s","name":"n","startTime":%[3]q,"model":%q,"usageDetails":%s,"metadata":{"service_tier":%q}}}`,
		id, typ, c.start.Format(time.RFC3339), c.named(), usage, c.tier)
}

// named is the model with who is called before it, as gateways write it.
func (c *vendorsCall) named() string {
	before := map[string]string{"gcp.gemini": "gemini", "gcp.vertex_ai": "vertex_ai", "aws.bedrock": "bedrock", "azure.ai.openai": "azure", "mistral_ai": "mistral", "x_ai": "xai"}
	if name := before[c.provider]; name != "" {
		return name + "/" + strings.TrimPrefix(c.model, "models/")
	}
	return c.provider + "/" + c.model
}

// span is the call as a span by the conventions.
func (c *vendorsCall) span(n int, typ string) string {
	operation := map[string]string{"generation": "chat", "embedding": "embeddings"}[typ]
	attributes := []string{}
	for _, text := range [][2]string{{"gen_ai.operation.name", operation}, {"gen_ai.provider.name", c.provider}, {"gen_ai.response.model", c.model}, {"openai.response.service_tier", c.tier}} {
		attributes = append(attributes, fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, text[0], text[1]))
	}
	for kind, key := range map[string]string{"in": "input_tokens", "out": "output_tokens", "read": "cache_read.input_tokens", "write": "cache_creation.input_tokens", "reason": "reasoning.output_tokens",
		"audio": "input_audio_tokens", "audio-out": "output_audio_tokens", "write1h": ""} {
		if key = "gen_ai.usage." + key; kind == "write1h" {
			key = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
		}
		if count, said := c.tokens[kind]; said {
			attributes = append(attributes, fmt.Sprintf(`{"key":%q,"value":{"intValue":%d}}`, key, count))
		}
	}
	return fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","name":"chat","kind":3,"startTimeUnixNano":"%d","endTimeUnixNano":"%[3]d","attributes":[%s]}`,
		n, n, c.start.UnixNano(), strings.Join(attributes, ","))
}

// Each call of the vendors' table costs what its rule says, whichever door it comes by.
func TestVendorsCallsByAllDoors(t *testing.T) {
	t.Parallel()
	calls := vendorsCalls(t)
	if len(calls) < 60 {
		t.Fatalf("%d calls, want 60", len(calls))
	}
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey})
	var own, theirs, spans []string
	for i := range calls {
		typ := "generation"
		if calls[i].tokens["out"] == 0 {
			typ = "embedding"
		}
		own = append(own, calls[i].own(fmt.Sprint("own-", i), typ))
		theirs = append(theirs, calls[i].theirs(fmt.Sprint("lf-", i), typ))
		spans = append(spans, calls[i].span(i+1, typ))
	}
	for path, body := range map[string]string{
		"/v1/telemetry/batch": `{"events":[` + strings.Join(own, ",") + `]}`, "/api/public/ingestion": `{"batch":[` + strings.Join(theirs, ",") + `]}`,
		"/v1/traces": `{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"test"},"spans":[` + strings.Join(spans, ",") + `]}]}]}`,
	} {
		status, raw, err := n.request(t.Context(), http.MethodPost, path, body)
		if err != nil || status >= 300 {
			t.Fatalf("%s: %d %s (%v)", path, status, raw, err)
		}
	}
	caughtUp(t, n)
	costs := map[string]wire.Observation{}
	for cursor := ""; ; {
		page := told[wire.Page[wire.Observation]](t, n, "/v1/observations?limit=1000&cursor="+cursor)
		for _, o := range page.Data {
			costs[o.ID] = o
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	for i := range calls {
		for _, id := range []string{fmt.Sprint("own-", i), fmt.Sprint("lf-", i), fmt.Sprintf("%016x", i+1)} {
			o, there := costs[id]
			if !there || o.TotalCost == nil || *o.TotalCost != calls[i].cost {
				t.Errorf("%s %s %s at %s: %+v, want a cost of %v", calls[i].provider, calls[i].model, calls[i].tier, id, [2]any{value(o.TotalCost), o.CostReason}, calls[i].cost)
			}
		}
	}
}

// value is what p points to, or nil.
func value(p *float64) any {
	if p == nil {
		return nil
	}
	return *p
}
