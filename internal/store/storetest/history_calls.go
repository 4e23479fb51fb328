package storetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// CallHistory returns n valid records, Seq 1 to n, made from seed alone: spans of OpenTelemetry that report
// calls of a provider, each from up to five libraries that stand above each other, in one trace or in several,
// in any order and exported again with more, with and without response ids, prompts and counts, the
// same prompt and counts in several calls at a time, streams in two halves, and updates that
// change what was said.
func CallHistory(seed uint64, n int) []entity.Record {
	h := history{rng: chance.From(seed, 0xC0FFEE), n: n}
	calls := h.calls()
	recs := make([]entity.Record, n)
	for i := range recs {
		recs[i] = h.report(i, &calls[h.rng.IntN(len(calls))])
	}
	return recs
}

// CallTrace names a trace of a CallHistory.
func CallTrace(i int) string { return fmt.Sprintf("%032x", i+1) }

// providerCall is what several spans tell of.
type providerCall struct {
	number   int
	at       time.Time
	took     time.Duration
	prompt   string
	response string
	in, out  int
	trace    int
}

func (h *history) calls() []providerCall {
	calls := make([]providerCall, h.n/4+1)
	for i := range calls {
		calls[i] = h.call(i)
	}
	return calls
}

func (h *history) call(i int) providerCall {
	c := providerCall{
		number: i, at: midnight.Add(time.Duration(h.rng.IntN(h.n/3+2)) * 500 * time.Millisecond), took: time.Duration(1+h.rng.IntN(4)) * 300 * time.Millisecond,
		prompt: fmt.Sprint("prompt ", h.rng.IntN(4)), response: fmt.Sprint("resp-", i), in: 10 + h.rng.IntN(3), out: 5 + h.rng.IntN(2),
		trace: h.rng.IntN(h.traces()),
	}
	if h.chance(8) {
		c.response = "resp-mock" // of a stand-in that always says the same
	}
	return c
}

// reporters are scopes, each with how many milliseconds its span begins before the call and ends after it.
var reporters = []struct {
	scope string
	wider time.Duration
}{
	{"openinference.instrumentation.langchain", 30}, {"openinference.instrumentation.openai", 20}, {"openlit.instrumentation.anthropic", 20},
	{"com.anthropic.sdk.python", 10}, {"logfire.openai", 20},
}

// report is a span of the call, or an update of one.
func (h *history) report(i int, c *providerCall) entity.Record {
	rec := entity.Record{
		Seq: entity.Seq(i + 1), Project: HistoryProject, BatchID: fmt.Sprintf("batch-%03d", i/7), KeyID: historyKey(i / 7), Environment: "default",
		ReceivedAt: midnight.Add(time.Duration(i) * time.Second),
	}
	who := h.rng.IntN(len(reporters))
	trace := c.trace
	if h.rngOf(c, who).IntN(2) == 0 {
		trace = h.rngOf(c, who).IntN(h.traces())
	}
	id := h.spanID(c, who+1)
	start, end := c.at.Add(-reporters[who].wider*time.Millisecond), c.at.Add(c.took+reporters[who].wider*time.Millisecond)
	rec.Event = wire.Event{ID: fmt.Sprintf("otlp_%05d", i), Type: wire.ObservationCreate, Timestamp: wire.At(end)}
	if h.chance(20) {
		rec.Event.Type, rec.Event.Timestamp = wire.ObservationUpdate, wire.At(end.Add(time.Second))
		rec.Event.Payload = fmt.Appendf(nil, `{"id":%q,"trace_id":%q,%s}`, id, CallTrace(trace),
			pick(h, `"response_id":"resp-other"`, `"type":"span"`, `"prompt_tokens":99`, `"clear":["end_time"]`, `"clear":["response_id"]`, `"model":"m-new"`))
		return rec
	}
	span := map[string]any{
		"traceId": CallTrace(trace), "spanId": id, "name": "chat", "kind": 3,
		"startTimeUnixNano": fmt.Sprint(start.UnixNano()), "endTimeUnixNano": fmt.Sprint(end.UnixNano()),
	}
	if h.chance(3) {
		span["parentSpanId"] = h.spanID(c, h.rng.IntN(len(reporters))+1)
	}
	attributes := map[string]any{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m-large"}
	h.said(attributes, c)
	if reporters[who].scope == "logfire.openai" {
		h.halfStream(span, attributes, c)
	}
	span["attributes"] = attributesOf(attributes)
	raw, err := json.Marshal(map[string]any{"otlp": map[string]any{"door": "otlp", "scope": map[string]any{"name": reporters[who].scope}, "span": span}})
	if err != nil {
		panic(err) // only strings, numbers, lists and maps went in
	}
	rec.Event.Payload = raw
	return rec
}

// spanID is the id of a span of the call.
func (h *history) spanID(c *providerCall, who int) string {
	if h.ids > 0 {
		return fmt.Sprintf("%016x", who)
	}
	return fmt.Sprintf("%016x", c.number*10+who)
}

// rngOf is what is the same for all reports of one library of the call.
func (h *history) rngOf(c *providerCall, who int) *rand.Rand {
	return chance.From(uint64(c.number), uint64(who))
}

// said is what the report knows of the call.
func (h *history) said(attributes map[string]any, c *providerCall) {
	if !h.chance(3) {
		attributes["gen_ai.response.id"] = c.response
	}
	if !h.chance(3) {
		attributes["gen_ai.input.messages"] = fmt.Sprintf(`[{"role":"user","parts":[{"type":"text","content":%q}]}]`, c.prompt)
	}
	if h.chance(2) {
		attributes["gen_ai.output.messages"] = `[{"role":"assistant","parts":[{"type":"text","content":"` + pick(h, "yes", "no", "certainly not") + `"}]}]`
	}
	if !h.chance(3) {
		attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"] = c.in, c.out
	}
	if h.chance(3) {
		attributes["gen_ai.response.model"] = "m-large-2026"
	}
	if h.chance(4) {
		attributes["gen_ai.usage.cost"] = 0.25
	}
	if h.chance(4) {
		attributes["session.id"], attributes["user.id"] = "s-1", pick(h, "u-1", "u-2")
	}
	if h.chance(6) {
		attributes["error.type"] = "openai.RateLimitError"
	}
}

// halfStream makes the span one of the two of a stream: the call's, which ends at the first byte, or the log
// behind it.
func (h *history) halfStream(span, attributes map[string]any, c *providerCall) {
	attributes["gen_ai.input.messages"] = fmt.Sprintf(`[{"role":"user","parts":[{"type":"text","content":%q}]}]`, c.prompt)
	first := c.at.Add(100 * time.Millisecond)
	delete(attributes, "gen_ai.response.id")
	if h.chance(2) {
		span["endTimeUnixNano"] = fmt.Sprint(first.UnixNano())
		return
	}
	at := first.Add(c.took)
	span["spanId"], span["kind"] = h.spanID(c, 9), 1
	span["startTimeUnixNano"], span["endTimeUnixNano"] = fmt.Sprint(at.UnixNano()), fmt.Sprint(at.UnixNano())
	attributes["logfire.span_type"], attributes["duration"] = "log", c.took.Seconds()
}

func attributesOf(m map[string]any) []any {
	list := []any{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		value, v := m[key], map[string]any{}
		switch value := value.(type) {
		case string:
			v["stringValue"] = value
		case int:
			v["intValue"] = fmt.Sprint(value)
		case float64:
			v["doubleValue"] = value
		}
		list = append(list, map[string]any{"key": key, "value": v})
	}
	return list
}
