package extract

import (
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// read reads one key, which says f in this form, into the result. An absent value is left out, and a
// bad one is dealt with by invalid.
func (x *extractor) read(s slot, f entity.Field, form entity.Form) {
	raw := x.get(s)
	if raw == nil {
		return
	}
	v := entity.FieldValue{Field: f}
	ok := true
	switch form {
	case entity.JSONForm:
		v.Text = rawjson.Alias(raw)
	case entity.TagsForm:
		if v.List, ok = tags(raw, x.tags[:0]); ok && len(v.List) == 0 {
			return
		}
		x.tags = v.List
	case entity.TimeForm, entity.TokensForm, entity.NumberForm, entity.LatencyForm, entity.CostForm:
		if string(raw) == `""` {
			return
		}
		ok = number(&v, raw, form)
	default:
		if v.Text, ok = x.text(s, form); !ok {
			return // absent, or text has said what is wrong
		}
	}
	if !ok {
		x.invalid(keys.names[s], "", form.String())
		return
	}
	x.put(v)
}

// text reads a key that holds text. ok is false when it is absent, empty, or bad.
func (x *extractor) text(s slot, how entity.Form) (text string, ok bool) {
	raw := x.get(s)
	if raw == nil {
		return "", false
	}
	most, scalar := 0, false
	switch how {
	case entity.IDForm, entity.TypeForm, entity.SourceForm, entity.TierForm:
		most = MaxLabelLength
	case entity.LabelForm:
		most, scalar = MaxLabelLength, raw[0] != 't' && raw[0] != 'f'
	case entity.NameForm:
		most = MaxNameLength
	case entity.TextForm:
		scalar = true
	case entity.LevelForm:
		scalar = raw[0] != 't' && raw[0] != 'f'
	}
	if raw[0] == '"' {
		text, ok = rawjson.Unquote(raw)
		// No backend can be asked for a text with NUL: what goes by it could not be got, or erased.
		ok = ok && (how != entity.IDForm && how != entity.LabelForm && how != entity.TierForm || strings.IndexByte(text, 0) < 0)
	} else if scalar && raw[0] != '{' && raw[0] != '[' {
		text, ok = rawjson.Alias(raw), true
	}
	if ok && most > 0 && len(text) > most {
		ok = utf8.RuneCountInString(text) <= most
	}
	if !ok {
		x.invalid(keys.names[s], "", how.String())
		return "", false
	}
	if text == "" {
		return "", false
	}
	if canonical, enum := enumText(text, how); enum {
		if canonical == "" {
			x.invalid(keys.names[s], text, how.String())
		}
		return canonical, canonical != ""
	}
	return text, true
}

// enumText returns the canonical spelling of an enum's value, "" when it is
// none of them; enum is false for a form that is no enum.
func enumText(text string, how entity.Form) (canonical string, enum bool) {
	switch how {
	case entity.LevelForm:
		return levelOf(text), true
	case entity.FinishForm:
		return entity.StopReason(text), true
	case entity.TierForm:
		return entity.Tier(text), true
	case entity.SourceForm:
		return scoreSource(text), true
	case entity.TypeForm:
		if known := oneOf(text, "span", "generation", "llm", "event", "retrieval", "embedding", "agent", "tool", "chain"); known != "" {
			return known, true
		}
		return text, true // unknown types are kept as sent
	}
	return "", false
}

// scoreSource takes the words of Brokle's SDK of 2026 too.
func scoreSource(text string) string {
	switch oneOf(text, "code", "llm") {
	case "code":
		return "AUTO"
	case "llm":
		return "EVAL"
	}
	return oneOf(text, "API", "AUTO", "HUMAN", "EVAL")
}

func oneOf(text string, values ...string) string {
	for _, v := range values {
		if len(v) == len(text) && strings.EqualFold(v, text) {
			return v
		}
	}
	return ""
}

// number reads a time or a number into v.
func number(v *entity.FieldValue, raw []byte, how entity.Form) bool {
	if how == entity.TimeForm {
		var t wire.Timestamp
		if t.UnmarshalJSON(raw) != nil {
			return false
		}
		v.Int = t.UnixMicro()
		return true
	}
	s, ok := rawjson.NumberText(raw)
	if !ok {
		return false
	}
	if how == entity.TokensForm {
		v.Int, ok = wholeNumber(s)
		return ok
	}
	v.Num, ok = finiteNumber(s)
	return ok && how.Takes(v.Num)
}

func finiteNumber(s string) (float64, bool) {
	if len(s) <= exactDigits && rawjson.Digits(s) == len(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return float64(n), err == nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if f == 0 {
		f = 0 // no negative zero: it would print as "-0"
	}
	return f, err == nil && math.Abs(f) <= MaxNumber
}

// exactDigits is how many digits a whole number may have that a float64 holds, whichever they are.
const exactDigits = 15

// wholeNumber takes 12, and also 12.0 and 1.2e1.
func wholeNumber(s string) (int64, bool) {
	if rawjson.Digits(s) == len(s) && len(s) < 19 { // cannot overflow, so no error is made
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && n <= MaxTokens
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f > MaxTokens {
		return 0, false
	}
	return int64(f), true
}

// tags reads a list (null and empty elements are left out, scalars that are no
// strings and nested values keep their text), a map ("key:value", sorted; null
// values are left out) or one string. The list is in the memory of room when that is enough.
func tags(raw []byte, room []string) ([]string, bool) {
	switch raw[0] {
	case '"':
		text, ok := rawjson.Unquote(raw)
		if text == "" {
			return nil, ok
		}
		return append(room, text), ok
	case '[':
		return listTags(raw, room)
	case '{':
		return mapTags(raw)
	}
	return nil, false
}

func listTags(raw []byte, list []string) ([]string, bool) {
	e := rawjson.ElementsOf(raw)
	for {
		value, ok := e.Next()
		if !ok {
			return list, !e.Broken()
		}
		if text := tagText(value); text != "" {
			list = append(list, text)
		}
	}
}

func mapTags(raw []byte) ([]string, bool) {
	last := make(map[string]string)
	m := rawjson.MembersOf(raw)
	for {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		delete(last, string(key))
		if value[0] != 'n' {
			last[string(key)] = tagText(value)
		}
	}
	list := make([]string, 0, len(last))
	for key, text := range last {
		list = append(list, key+":"+text)
	}
	sort.Strings(list)
	return list, !m.Broken()
}

func tagText(value []byte) string {
	if value[0] == 'n' {
		return ""
	}
	if text, ok := rawjson.Unquote(value); ok {
		return text
	}
	return rawjson.Alias(value)
}

// WholeNumber reads a JSON number, or a string that holds one, that is whole and
// from 0 to MaxTokens. 12.0 and 1.2e1 are whole.
func WholeNumber(raw []byte) (int64, bool) {
	if len(raw) == 0 {
		return 0, false
	}
	text, ok := rawjson.NumberText(raw)
	if !ok {
		return 0, false
	}
	return wholeNumber(text)
}
