package extract

import (
	"strings"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// callType is the type of what Brokle's Python SDK 0.2 sends for a call of a wrapped client.
const callType = "instrumentation"

// called reads what names a call that SDK reports without a name: its operation, or the
// method and path of its request, or its type; and its times, of which only the end and
// the length are sent. It returns false when the payload has a name, or none of these.
func (x *extractor) called() bool {
	if raw := x.get(entity.Name); raw != nil && string(raw) != `""` {
		return false
	}
	name := ""
	if operation, ok := x.text(sOperation, entity.NameForm); ok {
		name = operation
	} else if endpoint, ok := x.text(sEndpoint, entity.NameForm); ok {
		method, _ := x.text(sMethod, entity.NameForm)
		name = strings.TrimSpace(method + " " + endpoint)
	} else if typ, ok := x.text(entity.ObservationType, entity.TypeForm); ok {
		name = typ
	}
	if name == "" || len(name) > 2*MaxNameLength {
		return false
	}
	x.putText(entity.Name, name)
	x.callTimes()
	return true
}

// callTimes infers start and end of a call from when it was reported and how long it took.
func (x *extractor) callTimes() {
	var at, took entity.FieldValue
	end, length := x.get(sTimestamp), x.get(sDurationMS)
	if length == nil {
		length = x.get(entity.LatencyMS)
	}
	if end == nil || length == nil || x.get(entity.StartTime) != nil || x.get(entity.EndTime) != nil ||
		!number(&at, end, entity.TimeForm) || !number(&took, length, entity.LatencyForm) {
		return
	}
	start := float64(at.Int) - took.Num*1000
	if start < 0 {
		return
	}
	x.put(entity.FieldValue{Field: entity.StartTime, Int: int64(start)})
	x.put(entity.FieldValue{Field: entity.EndTime, Int: at.Int})
}

// asked reads the service tier that was asked for, of the parameters of the call.
func (x *extractor) asked() {
	raw := x.get(entity.ModelParameters)
	if raw == nil || raw[0] != '{' {
		return
	}
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			return
		}
		text, _ := rawjson.Unquote(value)
		if string(key) == "service_tier" || string(key) == "serviceTier" || string(key) == "speed" && text == "fast" {
			x.fillTier(entity.RequestedServiceTier, text)
		}
	}
}

// fillTier fills a service tier that the payload has not given, from where it is no field of its own.
func (x *extractor) fillTier(f entity.Field, text string) {
	if utf8.RuneCountInString(text) <= MaxLabelLength && strings.IndexByte(text, 0) < 0 {
		x.fillText(f, entity.Tier(text))
	}
}

// callKind gives a wrapped call the type of what it did, as far as its operation says it.
func (x *extractor) callKind() {
	if typ, _ := rawjson.Unquote(x.get(entity.ObservationType)); typ != callType {
		return
	}
	operation, _ := rawjson.Unquote(x.get(sOperation))
	kind := ""
	switch {
	case strings.Contains(operation, "embedding"):
		kind = "embedding"
	case strings.Contains(operation, "completion"):
		kind = "generation"
	default:
		return
	}
	for i := range x.out.Values {
		if x.out.Values[i].Field == entity.ObservationType {
			x.out.Values[i].Text = kind
		}
	}
}
