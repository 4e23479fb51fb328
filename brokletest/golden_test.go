package brokletest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/brokletest"
)

// golden compares an answer of the fake with the golden file of the real server.
func golden(t *testing.T, name string, resp *http.Response, headers ...string) []byte {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d\n", resp.StatusCode)
	for _, h := range append([]string{"Content-Type"}, headers...) {
		fmt.Fprintf(&out, "%s: %s\n", h, resp.Header.Get(h))
	}
	out.WriteByte('\n')
	if err := json.Indent(&out, body, "", "  "); err != nil {
		t.Fatalf("%s: %v in %s", name, err, body)
	}
	text := strings.TrimRight(out.String(), "\n") + "\n"
	for _, m := range [][2]string{ // what differs from run to run
		{`job_[0-9A-HJKMNP-TV-Z]{26}`, `job_JOB`},
		{`"batch_id": "[0-9A-HJKMNP-TV-Z]{26}"`, `"batch_id": "BATCH"`},
		{`"(created_at|completed_at|at)": "20[0-9T:.-]+Z"`, `"$1": "TIME"`},
	} {
		text = regexp.MustCompile(m[0]).ReplaceAllString(text, m[1])
	}
	want, err := os.ReadFile(filepath.Join("..", "internal", "server", "testdata", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	if text != strings.TrimRight(string(want), "\n")+"\n" {
		t.Errorf("%s: the fake does not answer as the server does; got:\n%s\nwant:\n%s", name, text, want)
	}
	return body
}

func event(id, typ, payload string) string {
	return fmt.Sprintf(`{"event_id":%q,"event_type":%q,"payload":%s,"timestamp":1700000000}`, id, typ, payload)
}

func TestAnswersAreThoseOfTheRealServer(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	send := func(method, path, key, body string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			req.Header.Set("X-API-Key", key)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	post := func(body string) *http.Response {
		return send("POST", "/v1/telemetry/batch", brokletest.Key, body)
	}
	get := func(path string) *http.Response { return send("GET", path, brokletest.Key, "") }

	first := event("ev-1", "trace_create", `{"name":"golden"}`)
	golden(t, "batch_200_one", post(`{"events":[`+first+`]}`), "Accept-Encoding", "X-Content-Type-Options")
	mixed := golden(t, "batch_200_mixed", post(`{"events":[`+strings.Join([]string{first,
		event("ev-2", "observation_create", `{"id":"obs-1","trace_id":"ev-1","name":"call"}`),
		event("ev-3", "quality_score_create", `{"trace_id":"ev-1","name":"quality","value":0.75}`),
		event("ev-4", "trace_create", `{}`), event("ev-5", "nonsense", `{}`)}, ",")+`]}`))
	golden(t, "batch_409", post(`{"events":[`+first+`,`+event("ev-9", "trace_create", `{"name":"n"}`)+`],"deduplication":{"fail_on_duplicate":true}}`))
	async := post(`{"async_mode":true,"events":[` + event("ev-6", "event_create", `{}`) + `]}`)
	location := async.Header.Get("Location")
	golden(t, "batch_202", async)
	golden(t, "job", get(location))
	var ids struct {
		BatchID string `json:"batch_id"`
	}
	if err := json.Unmarshal(mixed, &ids); err != nil {
		t.Fatal(err)
	}
	golden(t, "batch_receipt", get("/v1/telemetry/batch/"+ids.BatchID))
	golden(t, "event_stored", get("/v1/telemetry/events/ev-2"))
	golden(t, "event_failed", get("/v1/telemetry/events/ev-4"))
	golden(t, "error_400", post(`{"events":[]}`))
	golden(t, "error_401", send("GET", "/v1/telemetry/jobs/x", "", ""), "WWW-Authenticate")
	golden(t, "error_404", get("/v1/telemetry/jobs/absent"))
}
