package daemon

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// modelCall is a call of a model as all doors tell of it: input has what the cache gave and took in it, in tokens.
type modelCall struct {
	provider, model        string
	in, read, written, out int
	cost                   float64 // by the provider's list of prices, in September 2025; 0: it is not known
	typ                    string
	hour                   int    // of written, kept for an hour
	tier, asked            string // the service tier of the answer and of the request, as the provider calls them
}

// modelCalls are calls with costs that were worked out by hand from the providers' lists of prices.
func modelCalls() []modelCall {
	return []modelCall{
		{"openai", "gpt-4o", 1000, 400, 0, 100, 0.003, "generation", 0, "", ""},             // 600 × 2.50 + 400 × 1.25 + 100 × 10.00
		{"openai", "gpt-4o-mini", 1000, 0, 0, 1000, 0.00075, "generation", 0, "", ""},       // 0.15, 0.60
		{"openai", "gpt-4.1", 1000, 0, 0, 500, 0.006, "generation", 0, "", ""},              // 2.00, 8.00
		{"openai", "gpt-4.1-nano", 1000, 0, 0, 1000, 0.0005, "generation", 0, "", ""},       // 0.10, 0.40
		{"openai", "gpt-4o-2024-05-13", 1000, 0, 0, 1000, 0.02, "generation", 0, "", ""},    // 5.00, 15.00
		{"openai", "o3-mini-2025-01-31", 1000, 0, 0, 1000, 0.0055, "generation", 0, "", ""}, // 1.10, 4.40
		{"openai", "text-embedding-3-small", 1000, 0, 0, 0, 0.00002, "embedding", 0, "", ""},
		{"anthropic", "claude-sonnet-4-20250514", 1000, 500, 300, 200, 0.004875, "generation", 0, "", ""}, // 200 × 3.00 + 500 × 0.30 + 300 × 3.75 + 200 × 15.00
		{"anthropic", "claude-3-5-haiku-20241022", 1000, 0, 0, 1000, 0.0048, "generation", 0, "", ""},     // 0.80, 4.00
		{"anthropic", "claude-3-haiku-20240307", 1000, 0, 0, 1000, 0.0015, "generation", 0, "", ""},       // 0.25, 1.25
		{"gemini", "gemini-2.0-flash", 1000, 0, 0, 1000, 0.0005, "generation", 0, "", ""},                 // 0.10, 0.40
		{"gemini", "gemini-2.5-flash", 1000, 0, 0, 1000, 0.0028, "generation", 0, "", ""},                 // 0.30, 2.50
		{"", "a model of nobody", 1000, 0, 0, 1000, 0, "generation", 0, "", ""},
		{"openai", "gpt-4o", 1000, 400, 0, 100, 0.0051, "generation", 0, "priority", "auto"},                        // 600 × 4.25 + 400 × 2.125 + 100 × 17.00
		{"openai", "gpt-5", 1000, 0, 0, 1000, 0.005625, "generation", 0, "flex", ""},                                // 0.625, 5.00
		{"openai", "gpt-5", 1000, 0, 0, 500, 0.003125, "generation", 0, "", "flex"},                                 // nobody says what answered
		{"openai", "gpt-4o", 1000, 0, 0, 100, 0.0035, "generation", 0, "default", "priority"},                       // it was asked for and not given: 2.50, 10.00
		{"openai", "gpt-4o", 1000, 0, 0, 100, 0.0035, "generation", 0, "", "auto"},                                  // 2.50, 10.00
		{"openai", "gpt-4o", 1000, 0, 0, 100, 0, "generation", 0, "scale", ""},                                      // paid for in advance: it has no price a token
		{"anthropic", "claude-sonnet-4-20250514", 1000, 500, 300, 200, 0.005325, "generation", 200, "standard", ""}, // 200 × 3.00 + 500 × 0.30 + 100 × 3.75 + 200 × 6.00 + 200 × 15.00
	}
}

// sendCalls tells of all calls at all three doors, each in a trace of its own whose id begins with the door's letter.
func (n *testNode) sendCalls(t *testing.T, calls []modelCall) {
	t.Helper()
	var own, theirs, spans []string
	for i, c := range calls {
		output := fmt.Sprintf(`,"output_tokens":%d`, c.out)
		if c.typ == "embedding" {
			output = ""
		}
		parameters := fmt.Sprintf(`{"service_tier":%q}`, c.asked)
		usage := fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d}%s}`, c.in, c.read, output)
		if c.provider == "anthropic" {
			usage = fmt.Sprintf(`{"input_tokens":%d,"cache_read_input_tokens":%d,"cache_creation_input_tokens":%d,"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d}%s}`,
				c.in-c.read-c.written, c.read, c.written, c.written-c.hour, c.hour, output)
		}
		own = append(own, fmt.Sprintf(`{"event_id":"own-%d","event_type":"observation_create","payload":{"id":"own-%d","trace_id":"own-t%d","name":"n","type":%q,"provider":%q,"model":%q,"usage":%s,"service_tier":%q,"model_parameters":%s,"start_time":"2025-09-01T12:00:00Z","end_time":"2025-09-01T12:00:01Z"}}`,
			i, i, i, c.typ, c.provider, c.model, usage, c.tier, parameters))
		details := fmt.Sprintf(`{"input":%d,"cache_read_input_tokens":%d,"cache_creation_input_tokens":%d,"input_cache_creation_1h":%d%s}`, c.in-c.read-c.written, c.read, c.written-c.hour, c.hour, strings.Replace(output, "output_tokens", "output", 1))
		theirs = append(theirs, fmt.Sprintf(`{"id":"lf-%d","type":"%s-create","timestamp":"2025-09-01T12:00:00Z","body":{"id":"lf-%d","traceId":"lf-t%d","name":"n","startTime":"2025-09-01T12:00:00Z","endTime":"2025-09-01T12:00:01Z","model":%q,"usageDetails":%s,"modelParameters":%s,"metadata":{"service_tier":%q}}}`,
			i, c.typ, i, i, c.model, details, parameters, c.tier))
		operation := "chat"
		if c.typ == "embedding" {
			operation = "embeddings"
		}
		text := func(key, value string) string {
			return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, key, value)
		}
		count := func(key string, n int) string { return fmt.Sprintf(`{"key":%q,"value":{"intValue":%d}}`, key, n) }
		attributes := []string{text("gen_ai.operation.name", operation), text("gen_ai.provider.name", c.provider), text("gen_ai.response.model", c.model), text("gen_ai.request.model", c.model),
			count("gen_ai.usage.input_tokens", c.in), count("gen_ai.usage.cache_read.input_tokens", c.read), count("gen_ai.usage.cache_creation.input_tokens", c.written),
			count("anthropic.usage.cache_creation.ephemeral_1h_input_tokens", c.hour), text("openai.response.service_tier", c.tier), text("openai.request.service_tier", c.asked)}
		if output != "" {
			attributes = append(attributes, count("gen_ai.usage.output_tokens", c.out))
		}
		spans = append(spans, fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","name":"chat","kind":3,"startTimeUnixNano":"1756728000000000000","endTimeUnixNano":"1756728001000000000","attributes":[%s]}`, i+1, i+1, strings.Join(attributes, ",")))
	}
	for path, body := range map[string]string{
		"/v1/telemetry/batch": `{"events":[` + strings.Join(own, ",") + `]}`, "/api/public/ingestion": `{"batch":[` + strings.Join(theirs, ",") + `]}`,
		"/v1/traces": `{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"test"},"spans":[` + strings.Join(spans, ",") + `]}]}]}`,
	} {
		status, raw, err := n.request(t.Context(), http.MethodPost, path, body)
		if err != nil || status >= 300 || strings.Contains(string(raw), `"failed_events":1`) {
			t.Fatalf("%s: %d %s (%v)", path, status, raw, err)
		}
	}
}

// told is an answer of GET, decoded.
func told[T any](t *testing.T, n *testNode, path string) (answer T) {
	t.Helper()
	status, body := n.get(t, testKey, path)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// checkCalls compares lists, details, traces and sums with what the calls cost.
func (n *testNode) checkCalls(t *testing.T, calls []modelCall) {
	t.Helper()
	caughtUp(t, n)
	sum := 0.0
	for i, c := range calls {
		sum += 3 * c.cost
		for trace, id := range map[string]string{fmt.Sprint("own-t", i): fmt.Sprint("own-", i), fmt.Sprint("lf-t", i): fmt.Sprint("lf-", i), fmt.Sprintf("%032x", i+1): fmt.Sprintf("%016x", i+1)} {
			list := told[wire.Page[wire.Observation]](t, n, "/v1/observations?trace_id="+trace)
			whole := told[wire.Trace](t, n, "/v1/traces/"+trace)
			if len(list.Data) != 1 || len(whole.Observations) != 1 {
				t.Fatalf("%s: %d and %d observations", trace, len(list.Data), len(whole.Observations))
			}
			one := told[wire.Observation](t, n, "/v1/observations/"+id)
			for where, o := range map[string]wire.Observation{"list": list.Data[0], "trace": *whole.Observations[0], "detail": one} {
				got, want := "-", "-"
				if o.TotalCost != nil {
					got = fmt.Sprint(*o.TotalCost)
				}
				source := "none"
				if c.cost != 0 {
					want, source = fmt.Sprint(c.cost), "computed"
				}
				if got != want || o.CostSource != source || (o.CostReason == "") != (c.cost != 0) {
					t.Errorf("%s of %s at %s costs %s (%s %s), want %s; %v in, %v out", c.model, where, id, got, o.CostSource, o.CostReason, want, o.PromptTokens, o.CompletionTokens)
				}
			}
			if (whole.TotalCost == nil) != (c.cost == 0) || whole.TotalCost != nil && *whole.TotalCost != c.cost || (whole.UnpricedCount == 0) != (c.cost != 0) {
				t.Errorf("the trace %s: %+v; want a cost of %v", trace, whole.TraceSummary, c.cost)
			}
		}
	}
	stats := told[wire.Page[map[string]any]](t, n, "/v1/stats?metrics=cost,cost_input,cost_cached,cost_output,unpriced_count").Data[0]
	in, _ := stats["cost_input"].(float64)
	out, _ := stats["cost_output"].(float64)
	cached := 3 * (400*1.25 + 500*0.30 + 400*2.125 + 500*0.30) / 1e6
	for name, want := range map[string]float64{"cost": sum, "cost_input": sum - out, "cost_output": sum - in, "cost_cached": cached, "unpriced_count": 6} {
		if got, _ := stats[name].(float64); fmt.Sprintf("%.9f", got) != fmt.Sprintf("%.9f", want) {
			t.Errorf("%s of all is %v, want %v", name, stats[name], want)
		}
	}
}

// One call costs the same whoever tells of it, by its provider's list of prices; the same again after the warehouse was built anew,
// in a restored backup, and after another setting, which holds for new calls only.
func TestCosts(t *testing.T) {
	t.Parallel()
	calls := modelCalls()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	n.sendCalls(t, calls)
	n.checkCalls(t, calls)
	saved, restored := t.TempDir(), Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	if _, err := n.takeBackup(t, saved, nil); err != nil {
		t.Fatal(err)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, cfg.DataDir)
	remove(t, cfg.DataDir, datadir.WarehouseFile)
	cfg.Cost = "as-sent"
	n = start(t, cfg)
	n.checkCalls(t, calls)
	later := `{"events":[{"event_id":"later","event_type":"observation_create","payload":{"id":"later","trace_id":"later","name":"n","type":"llm","model":"gpt-4o","prompt_tokens":1,"completion_tokens":1}}]}`
	if status, raw, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch", later); err != nil || status != http.StatusOK {
		t.Fatal(status, string(raw), err)
	}
	caughtUp(t, n)
	if o := told[wire.Observation](t, n, "/v1/observations/later"); o.TotalCost != nil || o.CostReason != "no cost was sent" {
		t.Errorf("as sent: %v %s", o.TotalCost, o.CostReason)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, cfg.DataDir)
	if _, err := Restore(t.Context(), restored, saved, slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	n = start(t, restored)
	n.checkCalls(t, calls)
}

// A directory without a journal of prices, as earlier releases left it, is priced anew as a whole.
func TestCostsWithoutAJournal(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, Cost: "as-sent"}
	n := start(t, cfg)
	n.sendCalls(t, modelCalls())
	caughtUp(t, n)
	if o := told[wire.Observation](t, n, "/v1/observations/own-0"); o.TotalCost != nil {
		t.Fatalf("it costs %v", *o.TotalCost)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	remove(t, cfg.DataDir, datadir.PricesDir)
	found, err := Verify(t.Context(), Config{DataDir: cfg.DataDir, WarehouseMemory: 96 << 20}, nil)
	if err != nil || found.State != verify.Damaged {
		t.Fatalf("prices are gone: %+v, %v", found, err)
	}
	cfg.Cost = ""
	n = start(t, cfg)
	n.checkCalls(t, modelCalls())
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, cfg.DataDir)
}

// Damage of the prices is found; that of a book that the program has is mended by the next start.
func TestVerifyPrices(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, WarehouseMemory: 96 << 20}
	if err := start(t, cfg).stop(); err != nil {
		t.Fatal(err)
	}
	texts, err := filepath.Glob(filepath.Join(cfg.DataDir, datadir.PricesDir, "*.txt"))
	if err != nil || len(texts) != 1 {
		t.Fatal(texts, err)
	}
	if err := os.WriteFile(texts[0], []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Verify(t.Context(), cfg, nil)
	if err != nil || found.State != verify.Damaged {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, p := range found.Parts {
		if damaged := p.State == verify.Damaged; damaged != (p.Name == datadir.PartPrices) {
			t.Errorf("%s is %s: %+v", p.Name, p.State, p.Problems)
		}
	}
	if err := start(t, cfg).stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, cfg.DataDir)
}
