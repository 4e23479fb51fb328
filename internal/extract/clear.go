package extract

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// clears reads the names of the fields that an update empties: a list of strings or one
// string. What is no name of a field with one of the rules, or a usage's, is noted.
func (x *extractor) clears(rules ...[]rule) {
	raw := x.get(sClear)
	if raw == nil {
		return
	}
	var names []string
	refused := false
	take := func(value []byte) {
		name, ok := rawjson.Unquote(value)
		if ok = ok && clearable(name, rules); !ok {
			refused = true
			return
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if raw[0] == '[' {
		e := rawjson.ElementsOf(raw)
		for value, ok := e.Next(); ok; value, ok = e.Next() {
			take(value)
		}
	} else {
		take(raw)
	}
	if refused {
		x.note("payload.clear names what is no field that " + string(x.ev.Type) + " can empty; that is left out")
	}
	if names != nil {
		x.out.Values = append(x.out.Values, entity.FieldValue{Field: entity.Clear, List: names})
	}
}

// clearable says whether name is a field that an event with the rules may empty. What it
// is about is none: an observation does not lose its trace, nor a score its value.
func clearable(name string, rules [][]rule) bool {
	return slices.ContainsFunc(rules, func(some []rule) bool {
		return slices.ContainsFunc(some, func(r rule) bool { return r.field.String() == name })
	})
}
