package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// One row per row of the batch table of the wire contract, and more of each: a
// body, and the status and code of the envelope, or the three counts of a 200.
func TestBatchTable(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	n := 0
	ok := func() string { // a good event with an id of its own
		n++
		return event(fmt.Sprintf("ok-%d", n), "event_create", `{}`)
	}
	many := func(k int) string {
		out := make([]string, k)
		for i := range out {
			out[i] = ok()
		}
		return strings.Join(out, ",")
	}
	typed := func(typ, payload string) string {
		n++
		return event(fmt.Sprintf("t-%d", n), typ, payload)
	}
	stamped := func(ts string) string {
		n++
		return fmt.Sprintf(`{"event_id":"s-%d","event_type":"event_create","payload":{},"timestamp":%s}`, n, ts)
	}
	with := func(rest string) string { return `{"events":[` + ok() + `],` + rest + `}` }
	list := func(events string) string { return `{"events":[` + events + `]}` }
	type row struct {
		name, body string
		status     int
		code       string // of the envelope, or of the only failed event of a 200
		counts     [3]int // processed, duplicate, failed
	}
	good := func(name, body string, processed int) row { return row{name, body, 200, "", [3]int{processed, 0, 0}} }
	bad := func(name, body string, status int, code string) row {
		return row{name: name, body: body, status: status, code: code}
	}
	failed := func(name, ev, code string) row { return row{name, list(ok() + "," + ev), 200, code, [3]int{1, 0, 1}} }
	rows := []row{
		good("1 event", list(ok()), 1), good("1000 events", list(many(1000)), 1000),
		bad("no events", `{"events":[]}`, 400, "empty_batch"), bad("events absent", `{}`, 400, "empty_batch"),
		bad("events null", `{"events":null}`, 400, "empty_batch"), bad("1001 events", list(many(1001)), 413, "batch_too_large"),
		bad("events an object", `{"events":{}}`, 400, "invalid_field"),
		bad("not JSON", `{"events":[`, 400, "invalid_json"), bad("empty", ``, 400, "invalid_json"), bad("a list", `[]`, 400, "invalid_json"),
		bad("two values", list(ok())+"{}", 400, "invalid_json"),

		good("id of 26 hex", list(event("0123456789ABCDEF0123456789", "event_create", `{}`)), 1),
		good("id beyond ULID time", list(event("FEDCBA9876543210FEDCBA9876", "event_create", `{}`)), 1),
		good("id prefixed", list(event("evt_prefixed:1/x", "event_create", `{}`)), 1),
		good("id of 128", list(event(strings.Repeat("x", 128), "event_create", `{}`)), 1),
		{"ids differ by case", list(event("Case", "event_create", `{}`) + "," + event("case", "event_create", `{}`)), 200, "", [3]int{2, 0, 0}},
		failed("id of 129", event(strings.Repeat("x", 129), "event_create", `{}`), "invalid_event_id"),
		failed("id empty", event("", "event_create", `{}`), "missing_field"),
		failed("id with space", event("a b", "event_create", `{}`), "invalid_event_id"),
		failed("id not ASCII", event("ä", "event_create", `{}`), "invalid_event_id"),
		failed("id a number", `{"event_id":7,"event_type":"event_create","payload":{}}`, "invalid_event_id"),
		failed("id absent", `{"event_type":"event_create","payload":{}}`, "missing_field"),
		failed("event a string", `"event"`, "invalid_field"), failed("event null", `null`, "invalid_field"),

		good("trace_create", list(typed("trace_create", `{"name":"n"}`)), 1), good("trace_update", list(typed("trace_update", `{"id":"x"}`)), 1),
		good("observation_create", list(typed("observation_create", `{"trace_id":"x","name":"n"}`)), 1),
		good("observation_update", list(typed("observation_update", `{"id":"x"}`)), 1),
		good("observation_complete", list(typed("observation_complete", `{"id":"x"}`)), 1),
		good("quality_score_create", list(typed("quality_score_create", `{"trace_id":"x","name":"q","value":1}`)), 1),
		good("quality_score_update", list(typed("quality_score_update", `{"id":"x","value":"0.5"}`)), 1),
		good("short types", list(typed("trace", `{"name":"n"}`)+","+typed("observation", `{"trace_id":"x","name":"n"}`)+","+
			typed("quality_score", `{"observation_id":"x","score_name":"q","score_value":"good"}`)+","+typed("event", `{}`)), 4),
		failed("type unknown", typed("trace_delete", `{}`), "unknown_event_type"), failed("type in capitals", typed("TRACE_CREATE", `{"name":"n"}`), "unknown_event_type"),
		failed("type absent", `{"event_id":"nt","payload":{}}`, "missing_field"),
		failed("name missing", typed("trace_create", `{}`), "missing_field"), failed("score without value", typed("quality_score_create", `{"trace_id":"x","name":"q"}`), "missing_field"),

		failed("payload absent", `{"event_id":"np","event_type":"event_create"}`, "missing_field"),
		failed("payload a list", typed("event_create", `[]`), "invalid_payload"), failed("payload a string", typed("event_create", `"{}"`), "invalid_payload"),
		failed("payload not UTF-8", typed("event_create", "{\"a\":\"\xff\"}"), "invalid_payload"),
		failed("payload of 65 levels", typed("event_create", nested(65)), "payload_too_deep"), good("payload of 64 levels", list(typed("event_create", nested(64))), 1),
		failed("payload over 1 MiB", typed("event_create", `{"a":"`+strings.Repeat("x", 1<<20)+`"}`), "payload_too_large"),

		good("timestamps", list(stamped(`1677610602`)+","+stamped(`1677610602.25`)+","+stamped(`1677610602123`)+","+stamped(`1677610602123456`)+","+
			stamped(`1677610602123456789`)+","+stamped(`"2023-02-28T18:56:42Z"`)+","+stamped(`"2023-02-28T18:56:42.5+02:00"`)+","+stamped(`null`)), 8),
		good("timestamps that are none", list(stamped(`"yesterday"`)+","+stamped(`-1`)+","+stamped(`{}`)+","+stamped(`NaN`)+","+stamped(`"0001-01-01T00:00:00Z"`)), 5),
		good("a byte-order mark", "\uFEFF"+list(ok()), 1), bad("a mark alone", "\uFEFF", 400, "invalid_json"),
		good("numbers that are none", list(typed("trace_create", `{"name":"n","metadata":{"a":NaN,"b":[-Infinity,Infinity]}}`)+","+ok()), 2),
		bad("a word that is no number", list(typed("trace_create", `{"name":"n","metadata":{"a":nan}}`)), 400, "invalid_json"),

		good("environment", with(`"environment":"prod-1.eu_x"`), 1), good("environment null", with(`"environment":null`), 1),
		bad("environment in capitals", with(`"environment":"Prod"`), 400, "invalid_environment"), bad("environment ours", with(`"environment":"brokle-x"`), 400, "invalid_environment"),
		bad("environment of 41", with(`"environment":"`+strings.Repeat("a", 41)+`"`), 400, "invalid_environment"),
		bad("environment a number", with(`"environment":1`), 400, "invalid_environment"),
		good("metadata", with(`"metadata":{"any":"object"}`), 1), good("unknown field", with(`"colour":"red"`), 1),

		good("deduplication", with(`"deduplication":{"enabled":true,"ttl":3600,"use_redis_cache":false,"fail_on_duplicate":false}`), 1),
		good("deduplication null", with(`"deduplication":null`), 1), good("ttl 60", with(`"deduplication":{"ttl":60}`), 1), good("ttl 86400", with(`"deduplication":{"ttl":86400}`), 1),
		bad("ttl 59", with(`"deduplication":{"ttl":59}`), 400, "invalid_deduplication"), bad("ttl 86401", with(`"deduplication":{"ttl":86401}`), 400, "invalid_deduplication"),
		bad("ttl a word", with(`"deduplication":{"ttl":"long"}`), 400, "invalid_deduplication"), bad("deduplication a list", with(`"deduplication":[]`), 400, "invalid_deduplication"),
		{"twice inside", list(event("twin", "event_create", `{}`) + "," + event("twin", "event_create", `{}`)), 200, "", [3]int{1, 1, 0}},
		{"twice inside, no dedup", `{"events":[` + event("tw2", "event_create", `{}`) + "," + event("tw2", "event_create", `{}`) + `],"deduplication":{"enabled":false}}`, 200, "", [3]int{2, 0, 0}},
		bad("twice inside, fail", `{"events":[`+event("tw3", "event_create", `{}`)+","+event("tw3", "event_create", `{}`)+`],"deduplication":{"fail_on_duplicate":true}}`, 409, "duplicate_events"),
		{"async", with(`"async_mode":true`), 202, "", [3]int{}}, {"async by its other name", with(`"async":true`), 202, "", [3]int{}},
		bad("async a word", with(`"async_mode":"yes"`), 400, "invalid_field"),
		{"all failed", list(typed("x", `{}`) + "," + typed("y", `{}`)), 200, "unknown_event_type", [3]int{0, 0, 2}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			rep := h.send("POST", "/v1/telemetry/batch", []byte(r.body))
			if rep.status != r.status {
				t.Fatalf("%d, want %d: %.300s", rep.status, r.status, rep.body)
			}
			if rep.status >= 300 {
				if got := rep.code(t); got != r.code {
					t.Errorf("code %q, want %q", got, r.code)
				}
				return
			}
			res := checked(t, rep)
			if got := [3]int{res.ProcessedEvents, res.DuplicateEvents, res.FailedEvents}; got != r.counts {
				t.Errorf("counts %v, want %v: %.300s", got, r.counts, rep.body)
			}
			if r.code != "" && (len(res.Errors) == 0 || res.Errors[0].Code != r.code) {
				t.Errorf("errors %+v, want %q", res.Errors, r.code)
			}
			if (rep.status == http.StatusAccepted) != (res.JobID != "" && rep.header.Get("Location") == "/v1/telemetry/jobs/"+res.JobID) {
				t.Errorf("job %q at %q with a %d", res.JobID, rep.header.Get("Location"), rep.status)
			}
		})
	}
}

// checked is the answer of a batch that was processed, with what must hold of every one.
func checked(t *testing.T, rep reply) wire.BatchResponse {
	t.Helper()
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(rep.body, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"batch_id", "processed_events", "duplicate_events", "failed_events", "processing_time_ms", "errors", "duplicate_event_ids"} {
		if v := string(keys[key]); v == "" || v == "null" {
			t.Errorf("%s is %q", key, v)
		}
	}
	res := decoded[wire.BatchResponse](t, rep)
	if len(res.Errors) != res.FailedEvents || len(res.DuplicateEventIDs) != res.DuplicateEvents || res.ProcessingTimeMS < 0 || res.BatchID == "" {
		t.Errorf("lists and counts differ: %.300s", rep.body)
	}
	for _, e := range res.Errors {
		begins := false
		for _, s := range []string{"Missing required field '", "Invalid ", "Unknown event_type '", "Payload too large"} {
			begins = begins || strings.HasPrefix(e.Message, s)
		}
		if !begins || e.Code == "" || e.Details == "" {
			t.Errorf("an error that the contract does not know: %+v", e)
		}
	}
	return res
}

// nested is an object of n levels.
func nested(n int) string {
	return strings.Repeat(`{"a":`, n-1) + `{}` + strings.Repeat(`}`, n-1)
}

func TestEnvironmentBodyBeatsHeader(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	one := func(name, env string, headers ...string) {
		t.Helper()
		body := `{"events":[` + event(name, "trace_create", `{"name":"`+name+`"}`) + `]` + env + `}`
		if rep := h.send("POST", "/v1/telemetry/batch", []byte(body), headers...); rep.status != 200 {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
	one("both", `,"environment":"body"`, "X-Environment", "header")
	one("header", ``, "X-Environment", "header")
	one("none", ``)
	if rep := h.send("POST", "/v1/telemetry/batch", batch(event("bad", "event_create", `{}`)), "X-Environment", "Not Good"); rep.status != 400 || rep.code(t) != "invalid_environment" {
		t.Errorf("a bad header: %d %s", rep.status, rep.body)
	}
	h.settle()
	for name, want := range map[string]string{"both": "body", "header": "header", "none": "default"} {
		page := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?name="+name))
		if len(page.Data) != 1 || page.Data[0].Environment != want {
			t.Errorf("%s: %+v", name, page.Data)
		}
	}
}
