package extract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// show writes fields as "kind/rank id field=value …" in the order of the field list.
func show(f *entity.Fields) string {
	values := slices.Clone(f.Values)
	slices.SortFunc(values, func(a, b entity.FieldValue) int { return int(a.Field) - int(b.Field) })
	var b strings.Builder
	fmt.Fprintf(&b, "%d/%d %s", f.Kind, f.Rank, f.EntityID)
	for _, v := range values {
		switch v.Field.Type() {
		case entity.Text, entity.JSON:
			fmt.Fprintf(&b, " %s=%s", v.Field, v.Text)
		case entity.Integer, entity.Time:
			fmt.Fprintf(&b, " %s=%d", v.Field, v.Int)
		case entity.Float:
			fmt.Fprintf(&b, " %s=%v", v.Field, v.Num)
		case entity.List:
			fmt.Fprintf(&b, " %s=%q", v.Field, v.List)
		}
	}
	return b.String()
}

func TestExtractReads(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 255)
	for name, c := range map[string]struct {
		typ           wire.EventType
		payload, want string
	}{
		"trace: id is the event's":         {"trace_create", `{"name":"n"}`, `1/0 ev name=n`},
		"trace: payload id first":          {"trace_create", `{"external_trace_id":"x","id":"i","name":"n"}`, `1/0 i name=n`},
		"trace: then the external one":     {"trace_create", `{"external_trace_id":"x","name":"n","id":null}`, `1/0 x name=n`},
		"trace: an empty id is none":       {"trace_create", `{"id":"","name":"n"}`, `1/0 ev name=n`},
		"trace: every field":               {"trace_create", `{"name":"n","user_id":"u","session_id":"s","environment":"e","tags":["b","a"],"metadata":{"k": 1},"input":"i","output":[1, 2],"version":"v","release":"r","parent_trace_id":"p","other":{}}`, `1/0 ev name=n user_id=u session_id=s environment=e tags=["b" "a"] version=v release=r parent_trace_id=p input="i" output=[1, 2] metadata={"k": 1}`},
		"trace: numbers for text":          {"trace_create", `{"name":"n","user_id":12,"session_id":1.50,"version":2,"release":true}`, `1/0 ev name=n user_id=12 session_id=1.50 version=2 release=true`},
		"trace: tags as a map":             {"trace_create", `{"name":"n","tags":{"b":1,"a":"x","c":null,"b":true}}`, `1/0 ev name=n tags=["a:x" "b:true"]`},
		"trace: one tag":                   {"trace_create", `{"name":"n","tags":"x"}`, `1/0 ev name=n tags=["x"]`},
		"trace: odd tags":                  {"trace_create", `{"name":"n","tags":[1,null,"",false,{"a":1}]}`, `1/0 ev name=n tags=["1" "false" "{\"a\":1}"]`},
		"trace: no tags":                   {"trace_create", `{"name":"n","tags":[]}`, `1/0 ev name=n`},
		"trace: metadata that is no map":   {"trace_create", `{"name":"n","metadata":"x"}`, `1/0 ev name=n metadata="x"`},
		"trace: null is absent":            {"trace_create", `{"name":"n","user_id":null,"input":null,"tags":null}`, `1/0 ev name=n`},
		"trace: the last of a key counts":  {"trace_create", `{"name":"a","name":"b"}`, `1/0 ev name=b`},
		"trace: escapes":                   {"trace_create", `{"\u006eame":"\u00e9\n\ud83d\ude00\ud800"}`, "1/0 ev name=é\n😀\ufffd"},
		"trace: 255 characters":            {"trace_create", `{"name":"n","user_id":"` + long + `"}`, `1/0 ev name=n user_id=` + long},
		"trace update: id":                 {"trace_update", `{"id":"t"}`, `1/1 t`},
		"trace update: trace_id":           {"trace_update", `{"trace_id":"t","name":""}`, `1/1 t`},
		"observation: least":               {"observation_create", `{"trace_id":"t","name":"n"}`, `2/0 ev name=n trace_id=t`},
		"observation: external id":         {"observation_create", `{"trace_id":"t","name":"n","external_observation_id":"x","span_id":"s"}`, `2/0 x name=n trace_id=t`},
		"observation: span id":             {"observation_create", `{"trace_id":"t","name":"n","span_id":"s","parent_span_id":"p"}`, `2/0 s name=n trace_id=t parent_observation_id=p`},
		"observation: known type":          {"observation_create", `{"trace_id":"t","name":"n","type":"LLM"}`, `2/0 ev name=n trace_id=t type=llm`},
		"observation: unknown type":        {"observation_create", `{"trace_id":"t","name":"n","type":"Guardrail"}`, `2/0 ev name=n trace_id=t type=Guardrail`},
		"observation: times":               {"observation_create", `{"trace_id":"t","name":"n","start_time":"2023-02-28T18:56:42Z","end_time":1677610603.5}`, `2/0 ev name=n trace_id=t start_time=1677610602000000 end_time=1677610603500000`},
		"observation: level":               {"observation_create", `{"trace_id":"t","name":"n","level":"warning"}`, `2/0 ev name=n trace_id=t level=WARN`},
		"observation: numbers":             {"observation_create", `{"trace_id":"t","name":"n","prompt_tokens":1e3,"completion_tokens":"12","total_tokens":12.0,"input_cost":"0.5","output_cost":-1,"total_cost":1e-7,"latency_ms":"3","quality_score":0}`, `2/0 ev name=n trace_id=t prompt_tokens=1000 completion_tokens=12 total_tokens=12 input_cost=0.5 total_cost=1e-07 latency_ms=3 quality_score=0`},
		"observation: most tokens":         {"observation_create", `{"trace_id":"t","name":"n","prompt_tokens":9007199254740991}`, `2/0 ev name=n trace_id=t prompt_tokens=9007199254740991`},
		"observation: usage":               {"observation_create", `{"trace_id":"t","name":"n","usage":{"prompt_tokens":1,"completion_tokens":"2","total_tokens":3,"prompt_tokens_details":{"cached_tokens":1}}}`, `2/0 ev name=n trace_id=t prompt_tokens=1 completion_tokens=2 total_tokens=3 cache_read_tokens=1`},
		"observation: the other usage":     {"observation_create", `{"trace_id":"t","name":"n","usage":{"input_tokens":1,"output_tokens":2}}`, `2/0 ev name=n trace_id=t prompt_tokens=1 completion_tokens=2`},
		"observation: usage fills only":    {"observation_create", `{"trace_id":"t","name":"n","prompt_tokens":7,"usage":{"prompt_tokens":1,"input_tokens":2}}`, `2/0 ev name=n trace_id=t prompt_tokens=7`},
		"observation: usage is no object":  {"observation_create", `{"trace_id":"t","name":"n","usage":3}`, `2/0 ev name=n trace_id=t`},
		"observation: texts":               {"observation_create", `{"trace_id":"t","name":"n","status_message":404,"model":"m","provider":"p","version":1,"model_parameters":{"t":0.1}}`, `2/0 ev name=n version=1 trace_id=t status_message=404 model=m provider=p model_parameters={"t":0.1}`},
		"observation update":               {"observation_update", `{"observation_id":"o"}`, `2/1 o`},
		"observation complete":             {"observation_complete", `{"id":"o","output":"x","level":"Error","usage":{"input_tokens":1},"total_cost":2}`, `2/2 o level=ERROR prompt_tokens=1 total_cost=2 output="x"`},
		"score: a number":                  {"quality_score_create", `{"trace_id":"t","name":"q","value":0.5}`, `3/0 ev name=q trace_id=t value=0.5 data_type=NUMERIC`},
		"score: a boolean":                 {"quality_score_create", `{"observation_id":"o","score_name":"q","score_value":true}`, `3/0 ev name=q observation_id=o value=1 data_type=BOOLEAN`},
		"score: a text":                    {"quality_score_create", `{"trace_id":"t","name":"q","string_value":"good"}`, `3/0 ev name=q trace_id=t string_value=good data_type=CATEGORICAL`},
		"score: a text of digits":          {"quality_score_create", `{"trace_id":"t","name":"q","string_value":"1"}`, `3/0 ev name=q trace_id=t string_value=1 data_type=CATEGORICAL`},
		"score: a number in quotes":        {"quality_score_create", `{"trace_id":"t","name":"q","value":"0.5"}`, `3/0 ev name=q trace_id=t value=0.5 data_type=NUMERIC`},
		"score: a word":                    {"quality_score_create", `{"trace_id":"t","name":"q","score_value":"1 of 2"}`, `3/0 ev name=q trace_id=t string_value=1 of 2 data_type=CATEGORICAL`},
		"score: said to be a number":       {"quality_score_create", `{"trace_id":"t","name":"q","value":"1","data_type":"numeric"}`, `3/0 ev name=q trace_id=t value=1 data_type=NUMERIC`},
		"score: said to be a category":     {"quality_score_create", `{"trace_id":"t","name":"q","value":1,"data_type":"Categorical"}`, `3/0 ev name=q trace_id=t string_value=1 data_type=CATEGORICAL`},
		"score: said to be a boolean":      {"quality_score_create", `{"trace_id":"t","name":"q","value":"False","data_type":"BOOLEAN"}`, `3/0 ev name=q trace_id=t value=0 data_type=BOOLEAN`},
		"score: the category of two":       {"quality_score_create", `{"trace_id":"t","name":"q","score_value":1,"string_value":"x","data_type":"CATEGORICAL"}`, `3/0 ev name=q trace_id=t string_value=x data_type=CATEGORICAL`},
		"score: who":                       {"quality_score_create", `{"id":"s","trace_id":"t","name":"q","value":1,"source":"human","evaluator_name":"e","evaluator_version":2,"comment":"c","author_user_id":3}`, `3/0 s name=q trace_id=t value=1 data_type=NUMERIC source=HUMAN evaluator_name=e evaluator_version=2 comment=c author_user_id=3`},
		"score: an unknown data type":      {"quality_score_create", `{"trace_id":"t","name":"q","value":2,"data_type":"COLOUR"}`, `3/0 ev name=q trace_id=t value=2 data_type=NUMERIC`},
		"score update":                     {"quality_score_update", `{"score_id":"s","value":2}`, `3/1 s value=2 data_type=NUMERIC`},
		"score update of the comment":      {"quality_score_update", `{"id":"s","comment":"c"}`, `3/1 s comment=c`},
		"event: empty":                     {"event_create", `{}`, `4/0 ev`},
		"event: name and trace":            {"event_create", `{"name":"n","trace_id":"t","level":"whatever","id":"x"}`, `4/0 ev name=n trace_id=t`},
		"event: bad ones are left out":     {"event_create", `{"name":7,"trace_id":[]}`, `4/0 ev`},
		"event: a span":                    {"event_create", `{"type":"Span","span_id":"s","trace_id":"t","level":"nonsense","model":"m"}`, `2/0 s name=s trace_id=t type=span model=m`},
		"event: a span without an id":      {"event_create", `{"type":"span","span_id":""}`, `4/0 ev`},
		"event: spaces between everything": {"event_create", " {\n \"name\" :\t\"n\" , \"x\" : [ 1 , { } ] } ", `4/0 ev name=n`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failure := extract.Extract(&wire.Event{ID: "ev", Type: c.typ, Payload: []byte(c.payload)})
			if failure != nil {
				t.Fatalf("failed: %+v", failure)
			}
			if show(got) != c.want {
				t.Errorf("read  %s\nwant  %s", show(got), c.want)
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ                    wire.EventType
		payload, code, message string
	}{
		"trace: no name":              {"trace_create", `{}`, "missing_field", "Missing required field 'name'"},
		"trace: empty name":           {"trace_create", `{"name":""}`, "missing_field", "Missing required field 'name'"},
		"trace: null name":            {"trace_create", `{"name":null}`, "missing_field", "Missing required field 'name'"},
		"trace: name is a number":     {"trace_create", `{"name":1}`, "invalid_field", "Invalid name"},
		"trace: name too long":        {"trace_create", `{"name":"` + strings.Repeat("x", 1001) + `"}`, "invalid_field", "Invalid name"},
		"trace update: no id":         {"trace_update", `{"name":"n"}`, "missing_field", "Missing required field 'id'"},
		"trace update: empty id":      {"trace_update", `{"id":""}`, "missing_field", "Missing required field 'id'"},
		"observation: bad trace":      {"observation_create", `{"name":"n","trace_id":7}`, "invalid_field", "Invalid trace_id"},
		"observation: trace too long": {"observation_create", `{"name":"n","trace_id":"` + strings.Repeat("t", 256) + `"}`, "invalid_field", "Invalid trace_id"},
		"observation: name too long":  {"observation_create", `{"trace_id":"t","name":"` + strings.Repeat("x", 1001) + `"}`, "invalid_field", "Invalid name"},
		"observation: no name":        {"observation_create", `{"trace_id":"t"}`, "missing_field", "Missing required field 'name'"},
		"complete: no id":             {"observation_complete", `{}`, "missing_field", "Missing required field 'id'"},
		"score: about nothing":        {"quality_score_create", `{"name":"q","value":1}`, "missing_field", "Missing required field 'trace_id'"},
		"score: bad trace":            {"quality_score_create", `{"trace_id":{},"name":"q","value":1}`, "invalid_field", "Invalid trace_id"},
		"score: no name":              {"quality_score_create", `{"trace_id":"t","value":1}`, "missing_field", "Missing required field 'name'"},
		"score: no value":             {"quality_score_create", `{"trace_id":"t","name":"q"}`, "missing_field", "Missing required field 'value'"},
		"score: a list":               {"quality_score_create", `{"trace_id":"t","name":"q","value":[1]}`, "invalid_field", "Invalid value"},
		"score: text as a number":     {"quality_score_create", `{"trace_id":"t","name":"q","value":"good","data_type":"NUMERIC"}`, "invalid_field", "Invalid value"},
		"score: 2 as a boolean":       {"quality_score_create", `{"trace_id":"t","name":"q","value":2,"data_type":"BOOLEAN"}`, "invalid_field", "Invalid value"},
		"score update: no id":         {"quality_score_update", `{"value":1}`, "missing_field", "Missing required field 'id'"},
		"no object":                   {"event_create", `[]`, "invalid_payload", "Invalid payload format"},
		"no JSON":                     {"event_create", `{"a"`, "invalid_payload", "Invalid payload format"},
		"nothing":                     {"event_create", ``, "invalid_payload", "Invalid payload format"},
		"unknown type":                {"trace_delete", `{}`, "unknown_event_type", "Unknown event_type 'trace_delete'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failure := extract.Extract(&wire.Event{ID: "ev", Type: c.typ, Payload: []byte(c.payload)})
			if failure == nil {
				t.Fatalf("read %s", show(got))
			}
			if failure.Code != c.code || failure.Message != c.message || failure.EventID != "ev" || failure.Details == "" || failure.Retryable {
				t.Errorf("failed with %+v\nwant %s: %s", failure, c.code, c.message)
			}
		})
	}
}

// The contract's own example, to the letter.
func TestExtractDetails(t *testing.T) {
	t.Parallel()
	_, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.TraceCreate, Payload: []byte(`{}`)})
	if want := "trace_create needs payload.name, a string of 1 to 1000 characters"; failure == nil || failure.Details != want {
		t.Errorf("got %+v, want details %q", failure, want)
	}
}

func TestExtractAllocations(t *testing.T) {
	ev := wire.Event{ID: "e", Type: wire.ObservationCreate, Payload: generation}
	if n := testing.AllocsPerRun(100, func() { extract.Extract(&ev) }); n > 2 {
		t.Errorf("%v allocations, want at most 2", n)
	}
}
