package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// span is a span in OTLP's JSON. Its ids are n in hex; more are further members, each with a comma before it.
func span(trace, n int, name, attributes, more string) string {
	return fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","name":%q,"kind":3,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001000000000","attributes":[%s]%s}`,
		trace, n, name, attributes, more)
}

// attr is an attribute in OTLP's JSON; the value is an AnyValue.
func attr(key, value string) string { return fmt.Sprintf(`{"key":%q,"value":%s}`, key, value) }

// says is an attribute that is a text.
func says(key, text string) string { return attr(key, fmt.Sprintf(`{"stringValue":%q}`, text)) }

// exportJSON sends spans or log records, of a resource with these attributes, and expects that all are taken.
func (h *house) exportJSON(signal, resource string, items ...string) {
	h.tb.Helper()
	names := map[string][3]string{"traces": {"resourceSpans", "scopeSpans", "spans"}, "logs": {"resourceLogs", "scopeLogs", "logRecords"}}[signal]
	body := fmt.Sprintf(`{%q:[{"resource":{"attributes":[%s]},%q:[{"scope":{"name":"test.scope"},%q:[%s]}]}]}`, names[0], resource, names[1], names[2], strings.Join(items, ","))
	if rep := h.send("POST", "/v1/"+signal, []byte(body)); rep.status != http.StatusOK || string(rep.body) != "{}" {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
}

// spanID is the id of span n.
func spanID(n int) string { return fmt.Sprintf("%016x", n) }

// found are the numbers of the observations that a list has.
func found(t *testing.T, h *house, query string) string {
	t.Helper()
	var numbers []string
	for _, id := range ids(t, h.get("/v1/observations?"+query)) {
		numbers = append(numbers, strings.TrimLeft(id, "0"))
	}
	slices.Sort(numbers)
	return strings.Join(numbers, " ")
}

const sentPrompt = `[{\"role\":\"user\",\"content\":\"Erste Zeile\\nZweite: caf\\u00e9 \\\"Straße\\\" 注文は明日\"},{\"role\":\"tool\",\"parts\":[{\"arguments\":\"{\\\"city\\\":\\\"Bogotá\\\"}\"}]}]`

// What a span says is searched as what our own events say: in attributes, also in JSON that lies in a
// text, in events, in the status and in log records; what the protocol's form is made of is not.
func TestSearchSpans(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.exportJSON("traces", says("service.name", "checkout"),
		span(1, 1, "chat gpt-4o", attr("gen_ai.input.messages", `{"stringValue":"`+sentPrompt+`"}`)+","+attr("gen_ai.usage.input_tokens", `{"intValue":"4711"}`), ""),
		span(1, 2, "tool call", attr("list", `{"arrayValue":{"values":[{"stringValue":"alpha beta"},{"kvlistValue":{"values":[{"key":"hidden","value":{"stringValue":"gamma"}}]}}]}}`), ""),
		span(2, 3, "plain", says("log.line", "[INFO] started {twice}")+","+attr("cut", `{"stringValue":"[{\"role\":\"user\",\"content\":\"half of a sent"}`), ""),
		span(2, 4, "events", "", `,"events":[{"timeUnixNano":"1","name":"exception","attributes":[`+says("exception.message", "connection refused")+`]}],"status":{"code":2,"message":"gave up"}`),
		span(3, 5, "old names", `{"key":"k","value":{"string_value":"snake"}}`, ""))
	h.exportJSON("logs", "", fmt.Sprintf(`{"timeUnixNano":"1700000000000000000","traceId":"%032x","spanId":"%016x","eventName":"gen_ai.choice","body":{"kvlistValue":{"values":[{"key":"message","value":{"stringValue":"logged answer"}}]}}}`, 3, 5))
	h.post(event("own", "observation_create", `{"id":"own","trace_id":"t","name":"own","input":[{"role":"user","content":"Erste Zeile\nZweite: caf\u00e9 \"Straße\" 注文は明日"}]}`))
	h.settle()
	for query, want := range map[string]string{
		"zeile": "1 own", "zweite": "1 own", "cafe": "1 own", "STRASSE": "1 own", "明日": "1 own", `"erste zeile zweite"`: "1 own", "user": "1 3 own",
		"gpt": "1", "4711": "1", "bogota": "1", "alpha": "2", `"alpha beta"`: "2", `"beta gamma"`: "", "gamma": "2",
		"info": "3", `"started twice"`: "3", "half": "3", "sent": "3", "exception": "4", `"connection refused"`: "4", `"gave up"`: "4",
		"snake": "5", `"logged answer"`: "5", "choice": "5",
		"stringValue": "", "traceId": "", "attributes": "", "content": "", "role": "", "hidden": "", "nzweite": "", "u00e9": "", "1700000000000000000": "", "checkout": "", "otlp": "", spanID(1): "",
	} {
		if got := found(t, h, "q="+url.QueryEscape(query)); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	if got := ids(t, h.get("/v1/traces?q=bogota")); len(got) != 1 || got[0] != fmt.Sprintf("%032x", 1) {
		t.Errorf("traces %v", got)
	}
}

// Attributes of any key are compared exactly, as plain text, and all of them with the words of q in one event.
func TestAttributeFilter(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.exportJSON("traces", says("service.name", "checkout"),
		span(1, 1, "a", says("acme.tier", "gold plus")+","+attr("acme.n", `{"intValue":"12"}`)+","+attr("acme.ratio", `{"doubleValue":0.50}`)+","+attr("acme.on", `{"boolValue":true}`), ""),
		span(1, 2, "b", says("acme.tier", "gold")+","+attr("acme.list", `{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"1"}]}}`), ""),
		span(2, 3, "c", says("acme.tier", "gold plus")+","+attr("acme.n", `{"intValue":13}`), ""))
	h.exportJSON("traces", says("service.name", "billing"), span(3, 4, "d", says("acme.tier", "gold plus")+","+says("brand", `a"b\c`), ""))
	h.post(event("own", "observation_create", `{"id":"own","trace_id":"t","name":"e","attributes":{"acme.tier":"gold plus","acme.n":12,"acme.o":{"k":[1, 2]},"none":null}}`),
		event("own2", "observation_create", `{"id":"own2","trace_id":"t","name":"f","attributes":"acme.tier"}`))
	h.settle()
	for query, want := range map[string]string{
		"attributes.acme.tier=gold+plus": "1 3 4 own", "attributes.acme.tier=gold": "2", "attributes.acme.tier=Gold": "", "attributes.acme.tier=plus": "",
		"attributes.acme.n=12": "1 own", "attributes.acme.n=13": "3", "attributes.acme.ratio=0.5": "1", "attributes.acme.on=true": "1", "attributes.acme.on=false": "",
		"attributes.acme.list=" + url.QueryEscape(`["x",1]`): "2", "attributes.acme.o=" + url.QueryEscape(`{"k":[1,2]}`): "own", "attributes.none=null": "",
		"attributes.acme.tier=gold+plus&attributes.acme.n=12": "1 own", "attributes.acme.tier=gold&attributes.acme.n=12": "",
		"resource.service.name=checkout": "1 2 3", "attributes.service.name=checkout": "", "resource.acme.tier=gold": "",
		"resource.service.name=checkout&attributes.acme.tier=gold+plus": "1 3", "attributes.unknown=x": "", "attributes.acme.tier=&attributes.acme.n=13": "3",
		"attributes.brand=" + url.QueryEscape(`a"b\c`): "4", "attributes.acme.tier=gold+plus&q=plus&name=c": "3", "attributes.acme.tier=gold+plus&q=absent": "",
	} {
		if got := found(t, h, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
		count := fmt.Sprintf(`{"data":[{"count":%d}],"next_cursor":null}`, len(strings.Fields(want)))
		if rep := h.get("/v1/stats?" + query); string(rep.body) != count {
			t.Errorf("%s: counted %s, want %s", query, rep.body, count)
		}
	}
	if got := ids(t, h.get("/v1/traces?attributes.acme.n=13")); len(got) != 1 || !strings.HasSuffix(got[0], "2") {
		t.Errorf("traces %v", got)
	}
	many := ""
	for i := range 17 {
		many += fmt.Sprintf("&attributes.k%d=v", i)
	}
	for query, says := range map[string]string{
		"attributes.=x": "key of an attribute", "attributes.a=x&attributes.a=y": "more than once", "attributes.a=%FF": "UTF-8", "attributes.%00=x": "UTF-8",
		"attributes.a=" + strings.Repeat("x", 1025): "1024 bytes", many[1:]: "16 attributes", "attributes=x": "unknown parameter", "attributesx.a=x": "unknown parameter",
	} {
		for _, list := range []string{"/v1/observations?", "/v1/traces?"} {
			if rep := h.get(list + query); rep.status != http.StatusBadRequest || !strings.Contains(string(rep.body), says) {
				t.Errorf("%s%.40s: %d %s, want %q", list, query, rep.status, rep.body, says)
			}
		}
	}
	for _, path := range []string{"/v1/scores?attributes.a=x", "/v1/users?resource.a=x", "/v1/stats?of=scores&attributes.a=x"} {
		if rep := h.get(path); rep.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	page := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?attributes.acme.tier=gold+plus&limit=3"))
	if len(page.Data) != 3 || page.NextCursor == nil {
		t.Fatalf("%+v", page)
	}
	rest := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?attributes.acme.tier=gold+plus&limit=3&cursor="+url.QueryEscape(*page.NextCursor)))
	if len(rest.Data) != 1 {
		t.Errorf("the second page has %d", len(rest.Data))
	}
	if rep := h.get("/v1/observations?attributes.acme.tier=gold&limit=3&cursor=" + url.QueryEscape(*page.NextCursor)); rep.status != http.StatusBadRequest {
		t.Errorf("a cursor of another question: %d %s", rep.status, rep.body)
	}
}
