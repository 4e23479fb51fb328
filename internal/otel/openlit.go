package otel

import "strings"

// openlit reads OpenLIT's spans.
func openlit(r *reader) {
	genai(r)
	m := r.m
	if m.Environment == "" {
		m.Environment = strings.ToLower(r.text("deployment.environment"))
	}
	if m.Provider == "anthropic" && m.Prompt.Sent {
		r.addCache("scope ", r.Scope, " is exclusive")
	}
	stream, _ := r.get("gen_ai.request.stream")
	if stream.Int == 1 && m.Prompt.Sent && !m.CacheRead.Sent {
		m.TokenSource = "estimated"
		r.why("token_source", "a stream of scope openlit without a count of the cache has counts that it made up from characters")
	}
	if m.TotalCost.V == 0 {
		m.TotalCost = Number{}
		r.why("total_cost", "scope openlit sends 0 for a model that it has no price of")
	}
	m.Parameters = withoutDefaults(m.Parameters)
}

// unset are the values that OpenLIT sends for what nobody has set.
var unset = map[string]string{"seed": "0", "top_p": "1", "top_k": "1", "frequency_penalty": "0", "presence_penalty": "0", "stop_sequences": "[]"}

func withoutDefaults(params string) string {
	o := decodeObject(params)
	for name, value := range unset {
		if string(encode(o[name])) == value {
			delete(o, name)
		}
	}
	if len(o) == 0 {
		return ""
	}
	return string(encode(o))
}
