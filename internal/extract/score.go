package extract

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

const (
	dataTypeRule = "one of NUMERIC, CATEGORICAL and BOOLEAN, in any case"
	valueRule    = "a finite number of magnitude at most 1e100, a boolean, or a string"
)

// score reads a quality score. An update may carry any part of it.
func (x *extractor) score() {
	create := x.out.Rank == entity.RankCreate
	fallback := ""
	if create {
		fallback = x.ev.ID
	}
	x.identify(fallback, []slot{sScoreID})
	x.strict = create
	trace, aboutTrace := x.first(keys.of[entity.TraceID])
	if aboutTrace {
		x.putText(entity.TraceID, trace)
	}
	observation, aboutObservation := x.first(keys.of[entity.ObservationID])
	if aboutObservation {
		x.putText(entity.ObservationID, observation)
	}
	if create && !aboutTrace && !aboutObservation {
		x.missing(entity.TraceID, "or payload.observation_id, "+entity.IDForm.String())
	}
	x.scoreName(create)
	x.strict = false
	x.scoreValue(create)
	if !create {
		x.clears()
	}
	x.apply()
	if text, ok := x.text(sReason, entity.TextForm); ok { // what SDKs of 2026 call it
		x.fillText(entity.Comment, text)
	}
}

func (x *extractor) scoreName(required bool) {
	for _, s := range [...]slot{entity.Name, sScoreName} {
		if text, ok := x.text(s, entity.NameForm); ok {
			x.putText(entity.Name, text)
			return
		}
	}
	if required {
		x.missing(entity.Name, "or payload.score_name, "+entity.NameForm.String())
	}
}

// scoreValue reads the value in the data type that is given or that it shows.
func (x *extractor) scoreValue(required bool) {
	dataType := ""
	if text, ok := x.text(entity.DataType, entity.TextForm); ok {
		if dataType = oneOf(text, entity.Numeric, entity.Categorical, entity.Boolean); dataType == "" {
			x.note("payload." + keys.names[entity.DataType] + " was not used, the value shows its own: it must be " + dataTypeRule)
		}
	} else if text, ok := rawjson.Unquote(x.get(entity.ObservationType)); ok { // what SDKs of 2026 call it
		dataType = oneOf(text, entity.Numeric, entity.Categorical, entity.Boolean)
	}
	x.strict = true // an update whose value cannot be read must not look as if it had worked
	defer func() { x.strict = false }()
	order := keys.number
	if dataType == entity.Categorical {
		order = keys.category
	}
	for _, s := range order {
		raw := x.get(s)
		if raw == nil || string(raw) == `""` {
			continue
		}
		if dataType == "" && s == entity.StringValue {
			dataType = entity.Categorical
		}
		v, dataType, ok := scoreValue(raw, dataType)
		if !ok {
			must := valueRule
			if dataType != "" {
				must = "a " + dataType + " value: " + valueRule + " that holds one"
			}
			x.invalid(keys.names[s], "", must)
			return
		}
		x.put(v)
		x.putText(entity.DataType, dataType)
		return
	}
	if required {
		x.missing(entity.Value, "or payload.score_value or payload.string_value, "+valueRule)
	}
	if dataType != "" {
		x.putText(entity.DataType, dataType)
	}
}

// scoreValue reads raw as a value of dataType, or of the type that raw shows when that is "".
func scoreValue(raw []byte, dataType string) (v entity.FieldValue, as string, ok bool) {
	truth := raw[0] == 't' || raw[0] == 'f'
	text, quoted := rawjson.Unquote(raw)
	if !quoted {
		text = rawjson.Alias(raw)
	}
	if as = dataType; as == "" {
		switch {
		case truth:
			as = entity.Boolean
		case quoted && !rawjson.IsNumber(text): // a number may come as a numeric string
			as = entity.Categorical
		default:
			as = entity.Numeric
		}
	}
	if raw[0] == '{' || raw[0] == '[' {
		return v, as, false
	}
	if as == entity.Categorical {
		return entity.FieldValue{Field: entity.StringValue, Text: text}, as, true
	}
	v = entity.FieldValue{Field: entity.Value}
	if truth || as == entity.Boolean {
		if strings.EqualFold(text, "true") {
			v.Num = 1
			return v, as, true
		}
		if strings.EqualFold(text, "false") {
			return v, as, true
		}
	}
	if !rawjson.IsNumber(text) {
		return v, as, false
	}
	v.Num, ok = finiteNumber(text)
	return v, as, ok && (as != entity.Boolean || v.Num == 0 || v.Num == 1)
}
