package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// someKey makes a key of project one, and gives its secret and its id.
func (h *house) someKey(name string, scopes ...string) (secret, id string) {
	h.tb.Helper()
	secret, key, err := h.keys.Create("one", name, scopes)
	if err != nil {
		h.tb.Fatal(err)
	}
	return secret, key.ID
}

// groups are the rows of statistics by their key_id; "null" is that of no key.
func (h *house) groups(query string) map[string]wire.StatRow {
	h.tb.Helper()
	rows := map[string]wire.StatRow{}
	for _, row := range decoded[wire.Page[wire.StatRow]](h.tb, h.get("/v1/stats?group_by=key_id&"+query)).Data {
		name := "null"
		if id, _ := row["key_id"].(string); id != "" {
			name = id
		}
		rows[name] = row
	}
	return rows
}

// Whichever door an event comes by, in one request or as a job, what it becomes says which key brought it: in memory, after a
// restart, and when the warehouse is built again from the log.
func TestEveryDoorSaysTheKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, setup{dir: dir})
	mine, id := h.someKey("checkout", "ingest")
	as := []string{"X-API-Key", "", "X-API-Key", mine}
	post := func(path, body string, headers ...string) {
		t.Helper()
		if rep := h.send("POST", path, []byte(body), headers...); rep.status/100 != 2 {
			t.Fatalf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	call := func(id string) string {
		return event(id, "observation_create", `{"id":"`+id+`","trace_id":"t-`+id+`","name":"n","type":"llm","key_id":"key_ffffffffffffffff"}`)
	}
	post("/v1/telemetry/batch", string(batch(call("plain"))), as...)
	post("/v1/telemetry/batch", `{"async_mode":true,"events":[`+call("job")+`]}`, as...)
	post("/api/v1/telemetry/bulk", `{"timestamp":1700000000,"telemetry":[{"type":"span","span_id":"bulk","name":"n"}]}`, as...)
	post("/v1/traces", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+span(9, 9, "n", "", "")+`]}]}]}`, as...)
	post("/api/public/ingestion", `{"batch":[{"id":"lf","type":"generation-create","timestamp":"2026-11-29T06:00:01Z","body":{"id":"langfuse","traceId":"t-lf","name":"ask"}}]}`,
		"X-API-Key", "", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("pk:"+mine)))
	post("/v1/scores", `{"id":"score","trace_id":"t-plain","name":"q","value":1,"type":"NUMERIC"}`, as...)
	h.post(call("another")) // by another key of the project
	h.until("the job is done", func() bool {
		h.settle()
		return len(h.groups("metrics=count")) == 2 && h.groups("metrics=count")[id]["count"] == 5.0
	})

	check := func(what string) {
		t.Helper()
		h.settle()
		seen := map[string]bool{}
		for _, o := range decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?key_id="+id)).Data {
			if o.KeyID != id {
				t.Errorf("%s: %s was brought by %q", what, o.ID, o.KeyID)
			}
			seen[o.ID] = true
		}
		if len(seen) != 5 || !seen["plain"] || !seen["job"] || !seen["bulk"] || !seen["langfuse"] || !seen[spanID(9)] {
			t.Errorf("%s: %v", what, seen)
		}
		if all := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations")).Data; len(all) != 6 {
			t.Errorf("%s: %d observations", what, len(all))
		}
		for of, n := range map[string]float64{"observations": 5, "traces": 4, "scores": 1, "events": 6} {
			if got := h.groups("metrics=count&of=" + of)[id]["count"]; got != n {
				t.Errorf("%s: of %s %v, want %v", what, of, got, n)
			}
		}
		for path, n := range map[string]int{"/v1/scores": 1, "/v1/traces": 4, "/v1/telemetry/events": 6} {
			rows := decoded[wire.Page[json.RawMessage]](t, h.get(path+"?key_id="+id)).Data
			if len(rows) != n || !strings.Contains(string(rows[0]), `"key_id":"`+id+`"`) {
				t.Errorf("%s: %s has %d rows: %s", what, path, len(rows), rows)
			}
		}
		var o wire.Observation
		if err := json.Unmarshal(h.get("/v1/observations/plain").body, &o); err != nil || o.KeyID != id {
			t.Errorf("%s: alone it says %q, %v", what, o.KeyID, err)
		}
		if tr := h.trace("t-plain"); tr.KeyID != id || len(tr.Observations) != 1 || tr.Observations[0].KeyID != id {
			t.Errorf("%s: in its trace: %q", what, tr.KeyID)
		}
	}
	check("at once")
	h.close()
	h = open(t, setup{dir: dir})
	check("after a restart")
	h.close()
	if err := os.Remove(filepath.Join(dir, "warehouse.duckdb")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "warehouse.duckdb.wal")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	h = open(t, setup{dir: dir})
	check("built again")
	// Who adds to what another key brought does not make it their own; what is erased counts for nobody.
	h.post(event("later", "observation_update", `{"id":"plain","trace_id":"t-plain","total_cost":4}`))
	check("after another key's update")
	if rep := h.send("DELETE", "/v1/traces/t-job", nil); rep.status/100 != 2 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	h.until("the trace is erased", func() bool { h.settle(); return h.groups("metrics=count")[id]["count"] == 4.0 })
	if rows := decoded[wire.Page[json.RawMessage]](t, h.get("/v1/telemetry/events?key_id="+id)).Data; len(rows) != 5 {
		t.Errorf("%d events are left", len(rows))
	}
	data, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if err != nil || strings.Contains(string(data), mine) {
		t.Errorf("the secret is in the file: %v", err)
	}
}

// A budget of a key counts what that key brought, whatever else its project spends: over the stop level the page, /metrics and the
// log say so and nothing is refused; a revoked key's budget goes on.
func TestBudgetsOfKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 15, 20, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	dir := t.TempDir()
	h := open(t, setup{dir: dir, now: clock})
	one, oneID := h.someKey("checkout", "ingest")
	two, twoID := h.someKey("", "ingest")
	_, other, err := h.keys.Create("two", "elsewhere", []string{"ingest"})
	if err != nil {
		t.Fatal(err)
	}
	at := now.Format(time.RFC3339Nano)
	post := func(secret string, events ...string) {
		t.Helper()
		if rep := h.send("POST", "/v1/telemetry/batch", batch(events...), "X-API-Key", "", "X-API-Key", secret); rep.status != 200 {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
	post(one, spent("a", "u1", "m1", at, "1.5"), spent("b", "u1", "m2", at, ""))
	post(two, spent("c", "u1", "m1", at, "0.25"))
	h.post(spent("d", "u1", "m1", at, "100"))
	h.settle()
	set := func(body string) reply { return h.send("PUT", "/v1/budgets", []byte(body)) }
	list := fmt.Sprintf(`[{"name":"one","period":"day","key_id":%q,"warn":1,"stop":1.5},{"name":"two","period":"month","key_id":%q,"stop":1},{"name":"narrow","period":"day","model":"m2","key_id":%[1]q,"stop":1}]`, oneID, twoID)
	if rep := set(list); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	check := func(what string, h *house) {
		t.Helper()
		got := h.statusOf(h.key)
		for name, want := range map[string]struct {
			usd           float64
			unpriced      int64
			reached, key  string
			keyName, mine string
		}{"one": {1.5, 1, "stop", oneID, "checkout", one}, "two": {0.25, 0, "", twoID, "", two}, "narrow": {0, 1, "", oneID, "checkout", one}} {
			s := got[name]
			if s.Spend == nil || *s.Spend != want.usd || s.Unpriced != want.unpriced || s.Reached != want.reached || s.KeyID != want.key || s.KeyName != want.keyName {
				t.Errorf("%s: %s: %+v, want %+v", what, name, s, want)
			}
			params := url.Values{"metrics": {"cost,unpriced_count"}, "from": {s.Start.Format(time.RFC3339Nano)}, "to": {s.End.Format(time.RFC3339Nano)}, "key_id": {want.key}}
			if s.Model != "" {
				params.Set("model", s.Model)
			}
			row := decoded[wire.Page[wire.StatRow]](t, h.get("/v1/stats?"+params.Encode())).Data[0]
			if cost, _ := row["cost"].(float64); cost != *s.Spend {
				t.Errorf("%s: %s: statistics say %v", what, name, row)
			}
		}
		series := h.scrape()
		for line, want := range map[string]float64{
			`brokle_budget_spend_usd{budget="one",project="one"}`: 1.5, `brokle_budget_over{budget="one",project="one"}`: 1, `brokle_budget_over{budget="two",project="one"}`: 0,
			`brokle_budget_key{budget="one",key_id="` + oneID + `",key_name="checkout",project="one"}`: 1,
		} {
			if is, there := series[line]; !there || is != want {
				t.Errorf("%s: %s is %v (%v), want %v", what, line, is, there, want)
			}
		}
	}
	check("at once", h)
	post(one, event("over", "trace_create", `{"id":"over","name":"still taken"}`))
	if err := h.keys.Revoke(oneID); err != nil {
		t.Fatal(err)
	}
	check("revoked", h)
	if rep := set(list); rep.status != 200 {
		t.Errorf("a budget of a revoked key is refused: %s", rep.body)
	}
	h.close()
	again := open(t, setup{dir: dir, now: clock})
	check("after a restart", again)
	h = again
	for body, says := range map[string]string{
		fmt.Sprintf(`[{"name":"x","period":"day","key_id":%q,"stop":1}]`, other.ID): "budget 1 (x), key_id: the project has no key of this id",
		fmt.Sprintf(`[{"name":"x","period":"day","key_id":%q,"stop":1}]`, two):      "budget 1 (x), key_id: the project has no key of this id",
		`[{"name":"x","period":"day","key_id":"","stop":1}]`:                        "budget 1 (x), key_id: must be a text of 1 to",
		`[{"name":"x","period":"day","key":"checkout","stop":1}]`:                   "a budget of a key has key_id",
	} {
		if rep := set(body); rep.status != 400 || !strings.Contains(string(rep.body), says) || strings.Contains(string(rep.body), two) {
			t.Errorf("%d %s, want %s", rep.status, rep.body, says)
		}
	}
	if got := decoded[budgetList](t, h.get("/v1/budgets")).Budgets; len(got) != 3 {
		t.Errorf("%+v", got)
	}
	// What is erased was not spent.
	if rep := h.send("DELETE", "/v1/traces/t-u1", nil); rep.status/100 != 2 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	h.until("the trace is erased", func() bool { h.settle(); return h.groups("metrics=cost")[oneID] == nil })
	if rep := set(strings.Replace(list, `"warn":1,`, "", 1)); rep.status != 200 {
		t.Fatalf("%s", rep.body)
	}
	h.until("it is looked at again", func() bool {
		s := decoded[budgetList](t, h.get("/v1/budgets")).Status
		return len(s) == 3 && s[0].Spend != nil && *s[0].Spend == 0
	})
	var file struct{ Version int }
	raw, err := os.ReadFile(filepath.Join(dir, "budgets.json"))
	if err != nil || json.Unmarshal(raw, &file) != nil || file.Version != 2 {
		t.Errorf("the file has version %d: %v", file.Version, err)
	}
}
