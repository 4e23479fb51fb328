package server

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// recordings are the recorded bodies of all libraries.
func recordings(t *testing.T) (spans, records map[string][]byte) {
	t.Helper()
	spans, records = map[string][]byte{}, map[string][]byte{}
	for kind, to := range map[string]map[string][]byte{"traces": spans, "logs": records} {
		files, err := filepath.Glob("../otel/testdata/*/*." + kind + ".pb")
		if err != nil || len(files) == 0 {
			t.Fatalf("no recorded %s: %v", kind, err)
		}
		for _, f := range files {
			if to[strings.TrimSuffix(filepath.Base(f), "."+kind+".pb")], err = os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	return spans, records
}

// some are the bodies whose names end so, and those of the libraries of which there is one.
func some(bodies map[string][]byte, ends ...string) map[string][]byte {
	few := map[string][]byte{}
	for name, body := range bodies {
		if len(name) == 1 || slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }) {
			few[name] = body
		}
	}
	return few
}

// sendRecorded sends recorded bodies as their libraries did.
func (h *house) sendRecorded(spans, records map[string][]byte, headers ...string) {
	h.tb.Helper()
	headers = append(headers, "Content-Type", "", "Content-Type", "application/x-protobuf")
	for path, bodies := range map[string]map[string][]byte{"/v1/traces": spans, "/v1/logs": records} {
		for name, body := range bodies {
			if rep := h.send("POST", path, body, headers...); rep.status != 200 || len(rep.body) > 0 {
				h.tb.Fatalf("%s %s: %d %q", name, path, rep.status, rep.body)
			}
		}
	}
	h.settle()
}

// official reads OTLP in JSON into the official messages, whose own JSON has ids in base64.
func official(t *testing.T, raw []byte, into proto.Message) {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	idsToBase64(v)
	again, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := (protojson.UnmarshalOptions{}).Unmarshal(again, into); err != nil {
		t.Fatalf("%v: %.300s", err, again)
	}
}

func idsToBase64(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if id, ok := inner.(string); ok && (key == "traceId" || key == "spanId" || key == "parentSpanId") {
				raw, err := hex.DecodeString(id)
				if err != nil {
					panic(err)
				}
				v[key] = base64.StdEncoding.EncodeToString(raw)
			}
			idsToBase64(inner)
		}
	case []any:
		for _, inner := range v {
			idsToBase64(inner)
		}
	}
}

// exports are the spans of a request, each alone with what it stands under.
func exports(of []*trace.ResourceSpans) (all []*trace.ResourceSpans) {
	for _, r := range of {
		for _, sc := range r.ScopeSpans {
			for _, s := range sc.Spans {
				all = append(all, &trace.ResourceSpans{Resource: r.Resource, SchemaUrl: r.SchemaUrl, ScopeSpans: []*trace.ScopeSpans{
					{Scope: sc.Scope, SchemaUrl: sc.SchemaUrl, Spans: []*trace.Span{s}}}})
			}
		}
	}
	return all
}

func records(of []*logs.ResourceLogs) (all []*logs.ResourceLogs) {
	for _, r := range of {
		for _, sc := range r.ScopeLogs {
			for _, l := range sc.LogRecords {
				all = append(all, &logs.ResourceLogs{Resource: r.Resource, SchemaUrl: r.SchemaUrl, ScopeLogs: []*logs.ScopeLogs{
					{Scope: sc.Scope, SchemaUrl: sc.SchemaUrl, LogRecords: []*logs.LogRecord{l}}}})
			}
		}
	}
	return all
}

// Everything that a recorded body says of a span, its resource, its scope and its log records is read back, and what was
// read back is known when it is sent again.
func TestSpansAreReadBackWhole(t *testing.T) {
	skipBulk(t)
	t.Parallel()
	h := open(t, setup{})
	bodies, logBodies := recordings(t)
	h.sendRecorded(bodies, logBodies)
	stored := h.stored()
	left := map[string]int{} // log records of spans that were sent, by what they are, as text
	ofSpans := map[string]bool{}
	for name, body := range bodies {
		var sent trace.TracesData
		if err := proto.Unmarshal(body, &sent); err != nil {
			t.Fatal(name, err)
		}
		for _, e := range exports(sent.ResourceSpans) {
			ofSpans[string(e.ScopeSpans[0].Spans[0].SpanId)] = true
		}
	}
	for name, body := range logBodies {
		var sent logs.LogsData
		if err := proto.Unmarshal(body, &sent); err != nil {
			t.Fatal(name, err)
		}
		for _, l := range records(sent.ResourceLogs) {
			if rec := l.ScopeLogs[0].LogRecords[0]; ofSpans[string(rec.SpanId)] {
				left[text(t, l)]++
			}
		}
	}
	seen := map[string]bool{}
	spans := 0
	for name, body := range bodies {
		var sent trace.TracesData
		if err := proto.Unmarshal(body, &sent); err != nil {
			t.Fatal(name, err)
		}
		for _, want := range exports(sent.ResourceSpans) {
			s := want.ScopeSpans[0].Spans[0]
			path := "/v1/observations/" + hex.EncodeToString(s.SpanId) + "/span?trace_id=" + hex.EncodeToString(s.TraceId)
			rep := h.get(path)
			var parts map[string]json.RawMessage
			if err := json.Unmarshal(rep.body, &parts); err != nil || rep.status != 200 {
				t.Fatalf("%s: %d %s", path, rep.status, rep.body)
			}
			var got trace.TracesData
			official(t, wrapped("resourceSpans", parts["resourceSpans"]), &got)
			if !slices.ContainsFunc(exports(got.ResourceSpans), func(r *trace.ResourceSpans) bool { return proto.Equal(r, want) }) {
				t.Errorf("%s: sent\n%s\nread back\n%s", name, text(t, want), text(t, &got))
			}
			spans++
			if seen[path] {
				continue
			}
			seen[path] = true
			again := []string{"/v1/traces"}
			if parts["resourceLogs"] != nil {
				var of logs.LogsData
				official(t, wrapped("resourceLogs", parts["resourceLogs"]), &of)
				for _, l := range records(of.ResourceLogs) {
					left[text(t, l)]--
				}
				again = append(again, "/v1/logs")
			}
			for _, path := range again {
				if rep := h.send("POST", path, rep.body); rep.status != 200 || string(rep.body) != "{}" {
					t.Errorf("%s: sent again: %d %s", name, rep.status, rep.body)
				}
			}
		}
	}
	if got := h.stored(); got != stored {
		t.Errorf("%d events are stored after the same spans came again, %d before", got, stored)
	}
	if len(left) == 0 {
		t.Error("no log record was recorded")
	}
	for l, n := range left {
		if n > 0 {
			t.Errorf("a log record was not read back: %s", l)
		}
	}
	if spans < 200 {
		t.Errorf("only %d spans were recorded", spans)
	}
}

func wrapped(name string, list []byte) []byte {
	return []byte(`{"` + name + `":` + string(list) + `}`)
}

// text is a message in a form that is the same for equal ones.
func text(t *testing.T, m proto.Message) string {
	t.Helper()
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again := m.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(raw, again); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(fmt.Sprint(again)), " ")
}

// The messages of every recorded call are those that expected.json names, also where log records brought them.
func TestMessagesOfRecordedCalls(t *testing.T) {
	skipBulk(t)
	t.Parallel()
	h := open(t, setup{})
	h.sendRecorded(recordings(t))
	raw, err := os.ReadFile("../otel/testdata/otlp/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct {
		Generations []struct {
			Input, Output []any
			TraceID       string `json:"trace_id"`
			SpanID        string `json:"span_id"`
		}
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	calls, fromLogs := 0, 0
	for name, c := range cases {
		for _, want := range c.Generations {
			o := h.observation(want.SpanID, "?trace_id="+want.TraceID)
			for side, pair := range map[string]struct {
				got  json.RawMessage
				want []any
			}{"in": {o.MessagesIn, want.Input}, "out": {o.MessagesOut, want.Output}} {
				got, want := brief(t, pair.got), marshal(t, pair.want)
				if got != want {
					t.Errorf("%s %s: %s\nwant %s", name, side, got, want)
				}
			}
			calls++
			if strings.HasPrefix(string(o.Input), `[{"role":`) && len(want.Input) > 0 && strings.HasPrefix(name, "V-") {
				var list []any
				if err := json.Unmarshal(o.Input, &list); err != nil || len(list) != len(want.Input) {
					t.Errorf("%s: the input is %s, of %d messages", name, o.Input, len(want.Input))
				}
				fromLogs++
			}
		}
	}
	if calls < 140 || fromLogs == 0 {
		t.Errorf("%d calls were compared, of %d the input came as log records", calls, fromLogs)
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// brief is the form of expected.json: role, text, and the calls of tools.
func brief(t *testing.T, messages json.RawMessage) string {
	t.Helper()
	var of []struct {
		Role  string
		Parts []struct {
			Type, Text, Name, Modality string
			Arguments                  json.RawMessage
		}
	}
	if err := json.Unmarshal(messages, &of); messages != nil && err != nil {
		t.Fatal(err)
	}
	all := []any{}
	for _, m := range of {
		said, calls := "", []any{}
		for _, p := range m.Parts {
			switch p.Type {
			case "text", "tool_result":
				said += p.Text
			case "medium":
				said += "[" + p.Modality + "]"
			case "tool_call":
				calls = append(calls, []any{p.Name, strings.NewReplacer(`":"`, `": "`, `","`, `", "`).Replace(string(p.Arguments))})
			}
		}
		all = append(all, []any{m.Role, said, calls})
	}
	return marshal(t, all)
}

// What a library sends that nobody wants to look at is left out of what is shown, and stays in the span.
func TestShownAttributes(t *testing.T) {
	skipBulk(t)
	t.Parallel()
	h := open(t, setup{})
	bodies, _ := recordings(t)
	bodies = some(bodies, "-call5", "-call7")
	h.sendRecorded(bodies, nil)
	shown, sent := map[string]bool{}, map[string]bool{}
	pieces, exceptions := 0, map[string]int{}
	for _, body := range bodies {
		var req trace.TracesData
		if err := proto.Unmarshal(body, &req); err != nil {
			t.Fatal(err)
		}
		for _, e := range exports(req.ResourceSpans) {
			s := e.ScopeSpans[0].Spans[0]
			for _, a := range s.Attributes {
				sent[a.Key] = true
			}
			o := h.observation(hex.EncodeToString(s.SpanId), "?trace_id="+hex.EncodeToString(s.TraceId))
			var attributes, resource map[string]json.RawMessage
			if json.Unmarshal(o.Attributes, &attributes) != nil || json.Unmarshal(o.Resource, &resource) != nil || resource["service.name"] == nil {
				t.Fatalf("attributes %s, resource %s", o.Attributes, o.Resource)
			}
			for key := range attributes {
				shown[key] = true
			}
			var events []struct{ Name, Time string }
			if err := json.Unmarshal(o.Events, &events); o.Events != nil && err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, e := range events {
				if strings.HasPrefix(e.Name, "mlflow.chunk.item.") {
					pieces++
				}
				if e.Name == "exception" {
					n++
				}
				if len(e.Time) != len(timeLayout) || !strings.HasSuffix(e.Time, "Z") {
					t.Errorf("the time of an event is %s", e.Time)
				}
			}
			if n > 0 {
				exceptions[fmt.Sprint(n)]++
			}
		}
	}
	for _, key := range []string{"langsmith.metadata.LANGSMITH_TRACING", "metadata.user_api_key_alias", "embedding.embeddings.0.embedding.vector"} {
		if shown[key] || !sent[key] {
			t.Errorf("%s: sent %v, shown %v", key, sent[key], shown[key])
		}
	}
	if !shown["embedding.embeddings.0.embedding.vector.size"] || !shown["gen_ai.request.model"] || pieces > 0 || exceptions["1"] == 0 || exceptions["2"] > 0 {
		t.Errorf("the size of a vector: %v, pieces %d, exceptions %v", shown["embedding.embeddings.0.embedding.vector.size"], pieces, exceptions)
	}
}

// Every kind of value is plain JSON in attributes, and links are shown.
func TestAttributesAsPlainJSON(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	rep := h.send("POST", "/v1/traces", []byte(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{"spans":[
		{"traceId":"0123456789abcdef0123456789abcdef","spanId":"0123456789abcdef","name":"n","startTimeUnixNano":"1764000000000000000","endTimeUnixNano":"1764000001000000000",
		"attributes":[{"key":"s","value":{"stringValue":"é\n"}},{"key":"i","value":{"intValue":"9007199254740993"}},{"key":"d","value":{"doubleValue":1.5}},
		{"key":"b","value":{"boolValue":true}},{"key":"n","value":{}},{"key":"y","value":{"bytesValue":"AQI="}},{"key":"nan","value":{"doubleValue":"NaN"}},
		{"key":"l","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"x"}]}}},{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}},
		{"key":"twice","value":{"intValue":1}},{"key":"twice","value":{"intValue":2}}],
		"events":[{"name":"e","timeUnixNano":"1764000000500000000","attributes":[{"key":"k","value":{"intValue":1}}]}],
		"links":[{"traceId":"ffffffffffffffffffffffffffffffff","spanId":"ffffffffffffffff","attributes":[{"key":"k","value":{"intValue":1}}]}]}]}]}]}`))
	if rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	h.settle()
	o := h.observation("0123456789abcdef", "")
	for name, pair := range map[string][2]string{
		"attributes": {string(o.Attributes), `{"s":"é\n","i":9007199254740993,"d":1.5,"b":true,"n":null,"y":"AQI=","nan":null,"l":[1,"x"],"m":{"k":false},"twice":2}`},
		"resource":   {string(o.Resource), `{"service.name":"s"}`},
		"events":     {string(o.Events), `[{"name":"e","time":"2025-11-24T16:00:00.500000Z","attributes":{"k":1}}]`},
		"links":      {string(o.Links), `[{"trace_id":"ffffffffffffffffffffffffffffffff","span_id":"ffffffffffffffff","attributes":{"k":1}}]`},
		"messages":   {string(o.MessagesIn) + string(o.MessagesOut) + string(o.Tools), ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s, want %s", name, pair[0], pair[1])
		}
	}
	tree := h.trace(o.TraceID).Observations[0]
	if tree.Attributes != nil || tree.Events != nil || tree.Resource != nil {
		t.Errorf("the tree is heavy: %+v", tree)
	}
	full := decoded[wire.Trace](t, h.get("/v1/traces/"+o.TraceID+"?full=true")).Observations[0]
	if string(full.Attributes) != string(o.Attributes) || string(full.Events) != string(o.Events) {
		t.Errorf("the full tree has %s", full.Attributes)
	}
	for _, wrong := range []string{"?full=perhaps", "?format=zipkin", "?format=otlp&format=otlp"} {
		if rep := h.get("/v1/traces/" + o.TraceID + wrong); rep.status != 400 || rep.code(t) != codeInvalidParameter {
			t.Errorf("%s: %d %s", wrong, rep.status, rep.body)
		}
	}
}

// Messages of our own events are in the same shape; what are none has none.
func TestMessagesOfOwnEvents(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for name, c := range map[string]struct{ typ, input, output, in, out, tools string }{
		"openai": {"generation", `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}`,
			`{"choices":[{"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"x\":1}"}}]}}]}`,
			`[["system","s",[]],["user","q",[]]]`, `[["assistant","",[["f","{\"x\":1}"]]]]`, `[{"name":"f","parameters":{"type":"object"}}]`},
		"anthropic": {"generation", `{"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"q"}]}]}`, `{"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"a"}]}`,
			`[["system","s",[]],["user","q",[]]]`, `[["assistant","a",[]]]`, ""},
		"gemini":    {"llm", `{"contents":[{"role":"user","parts":[{"text":"q"}]}]}`, `{"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]}}]}`, `[["user","q",[]]]`, `[["assistant","a",[]]]`, ""},
		"responses": {"generation", `{"instructions":"s","input":"q"}`, `{"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]}]}`, `[["system","s",[]],["user","q",[]]]`, `[["assistant","a",[]]]`, ""},
		"text":      {"generation", `"q"`, `"a"`, `[["user","q",[]]]`, `[["assistant","a",[]]]`, ""},
		"texts":     {"embedding", `["q","r"]`, `[[0.1,0.2]]`, `[["user","q",[]],["user","r",[]]]`, `[]`, ""},
		"request":   {"embedding", `{"model":"m","input":"q"}`, `{}`, `[["user","q",[]]]`, `[]`, ""},
		"span":      {"span", `"q"`, `{"x":1}`, `[]`, `[]`, ""},
	} {
		h.post(event("e-"+name, "observation_create", `{"id":"`+name+`","trace_id":"t","name":"n","type":"`+c.typ+`","input":`+c.input+`,"output":`+c.output+`}`))
		h.settle()
		o := h.observation(name, "")
		if in, out := brief(t, o.MessagesIn), brief(t, o.MessagesOut); in != c.in || out != c.out || string(o.Tools) != c.tools {
			t.Errorf("%s: in %s, out %s, tools %s", name, in, out, o.Tools)
		}
		if (o.MessagesIn == nil) != (c.in == "[]") {
			t.Errorf("%s: messages_in is %s", name, o.MessagesIn)
		}
	}
}

// A span that was exported while it was open and again when it had ended is both, in order, and is shown as the latter; what
// an update of our own says stands over it.
func TestSpanOfSeveralExports(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	const id, trace = "0123456789abcdef", "0123456789abcdef0123456789abcdef"
	span := func(end, key string) []byte {
		return []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"` + trace + `","spanId":"` + id + `","name":"` + key + `","startTimeUnixNano":"1764000000000000000"` + end +
			`,"attributes":[{"key":"` + key + `","value":{"boolValue":true}},{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"content\":\"` + key + `\"}]"}}]}]}]}]}`)
	}
	for _, body := range [][]byte{span(`,"endTimeUnixNano":"1764000001000000000"`, "ended"), span("", "open")} {
		if rep := h.send("POST", "/v1/traces", body); rep.status != 200 || string(rep.body) != "{}" {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
	h.settle()
	o := h.observation(id, "")
	rep := string(h.get("/v1/observations/" + id + "/span").body)
	if !strings.Contains(string(o.Attributes), `"ended":true`) || strings.Contains(string(o.Attributes), `"open"`) || brief(t, o.MessagesIn) != `[["user","ended",[]]]` ||
		!strings.Contains(rep, `"name":"open"`) || strings.Index(rep, `"name":"open"`) > strings.Index(rep, `"name":"ended"`) {
		t.Errorf("attributes %s, messages %s\n%s", o.Attributes, o.MessagesIn, rep)
	}
	h.post(at("u", "observation_update", 1764000009, `{"id":"`+id+`","trace_id":"`+trace+`","input":"corrected","attributes":{"mine":1,"ended":2}}`))
	h.settle()
	o = h.observation(id, "")
	if brief(t, o.MessagesIn) != `[["user","corrected",[]]]` || !strings.Contains(string(o.Attributes), `"ended":2`) || !strings.Contains(string(o.Attributes), `"mine":1`) {
		t.Errorf("after an update: attributes %s, messages %s", o.Attributes, o.MessagesIn)
	}
	for _, path := range []string{"/v1/observations/" + id + "/span", "/v1/observations/" + id + "/explain", "/v1/traces/" + trace + "?format=otlp"} {
		if rep := h.get(path, "X-API-Key", "", "X-API-Key", h.newKey("two", "read")); rep.status != 404 {
			t.Errorf("%s of another project: %d %s", path, rep.status, rep.body)
		}
	}
	if again := string(h.get("/v1/observations/" + id + "/span").body); again != rep {
		t.Errorf("the span is another after an update: %s", again)
	}
	if e := h.explain(id, ""); reason(e, "input").Rule != "payload.input" || reason(e, "name").Rule != "the span's name" || reason(e, "name").EventID == "" {
		t.Errorf("%+v", e.Why)
	}
}
