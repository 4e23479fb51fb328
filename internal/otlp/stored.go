package otlp

import (
	"errors"

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
	g := groupOf(i.Resource, i.Scope)
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

func groupOf(resource, scope []byte) (g group) {
	g.rawResource, g.rawScope = resource, scope
	if resource != nil {
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
	var r spanReader
	if inJSON {
		return jsonItems(body, "resourceSpans", "scopeSpans", "spans", func(g *group, raw []byte) { yield(r.json(g, raw)) })
	}
	return protobufItems(body, func(g *group, b []byte) { yield(r.protobuf(g, b)) })
}

// Logs does the same for the records of an ExportLogsServiceRequest.
func Logs(body []byte, inJSON bool, yield func(*Item)) error {
	if inJSON {
		return jsonItems(body, "resourceLogs", "scopeLogs", "logRecords", func(g *group, raw []byte) {
			i := g.item(rawjson.Compact(raw))
			i.Log = g.log()
			i.note(LogOfJSON(i.Raw, i.Log))
			yield(i)
		})
	}
	return protobufItems(body, func(g *group, b []byte) {
		i := g.item(nil)
		i.Log = g.log()
		i.note(logOf(b, i.Log))
		if i.Err == nil {
			i.Raw, i.Err = AppendLog(nil, b)
		}
		yield(i)
	})
}

// jsonItems walks the three levels of a request.
func jsonItems(body []byte, resources, scopes, items string, yield func(*group, []byte)) error {
	return list(body, resources, func(r []byte) error {
		resource := rawjson.Compact(member(r, "resource"))
		return list(r, scopes, func(sc []byte) error {
			g := groupOf(resource, rawjson.Compact(member(sc, "scope")))
			g.resourceSchema, g.scopeSchema = textOf(member(r, "schemaUrl")), textOf(member(sc, "schemaUrl"))
			return list(sc, items, func(item []byte) error {
				yield(&g, item)
				return nil
			})
		})
	})
}

// protobufItems does the same in protobuf: spans and log records stand at the same numbers.
func protobufItems(body []byte, yield func(*group, []byte)) error {
	return walk(body, func(m *message) error {
		if m.num != 1 {
			return nil
		}
		of := m.bytes
		g := group{}
		g.readResource(of)
		return walk(of, func(m *message) error {
			if m.num != 2 {
				return nil
			}
			of := m.bytes
			g := g
			g.readScope(of)
			return walk(of, func(m *message) error {
				if m.num == 2 {
					yield(&g, m.bytes)
				}
				return nil
			})
		})
	})
}

// readResource reads the resource, which may stand behind what it is of.
func (g *group) readResource(of []byte) {
	for _, raw := range all(of, 1) {
		err := walk(raw, func(m *message) error {
			if m.num == 1 {
				return new(texts).attribute(m.bytes, &g.resource)
			}
			return nil
		})
		if err == nil {
			g.rawResource, err = AppendResource(nil, raw)
		}
		g.err = within("resource", err)
	}
	g.sdk = sdkOf(g.resource)
	g.resourceSchema = g.schema(of)
}

func (g *group) readScope(of []byte) {
	for _, raw := range all(of, 1) {
		err := walk(raw, func(m *message) (err error) {
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
		if g.err == nil {
			g.err = within("scope", err)
		}
	}
	g.scopeSchema = g.schema(of)
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
		if m.num == num {
			found = append(found, m.bytes)
		}
	}
	return found
}
