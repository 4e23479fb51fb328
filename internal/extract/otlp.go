package extract

import (
	"strings"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// stored reads into f the payload of an event that a span or a log record has become (otlp.AppendStored).
func stored(f *entity.Fields, ev *wire.Event) *wire.BatchEventError {
	origin, item, err := otlp.ReadStored(ev.Payload)
	if err != nil {
		return &wire.BatchEventError{EventID: ev.ID, Message: "Invalid payload format", Details: "payload." + err.Error(), Code: CodeInvalidPayload}
	}
	*f = *Item(ev, origin, item)
	return nil
}

// Item is what an event says whose payload holds the item: the same as Extract reads from the
// payload, for a decoder that has read it already.
//
// A span is an observation_create of the observation of its id. A log record that names a span hints
// at what that does not say itself; one that names none is an event of its own.
func Item(ev *wire.Event, o otlp.Origin, i *otlp.Item) *entity.Fields {
	f := &fieldsOf{out: &entity.Fields{Kind: entity.ObservationKind, Rank: entity.RankCreate, Content: ContentOf(ev)}}
	if i.Span == nil {
		f.log(ev, i.Log)
		return f.out
	}
	m := otel.Read(i.Span)
	room := 14 // a little more than most have: 1 or 2 KB
	if m.Call() {
		room = 28
	}
	f.out.Values = make([]entity.FieldValue, 0, room)
	f.span(i.Span, m)
	f.origin(o, i)
	return f.out
}

func (f *fieldsOf) log(ev *wire.Event, l *otlp.Log) {
	f.out.Rank, f.out.EntityID = entity.RankHint, l.SpanID
	if l.TraceID == "" || l.SpanID == "" {
		f.out.Kind, f.out.Rank, f.out.EntityID = entity.GenericKind, entity.RankCreate, ev.ID
		f.name(l.Name, "log")
		f.text(entity.TraceID, l.TraceID)
		return
	}
	f.text(entity.TraceID, l.TraceID)
	said := otel.ReadLog(&l.Event)
	f.json(entity.Input, said.Input)
	f.json(entity.Output, said.Output)
	f.text(entity.ResponseID, said.ResponseID)
	f.reason(entity.StopReason(said.FinishReason), said.FinishReason)
}

// fieldsOf collects the fields of an item. Nothing in a span fails it: what breaks a field's rule is
// left out with a note.
type fieldsOf struct{ out *entity.Fields }

func (f *fieldsOf) span(s *otel.Span, m *otel.Meaning) {
	f.out.EntityID = s.SpanID
	if s.Dropped > 0 {
		f.note("the SDK left attributes of this span out at its limit (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT): what they said is missing")
	}
	f.text(entity.TraceID, s.TraceID)
	f.text(entity.ParentObservationID, s.ParentID)
	f.name(m.Name, "unnamed")
	f.label(entity.ObservationType, m.Type)
	f.label(entity.UserID, m.UserID)
	f.label(entity.SessionID, m.SessionID)
	f.environment(m.Environment)
	f.text(entity.Version, m.CodeVersion)
	f.text(entity.Release, m.Release)
	f.text(entity.TraceName, m.TraceName)
	f.json(entity.TraceInput, m.TraceInput)
	f.json(entity.TraceOutput, m.TraceOutput)
	f.tags(m.Tags)
	f.time(entity.StartTime, s.Start)
	f.time(entity.EndTime, s.End)
	f.text(entity.Level, m.Level)
	f.text(entity.Status, m.Status)
	f.text(entity.StatusMessage, m.StatusMessage)
	f.text(entity.ErrorType, m.ErrorType)
	f.json(entity.Input, m.Input)
	f.json(entity.Output, m.Output)
	f.json(entity.Metadata, m.Metadata)
	if m.Inner {
		// Its numbers are those of the call that it is a part of, which reports them itself.
		f.set(entity.ObservationType, "span")
		return
	}
	f.call(m)
	f.twin(s, m)
}

// call sets what a call of a model says, and whatever else counts tokens or money.
func (f *fieldsOf) call(m *otel.Meaning) {
	f.text(entity.Model, m.Model)
	f.text(entity.RequestedModel, m.RequestedModel)
	f.text(entity.Provider, m.Provider)
	f.label(entity.ServiceTier, m.ServiceTier)
	f.label(entity.RequestedServiceTier, m.RequestedServiceTier)
	f.label(entity.PromptName, m.PromptName)
	f.label(entity.PromptVersion, m.PromptVersion)
	f.text(entity.ResponseID, m.ResponseID)
	f.reason(m.FinishReason, m.FinishReasonOriginal)
	f.json(entity.ModelParameters, m.Parameters)
	for _, c := range [...]struct {
		field entity.Field
		of    otel.Count
	}{
		{entity.PromptTokens, m.Prompt}, {entity.CompletionTokens, m.Completion}, {entity.TotalTokens, m.Total},
		{entity.CacheReadTokens, m.CacheRead}, {entity.CacheWriteTokens, m.CacheWrite}, {entity.CacheWrite1hTokens, m.CacheWrite1h}, {entity.ReasoningTokens, m.Reasoning},
		{entity.AudioInputTokens, m.AudioInput}, {entity.AudioOutputTokens, m.AudioOut},
	} {
		f.count(c.field, c.of)
	}
	for _, n := range [...]struct {
		field entity.Field
		of    otel.Number
	}{
		{entity.InputCost, m.InputCost}, {entity.OutputCost, m.OutputCost}, {entity.TotalCost, m.TotalCost},
		{entity.CacheReadCost, m.CacheReadCost}, {entity.CacheWriteCost, m.CacheWriteCost}, {entity.TimeToFirstToken, m.FirstToken},
	} {
		f.number(n.field, n.of)
	}
	f.text(entity.TokenSource, m.TokenSource)
	for _, note := range m.Notes {
		f.note(note)
	}
	if m.UsageIncomplete {
		f.note("prompt_tokens is incomplete: the library that sent it leaves out what a cache gave")
	}
}

func (f *fieldsOf) origin(o otlp.Origin, i *otlp.Item) {
	f.text(entity.Door, o.Door)
	f.text(entity.Scope, i.Span.Scope)
	f.text(entity.ScopeVersion, i.Span.ScopeVersion)
	if o.SDK == "" {
		o.SDK = i.SDK
	}
	f.text(entity.SDK, o.SDK)
}

func (f *fieldsOf) add(v entity.FieldValue) { f.out.Values = append(f.out.Values, v) }

// set changes a text that was set.
func (f *fieldsOf) set(field entity.Field, text string) {
	for i := range f.out.Values {
		if f.out.Values[i].Field == field {
			f.out.Values[i].Text = text
		}
	}
}

func (f *fieldsOf) note(text string) {
	if len(f.out.Notes) < MaxNotes {
		f.out.Notes = append(f.out.Notes, text)
	}
}

// text adds a text that is not "". NUL, which no column can hold, is left out.
func (f *fieldsOf) text(field entity.Field, text string) {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	if text != "" {
		f.add(entity.FieldValue{Field: field, Text: text})
	}
}

// label adds a text that may not be long.
func (f *fieldsOf) label(field entity.Field, text string) {
	if len(text) > MaxLabelLength && utf8.RuneCountInString(text) > MaxLabelLength {
		f.note(field.String() + " was left out: it must be " + entity.LabelForm.String())
		return
	}
	f.text(field, text)
}

// name adds the name, or what stands for one that is missing; a long one is cut.
func (f *fieldsOf) name(name, otherwise string) {
	if strings.Trim(name, "\x00") == "" {
		name = otherwise
	}
	if len(name) > MaxNameLength && utf8.RuneCountInString(name) > MaxNameLength {
		f.note("name was cut: it must be " + entity.NameForm.String())
		name = string([]rune(name)[:MaxNameLength])
	}
	f.text(entity.Name, name)
}

func (f *fieldsOf) environment(name string) {
	if name = Environment(name); name != "" {
		f.text(entity.Environment, name)
	}
}

func (f *fieldsOf) reason(reason, original string) {
	f.text(entity.FinishReason, reason)
	f.text(entity.FinishReasonOriginal, original)
}

func (f *fieldsOf) tags(tags []string) {
	var kept []string
	for _, tag := range tags {
		if tag = strings.ReplaceAll(tag, "\x00", ""); tag != "" {
			kept = append(kept, tag)
		}
	}
	if kept != nil {
		f.add(entity.FieldValue{Field: entity.Tags, List: kept})
	}
}

// time adds a time in Unix nanoseconds; 0, and what is over the range of 63 bits, was not sent.
func (f *fieldsOf) time(field entity.Field, ns int64) {
	if ns > 0 {
		f.add(entity.FieldValue{Field: field, Int: ns / 1000})
	}
}

func (f *fieldsOf) count(field entity.Field, c otel.Count) {
	const most = 1<<53 - 1 // as TokensForm
	switch {
	case !c.Sent:
	case c.N < 0 || c.N > most:
		f.note(field.String() + " was left out: it must be " + entity.TokensForm.String())
	default:
		f.add(entity.FieldValue{Field: field, Int: c.N})
	}
}

func (f *fieldsOf) number(field entity.Field, n otel.Number) {
	switch {
	case !n.Sent:
	case !field.Form().Takes(n.V):
		f.note(field.String() + " was left out: it must be " + field.Form().String())
	default:
		f.add(entity.FieldValue{Field: field, Num: n.V})
	}
}

// json adds JSON; what is none is a text.
func (f *fieldsOf) json(field entity.Field, text string) {
	if text == "" {
		return
	}
	if !rawjson.Valid(text) {
		text = rawjson.Alias(rawjson.AppendString(make([]byte, 0, len(text)+len(text)/8+2), text))
	}
	f.add(entity.FieldValue{Field: field, Text: text})
}

// Environment folds what a client calls its environment into what one may be: lower-case letters,
// digits, '-', '_' and '.', at most 40; anything else is '-'. It is "" when nothing is left, and when
// it would begin with "brokle", which is kept for us.
func Environment(name string) string {
	const most = 40
	name = strings.ToLower(strings.TrimSpace(name))
	name = name[:min(len(name), most)]
	var folded []byte // nil while nothing is other than it was sent
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			if folded == nil {
				folded = []byte(name)
			}
			folded[i] = '-'
		}
	}
	if folded != nil {
		name = string(folded)
	}
	if strings.HasPrefix(name, "brokle") {
		return ""
	}
	return name
}
