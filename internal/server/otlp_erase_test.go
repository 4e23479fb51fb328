package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// record is a log record in OTLP's JSON, of a trace and a span; 0 for none.
func record(trace, n int, name, attributes string) string {
	where := ""
	if trace > 0 {
		where += fmt.Sprintf(`,"traceId":"%032x"`, trace)
	}
	if n > 0 {
		where += fmt.Sprintf(`,"spanId":"%016x"`, n)
	}
	return fmt.Sprintf(`{"timeUnixNano":"1700000000500000000","eventName":%q,"body":{"stringValue":"Mneme77 body"},"attributes":[%s]%s}`, name, attributes, where)
}

// whereUsersAre are the attributes that name a user, each as a dialect writes it.
func whereUsersAre() []string {
	const user = "Mneme77"
	return []string{
		says("user.id", user), says("langfuse.user.id", user), says("user_id", user), says("brokle.user_id", user), says("llm.user", user),
		says("traceloop.association.properties.user_id", user), says("langsmith.metadata.user_id", user), says("gen_ai.request.user", user),
		attr("metadata", `{"stringValue":"{\"user_id\":\"Mneme77\"}"}`),
	}
}

// A user goes with everything of the traces in which a span or a log record names them, whichever
// attribute says so; what is left of them on the disk is nothing.
func TestEraseUserOfSpans(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	events := 0
	export := func(signal string, items ...string) {
		h.exportJSON(signal, says("service.name", "shop"), items...)
		events += len(items)
	}
	n := 0
	for i, names := range whereUsersAre() {
		n += 2
		export("traces", span(1+i, n, "named", names+","+says("said", "Mneme77 in"), ""),
			span(1+i, n+1, "child", says("said", "Mneme77 too"), fmt.Sprintf(`,"parentSpanId":"%016x"`, n)))
	}
	traces := len(whereUsersAre())
	export("logs", record(1, 2, "of the span", ""), record(1, 0, "of the trace", ""), record(0, 0, "loose", says("user.id", "Mneme77")))
	export("traces", span(100, 100, "named by a log only", says("said", "Mneme77 in"), ""))
	export("logs", record(100, 100, "names", says("langfuse.user.id", "Mneme77")))
	traces++
	h.exportJSON("traces", says("service.name", "shop"), span(500, 2, "other", says("user.id", "another"), "")) // of the same id as one that goes
	h.exportJSON("logs", "", `{"timeUnixNano":"1700000000500000000","body":{"stringValue":"nobody"}}`)
	h.settle()
	rep := h.send("DELETE", "/v1/users/Mneme77", nil)
	got := decoded[erasure](t, rep)
	if rep.status != 200 || got.Erased.Traces != traces || got.Erased.Observations != 2*len(whereUsersAre())+1 || got.Erased.Events != events {
		t.Fatalf("%d %s, want %d traces, %d events", rep.status, rep.body, traces, events)
	}
	check := func(h *house, when string) {
		t.Helper()
		h.settle()
		for i := range traces - 1 {
			if rep := h.get(fmt.Sprintf("/v1/traces/%032x", 1+i)); rep.status != 404 {
				t.Errorf("%s: trace %d: %d %s", when, 1+i, rep.status, rep.body)
			}
		}
		for _, path := range []string{"/v1/observations/" + spanID(4), "/v1/observations/" + spanID(4) + "/history", fmt.Sprintf("/v1/traces/%032x", 100)} {
			if rep := h.get(path); rep.status != 404 {
				t.Errorf("%s: %s: %d %s", when, path, rep.status, rep.body)
			}
		}
		for _, path := range []string{"/v1/observations?q=Mneme77", "/v1/traces?q=Mneme77", "/v1/observations?attributes.user.id=Mneme77", "/v1/traces?user_id=Mneme77", "/v1/observations?q=named"} {
			if got := ids(t, h.get(path)); len(got) != 0 {
				t.Errorf("%s: %s finds %v", when, path, got)
			}
		}
		if got := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events")); len(got.Data) != 2 || h.stored() != 2 {
			t.Errorf("%s: events are left: %+v", when, got)
		}
		if rep := h.get(fmt.Sprintf("/v1/traces/%032x", 500)); rep.status != 200 || len(ids(t, h.get("/v1/observations?attributes.user.id=another"))) != 1 {
			t.Errorf("%s: another's trace: %d %s", when, rep.status, rep.body)
		}
	}
	check(h, "at once")
	h.close()
	if left := bytes.Count(haystack(t, h.dir), []byte(secret+" ")); left != 0 {
		t.Errorf("the data directory has %d texts of the user", left)
	}
	check(reopened(t, h), "after a restart")
}

// A trace goes with its spans, their log records and those that name the trace only.
func TestEraseTraceOfSpans(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.exportJSON("traces", "", span(1, 1, "goes", says("said", "Mneme77 in"), ""), span(2, 1, "stays", "", ""))
	h.exportJSON("logs", "", record(1, 1, "goes", ""), record(1, 0, "goes too", ""), `{"timeUnixNano":"1","body":{"stringValue":"stays"}}`)
	rep := h.send("DELETE", fmt.Sprintf("/v1/traces/%032x", 1), nil)
	if got := decoded[erasure](t, rep); rep.status != 200 || got.Erased != (erased{Traces: 1, Observations: 1, Events: 3}) {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if n := h.stored(); n != 2 {
		t.Errorf("%d events are left", n)
	}
	h.close()
	if left := bytes.Count(haystack(t, h.dir), []byte(secret)); left != 0 {
		t.Errorf("the data directory holds the trace's texts %d times", left)
	}
}

// The live stream and the lists of events show spans and log records as events: with their ids, and by
// the same filters.
func TestSpansAreEvents(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	all, some := h.stream(""), h.stream("?user_id=u1&model=m1&type=generation&event_type=observation_create&trace_id="+fmt.Sprintf("%032x", 1))
	call := says("user.id", "u1") + "," + says("gen_ai.request.model", "m1") + "," + says("gen_ai.operation.name", "chat")
	h.exportJSON("traces", says("deployment.environment.name", "staging"), span(2, 2, "other", "", ""), span(1, 1, "call", call, ""))
	h.exportJSON("logs", "", record(1, 1, "gen_ai.choice", ""), record(1, 0, "of the trace", ""))
	for _, want := range []string{"observation_create 2 2", "observation_create 1 1", "observation_update 1 1", "event_create 1 -"} {
		_, ev := all.event()
		entity := strings.TrimLeft(ev.EntityID, "0")
		if strings.HasPrefix(ev.EntityID, "otlp_") {
			entity = "-"
		}
		if got := fmt.Sprintf("%s %s %s", ev.Type, strings.TrimLeft(ev.TraceID, "0"), entity); got != want || !bytes.HasPrefix(ev.Payload, []byte(`{"otlp":{"door":"otlp",`)) {
			t.Errorf("%s, want %s: %s", got, want, ev.Payload)
		}
	}
	m, ev := some.event()
	if ev.EntityID != spanID(1) || ev.Environment != "staging" {
		t.Errorf("%+v", ev)
	}
	again := h.stream("?event_type=event_create", "Last-Event-ID", m.id)
	if _, ev := again.event(); ev.TraceID != fmt.Sprintf("%032x", 1) {
		t.Errorf("going on behind a span: %+v", ev)
	}
	h.settle()
	page := decoded[wire.Page[wire.StoredEvent]](t, h.get(fmt.Sprintf("/v1/telemetry/events?trace_id=%032x", 1)))
	if len(page.Data) != 2 { // those of its observations, as with events of our own
		t.Errorf("the trace has the events %+v", page.Data)
	}
	history := decoded[wire.Page[wire.ObservationEvent]](t, h.get("/v1/observations/"+spanID(1)+"/history"))
	if len(history.Data) != 2 {
		t.Errorf("history %+v", history.Data)
	}
	if rep := h.get("/v1/telemetry/events/" + ev.ID); rep.status != 200 || !strings.Contains(string(rep.body), `"stored"`) {
		t.Errorf("receipt: %d %s", rep.status, rep.body)
	}
}
