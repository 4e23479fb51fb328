package extract

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// clears reads the names of the fields that an update empties: a list of strings or one
// string. What is no name of a field that they can empty is noted.
func (x *extractor) clears() {
	raw := x.get(entity.Clear)
	if raw == nil {
		return
	}
	var names []string
	refused := false
	take := func(value []byte) {
		name, ok := rawjson.Unquote(value)
		if f, known := entity.FieldNamed(name); !ok || !known || !f.Clears(x.out.Kind) {
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
		x.put(entity.FieldValue{Field: entity.Clear, List: names})
	}
}
