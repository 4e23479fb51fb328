package otel

import "strings"

// Said is what a log record adds to the span that it names.
type Said struct {
	Input, Output string // JSON, or ""
	FinishReason  string // as it was sent
	ResponseID    string
}

// ReadLog says what a log record of a model's call says: a message that went in or came out, or the
// details of the call.
func ReadLog(l *Event) (s Said) {
	id, _ := find(l.Attributes, "gen_ai.response.id")
	s.ResponseID = id.String()
	switch {
	case l.Name == "gen_ai.client.inference.operation.details":
		in, _ := find(l.Attributes, "gen_ai.input.messages")
		out, _ := find(l.Attributes, "gen_ai.output.messages")
		s.Input, s.Output = in.Text, out.Text
	case l.Body.Type != Map:
	case l.Name == "gen_ai.choice":
		s.FinishReason = text(decodeObject(l.Body.Text), "finish_reason")
		if _, out := saidBy(l); len(out) > 0 {
			s.Output = l.Body.Text
		}
	case strings.HasPrefix(l.Name, "gen_ai.") && strings.HasSuffix(l.Name, ".message"):
		if in, _ := saidBy(l); len(in) > 0 {
			s.Input = withRole(l)
		}
	}
	return s
}

// saidBy are the messages of one log record.
func saidBy(l *Event) (in, out []Message) {
	r := reader{Span: &Span{Logs: []Event{*l}}, m: &Meaning{}}
	return r.logMessages()
}

// withRole is the body of a message with the role that the record's name says where the body says none.
func withRole(l *Event) string {
	if member(l.Body.Text, "role") != "" {
		return l.Body.Text
	}
	role := strings.TrimSuffix(strings.TrimPrefix(l.Name, "gen_ai."), ".message")
	rest := strings.TrimPrefix(l.Body.Text, "{")
	if rest != "}" {
		rest = "," + rest
	}
	return `{"role":` + string(encode(role)) + rest
}
