package outgoing_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// records are events of one project, a second after another.
func records(events ...string) []entity.Record {
	var recs []entity.Record
	for i, e := range events {
		typ, payload, _ := strings.Cut(e, " ")
		recs = append(recs, entity.Record{Seq: entity.Seq(i + 1), Project: "p", Environment: "staging", Event: wire.Event{
			ID: fmt.Sprint("e", i), Type: wire.EventType(typ), Payload: json.RawMessage(payload), Timestamp: wire.At(time.Unix(1700000000+int64(i), 0)),
		}})
	}
	return recs
}

// readBack folds the spans of a request again, by their names.
func readBack(t *testing.T, r *outgoing.Request) map[string]*wire.Observation {
	t.Helper()
	all := map[string]*wire.Observation{}
	n := 0
	err := otlp.Spans(r.Traces(), true, func(i *otlp.Item) {
		if i.Err != nil {
			t.Fatal(i.Err)
		}
		n++
		rec := entity.Record{Seq: entity.Seq(n), Event: wire.Event{ID: fmt.Sprint(n), Type: wire.ObservationCreate,
			Payload: otlp.AppendStored(nil, otlp.Origin{Door: "otlp"}, i), Timestamp: wire.At(time.Unix(0, i.Span.End))}}
		rec.Fields = extract.Item(&rec.Event, otlp.Origin{Door: "otlp"}, i)
		o, err := entity.FoldObservation([]entity.Record{rec}, i.Span.SpanID, i.Span.TraceID)
		if err != nil {
			t.Fatal(err)
		}
		all[o.Name] = o
	})
	if err != nil || n != r.Spans {
		t.Fatalf("%d spans read of %d: %v", n, r.Spans, err)
	}
	return all
}

// What our own clients say reads the same after it went out as spans and came in again.
func TestOwnEventsAsSpans(t *testing.T) {
	t.Parallel()
	recs := records(
		`trace_create {"id":"my trace","name":"the trace","user_id":"u","session_id":"s","tags":["a"],"input":"in"}`,
		`observation_create {"id":"one","trace_id":"my trace","name":"call","type":"generation","model":"gpt","requested_model":"asked","provider":"anthropic",
			"prompt_tokens":110,"completion_tokens":50,"cache_read_tokens":80,"cache_write_tokens":10,"reasoning_tokens":7,"input_cost":0.5,"output_cost":0.25,
			"total_cost":0.75,"time_to_first_token_ms":250,"finish_reason":"end_turn","model_parameters":{"temperature":0,"stop":["x"]},
			"start_time":"2026-01-02T03:04:05.123456Z","end_time":"2026-01-02T03:04:06Z",
			"input":[{"role":"user","content":"héllo <b>"}],"output":{"role":"assistant","content":"bye","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"x\":1}"}}]},
			"metadata":{"deep":{"er":[1,2.5,null]}},"attributes":{"mine":{"k":[true,"v"]},"big":12345678901234567890123}}`,
		`observation_create {"id":"two","trace_id":"my trace","parent_observation_id":"one","name":"look","type":"tool","input":{"q":1},"output":"42","level":"ERROR","status_message":"broke"}`,
		`quality_score_create {"trace_id":"my trace","name":"q","value":1}`, `event_create {"trace_id":"my trace"}`,
	)
	want := map[string]*wire.Observation{}
	for _, id := range []string{"one", "two"} {
		extract.Fill(recs)
		o, err := entity.FoldObservation(recs, id, "my trace")
		if err != nil {
			t.Fatal(err)
		}
		want[o.Name] = o
	}
	r := outgoing.Of(recs)
	got := readBack(t, r)
	if r.Spans != 3 || r.Records != 0 || r.Logs() != nil || len(got) != 3 {
		t.Fatalf("%d spans, %d records: %s", r.Spans, r.Records, r.Traces())
	}
	root, call, look := got["the trace"], got["call"], got["look"]
	if call.ParentObservationID != root.ID || look.ParentObservationID != call.ID || root.TraceID != call.TraceID || len(call.TraceID) != 32 {
		t.Errorf("the tree is %s %s < %s %s < %s", root.TraceID, root.ID, call.ParentObservationID, call.ID, look.ParentObservationID)
	}
	if string(root.Input) != `"in"` || !slices.Equal(root.Tags, []string{"a"}) || !strings.Contains(string(r.Traces()), `"stringValue":"my trace"`) {
		t.Errorf("the trace went out as %+v", root)
	}
	for name, w := range want {
		g := got[name]
		for _, p := range []*wire.Observation{w, g} { // what is the span's own
			p.ID, p.TraceID, p.ParentObservationID, p.Source, p.Attributes = "", "", "", nil, nil
		}
		w.StartTimeInferred, g.StartTimeInferred = false, false
		w.ErrorType, g.ErrorType, g.FinishReasonOriginal = "", "", "" // which follow from others
		if w.EndTime == nil {
			w.EndTime, w.LatencyMS = &w.StartTime, new(float64)
		}
		a, _ := json.Marshal(w)
		b, _ := json.Marshal(g)
		if string(a) != string(b) {
			t.Errorf("%s\nwas  %s\nis   %s", name, a, b)
		}
	}
	again := outgoing.Of(recs)
	if string(again.Traces()) != string(r.Traces()) {
		t.Error("the same records went out otherwise")
	}
}

// What came as spans and log records goes out as it was, each under its resource and scope.
func TestReceivedGoesOutAsItWas(t *testing.T) {
	t.Parallel()
	const span = `{"traceId":"0123456789abcdef0123456789abcdef","spanId":"0123456789abcdef","name":"n","startTimeUnixNano":"1","endTimeUnixNano":"2"}`
	const record = `{"traceId":"0123456789abcdef0123456789abcdef","spanId":"0123456789abcdef","timeUnixNano":"1","body":{"stringValue":"b"}}`
	stored := func(kind, item string) string {
		return `{"otlp":{"door":"otlp","resource_schema":"r","scope_schema":"s","resource":{"attributes":[]},"scope":{"name":"x"},"` + kind + `":` + item + `}}`
	}
	recs := records("observation_create "+stored("span", span), "observation_update "+stored("log", record), "observation_create "+stored("span", span))
	r := outgoing.OfTrace(recs, "0123456789abcdef0123456789abcdef", entity.Tariff{})
	const head = `[{"resource":{"attributes":[]},"schemaUrl":"r",`
	if want := `{"resourceSpans":` + head + `"scopeSpans":[{"scope":{"name":"x"},"schemaUrl":"s","spans":[` + span + `,` + span + `]}]}]}`; string(r.Traces()) != want {
		t.Errorf("%s, want %s", r.Traces(), want)
	}
	if want := `{"resourceLogs":` + head + `"scopeLogs":[{"scope":{"name":"x"},"schemaUrl":"s","logRecords":[` + record + `]}]}]}`; string(r.Logs()) != want {
		t.Errorf("%s, want %s", r.Logs(), want)
	}
	if other := outgoing.OfTrace(recs, "another", entity.Tariff{}); other.Spans != 0 || other.Traces() != nil || string(other.ResourceSpans) != "[]" {
		t.Errorf("of another trace: %+v", other)
	}
}
