package server

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func (h *house) explain(id, query string) detail.Explanation {
	h.tb.Helper()
	rep := h.get("/v1/observations/" + id + "/explain" + query)
	if rep.status != 200 {
		h.tb.Fatalf("%s: %d %s", id, rep.status, rep.body)
	}
	return decoded[detail.Explanation](h.tb, rep)
}

func reason(e detail.Explanation, field string) detail.Reason {
	i := slices.IndexFunc(e.Why, func(r detail.Reason) bool { return r.Field == field })
	if i < 0 {
		return detail.Reason{}
	}
	return e.Why[i]
}

// unexplained are members of an observation that are no fields, or that its place or its trace decides.
var unexplained = []string{"id", "start_time_inferred", "counted", "input_preview", "output_preview", "source", "children",
	"messages_in", "messages_out", "tools", "attributes", "resource", "events", "links", "duplicate_of", "duplicate_of_trace", "cost_reason"}

// Every field of every recorded span that holds something has a rule, with the value that the observation has and an event
// of its history.
func TestEveryFieldIsExplained(t *testing.T) {
	t.Parallel()
	skipBulk(t)
	h := open(t, setup{})
	bodies, logBodies := recordings(t)
	bodies = some(bodies, "-call4", "-call6", "-call9", "-call5")
	h.sendRecorded(bodies, logBodies)
	rules := map[string]bool{}
	for name, body := range bodies {
		var sent trace.TracesData
		if err := proto.Unmarshal(body, &sent); err != nil {
			t.Fatal(name, err)
		}
		for _, x := range exports(sent.ResourceSpans) {
			s := x.ScopeSpans[0].Spans[0]
			id, query := hex.EncodeToString(s.SpanId), "?trace_id="+hex.EncodeToString(s.TraceId)
			row := decoded[map[string]json.RawMessage](t, h.get("/v1/observations/"+id+query))
			e := h.explain(id, query)
			history := h.history("/v1/observations/" + id + "/history" + query)
			for field, value := range row {
				r := reason(e, field)
				switch {
				case slices.Contains(unexplained, field) || slices.Contains([]string{"null", `""`, "[]"}, string(value)):
				case r.Rule == "":
					t.Errorf("%s %s: %s is %.60s and has no rule", name, e.Dialect, field, value)
				case value[0] != '{' && value[0] != '[' && field != "input" && field != "output" && string(r.Value) != string(value):
					t.Errorf("%s: %s is %s, explained as %s: %s", name, field, value, r.Value, r.Rule)
				}
			}
			for _, r := range e.Why {
				rules[r.Field+" "+string(r.Value)+" "+r.Rule] = true
				if r.EventID != "" && !strings.Contains(history, r.EventID) {
					t.Errorf("%s: %s is said by %s, which is none of %s", name, r.Field, r.EventID, history)
				}
			}
		}
	}
	twins := 0
	for rule := range rules {
		if strings.HasPrefix(rule, "duplicate_of ") && strings.HasSuffix(rule, " it reports the same call and is kept: sums and lists leave this one out") {
			twins++
		}
	}
	if twins == 0 || !slices.ContainsFunc(slices.Collect(maps.Keys(rules)), func(rule string) bool { return strings.HasSuffix(rule, "a duplicate of this one, knows it") }) {
		t.Errorf("%d duplicates are explained, or no field that a duplicate filled", twins)
	}
	for _, want := range []string{
		"prompt_tokens 110 = 20 + 80 cache read + 10 cache write: scope openlit.instrumentation.anthropic is exclusive",
		"cache_read_tokens 80 llm.token_count.prompt_details.cache_read",
		"total_tokens 160 prompt_tokens + completion_tokens: nobody's total is believed",
		"total_cost null scope openlit sends 0 for a model that it has no price of",
		"model \"gpt-4o-mini-2024-07-18\" gen_ai.response.model",
	} {
		if !rules[want] {
			t.Errorf("nothing is explained as %q", want)
		}
	}
}

// Of our own events the rule is where in the payload of which event the value stands, or how the fold came to it.
func TestOwnFieldsAreExplained(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("made", "observation_create", `{"id":"o","trace_id":"t","name":"first","type":"generation","parent_span_id":"p",
			"usage":{"input_tokens":20,"cache_read_input_tokens":80,"prompt_tokens_details":{"cached_tokens":80}},"tags":["a"],"start_time":"2023-11-14T22:13:19Z"}`),
		event("changed", "observation_update", `{"id":"o","name":"last","level":"ERROR","tags":["b"]}`),
		event("done", "observation_complete", `{"id":"o","completion_tokens":"50","input_cost":0.5,"output_cost":0.25,"attributes":{"llm.model":"gpt"}}`))
	h.settle()
	e := h.explain("o", "")
	o := h.observation("o", "")
	for field, want := range map[string]detail.Reason{
		"name":                  {Value: json.RawMessage(`"last"`), Rule: "payload.name", EventID: "changed"},
		"trace_id":              {Value: json.RawMessage(`"t"`), Rule: "payload.trace_id", EventID: "made"},
		"parent_observation_id": {Value: json.RawMessage(`"p"`), Rule: "payload.parent_span_id", EventID: "made"},
		"cache_read_tokens":     {Value: json.RawMessage("80"), Rule: "payload.usage.cache_read_input_tokens", EventID: "made"},
		"completion_tokens":     {Value: json.RawMessage("50"), Rule: "payload.completion_tokens", EventID: "done"},
		"requested_model":       {Value: json.RawMessage(`"gpt"`), Rule: "payload.attributes.llm.model", EventID: "done"},
		"tags":                  {Value: json.RawMessage(`["b"]`), Rule: "2 events together, the last: payload.tags", EventID: "changed"},
		"status":                {Value: json.RawMessage(`"error"`), Rule: "the level is ERROR"},
		"total_cost":            {Value: json.RawMessage("0.75"), Rule: "input_cost + output_cost"},
		"environment":           {Value: json.RawMessage(`"default"`), Rule: "the environment of the request"},
		"cost_source":           {Value: json.RawMessage(`"reported"`), Rule: "a cost was sent"},
		"token_source":          {Value: json.RawMessage(`"reported"`), Rule: "counts were sent"},
	} {
		want.Field = field
		if got := reason(e, field); got.Rule != want.Rule || got.EventID != want.EventID || string(got.Value) != string(want.Value) {
			t.Errorf("%s is explained as %s %q %s, want %s %q %s", field, got.Value, got.Rule, got.EventID, want.Value, want.Rule, want.EventID)
		}
	}
	if e.ID != "o" || e.TraceID != "t" || e.Dialect != "" || reason(e, "latency_ms").Rule != "end_time − start_time" || *o.TotalCost != 0.75 {
		t.Errorf("%+v", e)
	}
	for path, status := range map[string]int{
		"/v1/observations/nobody/explain": 404, "/v1/observations/nobody/span": 404, "/v1/observations/o/span": 404,
		"/v1/observations/o/explain?trace_id=other": 404, "/v1/observations/o/explain?full=true": 400, "/v1/observations/-/explain?id=o": 200,
	} {
		if rep := h.get(path); rep.status != status {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	other := h.newKey("two", "read")
	for _, path := range []string{"/v1/observations/o/explain", "/v1/observations/o/span", "/v1/traces/t?format=otlp"} {
		if rep := h.get(path, "X-API-Key", "", "X-API-Key", other); rep.status != 404 {
			t.Errorf("%s of another project: %d %s", path, rep.status, rep.body)
		}
	}
}

// A trace that went out as OTLP and came in at another project is the same trace there.
func TestTracesAsOTLP(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	bodies, logBodies := recordings(t)
	h.sendRecorded(some(bodies, "-call4", "-call18"), some(logBodies, "-call4", "-call18"))
	h.post(event("t", "trace_create", `{"id":"own trace","name":"own","user_id":"u"}`),
		event("o", "observation_create", `{"id":"call","trace_id":"own trace","name":"call","type":"generation","model":"gpt","prompt_tokens":3,"completion_tokens":4,"total_cost":0.5,"start_time":"2025-11-24T16:00:00Z","end_time":"2025-11-24T16:00:01Z"}`))
	h.settle()
	other := h.newKey("two", "ingest", "read")
	traces := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?limit=1000")).Data
	n := 0
	for _, tr := range traces {
		rep := h.get("/v1/traces/" + strings.ReplaceAll(tr.ID, " ", "%20") + "?format=otlp")
		if rep.status == 404 { // of log records alone
			continue
		}
		if again := h.get("/v1/traces/-?id=" + strings.ReplaceAll(tr.ID, " ", "%20") + "&format=otlp"); rep.status != 200 || string(again.body) != string(rep.body) {
			t.Fatalf("%s: %d %s", tr.ID, rep.status, rep.body)
		}
		n++
		paths := []string{"/v1/traces"}
		if strings.Contains(string(rep.body), `"resourceLogs":`) {
			paths = append(paths, "/v1/logs")
		}
		for _, path := range paths {
			if got := h.send("POST", path, rep.body, "X-API-Key", "", "X-API-Key", other); got.status != 200 || string(got.body) != "{}" {
				t.Fatalf("%s: %s: %d %s", tr.ID, path, got.status, got.body)
			}
		}
	}
	h.settle()
	if n < 5 {
		t.Fatalf("only %d traces went out", n)
	}
	theirs := map[string]wire.TraceSummary{}
	for _, tr := range decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?limit=1000", "X-API-Key", "", "X-API-Key", other)).Data {
		theirs[tr.ID] = tr
	}
	for _, tr := range traces {
		got, there := theirs[tr.ID]
		if tr.ID == "own trace" {
			for _, s := range theirs {
				if s.Name == "own" {
					if s.UserID != "u" || s.TotalTokens != 7 || dollars(s.TotalCost) != 0.5 || len(s.ID) != 32 || s.ObservationCount != 2 || *s.LatencyMS != *tr.LatencyMS {
						t.Errorf("our own trace came back as %+v", s)
					}
					there = true
				}
			}
		} else if got.KeyID = tr.KeyID; there && marshal(t, got) != marshal(t, tr) { // another key brought it
			t.Errorf("%s is %s there, %s here", tr.ID, marshal(t, got), marshal(t, tr))
		}
		if !there && tr.Name != "" {
			t.Errorf("%s did not come back: %s", tr.ID, tr.Name)
		}
	}
}
