package extract_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What the Python SDK 0.2.9 sent for a program with @observe and a wrapped OpenAI client,
// and 0.2.7 the same as event_create: seen on the wire, ids and times shortened.
const (
	wrappedCall = `{"type":"instrumentation","provider":"openai","operation":"chat_completion","method_path":"chat.completions.create","duration_ms":9.5,"success":true,"timestamp":1795901865.5524356,` +
		`"request_attributes":{"llm.model":"gpt-4o-mini","llm.model.normalized":"gpt-4o-mini","llm.usage.prompt_tokens":90,"llm.model.response":"gpt-4o-mini-2024-07-18"},` +
		`"response_attributes":{"llm.usage.prompt_tokens":100,"llm.usage.completion_tokens":50,"llm.usage.total_tokens":150,"llm.model.response":"gpt-4o-mini-2024-07-18","llm.finish_reason":"stop"},"span_id":"span_6","trace_id":"trace_8"}`
	wrappedCallRead = ` name=chat_completion trace_id=trace_8 type=generation start_time=1795901865542935 end_time=1795901865552435 model=gpt-4o-mini-2024-07-18 provider=openai prompt_tokens=100 completion_tokens=50 total_tokens=150 requested_model=gpt-4o-mini finish_reason=stop`
	observed        = `{"type":"span","span_id":"span_4","trace_id":"trace_8","parent_span_id":null,"name":"answer","start_time":"2026-11-28T21:37:45.542514+00:00","end_time":"2026-11-28T21:37:45.552605+00:00","duration_ms":10.091,"status":"completed",` +
		`"attributes":{"brokle.operation.type":"function_call","brokle.function.name":"outer","brokle.session_id":"s-7","brokle.user_id":"u-7","brokle.tags":"a,b","metadata.k":"1","input.args.0":"Capital of France?","input.kwargs.lang":"en","brokle.output":"{'a': 'Paris'}","brokle.output.type":"dict"},"metadata":{},"tags":[],"timestamp":1795901865.5526156}`
	observedRead = ` name=answer user_id=u-7 session_id=s-7 tags=["a" "b"] trace_id=trace_8 type=span start_time=1795901865542514 end_time=1795901865552605 status=ok input={"args":["Capital of France?"],"kwargs":{"lang":"en"}} output="{'a': 'Paris'}" metadata={"k":"1"}`
	failedSpan   = `{"type":"span","span_id":"span_2","trace_id":"trace_0","name":"bad","status":"error","attributes":{"brokle.user_id":"u-8","input.args.0":"3","error.type":"ValueError","error.message":"no \"such\" thing","status_description":"no \"such\" thing"},"metadata":{},"tags":[]}`
	failedRead   = ` name=bad user_id=u-8 trace_id=trace_0 type=span level=ERROR status_message=ValueError: no "such" thing status=error error_type=ValueError input="3" metadata={}`
	apiCall      = `{"method":"POST","endpoint":"/v1/chat/completions","status_code":200,"latency_ms":250,"success":true,"timestamp":1795901865.5,"environment":"default"}`
	apiCallRead  = ` name=POST /v1/chat/completions environment=default trace_id=ev start_time=1795901865250000 end_time=1795901865500000 latency_ms=250`
	failedCall   = `{"method":"GET","endpoint":"/v1/models","status_code":0,"latency_ms":10,"success":false,"error":"refused","error_type":"ConnectError","timestamp":1795901865.5}`
)

func TestExtractBrokleClients(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ           wire.EventType
		payload, want string
	}{
		"a wrapped call":                  {"observation_create", wrappedCall, `2/0 span_6` + wrappedCallRead},
		"a wrapped call, 0.2.7":           {"event_create", wrappedCall, `2/0 span_6` + wrappedCallRead},
		"an embedding":                    {"observation_create", `{"type":"instrumentation","operation":"embedding","trace_id":"t"}`, `2/0 ev name=embedding trace_id=t type=embedding`},
		"another operation":               {"observation_create", `{"type":"instrumentation","operation":"audio_speech","trace_id":"t"}`, `2/0 ev name=audio_speech trace_id=t type=instrumentation`},
		"an observed function":            {"observation_create", observed, `2/0 span_4` + observedRead},
		"an observed function, 0.2.7":     {"event_create", observed, `2/0 span_4` + observedRead},
		"an observed function that fails": {"event_create", failedSpan, `2/0 span_2` + failedRead},
		"its API call":                    {"observation_create", apiCall, `2/0 ev` + apiCallRead},
		"its API call that fails":         {"observation_create", failedCall, `2/0 ev name=GET /v1/models trace_id=ev start_time=1795901865490000 end_time=1795901865500000 level=ERROR status_message=ConnectError: refused status=error error_type=ConnectError latency_ms=10`},
		"only a type":                     {"observation_create", `{"type":"Guard","span_id":"s","trace_id":"t"}`, `2/0 s name=Guard trace_id=t type=Guard`},
		"no trace":                        {"observation_create", `{"name":"n","id":"o"}`, `2/0 o name=n trace_id=o`},
		"own keys win":                    {"observation_create", `{"trace_id":"t","name":"n","level":"INFO","status":"error","user_id":"me","output":"mine","status_message":"x","metadata":{"k":2,"z":3},"attributes":{"brokle.user_id":"u","brokle.output":"o","error.type":"E","metadata.k":1,"metadata.a":0}}`, `2/0 ev name=n user_id=me trace_id=t level=INFO status_message=x status=error error_type=E output="mine" metadata={"k":2,"a":0,"z":3}`},
		"arguments with a hole":           {"observation_create", `{"trace_id":"t","name":"n","attributes":{"input.args.2":"c","input.args.0":1,"input.args.-1":0,"input.args.1000000":0}}`, `2/0 ev name=n trace_id=t input={"args":[1,null,"c"]}`},
		"one keyword":                     {"observation_create", `{"trace_id":"t","name":"n","attributes":{"input.kwargs.a\"b":1}}`, `2/0 ev name=n trace_id=t input={"kwargs":{"a\"b":1}}`},
		"the asked model":                 {"observation_create", `{"trace_id":"t","name":"n","requested_model":"m"}`, `2/0 ev name=n trace_id=t model=m requested_model=m`},
		"attributes of another shape":     {"observation_create", `{"trace_id":"t","name":"n","attributes":[1],"status":5,"response_attributes":"x"}`, `2/0 ev name=n trace_id=t`},
		"tags as a list":                  {"observation_create", `{"trace_id":"t","name":"n","attributes":{"brokle.tags":["a, b","c"]}}`, `2/0 ev name=n tags=["a, b" "c"] trace_id=t`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failure := extract.Extract(&wire.Event{ID: "ev", Type: c.typ, Payload: []byte(c.payload)})
			if failure != nil {
				t.Fatalf("failed: %+v", failure)
			}
			if want := c.want + sentAttributes(t, c.payload); show(got) != want {
				t.Errorf("read  %s\nwant  %s", show(got), want)
			}
			if alone := strings.Contains(c.want, "trace_id=ev") || name == "no trace"; alone != (len(got.Notes) == 1) {
				t.Errorf("notes %q", got.Notes)
			}
		})
	}
}

// sentAttributes is how show writes the attributes of a payload: as they were sent, when they are an object.
func sentAttributes(t *testing.T, payload string) string {
	var sent struct{ Attributes json.RawMessage }
	if err := json.Unmarshal([]byte(payload), &sent); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(sent.Attributes), "{") {
		return ""
	}
	return " attributes=" + string(sent.Attributes)
}
