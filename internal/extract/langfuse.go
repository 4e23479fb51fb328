package extract

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// AppendLangfuse appends the payload of an event that one of Langfuse's ingestion API becomes: its
// body, an object, as it was sent, behind a member that says what it is:
//
//	{"langfuse":{"type":"generation-create","sdk":"langfuse-python/2.60.10"},"id":"…","traceId":"…",…}
func AppendLangfuse(to []byte, typ, sdk string, body []byte) []byte {
	mark, _ := json.Marshal(langfuseMark{typ, sdk}) // texts always marshal
	to = append(append(to, `{"langfuse":`...), mark...)
	inner := body[rawjson.SkipSpace(body, 1):]
	if inner[0] != '}' {
		to = append(to, ',')
	}
	return append(to, inner...)
}

type langfuseMark struct {
	Type string `json:"type"`
	SDK  string `json:"sdk,omitempty"`
}

// LangfuseType is the type of the event that one of Langfuse's types becomes; ok is false for a type
// that is none.
func LangfuseType(typ string) (t wire.EventType, ok bool) {
	switch typ {
	case "trace-create": // also changes a trace
		return wire.TraceCreate, true
	case "score-create":
		return wire.QualityScoreCreate, true
	case "sdk-log":
		return wire.EventCreate, true
	}
	kind, verb, _ := strings.Cut(typ, "-")
	if langfuseObservation(kind) == "" {
		return "", false
	}
	switch verb {
	case "create":
		return wire.ObservationCreate, true
	case "update":
		return wire.ObservationUpdate, true
	}
	return "", false
}

// langfuseObservation is the type of an observation of that kind of Langfuse's; "" for a kind that is
// none. Of "observation" the body says it.
func langfuseObservation(kind string) string {
	switch kind {
	case "retriever":
		return "retrieval"
	case "span", "generation", "event", "agent", "tool", "chain", "embedding", "evaluator", "guardrail", "observation":
		return kind
	}
	return ""
}

// ofLangfuse says whether a payload may be one of AppendLangfuse: langfuseOf knows.
func ofLangfuse(payload []byte) bool {
	const begins = `{"langfuse":{"type":"`
	return len(payload) > len(begins) && string(payload[:len(begins)]) == begins
}

// langfuseOf reads the mark of a payload of AppendLangfuse; ok is false for any other payload.
func langfuseOf(ev *wire.Event) (mark langfuseMark, ok bool) {
	m := rawjson.MembersOf(ev.Payload)
	_, raw, _ := m.Next()
	mark.Type, _ = rawjson.Unquote(inAnyCase(raw, "type"))
	sdk := inAnyCase(raw, "sdk")
	if mark.SDK, ok = rawjson.Unquote(sdk); !ok && sdk != nil && sdk[0] != 'n' {
		return mark, false
	}
	t, known := LangfuseType(mark.Type)
	// A score of what we have no scores of is kept as an event.
	return mark, known && (t == ev.Type || t == wire.QualityScoreCreate && ev.Type == wire.EventCreate)
}

// langfuse reads into fields the payload of an event of Langfuse's clients, in our words for its keys. Nothing
// that they leave out fails it but ids, and of a score its name and value.
func langfuse(fields *entity.Fields, ev *wire.Event, mark langfuseMark) *wire.BatchEventError {
	kind, rank, _ := entity.Shape(ev.Type)
	t := &translation{mark: mark}
	t.read(ev, kind)
	ours := wire.Event{ID: ev.ID, Type: ev.Type, Timestamp: ev.Timestamp, Payload: t.out.object()}
	x := extractor{ev: &ours, out: fields, lenient: true}
	if failure := x.scanned(kind, rank); failure != nil {
		failure.Message, failure.Details = langfuseWords.Replace(failure.Message), langfuseWords.Replace(failure.Details)
		return failure
	}
	fields.Content = ContentOf(ev)
	for i, text := range fields.Notes {
		fields.Notes[i] = langfuseWords.Replace(text)
	}
	fields.Notes = append(fields.Notes, t.notes...)
	if kind == entity.ObservationKind {
		fields.Values = append(fields.Values, entity.FieldValue{Field: entity.Door, Text: "langfuse"})
		if mark.SDK != "" {
			fields.Values = append(fields.Values, entity.FieldValue{Field: entity.SDK, Text: mark.SDK})
		}
	}
	return nil
}

// langfuseKeys are the keys of a body that mean what one of ours means, of each kind; source is
// Langfuse's API specification (components TraceBody, ObservationBody, ScoreBody).
var langfuseKeys = map[entity.Kind]map[string]string{
	entity.TraceKind: {
		"id": "id", "name": "name", "userId": "user_id", "sessionId": "session_id", "release": "release", "version": "version",
		"input": "input", "output": "output", "metadata": "metadata", "tags": "tags",
	},
	entity.ObservationKind: {
		"id": "id", "traceId": "trace_id", "parentObservationId": "parent_observation_id", "name": "name", "startTime": "start_time",
		"endTime": "end_time", "completionStartTime": "completion_start_time", "model": "model", "modelParameters": "model_parameters",
		"input": "input", "output": "output", "metadata": "metadata", "level": "level", "statusMessage": "status_message", "version": "version",
		"release": "release", "userId": "user_id", "sessionId": "session_id", "tags": "tags",
		"promptName": "prompt_name", "promptVersion": "prompt_version",
	},
	entity.ScoreKind: {
		"id": "id", "traceId": "trace_id", "observationId": "observation_id", "name": "name", "value": "value", "stringValue": "string_value",
		"dataType": "data_type", "source": "source", "comment": "comment", "metadata": "metadata", "authorUserId": "author_user_id",
	},
	entity.GenericKind: {"name": "name", "traceId": "trace_id"},
}

// langfuseWords says what we say of our keys of theirs.
var langfuseWords = newLangfuseWords()

func newLangfuseWords() *strings.Replacer {
	said := map[string]bool{}
	var pairs []string
	for _, keys := range langfuseKeys {
		for theirs, ours := range keys {
			if theirs != ours && !said[ours] {
				said[ours] = true
				pairs = append(pairs, "payload."+ours, "body."+theirs, "'"+ours+"'", "'"+theirs+"'")
			}
		}
	}
	return strings.NewReplacer(append(pairs, "payload.", "body.", "Invalid payload", "Invalid body")...)
}

// translation makes a payload in our words of a body in Langfuse's.
type translation struct {
	mark  langfuseMark
	in    members
	out   members
	notes []string
}

func (t *translation) read(ev *wire.Event, kind entity.Kind) {
	keys := langfuseKeys[kind]
	var rest members
	for m := rawjson.MembersOf(ev.Payload); ; {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		if value[0] == 'n' {
			continue
		}
		name := string(key)
		t.in.add(name, value)
		if ours, known := keys[name]; known {
			t.out.add(ours, value)
		} else if !slices.Contains(langfuseRead, name) {
			rest.add(name, value)
		}
	}
	t.environment()
	switch kind {
	case entity.ObservationKind:
		t.observation()
		if len(rest.keys) > 0 {
			t.out.add("attributes", rest.object())
		}
	case entity.ScoreKind:
		t.score()
	case entity.GenericKind:
		if t.mark.Type == "score-create" {
			t.notes = append(t.notes, "body names neither traceId nor observationId, and scores here are of these: it is kept as an event, not as a score")
		} else if t.in.values["name"] == nil {
			t.text("name", t.mark.Type)
		}
	}
}

// langfuseRead are the keys of an observation that are read in another way than by langfuseKeys.
var langfuseRead = []string{"langfuse", "type", "environment", "usage", "usageDetails", "costDetails", "trace"}

func (t *translation) text(key, text string) {
	t.out.add(key, rawjson.AppendString(nil, text))
}

// said is the text at a key of the body; "" when there is none.
func (t *translation) said(key string) string {
	text, _ := rawjson.Unquote(t.in.values[key])
	return text
}

func (t *translation) environment() {
	if name := Environment(t.said("environment")); name != "" {
		t.text("environment", name)
	}
}

func (t *translation) observation() {
	kind, verb, _ := strings.Cut(t.mark.Type, "-")
	if kind == "observation" {
		kind = strings.ToLower(t.said("type"))
	} else if verb == "update" && kind == "span" {
		kind = "" // some send it for whatever they have begun
	}
	if known := langfuseObservation(kind); known != "" {
		t.text("type", known)
	}
	if release, _ := rawjson.Unquote(inAnyCase(t.in.values["trace"], "release")); release != "" {
		t.text("release", release)
	}
	if tier, _ := rawjson.Unquote(inAnyCase(t.in.values["metadata"], "service_tier")); tier != "" { // of OpenAI's Responses
		t.text("service_tier", tier)
	}
	t.parameters()
	t.usage()
	t.costs()
}

func (t *translation) score() {
	if typ := t.said("dataType"); typ == "TEXT" || typ == "CORRECTION" {
		t.text("data_type", entity.Categorical)
	}
	if t.said("source") == "ANNOTATION" {
		t.text("source", "HUMAN")
	}
}
