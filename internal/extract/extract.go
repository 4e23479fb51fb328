package extract

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The codes of a failed event (brokle.BatchEventError.Code).
const (
	CodeMissingField     = "missing_field"
	CodeInvalidField     = "invalid_field"
	CodeInvalidEventID   = "invalid_event_id"
	CodeUnknownEventType = "unknown_event_type"
	CodeInvalidPayload   = "invalid_payload"
	CodePayloadTooLarge  = "payload_too_large"
	CodeMediumTooLarge   = "medium_too_large"
	CodePayloadTooDeep   = "payload_too_deep"
)

// Extract reads the typed fields from the payload of an event whose type is
// canonical, and says why when the payload breaks a rule of the wire contract.
// It depends on the event only, so a record read back from the Log gives what it
// gave at acceptance. Texts in the result may share the payload's memory.
//
// Only what makes an event something fails it: its ids, a name that is required, and
// a score's subject and value. Every other field that breaks its rule is left out, with
// a note in Fields.Notes: a wrong level must not cost the prompt beside it.
//
// Rules beyond the contract's table:
//   - of a key given twice the last value counts; null and, where it says so, ""
//     count as absent;
//   - an event_create never fails for what its object holds;
//   - an observation_create without a trace is in a trace of its own, of its id;
//   - a metadata that is not an object is kept as it is (FoldMetadata says how it merges);
//   - usage fills token fields that the payload itself does not give (see usages), and what it
//     counts by other names is the field usage; a usage that is no object is ignored. Totals are
//     not computed here but in the fold;
//   - what Brokle's Python SDK 0.2 writes into attributes fills the rest (see attributes);
//   - a payload that holds an event of Langfuse's clients (see AppendLangfuse) is read in their words, and
//     needs no name;
//   - a payload that holds a span or a log record of OpenTelemetry says what package otel reads in it
//     (see Item);
//   - a value's data_type, when absent, follows from the value: a boolean is
//     BOOLEAN, a number NUMERIC, a string CATEGORICAL.
func Extract(ev *wire.Event) (*entity.Fields, *wire.BatchEventError) {
	f := &entity.Fields{}
	if failure := Into(f, ev); failure != nil {
		return nil, failure
	}
	return f, nil
}

// Into is Extract into f, whose Values and Notes are used again. f says nothing when the event fails.
func Into(f *entity.Fields, ev *wire.Event) *wire.BatchEventError {
	x := extractor{out: f}
	return x.event(ev, false)
}

// event reads one event into x.out. noted says that the members of its payload are noted already.
func (x *extractor) event(ev *wire.Event, noted bool) *wire.BatchEventError {
	kind, rank, ok := entity.Shape(ev.Type)
	if !ok {
		return UnknownType(ev)
	}
	if otlp.Stored(ev.Payload) {
		return stored(x.out, ev)
	}
	if ofLangfuse(ev.Payload) {
		if mark, ok := langfuseOf(ev); ok {
			return langfuse(x.out, ev, mark)
		}
	}
	x.ev = ev
	if noted {
		return x.run(kind, rank)
	}
	return x.scanned(kind, rank)
}

// scanned reads the payload as that of an entity of the kind.
func (x *extractor) scanned(kind entity.Kind, rank entity.Rank) *wire.BatchEventError {
	if !x.scan() {
		return &wire.BatchEventError{EventID: x.ev.ID, Message: "Invalid payload format", Details: "payload must be a JSON object", Code: CodeInvalidPayload}
	}
	return x.run(kind, rank)
}

// run is scanned for a payload whose members are noted.
func (x *extractor) run(kind entity.Kind, rank entity.Rank) *wire.BatchEventError {
	f := x.out
	*f = entity.Fields{Kind: kind, Rank: rank, Content: ContentOf(x.ev), Values: f.Values[:0], Notes: f.Notes[:0]}
	if f.Values == nil {
		f.Values = make([]entity.FieldValue, 0, x.found.count()+4) // a usage, a score's data type, an observation's default name
	}
	switch kind {
	case entity.TraceKind:
		x.trace()
	case entity.ObservationKind:
		x.observation()
	case entity.ScoreKind:
		x.score()
	case entity.GenericKind:
		x.generic()
	}
	return x.failure
}

// Of reads a record: what its event says, and which key brought it. The error is that of Extract.
func Of(rec *entity.Record) (*entity.Fields, *wire.BatchEventError) {
	f, failure := Extract(&rec.Event)
	if failure == nil {
		f.Brought(rec.KeyID)
	}
	return f, failure
}

// Fill sets the Fields of the records that have none, as those read back from the Log. They
// stay nil where Extract fails.
func Fill(recs []entity.Record) {
	for i := range recs {
		if recs[i].Fields == nil {
			recs[i].Fields, _ = Of(&recs[i])
		}
	}
}

// Records reads records with their Fields, out of get, which is a Log's.
func Records(get func(context.Context, []entity.Seq) ([]entity.Record, error)) func(context.Context, []entity.Seq) ([]entity.Record, error) {
	return func(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
		recs, err := get(ctx, seqs)
		Fill(recs)
		return recs, err
	}
}

// ContentOf hashes what an event says (Fields.Content). The hash is kept on disk: it
// must stay what it is.
func ContentOf(ev *wire.Event) uint64 {
	var d xxhash.Digest
	d.Reset()
	d.WriteString(string(ev.Type)) //nolint:errcheck // it never fails
	d.Write(ev.Payload)            //nolint:errcheck // it never fails
	return d.Sum64()
}

// UnknownType is the error of an event whose type the wire contract does not know.
func UnknownType(ev *wire.Event) *wire.BatchEventError {
	return &wire.BatchEventError{EventID: ev.ID, Code: CodeUnknownEventType,
		Message: "Unknown event_type '" + short(string(ev.Type)) + "'",
		Details: "event_type must be one of trace_create, trace_update, observation_create, observation_update, " +
			"observation_complete, quality_score_create, quality_score_update and event_create"}
}

// short keeps an echoed enum value from filling an answer.
func short(s string) string {
	const most = 40
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

// span is where a value stands in the payload.
type span struct{ start, end int32 }

type extractor struct {
	ev      *wire.Event
	found   slots          // the keys that the payload has
	at      [maxSlots]span // where the values of these stand
	out     *entity.Fields
	given   slots    // the fields of out.Values
	tags    []string // memory for a list
	strict  bool     // what is being read fails the event when it breaks its rule
	lenient bool     // a name may be missing
	failure *wire.BatchEventError
}

// member says where the last value of a key stands.
func (x *extractor) member(key []byte, start, end int) {
	if s := keys.slot(key); s != noSlot {
		x.found.add(s)
		x.at[s] = span{int32(start), int32(end)}
	}
}

// scan finds the members of the payload; ok is false when it is no object.
func (x *extractor) scan() (ok bool) {
	payload := []byte(x.ev.Payload)
	if len(payload) > 1<<30 {
		return false
	}
	members := rawjson.MembersOf(payload)
	for {
		key, value, ok := members.Next()
		if !ok {
			return !members.Broken()
		}
		x.member(key, members.End-len(value), members.End)
	}
}

// get returns the value of a key as written; nil when it is absent or null.
func (x *extractor) get(s slot) []byte {
	if !x.found.has(s) {
		return nil
	}
	at := x.at[s]
	raw := x.ev.Payload[at.start:at.end]
	if raw[0] == 'n' {
		return nil
	}
	return raw
}

// missing fails the event for a required key.
func (x *extractor) missing(s slot, must string) {
	x.fail(CodeMissingField, "Missing required field '"+keys.names[s]+"'",
		string(x.ev.Type)+" needs payload."+keys.names[s]+", "+must)
}

// invalid deals with the value of a key that breaks its rule: it fails the event when
// the key makes it what it is, and is left out with a note otherwise.
func (x *extractor) invalid(key, value, must string) {
	if !x.strict {
		x.note("payload." + key + " was left out: it must be " + must)
		return
	}
	message := "Invalid " + key
	if value != "" {
		message += " '" + short(value) + "'"
	}
	x.fail(CodeInvalidField, message, "payload."+key+" must be "+must)
}

// MaxNotes is how many notes there are of one event at most.
const MaxNotes = 20

// note says what is read otherwise than it was sent. It must not repeat a value: notes
// are kept when the payload is erased.
func (x *extractor) note(text string) {
	if len(x.out.Notes) < MaxNotes {
		x.out.Notes = append(x.out.Notes, text)
	}
}

func (x *extractor) fail(code, message, details string) {
	if x.failure == nil {
		x.failure = &wire.BatchEventError{EventID: x.ev.ID, Message: message, Details: details, Code: code}
	}
}

func (x *extractor) trace() {
	if x.out.Rank == entity.RankCreate {
		x.identify(x.ev.ID, keys.of[entity.TraceID][1:])
		x.named()
	} else {
		x.identify("", keys.of[entity.TraceID])
		x.name()
		x.clears()
	}
	x.apply()
	status, _ := rawjson.Unquote(x.get(entity.Status))
	x.fillText(entity.Status, outcomes[strings.ToLower(status)])
}

func (x *extractor) observation() {
	if x.out.Rank == entity.RankCreate {
		x.identify(x.ev.ID, keys.of[entity.ObservationID][1:])
		x.ownTrace()
		if !x.called() {
			x.named()
		}
	} else {
		x.identify("", keys.of[entity.ObservationID])
		x.optional(entity.TraceID)
		x.name()
		x.clears()
	}
	x.describe()
}

// ownTrace reads the trace of an observation_create; one that names none is a trace of its own.
func (x *extractor) ownTrace() {
	x.strict = true
	text, ok := x.first(keys.of[entity.TraceID])
	x.strict = false
	switch {
	case ok:
		x.putText(entity.TraceID, text)
	case x.failure == nil:
		x.putText(entity.TraceID, x.out.EntityID)
		x.note("payload.trace_id is missing: the observation is in a trace of its own, of the same id")
	}
}

// describe reads what an observation says beside its ids and its name.
func (x *extractor) describe() {
	x.apply()
	x.asked()
	if !x.found.anyOf(&keys.rare) {
		x.usages(usageSlots[:1])
		return
	}
	x.callKind()
	x.usages(usageSlots[:])
	x.attributes()
}

// generic reads an event_create: nothing in it is required and nothing fails it.
func (x *extractor) generic() {
	typ, _ := rawjson.Unquote(x.get(entity.ObservationType))
	if id, ok := x.text(keys.spanID, entity.IDForm); ok && (strings.EqualFold(typ, "span") || typ == callType) {
		x.out.Kind, x.out.EntityID = entity.ObservationKind, id
		x.optional(entity.TraceID)
		if typ != callType || !x.called() {
			x.name()
		}
		x.describe()
		if !x.given.has(entity.Name) {
			x.putText(entity.Name, id)
		}
		return
	}
	x.out.EntityID = x.ev.ID
	x.optional(entity.TraceID)
	x.name()
}

// identify sets the entity id: payload.id or the first of the other keys that is given, else
// fallback; without a fallback payload.id is required.
func (x *extractor) identify(fallback string, others []slot) {
	x.strict = true
	text, ok := x.text(entity.ID, entity.IDForm)
	if !ok && x.failure == nil {
		text, ok = x.first(others)
	}
	x.strict = false
	switch {
	case ok:
		x.out.EntityID = text
	case fallback != "":
		x.out.EntityID = fallback
	default:
		x.missing(entity.ID, entity.IDForm.String())
	}
}

// first returns the id of the first of the keys that is given.
func (x *extractor) first(of []slot) (text string, ok bool) {
	for _, key := range of {
		if text, ok = x.text(key, entity.IDForm); ok || x.failure != nil {
			return text, ok
		}
	}
	return "", false
}

func (x *extractor) optional(f entity.Field) {
	if text, ok := x.first(keys.of[f]); ok {
		x.putText(f, text)
	}
}

// name reads a name that may be absent.
func (x *extractor) name() {
	x.read(entity.Name, entity.Name, entity.NameForm)
}

// named reads the name of what is created.
func (x *extractor) named() {
	if x.lenient {
		x.name()
	} else {
		x.require(entity.Name, entity.NameForm)
	}
}

// require reads a key without which the event is nothing.
func (x *extractor) require(f entity.Field, how entity.Form) {
	if raw := x.get(f); raw == nil || string(raw) == `""` {
		x.missing(f, how.String())
		return
	}
	x.strict = true
	x.read(f, f, how)
	x.strict = false
}

// apply reads what the table says of the event's kind, field by field in the table's order. A key that is
// not the field's first counts only when those before it gave nothing.
func (x *extractor) apply() {
	fields := x.found
	for s := range keys.aliases.and(x.found).all() {
		fields.add(keys.field[s])
	}
	for f := range keys.plain[x.out.Kind].and(fields).all() {
		for i, s := range keys.of[f] {
			if i == 0 || !x.given.has(f) {
				x.read(s, f, f.Form())
			}
		}
	}
}

func (x *extractor) put(v entity.FieldValue) {
	x.out.Values = append(x.out.Values, v)
	x.given.add(v.Field)
}

func (x *extractor) putText(f entity.Field, text string) {
	x.put(entity.FieldValue{Field: f, Text: text})
}
