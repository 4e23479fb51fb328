package detail

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Explanation says why an observation's fields are what they are.
type Explanation struct {
	ID      string   `json:"id"`
	TraceID string   `json:"trace_id"`
	Dialect string   `json:"dialect"` // the convention by which its span was read; "" when it came as no span
	Why     []Reason `json:"why"`
	// Ambiguous says that other traces have an observation of this id, that the request
	// named none, and that this is the newest.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

// Reason is why one field has its value.
type Reason struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"` // of input, output and other JSON the first characters, as text; null where the rule is why there is none
	Rule  string          `json:"rule"`
	// EventID is the event that says it; "" when the fold does.
	EventID string `json:"event_id"`
}

// Explain says why each field of row is what it is. recs are what it was folded from, in the order of the fold.
func Explain(row *entity.ObservationRow, recs []*entity.Record) *Explanation {
	x := &explainer{row: row, rules: map[*entity.Record]rules{}, by: map[entity.Field][]*entity.Record{}, last: map[entity.Field]entity.FieldValue{}}
	e := &Explanation{ID: row.ID, TraceID: row.TraceID, Ambiguous: row.Ambiguous, Why: []Reason{}}
	for _, rec := range recs {
		x.read(rec)
		if r := x.rules[rec]; r.dialect != "" {
			e.Dialect, x.span = r.dialect, rec
		}
	}
	for _, f := range entity.Said(entity.ObservationKind) {
		if f == entity.PromptKey || f == entity.Twin {
			continue // no answer shows them
		}
		if reason, ok := x.reason(f); ok {
			e.Why = append(e.Why, reason)
		}
	}
	return e
}

type explainer struct {
	row   *entity.ObservationRow
	rules map[*entity.Record]rules
	span  *entity.Record                    // the last export
	by    map[entity.Field][]*entity.Record // that say a field, in the order of the fold
	last  map[entity.Field]entity.FieldValue
}

// rules says why one event says what it says.
type rules struct {
	dialect string
	of      func(field entity.Field, value string) string
	why     map[string]string // of a span
}

func (x *explainer) read(rec *entity.Record) {
	if rec.Fields == nil {
		return
	}
	x.rules[rec] = rulesOf(rec)
	if v, ok := rec.Fields.Get(entity.Clear); ok {
		for _, name := range v.List {
			if f, known := entity.FieldNamed(name); known {
				delete(x.by, f)
				delete(x.last, f)
			}
		}
	}
	for _, v := range rec.Fields.Values {
		x.by[v.Field], x.last[v.Field] = append(x.by[v.Field], rec), v
	}
}

func rulesOf(rec *entity.Record) rules {
	if !otlp.Stored(rec.Event.Payload) {
		return rules{of: func(f entity.Field, value string) string { return placeIn(rec.Event.Payload, f, value) }}
	}
	_, item, err := otlp.ReadStored(rec.Event.Payload)
	switch {
	case err != nil:
		return rules{of: func(entity.Field, string) string { return "the payload" }}
	case item.Log != nil:
		return rules{of: func(entity.Field, string) string { return "log record " + item.Log.Name }}
	}
	m := otel.Explain(item.Span)
	return rules{dialect: m.Dialect, why: m.Why, of: func(f entity.Field, _ string) string {
		if rule := m.Why[f.String()]; rule != "" {
			return rule
		}
		return spanRules[f]
	}}
}

// spanRules are those of what every span has.
var spanRules = map[entity.Field]string{
	entity.TraceID: "the span's traceId", entity.ParentObservationID: "the span's parentSpanId", entity.Name: "the span's name",
	entity.StartTime: "the span's startTimeUnixNano", entity.EndTime: "the span's endTimeUnixNano", entity.Door: "the path and the headers of the request",
	entity.Scope: "the scope's name", entity.ScopeVersion: "the scope's version", entity.SDK: "headers of the request, or resource telemetry.sdk.*",
	entity.ObservationType: "part of a call that another span reports",
}

// placeIn is where a payload of ours has the value of a field.
func placeIn(payload []byte, f entity.Field, value string) string {
	top := map[string]bool{}
	members := rawjson.MembersOf(payload)
	for {
		key, v, ok := members.Next()
		if !ok {
			break
		}
		top[string(key)] = string(v) != "null" && string(v) != `""`
	}
	for _, name := range append([]string{f.String()}, f.Keys()...) {
		if top[name] {
			return "payload." + name
		}
	}
	if path, found := otel.PathIn(string(payload), f.String(), value); found {
		return "payload." + path
	}
	switch f {
	case entity.Model:
		return "requested_model: no answer names another"
	case entity.TraceID:
		return "the observation's id: the payload names no trace"
	case entity.FinishReasonOriginal:
		return placeIn(payload, entity.FinishReason, value)
	}
	return "the payload"
}

// reason is why f has its value; ok is false when there is nothing to say.
func (x *explainer) reason(f entity.Field) (r Reason, ok bool) {
	said := x.by[f]
	if len(said) > 0 && f == entity.KeyID {
		return Reason{f.String(), text(x.row.KeyID), "the key of the first request", said[0].Event.ID}, true
	}
	if len(said) == 0 || f == entity.LatencyMS && x.row.EndTime != nil {
		return x.followed(f)
	}
	last := said[len(said)-1]
	v := x.last[f]
	value, plain := valueOf(f, v)
	rule := x.rules[last].of(f, plain)
	if n := len(said); n > 1 && f.Merges() {
		rule = fmt.Sprintf("%d events together, the last: %s", n, rule)
	}
	if total := x.row.TotalTokens; f == entity.TotalTokens && total != nil && *total != v.Int {
		value, rule = encoded(*total), "prompt_tokens + completion_tokens: nobody's total is believed"
	}
	return Reason{f.String(), value, rule, last.Event.ID}, true
}

// followed is why a field has a value that no event says.
func (x *explainer) followed(f entity.Field) (r Reason, ok bool) {
	row := x.row
	r.Field = f.String()
	switch f {
	case entity.Environment:
		r.Value, r.Rule = text(row.Environment), "the environment of the request"
	case entity.StartTime:
		r.Value, r.Rule = text(row.StartTime.UTC().Format(timeLayout)), "the time of its first event, for no start was sent"
	case entity.EndTime:
		if row.EndTime != nil {
			r.Value, r.Rule = text(row.EndTime.UTC().Format(timeLayout)), "the time of the event that completes it, for no end was sent"
		}
	case entity.LatencyMS:
		if row.LatencyMS != nil {
			r.Value, r.Rule = encoded(*row.LatencyMS), "end_time − start_time"
		}
	case entity.ObservationType:
		r.Value, r.Rule = text(row.Type), "no event says one"
	case entity.Level:
		r.Value, r.Rule = text(row.Level), "no event says one"
	case entity.Status:
		r.Value, r.Rule = text(row.Status), "the level is "+row.Level
	case entity.TokenSource:
		r.Value, r.Rule = text(row.TokenSource), "counts were sent"
		if row.TokenSource == "none" {
			r.Rule = "no counts were sent"
		}
	case entity.TotalTokens:
		if row.TotalTokens != nil {
			r.Value, r.Rule = encoded(*row.TotalTokens), "prompt_tokens + completion_tokens"
		}
	case entity.TotalCost:
		if row.TotalCost != nil {
			r.Value, r.Rule = encoded(*row.TotalCost), "input_cost + output_cost"
		}
	}
	if r.Rule == "" {
		return x.missing(f)
	}
	return r, true
}

// missing is why a field has no value, where a span's reader knows.
func (x *explainer) missing(f entity.Field) (r Reason, ok bool) {
	if rule := x.rules[x.span].why[f.String()]; rule != "" {
		return Reason{f.String(), json.RawMessage("null"), rule, x.span.Event.ID}, true
	}
	return r, false
}

// valueOf is a field's value as JSON, and as the text that PathIn compares.
func valueOf(f entity.Field, v entity.FieldValue) (value json.RawMessage, plain string) {
	switch f.Type() {
	case entity.Integer:
		return encoded(v.Int), strconv.FormatInt(v.Int, 10)
	case entity.Float:
		return encoded(v.Num), strconv.FormatFloat(v.Num, 'f', -1, 64)
	case entity.Time:
		return text(time.UnixMicro(v.Int).UTC().Format(timeLayout)), ""
	case entity.List:
		return encoded(v.List), ""
	case entity.JSON:
		return text(entity.Beginning(v.Text, entity.PreviewLength)), ""
	}
	return text(v.Text), v.Text
}

func text(s string) json.RawMessage { return encoded(s) }
