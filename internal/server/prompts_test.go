package server

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Prompts over HTTP: what the clients of Brokle and of Langfuse ask, and what they get.
func TestPrompts(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, tc := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/v1/prompts", "", 200, `{"success":true,"data":[],"next_cursor":null,"meta":{"pagination":{"page":1,"limit":1000,"total":0,"total_pages":1}}}`},
		{"POST", "/v1/prompts", `{"name":"greeting","type":"text","template":{"content":"Hello {{name}}!"},"labels":["production"],"tags":["nice"]}`, 200, `"version":1,"type":"text"`},
		{"POST", "/v1/prompts", `{"name":"greeting","template":{"content":"Hi {{name}}!"},"commit_message":"shorter"}`, 200, `"labels":["latest"]`},
		{"POST", "/v1/prompts", `{"name":"agent","template":{"messages":[{"role":"system","content":"You are {{who}}."}]},"config":{"model":"m","temperature":0.5}}`, 200, `"config":{"model":"m","temperature":0.5}`},
		{"POST", "/v1/prompts", `{"name":"a b"}`, 400, `{"success":false,"error":{"code":"invalid_body","message":"nothing was changed`},
		{"GET", "/v1/prompts/greeting", "", 200, `{"success":true,"data":{"id":"greeting@2"`},
		{"GET", "/v1/prompts/greeting?label=production", "", 200, `"id":"greeting@1"`},
		{"GET", "/v1/prompts/greeting?label=latest", "", 200, `"id":"greeting@2"`},
		{"GET", "/v1/prompts/greeting?version=2", "", 200, `"commit_message":"shorter"`},
		{"GET", "/v1/prompts/greeting?version=2&label=latest", "", 400, `"parameter":"label"`},
		{"GET", "/v1/prompts/greeting?version=x", "", 400, `"parameter":"version"`},
		{"GET", "/v1/prompts/greeting?version=9", "", 404, `"success":false,"error":{"code":"not_found","message":"version 9 of the prompt not found`},
		{"GET", "/v1/prompts/none", "", 404, "prompt not found"},
		{"GET", "/v1/prompts/greeting/versions", "", 200, `"data":[{"id":"greeting@2"`},
		{"GET", "/v1/prompts?limit=1", "", 200, `"next_cursor":"2","meta":{"pagination":{"page":1,"limit":1,"total":2,"total_pages":2}}`},
		{"GET", "/v1/prompts?limit=1&page=2", "", 200, `"labels":[{"name":"latest","version":2},{"name":"production","version":1}],"latest_version":2,"versions":2,`},
		{"GET", "/v1/prompts?type=chat", "", 200, `"data":[{"id":"agent"`},
		{"GET", "/v1/prompts?tag=nice", "", 200, `"data":[{"id":"greeting"`},
		{"GET", "/v1/prompts?type=song", "", 400, `"parameter":"type"`},
		{"PUT", "/v1/prompts/greeting/labels", `{"label":"production","version":2}`, 200, `"labels":["latest","production"]`},
		{"PUT", "/v1/prompts/greeting/labels", `{"label":"latest","version":1}`, 400, "always on the newest"},
		{"PUT", "/v1/prompts/greeting/labels", `{"label":"production"}`, 400, "the body must be"},
		{"PUT", "/v1/prompts/greeting/labels", `{"label":"production","version":7}`, 404, "version 7"},
		{"GET", "/api/public/v2/prompts/greeting", "", 200, `"version":2,"type":"text","prompt":"Hi {{name}}!","config":{},"labels":["latest","production"],"tags":["nice"]`},
		{"GET", "/api/public/v2/prompts/agent?label=latest&resolve=true", "", 200, `"prompt":[{"type":"chatmessage","role":"system","content":"You are {{who}}."}],"config":{"model":"m","temperature":0.5}`},
		{"GET", "/api/public/v2/prompts/agent", "", 404, `"message":"label production of the prompt not found`},
		{"GET", "/api/public/v2/prompts/none", "", 404, `"message":"prompt not found`},
		{"POST", "/api/public/v2/prompts", `{"name":"theirs","type":"chat","prompt":[{"type":"chatmessage","role":"user","content":"{{q}}"}],"labels":["production"],"commitMessage":"c"}`, 200, `"commitMessage":"c"`},
		{"POST", "/api/public/v2/prompts", `{"name":"theirs","prompt":[{"type":"placeholder","name":"history"}]}`, 400, "placeholders are not kept"},
		{"DELETE", "/v1/prompts/greeting/labels?label=production", "", 204, ""},
		{"DELETE", "/v1/prompts/greeting/labels?label=production", "", 404, "label production of the prompt not found"},
		{"DELETE", "/v1/prompts/greeting?version=1", "", 204, ""},
		{"DELETE", "/v1/prompts/agent", "", 204, ""},
		{"GET", "/v1/prompts/agent", "", 404, "not found"},
	} {
		rep := h.send(tc.method, tc.path, []byte(tc.body))
		if rep.status != tc.status || !strings.Contains(string(rep.body), tc.says) {
			t.Errorf("%s %s %s: %d %s\nwant %d %s", tc.method, tc.path, tc.body, rep.status, rep.body, tc.status, tc.says)
		}
	}
}

// What an observation says of its prompt is a column, by every door, and statistics are grouped by it.
func TestPromptOfObservations(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(
		event("1", "observation_create", `{"id":"own","trace_id":"t","name":"n","type":"generation","prompt_name":"greeting","prompt_version":2,"total_cost":0.5}`),
		event("2", "observation_create", `{"id":"older","trace_id":"t","name":"n","type":"generation","attributes":{"gen_ai.prompt.name":"greeting","gen_ai.prompt.version":"1"}}`),
	)
	if rep := h.send("POST", "/api/public/ingestion", []byte(`{"batch":[{"id":"3","type":"generation-create","body":{"id":"lf","traceId":"t","name":"n","promptName":"greeting","promptVersion":2}}]}`)); rep.status != 207 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	span := func(id, key, name, version string) string {
		return `{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"` + id + `","name":"n","startTimeUnixNano":"1795933494000000000","endTimeUnixNano":"1795933495000000000","attributes":[` +
			`{"key":"` + key + `","value":{"stringValue":"` + name + `"}},{"key":"` + strings.NewReplacer(".name", ".version", ".key", ".version").Replace(key) + `","value":` + version + `}]}`
	}
	spans := []string{
		span("0000000000000001", "langfuse.observation.prompt.name", "greeting", `{"intValue":"2"}`), span("0000000000000002", "brokle.prompt.name", "greeting", `{"stringValue":"2"}`),
		span("0000000000000003", "traceloop.prompt.key", "greeting", `{"intValue":1}`), span("0000000000000004", "gen_ai.prompt.name", "greeting", `{"stringValue":"1"}`),
	}
	if rep := h.send("POST", "/v1/traces", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[`+strings.Join(spans, ",")+`]}]}]}`)); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	h.settle()
	stats := decoded[wire.Page[wire.StatRow]](t, h.get("/v1/stats?group_by=prompt_name,prompt_version&metrics=count,cost"))
	got := map[string]any{}
	for _, row := range stats.Data {
		got[row["prompt_name"].(string)+"@"+row["prompt_version"].(string)] = row["count"]
	}
	if got["greeting@1"] != 3.0 || got["greeting@2"] != 4.0 {
		t.Errorf("%v", got)
	}
	for path, want := range map[string]int{
		"/v1/observations?filter=prompt:greeting+prompt_version:2": 4, "/v1/traces?filter=prompt:greeting": 2, "/v1/observations?filter=prompt:other": 0, "/v1/observations?attributes.gen_ai.prompt.name=greeting": 2,
	} {
		if page := decoded[wire.Page[struct{}]](t, h.get(path)); len(page.Data) != want {
			t.Errorf("%s: %d rows, want %d", path, len(page.Data), want)
		}
	}
	o := decoded[wire.Observation](t, h.get("/v1/observations/lf"))
	if o.PromptName != "greeting" || o.PromptVersion != "2" {
		t.Errorf("%q %q", o.PromptName, o.PromptVersion)
	}
}

// A trace is found by each column that it has by its observations.
func TestTracesByTheirObservations(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("1", "observation_create", `{"id":"o","trace_id":"t","name":"n","type":"generation","level":"ERROR","provider":"acme","error_type":"E","finish_reason":"stop","status_message":"no","service_tier":"flex","prompt_name":"p","prompt_version":"7"}`))
	h.settle()
	for _, term := range []string{"type:generation", "level:error", "provider:acme", "error_type:E", "finish_reason:stop", "message:no", "service_tier:flex", "prompt:p", "prompt_version:7"} {
		for _, list := range []string{"traces", "sessions", "users"} {
			if rep := h.get("/v1/" + list + "?filter=" + term); rep.status != 200 || list == "traces" && !strings.Contains(string(rep.body), `"id":"t"`) {
				t.Errorf("%s of %s: %d %s", term, list, rep.status, rep.body)
			}
		}
	}
}
