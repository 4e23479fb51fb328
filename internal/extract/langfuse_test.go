package extract_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What Langfuse's ingestion API is sent, by the type of the event, and what each means. The first bodies were seen
// from its Python client 2.60.10 under OpenAI's client, ids and times shortened.
func TestExtractLangfuse(t *testing.T) {
	t.Parallel()
	const from = ` door=langfuse sdk=langfuse-python/2.60.10`
	for name, c := range map[string]struct{ typ, body, want string }{
		"a trace": {"trace-create", `{"id":"t","timestamp":"2026-11-29T06:24:54.7Z","name":"support","userId":"u","sessionId":"s","release":"r1","version":"v","metadata":{"plan":"pro"},"tags":["a","b"],"environment":"Prod","public":true,"input":{"q":1}}`,
			`1/0 t name=support user_id=u session_id=s environment=prod tags=["a" "b"] version=v release=r1 input={"q":1} metadata={"plan":"pro"}`},
		"a trace without a name": {"trace-create", `{"output":1}`, `1/0 ev output=1`},
		"a call": {"generation-create", `{"id":"g","traceId":"t","name":"OpenAI-generation","startTime":"2026-11-29T06:24:54Z","model":"gpt-4o-mini","modelParameters":{"temperature":"0.5","max_tokens":"inf"},"trace":{"release":"r1"},"promptName":"p","promptVersion":3}`,
			`2/0 g name=OpenAI-generation release=r1 trace_id=t type=generation start_time=1795933494000000 model=gpt-4o-mini prompt_name=p prompt_version=3 model_parameters={"temperature":"0.5"}` + from},
		"its end, OpenAI's usage": {"generation-update", `{"id":"g","traceId":"t","endTime":"2026-11-29T06:24:55Z","completionStartTime":"2026-11-29T06:24:54.5Z","usage":{"input":100,"output":50,"total":150,"unit":"TOKENS"},"usageDetails":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":80},"completion_tokens_details":{"reasoning_tokens":30}}}`,
			`2/1 g trace_id=t type=generation end_time=1795933495000000 prompt_tokens=100 completion_tokens=50 total_tokens=150 cache_read_tokens=80 reasoning_tokens=30 completion_start_time=1795933494500000` + from},
		"its own usage, which is exclusive, and costs": {"generation-create", `{"id":"g","traceId":"t","name":"n","usageDetails":{"input":20,"output":50,"cache_read_input_tokens":80,"cache_creation_input_tokens":10},"costDetails":{"input":0.25,"output":0.5,"cache_read_input_tokens":0.125,"total":0.875}}`,
			`2/0 g name=n trace_id=t type=generation prompt_tokens=110 completion_tokens=50 cache_read_tokens=80 cache_write_tokens=10 input_cost=0.375 output_cost=0.5 cache_read_cost=0.125 total_cost=0.875` + from},
		"the older usage with costs": {"generation-create", `{"id":"g","traceId":"t","name":"n","usage":{"input":20,"output":5,"total":25,"unit":"TOKENS","inputCost":0.5,"outputCost":null,"totalCost":1}}`,
			`2/0 g name=n trace_id=t type=generation prompt_tokens=20 completion_tokens=5 total_tokens=25 input_cost=0.5 total_cost=1` + from},
		"a failed call costs nothing": {"generation-update", `{"id":"g","level":"ERROR","statusMessage":"429","costDetails":{"input":0,"output":0,"total":0}}`,
			`2/1 g type=generation level=ERROR status_message=429` + from},
		"any observation":       {"observation-create", `{"id":"o","type":"RETRIEVER","parentObservationId":"p","level":"WARNING"}`, `2/0 o name=retrieval trace_id=o parent_observation_id=p type=retrieval level=WARN` + from},
		"an update of a span":   {"span-update", `{"id":"o","output":[1]}`, `2/1 o output=[1]` + from},
		"an event":              {"event-create", `{"id":"o","traceId":"t","name":"tick"}`, `2/0 o name=tick trace_id=t type=event` + from},
		"a tool":                {"tool-create", `{"id":"o","traceId":"t","name":"look"}`, `2/0 o name=look trace_id=t type=tool` + from},
		"a score":               {"score-create", `{"id":"c","traceId":"t","observationId":"o","name":"q","value":0.5,"dataType":"NUMERIC","comment":"good","source":"ANNOTATION","environment":"e"}`, `3/0 c name=q environment=e trace_id=t observation_id=o value=0.5 data_type=NUMERIC source=HUMAN comment=good`},
		"a score that is text":  {"score-create", `{"traceId":"t","name":"q","value":"7","dataType":"TEXT"}`, `3/0 ev name=q trace_id=t string_value=7 data_type=CATEGORICAL`},
		"a score of a session":  {"score-create", `{"sessionId":"s","name":"q","value":1}`, `4/0 ev name=q`},
		"what the client notes": {"sdk-log", `{"log":{"a":1}}`, `4/0 ev name=sdk-log`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			typ, ok := extract.LangfuseType(c.typ)
			if !ok {
				t.Fatal("no such type")
			}
			if c.want[0] == '4' {
				typ = wire.EventCreate
			}
			ev := &wire.Event{ID: "ev", Type: typ, Payload: extract.AppendLangfuse(nil, c.typ, "langfuse-python/2.60.10", []byte(c.body))}
			got, failure := extract.Extract(ev)
			if failure != nil {
				t.Fatalf("failed: %+v", failure)
			}
			if show(got) != c.want {
				t.Errorf("read  %s\nwant  %s", show(got), c.want)
			}
			if got.Content != extract.ContentOf(ev) {
				t.Error("the content is another")
			}
		})
	}
}

// What is wrong is said in the words of the client, and a payload that only looks like Langfuse's is read as any other.
func TestExtractLangfuseFaults(t *testing.T) {
	t.Parallel()
	for typ, body := range map[string]string{"score-create": `{"traceId":"t","value":1}`, "span-update": `{"name":"n"}`, "trace-create": `{"id":7}`} {
		as, _ := extract.LangfuseType(typ)
		_, failure := extract.Extract(&wire.Event{ID: "ev", Type: as, Payload: extract.AppendLangfuse(nil, typ, "", []byte(body))})
		if failure == nil || !strings.Contains(failure.Details, "body.") || strings.Contains(failure.Details, "payload.") {
			t.Errorf("%s %s: %+v", typ, body, failure)
		}
	}
	got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.ObservationCreate,
		Payload: extract.AppendLangfuse(nil, "span-create", "", []byte(`{"traceId":"t","startTime":"soon","usage":{"input":5,"unit":"CHARACTERS"}}`))})
	if failure != nil || len(got.Notes) != 2 || !strings.Contains(got.Notes[0], "body.startTime") || !strings.Contains(got.Notes[1], "unit") || strings.Contains(show(got), "prompt_tokens") {
		t.Errorf("%+v %q", failure, got.Notes)
	}
	for _, payload := range []string{
		`{"langfuse":{"type":"span-create"},"id":"t","name":"mine"}`, // of an event that is none
		`{"langfuse":{"type":"made-up"},"id":"t","name":"mine"}`, `{"langfuse":{"type":"trace-create","sdk":7},"id":"t","name":"mine"}`,
	} {
		if got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.TraceCreate, Payload: []byte(payload)}); failure != nil || show(got) != `1/0 t name=mine` {
			t.Errorf("%s: %v %+v", payload, got, failure)
		}
	}
	for _, typ := range []string{"", "trace", "trace-update", "span-delete", "made-up-create"} {
		if as, ok := extract.LangfuseType(typ); ok {
			t.Errorf("%q is %s", typ, as)
		}
	}
}

// Brokle's SDK 0.4 says a score's type, source and reason by other names.
func TestExtractScoreOfSDK(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"trace_id":"t","name":"q","value":0.9,"type":"NUMERIC","source":"code","reason":"good"}`:                      `3/0 ev name=q trace_id=t value=0.9 data_type=NUMERIC source=AUTO comment=good`,
		`{"trace_id":"t","span_id":"o","name":"q","value":0,"type":"CATEGORICAL","string_value":"fine","source":"llm"}`: `3/0 ev name=q trace_id=t observation_id=o string_value=fine data_type=CATEGORICAL source=EVAL`,
		`{"trace_id":"t","name":"q","value":1,"type":"BOOLEAN","source":"human","comment":"mine","reason":"other"}`:     `3/0 ev name=q trace_id=t value=1 data_type=BOOLEAN source=HUMAN comment=mine`,
		`{"trace_id":"t","name":"q","value":"x","type":"span"}`:                                                         `3/0 ev name=q trace_id=t string_value=x data_type=CATEGORICAL`,
	} {
		got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.QualityScoreCreate, Payload: []byte(payload)})
		if failure != nil || show(got) != want {
			t.Errorf("read  %v %+v\nwant  %s", show(got), failure, want)
		}
	}
}
