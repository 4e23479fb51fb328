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
		s.Output = l.Body.Text
		s.FinishReason = text(decodeObject(l.Body.Text), "finish_reason")
	case strings.HasPrefix(l.Name, "gen_ai.") && strings.HasSuffix(l.Name, ".message"):
		s.Input = l.Body.Text
	}
	return s
}
