package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// allEvents follows the cursors of a query and returns its rows.
func (h *house) allEvents(query string, headers ...string) []wire.StoredEvent {
	h.tb.Helper()
	var all []wire.StoredEvent
	for cursor := ""; ; {
		rep := h.get("/v1/telemetry/events?"+query+"&cursor="+url.QueryEscape(cursor), headers...)
		if rep.status != 200 {
			h.tb.Fatalf("%d %s", rep.status, rep.body)
		}
		page := decoded[wire.Page[wire.StoredEvent]](h.tb, rep)
		all = append(all, page.Data...)
		if page.NextCursor == nil {
			return all
		}
		cursor = *page.NextCursor
	}
}

func eventIDs(events []wire.StoredEvent) string {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.EventID)
	}
	return strings.Join(ids, " ")
}

// The events come once each, in the order of acceptance, with what was sent;
// another project's never, though they stand between them in the Log.
func TestEvents(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	other := h.newKey("two", "ingest", "read")
	payload := `{"id":"o1","trace_id":"t1","name":"a\u00e9 <b>","output":"\u2028","n":1.50,"big":12345678901234567890}`
	h.send("POST", "/v1/telemetry/batch", []byte(`{"environment":"staging","events":[`+
		event("e1", "trace_create", `{"id":"t1","name":"n"}`)+`,`+event("e2", "observation_create", payload)+`]}`))
	h.send("POST", "/v1/telemetry/batch", batch(event("secret", "trace_create", `{"id":"t1","name":"theirs"}`)), "X-API-Key", "", "X-API-Key", other)
	h.post(`{"event_id":"e3","event_type":"observation_complete","timestamp":1700000100.25,"payload":{"id":"o1","output":"x"}}`,
		event("e1", "trace_create", `{"id":"t1","name":"n"}`)) // the second is a duplicate
	for i := range 5 {
		h.post(event(fmt.Sprintf("m%d", i), "event_create", `{}`))
	}
	for _, limit := range []string{"", "limit=1", "limit=2", "limit=8"} {
		if got := eventIDs(h.allEvents(limit)); got != "e1 e2 e3 m0 m1 m2 m3 m4" {
			t.Errorf("%s: %s", limit, got)
		}
	}
	all := h.allEvents("")
	if got := string(all[1].Payload); got != payload {
		t.Errorf("payload %s, sent %s", got, payload)
	}
	if all[1].Environment != "staging" || all[2].Environment != "default" || all[1].BatchID == "" || all[1].ReceivedAt.IsZero() || all[1].EventType != "observation_create" {
		t.Errorf("%+v", all[1:3])
	}
	if got := wire.At(all[2].Timestamp).UnixMicro(); got != 1700000100_250000 {
		t.Errorf("timestamp %d", got)
	}
	if got := eventIDs(h.allEvents("", "X-API-Key", "", "X-API-Key", other)); got != "secret" {
		t.Errorf("the other project has %s", got)
	}
	h.settle()
	for query, want := range map[string]string{
		"environment=staging":                     "e1 e2",
		"from=1700000001":                         "e3",
		"to=1700000001&limit=3":                   "e1 e2 m0 m1 m2 m3 m4",
		"trace_id=t1&limit=1":                     "e1 e2 e3", // the last does not name the trace
		"trace_id=nothing":                        "",
		"trace_id=t1&environment=default&limit=1": "e3",
	} {
		if got := eventIDs(h.allEvents(query)); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// A walk ends where the Log ended when it began, so that it ends at all.
func TestEventsEndWhereTheyBegan(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("a", "event_create", `{}`), event("b", "event_create", `{}`))
	first := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events?limit=1"))
	h.post(event("later", "event_create", `{}`))
	rest := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events?cursor="+*first.NextCursor))
	if eventIDs(rest.Data) != "b" || rest.NextCursor != nil {
		t.Errorf("%+v", rest)
	}
	if got := eventIDs(h.allEvents("")); got != "a b later" {
		t.Errorf("a new walk: %s", got)
	}
}

// Pages are bounded in bytes; an event larger than the bound goes alone.
func TestEventsPageBytes(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for i := range 20 {
		h.post(event(fmt.Sprintf("e%02d", i), "event_create", `{"text":"`+strings.Repeat("x", 1<<20-100)+`"}`))
	}
	rep := h.get("/v1/telemetry/events?limit=1000")
	page := decoded[wire.Page[wire.StoredEvent]](t, rep)
	if len(rep.body) > eventsPageBytes+1<<20 || page.NextCursor == nil {
		t.Errorf("a page of %d bytes, %d rows", len(rep.body), len(page.Data))
	}
	if all := h.allEvents("limit=1000"); len(all) != 20 || all[0].EventID != "e00" || all[19].EventID != "e19" {
		t.Errorf("%d events: %s", len(all), eventIDs(all))
	}
}

func TestEventsRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("a", "event_create", `{}`))
	ingestOnly := h.newKey("one", "ingest")
	if rep := h.get("/v1/telemetry/events", "X-API-Key", "", "X-API-Key", ingestOnly); rep.status != 403 {
		t.Errorf("without read: %d", rep.status)
	}
	for _, query := range []string{"cursor=x", "cursor=ZXYxIDUgNDAw", "cursor=ZXYxIC0xIDE", "limit=0", "limit=1001", "from=lately", "to=1&from=2", "environment=a&environment=b", "sort=x", "trace_id=%00"} {
		rep := h.get("/v1/telemetry/events?" + query)
		name, _, _ := strings.Cut(query, "=")
		if rep.status != 400 || !strings.Contains(string(rep.body), `"parameter":"`+name) {
			t.Errorf("%s: %d %s", query, rep.status, rep.body)
		}
	}
}
