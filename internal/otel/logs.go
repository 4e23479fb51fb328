package otel

import "strings"

// logs takes from the span's log records what the span itself does not say.
func (r *reader) logs() {
	m := r.m
	for i := range r.Logs {
		l := &r.Logs[i]
		if m.FinishReasonOriginal == "" && l.Name == "gen_ai.choice" {
			m.FinishReasonOriginal = text(decodeObject(l.Body.Text), "finish_reason")
		}
		if l.Name != "gen_ai.client.inference.operation.details" {
			continue
		}
		if v, _ := find(l.Attributes, "gen_ai.input.messages"); m.Input == "" {
			m.Input = v.Text
		}
		if v, _ := find(l.Attributes, "gen_ai.output.messages"); m.Output == "" {
			m.Output = v.Text
		}
	}
}

// logMessages reads the messages of log records: gen_ai.user.message and the like, and gen_ai.choice.
// A record without content says nothing, but for the calls of tools.
func (r *reader) logMessages() (in, out []Message) {
	for i := range r.Logs {
		l := &r.Logs[i]
		role, isMessage := strings.CutSuffix(strings.TrimPrefix(l.Name, "gen_ai."), ".message")
		body, ok := decode(l.Body.Text).(object)
		switch {
		case !ok:
		case l.Name == "gen_ai.choice":
			if body["finish_reason"] == nil {
				body["finish_reason"] = ""
			}
			for _, m := range itemMessages(body) {
				if len(m.Parts) > 0 {
					out = append(out, m)
				}
			}
		case isMessage && strings.HasPrefix(l.Name, "gen_ai."):
			if body["role"] == nil {
				body["role"] = role
			}
			if id := text(body, "id"); role == "tool" && id != "" && body["tool_call_id"] == nil {
				body["tool_call_id"] = id
			}
			if m := messageOf(body); len(m.Parts) > 0 {
				in = append(in, m)
			}
		}
	}
	return in, out
}
