package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// payloadCase is a payload that stands beside a good event in one batch.
type payloadCase struct {
	name, typ, payload string
	code               string // of its failure; "" when it is accepted, and then it comes back as sent
}

// payloadCases are made by code, so that each says what is wrong with it.
func payloadCases() []payloadCase {
	arrays := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	mixed := func(n int) string { return strings.Repeat(`{"a":[`, n) + strings.Repeat("]}", n) }
	in := func(v string) string { return `{"v":` + v + `}` }
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":%d`, i, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	const generic = "event_create"
	return []payloadCase{
		{"lists as deep as allowed", generic, in(arrays(63)), ""},
		{"lists one deeper", generic, in(arrays(64)), "payload_too_deep"},
		{"objects one deeper", generic, objects(65), "payload_too_deep"},
		{"100 000 lists", generic, in(arrays(100_000)), "payload_too_deep"},
		{"100 000 objects", generic, objects(100_000), "payload_too_deep"},
		{"100 000 objects and lists", generic, mixed(100_000), "payload_too_deep"},
		{"brackets in a string", generic, in(`"` + strings.Repeat(`[{\"`, 50_000) + `"`), ""},
		{"60 000 keys", generic, keys(60_000), ""},
		{"400 000 elements", generic, in("[" + strings.Repeat("0,", 400_000) + "0]"), ""},
		{"two million elements", generic, in("[" + strings.Repeat("0,", 2_000_000) + "0]"), "payload_too_large"},
		{"500 000 keys", generic, keys(500_000), "payload_too_large"},
		{"a key of 500 KiB", generic, `{"` + strings.Repeat("k", 500<<10) + `":1}`, ""},
		{"an empty key", generic, `{"":{"":[]}}`, ""},
		{"a number of 400 digits", generic, in(strings.Repeat("9", 400)), ""},
		{"a fraction of 400 digits", generic, in("0." + strings.Repeat("1", 400)), ""},
		{"1e400", generic, in("1e400"), ""}, {"-1E-400", generic, in("-1E-400"), ""}, {"an exponent of 100 digits", generic, in("1e" + strings.Repeat("9", 100)), ""},
		{"minus zero", generic, in("-0"), ""}, {"minus zero point zero", generic, in("-0.0e-0"), ""}, {"2^53+1", generic, in("9007199254740993"), ""},
		{"NUL, escaped", generic, in(`"a\u0000b"`), ""}, {"every escape", generic, in(`"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"`), ""},
		{"line and paragraph separators", generic, in("\"\u2028\u2029\""), ""}, {"a byte order mark in a string", generic, in("\"\ufeff\""), ""},
		{"control characters of a terminal, escaped", generic, in(`"\u001b[2J\u0007\u009b"`), ""},
		{"markup", generic, in(`"<script>alert(1)</script><img src=x onerror=alert(1)>"`), ""},
		{"half a surrogate pair", generic, in(`"\ud800"`), ""}, {"the other half", generic, in(`"\udc00"`), ""},
		{"a pair the wrong way round", generic, in(`"\udc00\ud800"`), ""}, {"half a pair as a key", generic, `{"\ud800":1}`, ""},
		{"a byte that is not UTF-8", generic, in("\"\xff\""), "invalid_payload"}, {"an overlong slash", generic, in("\"\xc0\xaf\""), "invalid_payload"},
		{"a surrogate in UTF-8", generic, in("\"\xed\xa0\x80\""), "invalid_payload"}, {"a code point above the last", generic, in("\"\xf4\x90\x80\x80\""), "invalid_payload"},
		{"half a character at the end", generic, in("\"a\xe2\x82\""), "invalid_payload"},
		{"the same key twice", generic, `{"a":1,"a":2}`, ""}, {"the same key twice, deep", generic, in(`[{"a":{"b":1,"b":1}}]`), ""},
		{"the same key twice, once escaped", generic, `{"a":1,"\u0061":2}`, ""},
		{"a list", generic, "[]", "invalid_payload"}, {"null", generic, "null", "missing_field"}, {"a string", generic, `"x"`, "invalid_payload"}, {"a number", generic, "1e3", "invalid_payload"},
		{"a name of another type", "trace_create", `{"name":{"a":1}}`, "invalid_field"}, {"a name of 1001 characters", "trace_create", `{"name":"` + strings.Repeat("n", 1001) + `"}`, "invalid_field"},
		{"an id with a NUL", "trace_create", `{"name":"n","id":"a\u0000b"}`, "invalid_field"},
		{"a user with a NUL", "trace_create", `{"name":"n","user_id":"\u0000"}`, ""}, {"a trace to update with a NUL", "trace_update", `{"id":"\u0000"}`, "invalid_field"},
		{"tokens of 1e400", "observation_create", `{"name":"n","trace_id":"t","total_tokens":1e400}`, ""},
		{"a cost of NaN", "observation_create", `{"name":"n","trace_id":"t","total_cost":"NaN"}`, ""},
		{"a cost of Infinity", "observation_create", `{"name":"n","trace_id":"t","total_cost":"Infinity"}`, ""},
		{"a cost of 1e999 in a string", "observation_create", `{"name":"n","trace_id":"t","total_cost":"1e999"}`, ""},
		{"a cost in hex", "observation_create", `{"name":"n","trace_id":"t","total_cost":"0x1p-2"}`, ""},
		{"a score of 1e400", "quality_score_create", `{"trace_id":"t","name":"s","value":1e400}`, "invalid_field"},
		{"a latency below zero", "observation_create", `{"name":"n","trace_id":"t","latency_ms":-1e300}`, ""},
	}
}

// Property 27, with what only code can make: every payload has a defined outcome, the
// event beside it is not touched, and what is accepted comes back byte for byte.
func TestPayloadCorpus(t *testing.T) {
	skipBulk(t)
	t.Parallel()
	h := open(t, setup{})
	sent := map[string]string{}
	for i, c := range payloadCases() {
		id, beside := fmt.Sprintf("corpus-%d", i), fmt.Sprintf("beside-%d", i)
		rep := h.send("POST", "/v1/telemetry/batch", batch(event(id, c.typ, c.payload), event(beside, "event_create", `{"beside":true}`)))
		if rep.status != 200 {
			t.Errorf("%s: %d %.200s", c.name, rep.status, rep.body)
			continue
		}
		res := checked(t, rep)
		got := ""
		if len(res.Errors) > 0 {
			got = res.Errors[0].Code
			if res.Errors[0].EventID != id {
				t.Errorf("%s: the event beside it failed: %+v", c.name, res.Errors)
			}
		}
		if got != c.code || res.ProcessedEvents+res.FailedEvents != 2 {
			t.Errorf("%s: %q, want %q: %.300s", c.name, got, c.code, rep.body)
		}
		if got == "" {
			sent[id] = c.payload
		}
		sent[beside] = `{"beside":true}`
	}
	for _, ev := range h.allEvents("limit=1000") {
		if want, ok := sent[ev.EventID]; !ok || string(ev.Payload) != want {
			t.Errorf("%s came back as %.100s, sent %.100s", ev.EventID, ev.Payload, want)
		}
		delete(sent, ev.EventID)
	}
	if len(sent) != 0 {
		t.Errorf("accepted, and not there: %v", sent)
	}
	h.settle()
	for _, path := range []string{"/v1/stats?metrics=count,cost,tokens,latency_p95", "/v1/stats?of=scores&metrics=count,score_avg:s", "/v1/traces?limit=1000", "/v1/observations?limit=1000", "/v1/scores"} {
		if rep := h.get(path); rep.status != 200 || !json.Valid(rep.body) {
			t.Errorf("%s: %d %.300s", path, rep.status, rep.body)
		}
	}
}

// Bodies that are not what they should be as a whole are refused as a whole.
func TestBodyCorpus(t *testing.T) {
	skipBulk(t)
	t.Parallel()
	h := open(t, setup{})
	fine := event("body-corpus", "event_create", `{}`)
	with := func(payload string) string { return string(batch(fine, event("x", "event_create", payload))) }
	many := func(n int, element string) string {
		return `{"events":[` + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + `]}`
	}
	for _, c := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"nothing", "", 400, "invalid_json"}, {"spaces", " \r\n\t", 400, "invalid_json"}, {"a byte order mark", "\ufeff" + string(batch(fine)), 200, ""}, {"two byte order marks", "\ufeff\ufeff" + string(batch(fine)), 400, "invalid_json"},
		{"UTF-16", "\xff\xfe{\x00}\x00", 400, "invalid_json"}, {"a comma at the end of a list", `{"events":[` + fine + `,]}`, 400, "invalid_json"},
		{"a comma at the end of an object", `{"events":[` + fine + `],}`, 400, "invalid_json"}, {"a comma too many", `{"events":[` + fine + `,,` + fine + `]}`, 400, "invalid_json"},
		{"garbage behind it", string(batch(fine)) + "x", 400, "invalid_json"}, {"another batch behind it", string(batch(fine)) + string(batch(fine)), 400, "invalid_json"},
		{"NUL behind it", string(batch(fine)) + "\x00", 400, "invalid_json"}, {"a comment", `{"events":[` + fine + `]/*c*/}`, 400, "invalid_json"},
		{"apostrophes", `{'events':[]}`, 400, "invalid_json"}, {"a key without quotes", `{events:[]}`, 400, "invalid_json"},
		{"NaN", with(`{"v":NaN}`), 200, ""}, {"Infinity", with(`{"v":-Infinity}`), 200, ""}, {"half of it", with(`{"v":Na}`), 400, "invalid_json"}, {"a leading zero", with(`{"v":01}`), 400, "invalid_json"},
		{"a plus", with(`{"v":+1}`), 400, "invalid_json"}, {"a point at the end", with(`{"v":1.}`), 400, "invalid_json"}, {"a point at the beginning", with(`{"v":.5}`), 400, "invalid_json"},
		{"hex", with(`{"v":0x10}`), 400, "invalid_json"}, {"an empty exponent", with(`{"v":1e}`), 400, "invalid_json"}, {"a bare line feed in a string", with("{\"v\":\"a\nb\"}"), 400, "invalid_json"},
		{"a bare NUL in a string", with("{\"v\":\"a\x00b\"}"), 400, "invalid_json"}, {"an escape cut short", with(`{"v":"\u12"}`), 400, "invalid_json"},
		{"an unknown escape", with(`{"v":"\x41"}`), 400, "invalid_json"}, {"True", with(`{"v":True}`), 400, "invalid_json"},
		{"100 000 open lists", strings.Repeat("[", 100_000), 400, "invalid_json"}, {"100 000 open objects", strings.Repeat(`{"events":`, 100_000), 400, "invalid_json"},
		{"100 000 open of both", `{"events":` + strings.Repeat(`[{"payload":`, 100_000), 400, "invalid_json"},
		{"a list", "[" + fine + "]", 400, "invalid_json"}, {"a string", `"events"`, 400, "invalid_json"},
		{"events in an object", `{"events":{"0":` + fine + `}}`, 400, "invalid_field"}, {"no events", `{"events":[]}`, 400, "empty_batch"},
		{"3 million numbers as events", many(3_000_000, "1"), 413, "batch_too_large"}, {"1001 events", many(1001, fine), 413, "batch_too_large"},
		{"900 000 keys beside the events", `{"events":[` + fine + `]` + strings.Repeat(`,"x":1`, 900_000) + `}`, 200, ""},
		{"events twice: the last counts", `{"events":[1,2],"events":[` + fine + `]}`, 200, ""},
		{"a ttl of 1e400", `{"events":[` + fine + `],"deduplication":{"ttl":1e400}}`, 400, "invalid_deduplication"},
		{"a ttl of 400 digits", `{"events":[` + fine + `],"deduplication":{"ttl":` + strings.Repeat("9", 400) + `}}`, 400, "invalid_deduplication"},
		{"an environment with CR LF", `{"events":[` + fine + `],"environment":"a\r\nb"}`, 400, "invalid_environment"},
	} {
		rep := h.send("POST", "/v1/telemetry/batch", []byte(c.body))
		if rep.status != c.status || c.code != "" && rep.code(t) != c.code {
			t.Errorf("%s: %d %.200s, want %d %s", c.name, rep.status, rep.body, c.status, c.code)
		}
		if rep.status == 200 {
			checked(t, rep)
		}
	}
}

// eventsIn counts the events of a body with another reader than the server's. Of keys that are there twice the last counts.
func eventsIn(t *testing.T, body []byte) int {
	t.Helper()
	var fields map[string]json.RawMessage // keys of a struct would be found whatever their case
	var events []json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	if err := json.Unmarshal(fields["events"], &events); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return len(events)
}

// A batch that is cut at any byte is refused whole; one with bytes changed has a defined answer
// that accounts for every event that is in it now (two changed bytes can make one valid event of
// two), and of each batch just the events are stored that its answer called processed.
func TestCutAndChangedBatches(t *testing.T) {
	skipBulk(t)
	t.Parallel()
	h := open(t, setup{})
	whole := []byte(`{"events":[` + event("cut-1", "trace_create", `{"id":"t","name":"é \"x\" \u0041","tags":["a",1e2,null,true]}`) + `,` +
		event("cut-2", "event_create", `{"n":-0.5e-3}`) + `],"environment":"test","metadata":{"a":[{}]},"deduplication":{"enabled":true,"ttl":60},"async_mode":false}`)
	for n := range len(whole) {
		if rep := h.send("POST", "/v1/telemetry/batch", whole[:n]); rep.status != 400 || rep.code(t) != "invalid_json" {
			t.Fatalf("cut at byte %d: %d %s", n, rep.status, rep.body)
		}
	}
	if n := h.stored(); n != 0 {
		t.Fatalf("%d events of refused batches are stored", n)
	}
	rnd := chance.Of(t)
	statuses := map[int]int{}
	told := map[string]int{} // how many events of a batch were called processed
	joined := bytes.Replace(bytes.Clone(whole), []byte(`},{"event_id"`), []byte(` , "event_id"`), 1)
	if n := eventsIn(t, joined); n != 1 {
		t.Fatalf("%d events in %q", n, joined)
	}
	for i := range chance.Rounds(500) {
		body := bytes.Clone(whole)
		for range 1 + rnd.IntN(3) {
			body[rnd.IntN(len(body))] = byte(rnd.IntN(256))
		}
		if i == 0 {
			body = joined
		}
		rep := h.send("POST", "/v1/telemetry/batch", body)
		statuses[rep.status]++
		switch rep.status {
		case 200:
			res := checked(t, rep)
			told[res.BatchID] = res.ProcessedEvents
			if want := eventsIn(t, body); res.ProcessedEvents+res.DuplicateEvents+res.FailedEvents != want {
				t.Errorf("%d events in %q: %s", want, body, rep.body)
			}
		case 400, 409, 413:
			rep.code(t)
		default:
			t.Fatalf("%q: %d %s", body, rep.status, rep.body)
		}
	}
	if statuses[200] == 0 || statuses[400] == 0 {
		t.Errorf("%v: this proves little", statuses)
	}
	ids := map[string]bool{}
	for _, ev := range h.allEvents("limit=1000") {
		told[ev.BatchID]--
		ids[ev.EventID] = true
	}
	for batch, missing := range told {
		if missing != 0 {
			t.Errorf("batch %s: %d events more were called processed than are stored", batch, missing)
		}
	}
	if got := h.stored(); got < int64(len(ids)) {
		t.Errorf("the warehouse has %d events, the log %d ids", got, len(ids))
	}
}
