package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// sendAs sends as Langfuse's clients do: the key is the password.
func (h *house) sendAs(method, path, body string) reply {
	h.tb.Helper()
	var b []byte
	if body != "" {
		b = []byte(body)
	}
	auth := "Basic " + base64.StdEncoding.EncodeToString([]byte("pk-lf-1:"+h.key))
	return h.send(method, path, b, "X-API-Key", "", "Authorization", auth, "x_langfuse_sdk_name", "python", "x_langfuse_sdk_version", "2.60.10")
}

// A batch of Langfuse's clients: each event is a success or an error in the order in which it was sent, and a success
// again when the batch is sent again.
func TestLangfuseIngestion(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	body := `{"metadata":{"batch_size":7},"batch":[
		{"id":"1","type":"trace-create","timestamp":"2026-11-29T06:00:00Z","body":{"id":"t","name":"support","userId":"u","timestamp":"2026-11-28T06:00:00Z","metadata":{"nan":NaN}}},
		{"id":"2","type":"generation-create","timestamp":"2026-11-29T06:00:01Z","body":{"id":"g","traceId":"t","name":"ask","startTime":"2026-11-29T06:00:01Z","model":"m","input":"words of it","environment":"prod"}},
		{"id":"3","type":"made-up","body":{}},
		{"id":"4","type":"generation-update","timestamp":"2026-11-29T06:00:03Z","body":{"id":"g","traceId":"t","endTime":"2026-11-29T06:00:03Z","completionStartTime":"2026-11-29T06:00:02Z","usageDetails":{"input":20,"output":5,"cache_read_input_tokens":80}}},
		{"type":"trace-create","body":{}}, 7,
		{"id":"5","type":"score-create","timestamp":"2026-11-29T06:00:04Z","body":{"id":"c","traceId":"t","name":"q","value":1,"dataType":"BOOLEAN"}},
		{"id":"6","type":"trace-create","body":[]}]}`
	want := `{"successes":[{"id":"1","status":201},{"id":"2","status":201},{"id":"4","status":201},{"id":"5","status":201}],"errors":[` +
		`{"id":"3","status":400,"message":"Unknown type: …","error":"unknown_event_type"},{"id":"","status":400,"message":"Missing required field 'id': …","error":"missing_field"},` +
		`{"id":"","status":400,"message":"Invalid event format: …","error":"invalid_field"},{"id":"6","status":400,"message":"Invalid body: …","error":"invalid_payload"}]}`
	for range 2 {
		rep := h.sendAs("POST", "/api/public/ingestion", body)
		if got := shortened(t, rep.body); rep.status != 207 || got != want {
			t.Fatalf("%d %s\nwant %s", rep.status, got, want)
		}
	}
	h.settle()
	trace := string(h.get("/v1/traces/t").body)
	for _, part := range []string{
		`"name":"support"`, `"user_id":"u"`, `"observation_count":1`, `"prompt_tokens":100`, `"cache_read_tokens":80`, `"time_to_first_token_ms":1000`, `"latency_ms":2000`,
		`"start_time":"2026-11-28T06:00:00.000000Z"`, `"scores":{"q":1}`, `"door":"langfuse"`, `"sdk":"langfuse-python/2.60.10"`, `"environment":"prod"`, `"nan":null`,
	} {
		if !strings.Contains(trace, part) {
			t.Errorf("no %s in %s", part, trace)
		}
	}
	if found := string(h.get("/v1/traces?q=words").body); !strings.Contains(found, `"id":"t"`) {
		t.Errorf("its text is not found: %s", found)
	}
	checkReadBack(t, h)
}

// checkReadBack reads the trace through Langfuse's API.
func checkReadBack(t *testing.T, h *house) {
	for path, parts := range map[string][]string{
		"/api/public/traces/t": {`"userId":"u"`, `"type":"GENERATION"`, `"input":"words of it"`, `"usageDetails":{"cache_read_input_tokens":80,"input":20,"output":5,"total":105}`,
			`"latency":`, `"totalCost":0`, `"htmlPath":"/traces/t"`, `"stringValue":"True"`, `"completionStartTime":"2026-11-29T06:00:02.000000Z"`, `"timeToFirstToken":1`},
		"/api/public/v2/observations?traceId=t&type=GENERATION&fields=core,io": {`"traceId":"t"`, `"input":"words of it"`, `"meta":{"limit":50}`},
		"/api/public/v2/observations?level=ERROR":                              {`"data":[]`},
		"/api/public/v3/scores?name=q":                                         {`"value":true`, `"dataType":"BOOLEAN"`, `"source":"API"`, `"subject":{"kind":"trace","id":"t"}`},
		"/api/public/projects":                                                 {`{"data":[{"id":"one","name":"one","organization":{"id":"one","name":"one"},"metadata":{}}]}`},
		"/api/public/health":                                                   {`"status":"OK"`, `"version":"`},
	} {
		rep := h.sendAs("GET", path, "")
		for _, part := range parts {
			if rep.status != 200 || !strings.Contains(string(rep.body), part) {
				t.Errorf("%s: %d, no %s in %s", path, rep.status, part, rep.body)
			}
		}
	}
	for path, status := range map[string]int{
		"/api/public/traces/none": 404, "/api/public/traces": 404, "/api/public/prompts/p?label=x": 404, "/api/public/v2/observations?filter=[]": 400,
		"/api/public/v2/observations?traceId=a&traceId=b": 400, "/api/public/v3/scores?valueMin=1": 400, "/api/public/v2/observations?limit=none": 400,
	} {
		rep := h.sendAs("GET", path, "")
		var told struct{ Message string }
		if err := json.Unmarshal(rep.body, &told); err != nil || rep.status != status || told.Message == "" || rep.code(t) == "" {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
}

// shortened is an answer to a batch with no more of each message than its beginning.
func shortened(t *testing.T, body []byte) string {
	t.Helper()
	var a struct {
		Successes json.RawMessage `json:"successes"`
		Errors    []struct {
			ID      string `json:"id"`
			Status  int    `json:"status"`
			Message string `json:"message"`
			Error   string `json:"error"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for i := range a.Errors {
		begin, _, _ := strings.Cut(a.Errors[i].Message, ": ")
		a.Errors[i].Message = begin + ": …"
	}
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Bodies that are no batch, and empty ones.
func TestLangfuseBodies(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, c := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"ingestion", `{"batch":[]}`, 207, `{"successes":[],"errors":[]}`}, {"ingestion", `{}`, 400, `"batch is missing`}, {"ingestion", `[]`, 400, `"message":"the body must be`},
		{"ingestion", `{"batch":{}}`, 400, "invalid_field"}, {"ingestion", `{"batch":[`, 400, "invalid_json"}, {"ingestion", ``, 400, "invalid_json"},
		{"ingestion", "\uFEFF" + ` {"batch":[{"id":"b","type":"sdk-log","body":{"log":1}}]}`, 207, `{"successes":[{"id":"b","status":201}],"errors":[]}`},
		{"ingestion", `{"batch":[{"id":"no id","type":"sdk-log","body":{}}]}`, 207, `"errors":[{"id":"no id","status":400`},
		{"ingestion", `{"batch":[{"id":"` + strings.Repeat("x", 300) + `","type":"sdk-log","body":{}}]}`, 207, `"successes":[]`},
		{"scores", `[{"traceId":"t","name":"q","value":1},{"traceId":"t","name":"q","value":2}]`, 202, `{"message":"Accepted"}`},
		{"scores", `[{"traceId":"t","name":"q","value":1},{"traceId":"t","value":2}]`, 207, `{"accepted":1,"rejected":1,"errors":[{"message":"Missing required field 'name'`},
		{"scores", ` {"id":"mine","traceId":"t","name":"q","value":1}`, 202, `{"message":"Accepted","id":"mine"}`}, {"scores", `{"traceId":"t","name":"r","value":1}`, 202, `"id":"lfscore_`},
		{"scores", `{"traceId":"t","name":"q"}`, 400, `"message":"Missing required field 'value'`}, {"scores", `{"sessionId":"s","name":"q","value":1}`, 202, `"Accepted"`},
		{"scores", `7`, 400, "invalid_json"}, {"scores", `[7]`, 207, `"rejected":1`}, {"media", `{}`, 400, "sha256Hash"}, {"media", `{"sha256Hash":"AAAA"}`, 400, "sha256Hash"},
	} {
		rep := h.sendAs("POST", "/api/public/"+c.path, c.body)
		if rep.status != c.status || !strings.Contains(string(rep.body), c.says) {
			t.Errorf("%s %.60s: %d %s; want %d %s", c.path, c.body, rep.status, rep.body, c.status, c.says)
		}
	}
	if rep := h.sendAs("PATCH", "/api/public/media/x", `{}`); rep.status != 404 || !strings.Contains(string(rep.body), `{"message":`) {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if rep := h.sendAs("GET", "/api/public/ingestion", ""); rep.status != 405 || !strings.Contains(string(rep.body), `{"message":`) {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}

// A medium is refused with its id, in a way that no client sends again.
func TestLangfuseMedia(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	sum := sha256.Sum256([]byte("not really an image"))
	rep := h.sendAs("POST", "/api/public/media", fmt.Sprintf(`{"contentType":"image/png","contentLength":19,"sha256Hash":%q,"field":"input","traceId":"t"}`, base64.StdEncoding.EncodeToString(sum[:])))
	var told struct {
		MediaID   string
		UploadURL *string
		Message   string
	}
	if err := json.Unmarshal(rep.body, &told); err != nil || rep.status != 404 || rep.code(t) != codeMediaNotKept || told.UploadURL != nil ||
		told.MediaID != base64.RawURLEncoding.EncodeToString(sum[:])[:22] || told.Message == "" {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}

// The scores of Brokle's SDK since 0.4: what is sent again is a duplicate, and an error has no success.
func TestScoresOfSDK(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, c := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"", `{"trace_id":"t","name":"q","value":0.9,"type":"NUMERIC","source":"code"}`, 200, `"duplicate":false`},
		{"", `{"trace_id":"t","name":"q","value":0.9,"type":"NUMERIC","source":"code"}`, 200, `"duplicate":true`},
		{"", `{"id":"mine","trace_id":"t","name":"q","value":0.7}`, 200, `{"success":true,"data":{"id":"mine","duplicate":false}}`},
		{"", `{"name":"q","value":0.9}`, 400, `{"success":false,"error":{"code":"missing_field"`}, {"", `[]`, 400, `"success":false`}, {"", ``, 400, `"success":false`},
		{"/batch", `{"scores":[{"trace_id":"t","name":"q","value":0.9,"type":"NUMERIC","source":"code"},{"trace_id":"t","name":"r","value":1},{"trace_id":"t"}]}`, 200, `"created":1,"duplicates":1,"failed":1,"errors":[{"event_id":"score_`},
		{"/batch", `{"scores":[{"trace_id":"t"}]}`, 400, `"success":false`}, {"/batch", `{"scores":[]}`, 400, "empty_batch"}, {"/batch", `{}`, 400, "empty_batch"},
		{"/batch", `{"scores":{}}`, 400, "invalid_field"}, {"/batch", `{"scores":[` + strings.Repeat("{},", 1000) + `{}]}`, 413, "batch_too_large"},
	} {
		rep := h.send("POST", "/v1/scores"+c.path, []byte(c.body))
		if rep.status != c.status || !strings.Contains(string(rep.body), c.says) {
			t.Errorf("%s %.60s: %d %.300s; want %d %s", c.path, c.body, rep.status, rep.body, c.status, c.says)
		}
	}
	h.settle()
	if page := string(h.get("/v1/scores?name=q").body); strings.Count(page, `"name":"q"`) != 2 {
		t.Errorf("%s", page)
	}
}
