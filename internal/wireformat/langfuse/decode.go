package langfuse

import (
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// decoder makes a request of ingest.
type decoder struct {
	in     *wireformat.Incoming
	r      *ingest.Request
	events *jsonbody.Events
	sdk    string
}

// batch reads {"batch": [event, …], "metadata": …}.
func (d *decoder) batch(w *jsonbody.Walk) error {
	if w.Kind() != '{' {
		return &ingest.RequestError{Code: wireformat.CodeInvalidJSON, Message: "the body must be a JSON object"}
	}
	seen := false
	for key := range w.Members() {
		if string(key) != "batch" {
			continue
		}
		if w.Kind() != '[' {
			return &ingest.RequestError{Code: wireformat.CodeInvalidField, Message: "batch must be a list of events"}
		}
		seen = true
		d.events.Clear() // the last of two counts
		for range w.Elements() {
			d.event(w)
		}
	}
	if !seen {
		return &ingest.RequestError{Code: wireformat.CodeInvalidField, Message: "batch is missing; it must be a list of events"}
	}
	return nil
}

// event reads the element of a batch that comes next.
func (d *decoder) event(w *jsonbody.Walk) {
	if w.Kind() != '{' {
		w.Value()
		d.events.Refuse(wire.Event{}, extract.CodeInvalidField, "Invalid event format", "each element of batch must be a JSON object")
		return
	}
	var id, typ, timestamp, body jsonbody.Value // the last of each counts
	for key := range w.Members() {
		switch string(key) {
		case "id":
			id = w.Value()
		case "type":
			typ = w.Value()
		case "timestamp":
			timestamp = w.Value()
		case "body":
			body = w.Value()
		}
	}
	var ev wire.Event
	var note string
	ev.ID, _ = unquoted(id)
	ev.Timestamp, note = jsonbody.Time(timestamp.Raw)
	name, _ := unquoted(typ)
	known := false
	ev.Type, known = extract.LangfuseType(name)
	switch {
	case ev.ID == "":
		d.events.Refuse(ev, extract.CodeMissingField, "Missing required field 'id'", "an event needs id, a string of 1 to 128 printable ASCII characters without space")
	case !known:
		d.events.Refuse(ev, extract.CodeUnknownEventType, "Unknown type", "type must be trace-create, score-create, sdk-log, or the -create or -update of an "+
			"observation, span, generation, event, agent, tool, chain, retriever, evaluator, embedding or guardrail")
	case body.Kind() != '{':
		d.events.Refuse(ev, extract.CodeInvalidPayload, "Invalid body", "body must be a JSON object")
	default:
		d.take(ev, note, name, &body)
	}
}

func unquoted(v jsonbody.Value) (string, bool) {
	if !v.Given() {
		return "", false
	}
	return rawjson.Unquote(v.Raw)
}

// take adds an event with its body, an object.
func (d *decoder) take(ev wire.Event, note, typ string, body *jsonbody.Value) {
	said := readIDs(body.Raw)
	if ev.Type == wire.QualityScoreCreate && !said.ofTrace {
		ev.Type = wire.EventCreate
	}
	if at, _ := jsonbody.Time(said.timestamp); (typ == "trace-create" || typ == "score-create") && !at.IsZero() && (ev.Timestamp.IsZero() || at.Before(ev.Timestamp.Time)) {
		ev.Timestamp, note = at, "" // what they describe may be long ago
	}
	v := *body
	v.Raw = extract.AppendLangfuse(make([]byte, 0, len(body.Raw)+len(typ)+len(d.sdk)+64), typ, d.sdk, body.Raw)
	d.events.Take(ev, note, &v)
}

// ids are what a body says that decides what becomes of it.
type ids struct {
	ofTrace   bool // it names a trace or an observation
	timestamp []byte
}

func readIDs(body []byte) (said ids) {
	for m := rawjson.MembersOf(body); ; {
		key, value, ok := m.Next()
		if !ok {
			return said
		}
		switch string(key) {
		case "traceId", "observationId":
			said.ofTrace = said.ofTrace || value[0] != 'n' && string(value) != `""`
		case "timestamp":
			said.timestamp = value
		}
	}
}

// scores reads a list of scores, or one.
func (d *decoder) scores(w *jsonbody.Walk) error {
	switch w.Kind() {
	case '{':
		d.score(w)
		return nil
	case '[':
		for range w.Elements() {
			d.score(w)
		}
		return nil
	}
	return &ingest.RequestError{Code: wireformat.CodeInvalidJSON, Message: "the body must be a JSON list of scores, or one score"}
}

func (d *decoder) score(w *jsonbody.Walk) {
	body := w.Value()
	ev := wire.Event{ID: derivedID(d.in.Project, body.Raw), Type: wire.QualityScoreCreate}
	if body.Kind() != '{' {
		d.events.Refuse(ev, extract.CodeInvalidPayload, "Invalid body", "a score must be a JSON object")
		return
	}
	d.take(ev, "", "score-create", &body)
}

// derivedID is the id of a score that has none.
func derivedID(project string, content []byte) string {
	return wireformat.NewIDs("lfscore_", project).Of(content)
}
