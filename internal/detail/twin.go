package detail

import (
	"encoding/json"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Twins adds to e what follows from other reports of the same call: own is the observation as its own events say it, and
// whole as answers show it.
func (e *Explanation) Twins(own, whole *wire.Observation) {
	before, after := fieldsOf(own), fieldsOf(whole)
	var filled []string
	for field, value := range after {
		if string(before[field]) != string(value) && field != "duplicate_of" && field != "duplicate_of_trace" {
			filled = append(filled, field)
		}
	}
	slices.Sort(filled)
	for _, field := range filled {
		if isText := after[field][0] == '"'; !isText && field == "model_parameters" {
			after[field] = text(string(after[field]))
		}
		e.put(Reason{field, after[field], "another report of the same call, a duplicate of this one, knows it", ""})
	}
	if whole.DuplicateOf != "" {
		const rule = "it reports the same call and is kept: sums and lists leave this one out"
		e.put(Reason{"duplicate_of", text(whole.DuplicateOf), rule, ""})
		e.put(Reason{"duplicate_of_trace", text(whole.DuplicateOfTrace), rule, ""})
	}
}

// put replaces the reason of a field, or adds it.
func (e *Explanation) put(r Reason) {
	if i := slices.IndexFunc(e.Why, func(known Reason) bool { return known.Field == r.Field }); i >= 0 {
		e.Why[i] = r
		return
	}
	e.Why = append(e.Why, r)
}

// says whether a field has a value here.
func (e *Explanation) says(field string) bool {
	return slices.ContainsFunc(e.Why, func(known Reason) bool { return known.Field == field && string(known.Value) != "null" })
}

// fieldsOf are the members of an observation as JSON.
func fieldsOf(o *wire.Observation) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(encoded(o), &members) != nil {
		return nil // what was encoded always decodes
	}
	return members
}
