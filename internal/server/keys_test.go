package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	theirs := h.newKey("two", "admin")
	rep := h.send("POST", "/v1/keys", []byte(`{"name":"worker","scopes":["ingest","read"]}`))
	made := decoded[newKeyRow](t, rep)
	if rep.status != 201 || !strings.HasPrefix(made.Key, "bk_") || !strings.HasPrefix(made.Key, made.Prefix) || len(made.Prefix) > 9 || made.Name != "worker" {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/traces", "X-API-Key", "", "X-API-Key", made.Key); rep.status != 200 {
		t.Errorf("the new key: %d %s", rep.status, rep.body)
	}
	list := h.get("/v1/keys")
	page := decoded[wire.Page[keyRow]](t, list)
	if len(page.Data) != 2 || page.Data[1].ID != made.ID || strings.Contains(string(list.body), made.Key) || strings.Contains(string(list.body), "hash") {
		t.Errorf("%s", list.body)
	}
	if rep := h.get("/v1/projects"); !strings.Contains(string(rep.body), `"one"`) || strings.Contains(string(rep.body), `"two"`) {
		t.Errorf("projects: %s", rep.body)
	}
	if rep := h.send("DELETE", "/v1/keys/"+made.ID, nil, "X-API-Key", "", "X-API-Key", theirs); rep.status != 404 {
		t.Errorf("another project revokes: %d %s", rep.status, rep.body)
	}
	for range 2 { // it stays revoked
		if rep := h.send("DELETE", "/v1/keys/"+made.ID, nil); rep.status != 204 {
			t.Errorf("revoke: %d %s", rep.status, rep.body)
		}
	}
	if rep := h.get("/v1/traces", "X-API-Key", "", "X-API-Key", made.Key); rep.status != 401 {
		t.Errorf("the revoked key: %d", rep.status)
	}
	if rep := h.send("DELETE", "/v1/keys/"+page.Data[0].ID, nil); rep.status != 409 || rep.code(t) != "last_admin_key" {
		t.Errorf("the last admin key: %d %s", rep.status, rep.body)
	}
	h.newKey("one", "admin")
	if rep := h.send("DELETE", "/v1/keys/"+page.Data[0].ID, nil); rep.status != 204 {
		t.Errorf("no longer the last one: %d %s", rep.status, rep.body)
	}
	if strings.Contains(h.logs.String(), made.Key) || strings.Contains(h.logs.String(), h.key) {
		t.Error("a secret is in the log")
	}
}

func TestKeysRefuse(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, body := range []string{``, `{`, `[]`, `{"name":"x"}`, `{"scopes":[]}`, `{"scopes":["root"]}`, `{"scopes":["read"],"project":"two"}`,
		`{"scopes":["read"]}{}`, `{"name":"` + strings.Repeat("x", 101) + `","scopes":["read"]}`, `{"name":"` + strings.Repeat("x", 5000) + `"}`} {
		if rep := h.send("POST", "/v1/keys", []byte(body)); rep.status != 400 {
			t.Errorf("%.60s: %d %s", body, rep.status, rep.body)
		}
	}
	reader := h.newKey("one", "read", "ingest")
	for _, r := range [][2]string{{"GET", "/v1/keys"}, {"POST", "/v1/keys"}, {"DELETE", "/v1/keys/x"}, {"GET", "/v1/projects"}, {"DELETE", "/v1/traces/x"}, {"DELETE", "/v1/users/x"}} {
		if rep := h.send(r[0], r[1], nil, "X-API-Key", "", "X-API-Key", reader); rep.status != 403 {
			t.Errorf("%v without admin: %d", r, rep.status)
		}
	}
	cookie := h.session(h.key)
	body := []byte(`{"scopes":["read"]}`)
	if rep := h.send("POST", "/v1/keys", body, "X-API-Key", "", "Cookie", cookie, "Origin", "http://elsewhere"); rep.status != 403 {
		t.Errorf("a session from elsewhere: %d", rep.status)
	}
	if rep := h.send("POST", "/v1/keys", body, "X-API-Key", "", "Cookie", cookie, "Origin", h.url); rep.status != 201 {
		t.Errorf("a session of the page: %d %s", rep.status, rep.body)
	}
	if got := len(h.keys.List()); got != 3 {
		t.Errorf("%d keys, want the two of the test and one of the page", got)
	}
}

// The audit agrees with what the answers said, for each project alone.
func TestAudit(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	before := time.Now().Add(-time.Hour)
	var processed, duplicate, failed, batches int64
	codes := map[string]int64{}
	for i := range 30 {
		answer := h.post(event(fmt.Sprint("e", i), "event_create", `{}`), event(fmt.Sprint("e", i/2), "event_create", `{}`),
			event(fmt.Sprint("bad", i), "nonsense", `{}`), event("", "event_create", `{}`))
		processed += int64(answer.ProcessedEvents)
		duplicate += int64(answer.DuplicateEvents)
		failed += int64(answer.FailedEvents)
		batches++
		for _, e := range answer.Errors {
			codes[e.Code]++
		}
	}
	two := h.newKey("two", "read", "ingest")
	h.send("POST", "/v1/telemetry/batch", batch(event("other", "nonsense", `{}`)), "X-API-Key", "", "X-API-Key", two)
	h.settle()
	rep := h.get("/v1/telemetry/audit")
	a := decoded[audit](t, rep)
	if a.Processed != processed || a.Duplicate != duplicate || a.Failed != failed || a.Batches != batches || processed+duplicate+failed != 120 {
		t.Errorf("%s; counted %d %d %d", rep.body, processed, duplicate, failed)
	}
	if a.Dedup != "local" || a.BacklogEvents != 0 || a.PendingJobs != 0 || a.QuarantinedEvents != 0 || a.Since.Before(before) {
		t.Errorf("%s", rep.body)
	}
	if len(a.Failures) != len(codes) || len(codes) != 2 {
		t.Errorf("%d codes, want %v", len(a.Failures), codes)
	}
	for _, f := range a.Failures {
		if f.Count != codes[f.Code] || len(f.Last) != 20 {
			t.Errorf("%s: %d of %d, %d examples", f.Code, f.Count, codes[f.Code], len(f.Last))
		}
		if f.Code == "unknown_event_type" {
			last := f.Last[19]
			if last.EventID != "bad29" || last.EventType != "nonsense" || last.BatchID == "" || last.Time.IsZero() || last.Error == "" {
				t.Errorf("%+v", last)
			}
		}
	}
	if stored := h.stored(); stored != a.Processed {
		t.Errorf("%d stored, %d in the audit", stored, a.Processed)
	}
	theirs := decoded[audit](t, h.get("/v1/telemetry/audit", "X-API-Key", "", "X-API-Key", two))
	if theirs.Processed != 0 || theirs.Failed != 1 || theirs.Failures[0].Last[0].EventID != "other" {
		t.Errorf("%+v", theirs)
	}
	h.newKey("three", keyring.ScopeRead)
	none := h.get("/v1/telemetry/audit", "X-API-Key", "", "X-API-Key", h.newKey("three", "read"))
	if !strings.Contains(string(none.body), `"failures":[]`) {
		t.Errorf("%s", none.body)
	}
}
