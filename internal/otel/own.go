package otel

// Conversation reads messages from the input and output of an observation that no span reported, in
// the shapes of any provider. A bare text is what the user or the model said, in a call of a model. What are no
// messages gives none.
func Conversation(typ, input, output string) (in, out []Message, tools []Tool) {
	call := typ == "generation" || typ == "llm"
	said := func(text, role string) []Message {
		v := decode(text)
		if s, isText := v.(string); isText {
			if inner := messagesOf(s); len(inner) > 0 || s == "" || !call {
				return inner
			}
			return []Message{textMessage(role, s)}
		}
		return messagesIn(v)
	}
	in, out = said(input, "user"), said(output, "assistant")
	if typ == "embedding" && len(in) == 0 {
		v := decode(input)
		if request, ok := v.(object); ok {
			v = request["input"]
		}
		in = embedded(v)
	}
	for i := range out {
		if out[i].Role == "" {
			out[i].Role = "assistant"
		}
	}
	if o := decodeObject(input); o != nil {
		tools = toolsOf(o["tools"])
	}
	return in, out, tools
}

// exportScope is the scope of spans that package outgoing makes of other observations.
const exportScope = "brokle.export"

// exported reads what such a span says in keys of ours.
func (r *reader) exported() {
	m := r.m
	m.InputCost, m.OutputCost = r.money("brokle.input_cost"), r.money("brokle.output_cost")
	m.CacheReadCost, m.CacheWriteCost = r.money("brokle.cache_read_cost"), r.money("brokle.cache_write_cost")
	m.CacheWrite1h = r.count("brokle.cache_write_1h_tokens")
	if m.Type != "tool" { // as it was sent, rather than as messages
		m.Input, m.Output = r.text("input.value"), r.text("output.value")
	}
	if v, _ := r.get("brokle.token_source"); v.Text == "estimated" {
		m.TokenSource = v.Text
	}
	if r.text("brokle.status") == "aborted" {
		m.Status = "aborted"
	}
	if said := r.text("brokle.status_message"); said != "" {
		m.StatusMessage = said
	}
	m.messages = func() (in, out []Message, tools []Tool) { return Conversation(m.Type, m.Input, m.Output) }
}
