package otlp

import (
	"bytes"
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Item is a span or a log record of a request, alone with what it stands under there.
type Item struct {
	// Span or Log is what it says; of one that Err makes unreadable, what could be read.
	Span *otel.Span
	Log  *Log
	// Resource, Scope and Raw are OTLP in JSON: as it was sent, or made of protobuf. Resource and
	// Scope are nil where nothing was sent.
	Resource, Scope, Raw []byte
	// Sent is the item as it lay in the request.
	Sent []byte
	// SDK is what the resource names, with its version, or "".
	SDK string
	// ResourceSchema and ScopeSchema are the schemas (URLs) that both were said to follow, or "".
	ResourceSchema, ScopeSchema string
	Err                         error
}

// Origin is by which door an item came, and from which SDK, where headers said it.
type Origin struct {
	Door string // otlp or langfuse
	SDK  string // name and version, or ""
	// Forwarded says that another server of ours sent it on.
	Forwarded bool
}

// AppendStored appends the payload of the event that an item becomes:
//
//	{"otlp": {"door": "otlp", "sdk": "…", "resource_schema": "…", "scope_schema": "…", "resource": {…}, "scope": {…}, "span": {…}}}
//
// with "forwarded": true behind the sdk for what another server sent on, and "log" in the place of "span" for a log record. What was not sent is left out.
func AppendStored(to []byte, o Origin, i *Item) []byte {
	to = appendText(append(to, `{"otlp":{"door":`...), o.Door)
	if o.SDK != "" {
		to = appendText(append(to, `,"sdk":`...), o.SDK)
	}
	if o.Forwarded {
		to = append(to, `,"forwarded":true`...)
	}
	if i.ResourceSchema != "" {
		to = appendText(append(to, `,"resource_schema":`...), i.ResourceSchema)
	}
	if i.ScopeSchema != "" {
		to = appendText(append(to, `,"scope_schema":`...), i.ScopeSchema)
	}
	kind := "span"
	if i.Log != nil {
		kind = "log"
	}
	for _, m := range []struct {
		name string
		raw  []byte
	}{{"resource", i.Resource}, {"scope", i.Scope}, {kind, i.Raw}} {
		if m.raw != nil {
			to = append(append(append(append(to, `,"`...), m.name...), `":`...), m.raw...)
		}
	}
	return append(to, "}}"...)
}

// Stored says whether a payload is one of AppendStored.
func Stored(payload []byte) bool {
	const begins = `{"otlp":{`
	return len(payload) > len(begins) && string(payload[:len(begins)]) == begins
}

// ReadStored reads a payload of AppendStored. The error is that of a payload that is none.
func ReadStored(payload []byte) (Origin, *Item, error) {
	o, i, isSpan, err := PartsOf(payload)
	if err != nil {
		return o, nil, err
	}
	g := groupOf(i.Resource, i.Scope, math.MaxInt)
	if g.err != nil {
		return o, nil, within("otlp", g.err)
	}
	i.SDK = g.sdk
	if isSpan {
		i.Span = g.span()
		return o, i, SpanOfJSON(i.Raw, i.Span)
	}
	i.Log = g.log()
	return o, i, LogOfJSON(i.Raw, i.Log)
}

// PartsOf is ReadStored without reading the span or the log record: Span and Log stay nil.
func PartsOf(payload []byte) (o Origin, i *Item, isSpan bool, err error) {
	i = &Item{}
	var span, record []byte
	err = each(member(payload, "otlp"), func(key string, v []byte) error {
		switch key {
		case "door":
			o.Door = textOf(v)
		case "sdk":
			o.SDK = textOf(v)
		case "resourceSchema": // each makes camel case of snake case
			i.ResourceSchema = textOf(v)
		case "scopeSchema":
			i.ScopeSchema = textOf(v)
		case "forwarded":
			o.Forwarded = string(v) == "true"
		case "resource":
			i.Resource = v
		case "scope":
			i.Scope = v
		case "span":
			span = v
		case "log":
			record = v
		}
		return nil
	})
	if err == nil && (span == nil) == (record == nil) {
		err = errors.New("must hold a span or a log record")
	}
	if i.Raw = span; span == nil {
		i.Raw = record
	}
	return o, i, span != nil, within("otlp", err)
}

// sdkOf is the SDK that a resource names, with its version.
func sdkOf(resource []otel.Attribute) string {
	get := func(key string) string {
		for i := range resource {
			if resource[i].Key == key {
				return resource[i].Value.String()
			}
		}
		return ""
	}
	sdk := get("telemetry.sdk.name")
	if language := get("telemetry.sdk.language"); sdk != "" && language != "" {
		sdk += "-" + language
	}
	if version := get("telemetry.sdk.version"); sdk != "" && version != "" {
		sdk += "/" + version
	}
	return sdk
}

// group is what the spans or records of one scope share.
type group struct {
	resource       []otel.Attribute
	sdk            string
	scope, version string
	// In JSON.
	rawResource, rawScope       []byte
	resourceSchema, scopeSchema string
	// err is why what stands under it cannot be read.
	err error
}

func groupOf(resource, scope []byte, most int) (g group) {
	g.rawResource, g.rawScope = resource, scope
	switch {
	case len(resource) > most:
		g.err = within("resource", &TooLarge{len(resource)})
	case len(scope) > most:
		g.err = within("scope", &TooLarge{len(scope)})
	case resource != nil:
		g.err = within("resource", attributesOf(member(resource, "attributes"), &g.resource))
	}
	g.sdk = sdkOf(g.resource)
	g.scope, g.version = textOf(member(scope, "name")), textOf(member(scope, "version"))
	return g
}

func (g *group) span() *otel.Span {
	return &otel.Span{Resource: g.resource, Scope: g.scope, ScopeVersion: g.version}
}

func (g *group) log() *Log {
	return &Log{Resource: g.resource, Scope: g.scope, ScopeVersion: g.version}
}

func (g *group) item(raw []byte) *Item {
	return &Item{Resource: g.rawResource, Scope: g.rawScope, Raw: raw, SDK: g.sdk, ResourceSchema: g.resourceSchema, ScopeSchema: g.scopeSchema, Err: g.err}
}

// note keeps the first error.
func (i *Item) note(err error) {
	if i.Err == nil {
		i.Err = err
	}
}

// Spans calls yield for each span of an ExportTraceServiceRequest, in protobuf or in JSON, which must
// be valid. The item, its span and Raw are good until yield returns; the texts of the span stay
// what they are. The error says that the request itself cannot be read; what was yielded before it stands.
func Spans(body []byte, inJSON bool, yield func(*Item)) error {
	return SpansWithin(math.MaxInt, body, inJSON, func(i *Item) error { yield(i); return nil })
}

// SpansWithin is Spans, but does not read a span that has more than most bytes with its resource and its
// scope, without what may be media in it: that is a TooLarge, and nothing but its ids is known. An error of yield ends it.
func SpansWithin(most int, body []byte, inJSON bool, yield func(*Item) error) error {
	r := spanReader{}
	if inJSON {
		return jsonItems(most, body, "resourceSpans", "scopeSpans", "spans", func(g *group, raw []byte) error { return yield(r.json(g, raw)) },
			func(g *group, raw []byte) error { return yield(g.unread(raw, &Item{Span: unreadJSON(raw)})) })
	}
	return protobufItems(most, body, func(g *group, b []byte) error { return yield(r.protobuf(g, b)) },
		func(g *group, b []byte) error { return yield(g.unread(b, &Item{Span: unreadProtobuf(b)})) })
}

// Logs is Spans for the records of an ExportLogsServiceRequest.
func Logs(body []byte, inJSON bool, yield func(*Item)) error {
	return LogsWithin(math.MaxInt, body, inJSON, func(i *Item) error { yield(i); return nil })
}

// LogsWithin is SpansWithin for log records.
func LogsWithin(most int, body []byte, inJSON bool, yield func(*Item) error) error {
	unread := func(g *group, b []byte) error { return yield(g.unread(b, &Item{Log: &Log{}})) }
	if inJSON {
		return jsonItems(most, body, "resourceLogs", "scopeLogs", "logRecords", func(g *group, raw []byte) error {
			i := g.item(rawjson.Compact(raw))
			i.Log, i.Sent = g.log(), raw
			i.note(LogOfJSON(i.Raw, i.Log))
			return yield(i)
		}, unread)
	}
	return protobufItems(most, body, func(g *group, b []byte) error {
		i := g.item(nil)
		i.Log, i.Sent = g.log(), b
		i.note(logOf(b, i.Log))
		if i.Err == nil {
			i.Raw, i.Err = AppendLog(nil, b)
		}
		return yield(i)
	}, unread)
}

// readResource reads the resource, which may stand behind what it is of.
func (g *group) readResource(of []byte, most int) {
	if raw, sent := merged(of); sent {
		g.err = within("resource", g.resourceOf(raw, most))
	}
	g.sdk = sdkOf(g.resource)
	g.resourceSchema = g.schema(of)
}

func (g *group) resourceOf(raw []byte, most int) (err error) {
	if len(raw) > most {
		return &TooLarge{len(raw)}
	}
	err = walk(raw, func(m *message) error {
		if m.num == 1 {
			return new(texts).attribute(m.bytes, &g.resource)
		}
		return nil
	})
	if err == nil {
		g.rawResource, err = AppendResource(nil, raw)
	}
	return err
}

func (g *group) readScope(of []byte, most int) {
	if raw, sent := merged(of); sent && g.err == nil {
		g.err = within("scope", g.scopeOf(raw, most))
	}
	g.scopeSchema = g.schema(of)
}

func (g *group) scopeOf(raw []byte, most int) (err error) {
	if len(raw) > most {
		return &TooLarge{len(raw)}
	}
	err = walk(raw, func(m *message) (err error) {
		switch m.num {
		case 1:
			g.scope, err = str(m.bytes)
		case 2:
			g.version, err = str(m.bytes)
		}
		return err
	})
	if err == nil {
		g.rawScope, err = AppendScope(nil, raw)
	}
	return err
}

// merged is the message at number 1 of b. Several of them are one: protobuf merges by writing one behind
// the other.
func merged(b []byte) (raw []byte, sent bool) {
	found := all(b, 1)
	if len(found) == 1 {
		return found[0], true
	}
	return bytes.Join(found, nil), len(found) > 0
}

// schema is the schema URL of what is of a resource or of a scope.
func (g *group) schema(of []byte) (url string) {
	for _, raw := range all(of, 3) {
		text, err := str(raw)
		if g.err == nil {
			g.err = within("schema url", err)
		}
		url = text
	}
	return url
}

// all are the messages at a number.
func all(b []byte, num protowire.Number) (found [][]byte) {
	m := message{rest: b}
	for m.next() {
		if m.num == num && m.bytes != nil {
			found = append(found, m.bytes)
		}
	}
	return found
}
