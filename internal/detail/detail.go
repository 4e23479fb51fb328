package detail

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Fill sets of o what its row does not hold. recs are what it was folded from, in the order of the fold.
func Fill(o *wire.Observation, recs []*entity.Record) {
	item, own := lastSpan(recs)
	var in, out []otel.Message
	var tools []otel.Tool
	if item != nil {
		in, out, tools = otel.Read(item.Span).Messages()
		o.Attributes = merged(attributes(item.Span.Attributes), o.Attributes)
		o.Resource = attributes(item.Span.Resource)
		o.Events = events(item.Span.Events)
		o.Links = links(item.Raw)
	}
	if item == nil || own.input || own.output {
		ownIn, ownOut, ownTools := otel.Conversation(o.Type, string(o.Input), string(o.Output))
		if item == nil || own.input {
			in, tools = ownIn, ownTools
		}
		if item == nil || own.output {
			out = ownOut
		}
	}
	o.MessagesIn, o.MessagesOut, o.Tools = listOf(in), listOf(out), listOf(tools)
}

// said is what events of our own, no spans, say of an observation.
type said struct{ input, output bool }

// lastSpan is the last export of the observation's span, with its log records; nil when none has come.
func lastSpan(recs []*entity.Record) (last *otlp.Item, own said) {
	var logs []otel.Event
	for _, rec := range recs {
		if !otlp.Stored(rec.Event.Payload) {
			if rec.Fields != nil {
				_, in := rec.Fields.Get(entity.Input)
				_, out := rec.Fields.Get(entity.Output)
				own.input, own.output = own.input || in, own.output || out
			}
			continue
		}
		_, item, err := otlp.ReadStored(rec.Event.Payload)
		switch {
		case err != nil: // nothing of it was accepted
		case item.Log != nil:
			logs = append(logs, item.Log.Event)
		default:
			last = item
		}
	}
	if last != nil {
		last.Span.Logs = logs
	}
	return last, own
}

// OfSpan says whether a record is an export of a span, of which Fill shows the last.
func OfSpan(rec *entity.Record) bool {
	return otlp.Stored(rec.Event.Payload) && rec.Fields != nil && rec.Fields.Rank != entity.RankHint
}

// listOf is JSON of a list; nil of an empty one.
func listOf[E any](list []E) json.RawMessage {
	if len(list) == 0 {
		return nil
	}
	return encoded(list)
}

// encoded is JSON without escapes of HTML; v always encodes.
func encoded(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// attributes is an object of attributes as they are shown.
func attributes(attrs []otel.Attribute) json.RawMessage {
	shown := otel.Shown(attrs)
	keys, values := make([]string, len(shown)), make(map[string][]byte, len(shown))
	for i := range shown {
		keys[i], values[shown[i].Key] = shown[i].Key, shown[i].Value.JSON()
	}
	return rawjson.Object(keys, values)
}

// merged is object with the members of more, which count where both have one.
func merged(object, more json.RawMessage) json.RawMessage {
	if len(more) == 0 {
		return object
	}
	return entity.FoldMetadata([]string{string(object), string(more)})
}

// event and link are what is shown of one.
type (
	event struct {
		Name       string          `json:"name"`
		Time       *string         `json:"time"` // null when it was not sent
		Attributes json.RawMessage `json:"attributes"`
	}
	link struct {
		TraceID    string          `json:"trace_id"`
		SpanID     string          `json:"span_id"`
		Attributes json.RawMessage `json:"attributes"`
	}
)

func events(of []otel.Event) json.RawMessage {
	var all []event
	for _, e := range otel.ShownEvents(of) {
		all = append(all, event{e.Name, timeOf(e.Time), attributes(e.Attributes)})
	}
	return listOf(all)
}

func links(span []byte) json.RawMessage {
	var all []link
	for _, l := range otlp.LinksOf(span) {
		all = append(all, link{l.TraceID, l.SpanID, attributes(l.Attributes)})
	}
	return listOf(all)
}

// timeLayout is that of all answers.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func timeOf(ns int64) *string {
	if ns <= 0 {
		return nil
	}
	text := time.Unix(0, ns).UTC().Format(timeLayout)
	return &text
}
