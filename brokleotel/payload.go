package brokleotel

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The JSON of OTLP (opentelemetry-proto, JSON encoding): ids in hexadecimal digits, 64-bit numbers as texts, enums as numbers.
type (
	spanJSON struct {
		TraceID           string      `json:"traceId"`
		SpanID            string      `json:"spanId"`
		TraceState        string      `json:"traceState,omitempty"`
		ParentSpanID      string      `json:"parentSpanId,omitempty"`
		Name              string      `json:"name"`
		Kind              int         `json:"kind"`
		Start             string      `json:"startTimeUnixNano"`
		End               string      `json:"endTimeUnixNano"`
		Attributes        []keyValue  `json:"attributes,omitempty"`
		DroppedAttributes int         `json:"droppedAttributesCount,omitempty"`
		Events            []eventJSON `json:"events,omitempty"`
		DroppedEvents     int         `json:"droppedEventsCount,omitempty"`
		Links             []linkJSON  `json:"links,omitempty"`
		DroppedLinks      int         `json:"droppedLinksCount,omitempty"`
		Status            statusJSON  `json:"status"`
	}
	eventJSON struct {
		Time       string     `json:"timeUnixNano"`
		Name       string     `json:"name"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	linkJSON struct {
		TraceID    string     `json:"traceId"`
		SpanID     string     `json:"spanId"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	statusJSON struct {
		Code    int    `json:"code,omitempty"`
		Message string `json:"message,omitempty"`
	}
	scopeJSON struct {
		Name       string     `json:"name,omitempty"`
		Version    string     `json:"version,omitempty"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	resourceJSON struct {
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	// storedJSON is a span as an event's payload holds it; the order of its members is part of the form.
	storedJSON struct {
		Door           string       `json:"door"`
		ResourceSchema string       `json:"resource_schema,omitempty"`
		ScopeSchema    string       `json:"scope_schema,omitempty"`
		Resource       resourceJSON `json:"resource"`
		Scope          scopeJSON    `json:"scope"`
		Span           spanJSON     `json:"span"`
	}
)

// payloadOf is the payload of a span's event: {"otlp": …}, as the server makes it of a span at its door for OpenTelemetry.
func payloadOf(s sdktrace.ReadOnlySpan) ([]byte, error) {
	scope := s.InstrumentationScope()
	stored := storedJSON{Door: "otlp", ScopeSchema: scope.SchemaURL, Span: spanOf(s),
		Scope: scopeJSON{scope.Name, scope.Version, keyValues(scope.Attributes.ToSlice())}}
	if r := s.Resource(); r != nil {
		stored.ResourceSchema, stored.Resource.Attributes = r.SchemaURL(), keyValues(r.Attributes())
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any{"otlp": stored}); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

func spanOf(s sdktrace.ReadOnlySpan) spanJSON {
	at := s.SpanContext()
	j := spanJSON{TraceID: at.TraceID().String(), SpanID: at.SpanID().String(), TraceState: at.TraceState().String(), Name: s.Name(), Kind: int(s.SpanKind()),
		Start: nanos(s.StartTime()), End: nanos(s.EndTime()), Attributes: keyValues(s.Attributes()),
		DroppedAttributes: s.DroppedAttributes(), DroppedEvents: s.DroppedEvents(), DroppedLinks: s.DroppedLinks(), Status: statusOf(s.Status())}
	if p := s.Parent(); p.SpanID().IsValid() {
		j.ParentSpanID = p.SpanID().String()
	}
	for _, a := range s.Attributes() {
		if a.Key == parentKey && j.ParentSpanID == "" {
			j.ParentSpanID = a.Value.AsString()
		}
	}
	for _, e := range s.Events() {
		j.Events = append(j.Events, eventJSON{nanos(e.Time), e.Name, keyValues(e.Attributes)})
	}
	for _, l := range s.Links() {
		j.Links = append(j.Links, linkJSON{l.SpanContext.TraceID().String(), l.SpanContext.SpanID().String(), keyValues(l.Attributes)})
	}
	return j
}

// statusOf has the numbers of OTLP, which are not those of Go's SDK.
func statusOf(s sdktrace.Status) statusJSON {
	switch s.Code {
	case codes.Ok:
		return statusJSON{1, s.Description}
	case codes.Error:
		return statusJSON{2, s.Description}
	}
	return statusJSON{0, s.Description}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func keyValues(attrs []attribute.KeyValue) (all []keyValue) {
	for _, a := range attrs {
		all = append(all, keyValue{string(a.Key), valueOf(a.Value)})
	}
	return all
}

// valueOf is an AnyValue.
func valueOf(v attribute.Value) map[string]any {
	switch v.Type() {
	case attribute.BOOL:
		return map[string]any{"boolValue": v.AsBool()}
	case attribute.INT64:
		return map[string]any{"intValue": strconv.FormatInt(v.AsInt64(), 10)}
	case attribute.FLOAT64:
		return double(v.AsFloat64())
	case attribute.STRING:
		return text(v.AsString())
	case attribute.BOOLSLICE:
		return array(v.AsBoolSlice(), func(b bool) map[string]any { return map[string]any{"boolValue": b} })
	case attribute.INT64SLICE:
		return array(v.AsInt64Slice(), func(n int64) map[string]any { return map[string]any{"intValue": strconv.FormatInt(n, 10)} })
	case attribute.FLOAT64SLICE:
		return array(v.AsFloat64Slice(), double)
	case attribute.STRINGSLICE:
		return array(v.AsStringSlice(), text)
	case attribute.BYTESLICE:
		return map[string]any{"bytesValue": base64.StdEncoding.EncodeToString(v.AsByteSlice())}
	case attribute.SLICE:
		return array(v.AsSlice(), valueOf)
	case attribute.MAP:
		return map[string]any{"kvlistValue": map[string]any{"values": keyValues(v.AsMap())}}
	case attribute.EMPTY:
		return map[string]any{}
	}
	return text(v.String())
}

func text(s string) map[string]any { return map[string]any{"stringValue": s} }

// double is a number, or one of the words that JSON has none for.
func double(f float64) map[string]any {
	switch {
	case math.IsNaN(f):
		return map[string]any{"doubleValue": "NaN"}
	case math.IsInf(f, 1):
		return map[string]any{"doubleValue": "Infinity"}
	case math.IsInf(f, -1):
		return map[string]any{"doubleValue": "-Infinity"}
	}
	return map[string]any{"doubleValue": f}
}

func array[T any](list []T, value func(T) map[string]any) map[string]any {
	values := make([]map[string]any, 0, len(list))
	for _, v := range list {
		values = append(values, value(v))
	}
	return map[string]any{"arrayValue": map[string]any{"values": values}}
}
