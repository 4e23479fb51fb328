package server

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Property 29: neither keys nor payloads are in logs, errors or metrics, at any log level, whatever goes wrong.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	var broken *faulty
	h := open(t, setup{log: holding(&broken)})
	const payload = "my-very-private-prompt"
	wrongKey := "bk_wrong_" + payload
	private := `{"name":"` + payload + `","` + payload + `":1}`
	var answers bytes.Buffer
	try := func(method, path string, body []byte, headers ...string) {
		t.Helper()
		rep := h.send(method, path, body, headers...)
		answers.Write(rep.body)
	}
	try("POST", "/v1/telemetry/batch", batch(event("s-1", "trace_create", private)))
	try("POST", "/v1/telemetry/batch", batch(event("s-2", "trace_create", `{"name":7,"x":"`+payload+`"}`), event("s-3", "trace_create", `["`+payload+`"]`)))
	try("POST", "/v1/telemetry/batch", []byte(`{"events":[{"payload":"`+payload+`"`))
	try("POST", "/v1/telemetry/batch", []byte(`{"events":[],"metadata":"`+payload+`"}`))
	try("POST", "/v1/telemetry/batch", []byte(`{"events":"`+payload+`"}`))
	try("POST", "/v1/telemetry/batch", []byte(payload), "Content-Encoding", "gzip")
	try("POST", "/v1/telemetry/batch", []byte(payload), "Content-Encoding", payload)
	try("POST", "/v1/telemetry/batch", batch(event("s-1", "trace_create", private)), "X-API-Key", "", "X-API-Key", wrongKey)
	try("POST", "/v1/telemetry/batch", batch(event("s-1", "trace_create", private)), "X-API-Key", "", "Authorization", "Bearer "+wrongKey)
	basic := base64.StdEncoding.EncodeToString([]byte("user:" + wrongKey))
	try("POST", "/v1/telemetry/batch", batch(event("s-1", "trace_create", private)), "X-API-Key", "", "Authorization", "Basic "+basic)
	right := base64.StdEncoding.EncodeToString([]byte("user:" + h.key))
	if rep := h.get("/v1/traces", "X-API-Key", "", "Authorization", "Basic "+right); rep.status != 200 {
		t.Errorf("the key as a password: %d %s", rep.status, rep.body)
	}
	try("GET", "/v1/"+payload, nil)
	try("GET", "/v1/traces?limit="+payload, nil)
	try("GET", "/v1/traces?from="+payload, nil)
	try("GET", "/v1/traces/"+payload, nil)
	broken.set(func(*store.Batch) error { return errors.New("disk") })
	try("POST", "/v1/telemetry/batch", batch(event("s-4", "trace_create", private)))
	broken.set(func(*store.Batch) error { panic(private) })
	if rep := h.send("POST", "/v1/telemetry/batch", batch(event("s-5", "trace_create", private))); rep.status != 500 || rep.code(t) != "internal" {
		t.Errorf("a panic below: %d %s", rep.status, rep.body)
	} else {
		answers.Write(rep.body)
	}
	broken.set(nil)
	metrics := h.get(h.ops + "/metrics").body
	for where, text := range map[string]string{"the logs": h.logs.String(), "an answer": answers.String(), "the metrics": string(metrics)} {
		for what, secret := range map[string]string{"a payload": payload, "the key": h.key, "a key": wrongKey, "a password": basic, "the password": right} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s:\n%s", what, where, text)
			}
		}
	}
	if !strings.Contains(h.logs.String(), "a handler panicked") {
		t.Error("the panic was not logged")
	}
	if res := h.post(event("s-5", "trace_create", private)); res.ProcessedEvents != 1 {
		t.Errorf("after the panic: %+v", res)
	}
}

// Property 29: a revoked key stops at once.
func TestRevokedKey(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	secret, key, err := h.keys.Create("one", "short-lived", []string{"read"})
	if err != nil {
		t.Fatal(err)
	}
	as := []string{"X-API-Key", "", "X-API-Key", secret}
	if rep := h.get("/v1/traces", as...); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if err := h.keys.Revoke(key.ID); err != nil {
		t.Fatal(err)
	}
	if rep := h.get("/v1/traces", as...); rep.status != 401 || rep.code(t) != "unauthorized" {
		t.Errorf("revoked: %d %s", rep.status, rep.body)
	}
}
