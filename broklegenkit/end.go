package broklegenkit

import (
	"cmp"
	"encoding/json"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// end ends a step with what its span says.
func (s *step) end(r *modelcall.Recorder, span sdktrace.ReadOnlySpan) {
	attrs := span.Attributes()
	said := saidBy(s.kind, attrs, !r.NoContent)
	opts := append(said.opts, brokle.EndedAt(span.EndTime().UTC()))
	if in, out := modelcall.Content(said.in), modelcall.Content(said.out); !r.NoContent {
		if in != nil {
			opts = append(opts, brokle.Input(in))
		}
		if out != nil {
			opts = append(opts, brokle.Output(out))
		}
		if s.trace != nil && !s.kind.isCall() && (in != nil || out != nil) {
			s.trace.Update(brokle.Input(in), brokle.Output(out))
		}
	}
	if said.session != "" && s.trace != nil {
		s.trace.Update(brokle.SessionID(said.session))
	}
	f := failureOf(span)
	switch {
	case !f.failed:
		s.o.End(opts...)
	case f.interrupted():
		s.o.End(append(opts, brokle.Attribute("genkit.interrupted", true))...)
	case f.left():
		s.o.Abort(opts...)
	default:
		if r.NoContent {
			f.text = ""
		}
		s.o.End(append(opts, brokle.Level(brokle.LevelError), brokle.ErrorType(f.class), brokle.StatusMessage(f.text))...)
	}
}

// failure is what a span says of an error.
type failure struct {
	failed      bool
	class, text string
}

// failureOf reads the error of a span: its exception event, which has the type of Go's error, its status, or Genkit's own word.
func failureOf(span sdktrace.ReadOnlySpan) (f failure) {
	f.failed = span.Status().Code == codes.Error || textOf(span.Attributes(), attrState) == "error"
	f.text = span.Status().Description
	for _, e := range span.Events() {
		if e.Name == "exception" { // OpenTelemetry's semantic conventions
			f.class, f.text = strings.TrimLeft(textOf(e.Attributes, "exception.type"), "*"), cmp.Or(f.text, textOf(e.Attributes, "exception.message"))
		}
	}
	if strings.HasPrefix(f.class, "fmt.wrapError") || strings.HasPrefix(f.class, "errors.") { // a text around another, which is no class
		f.class = ""
	}
	return f
}

// interrupted says whether a tool asked to go on later: Genkit returns it as an error.
func (f failure) interrupted() bool { return strings.HasSuffix(f.class, "toolInterruptError") }

// left says whether the reader left the stream (Genkit's error for that is the word stop), or the context was cancelled.
func (f failure) left() bool {
	for _, end := range []string{"context canceled", "stop"} {
		if f.text == end || strings.HasSuffix(f.text, ": "+end) {
			return true
		}
	}
	return false
}

// said is what a span says of a step that has ended.
type said struct {
	in, out any // nil when nothing was said
	opts    []brokle.Option
	session string
}

func saidBy(k kind, attrs []attribute.KeyValue, content bool) (s said) {
	in, out := rawOf(attrs, attrInput), rawOf(attrs, attrOutput)
	if in != nil {
		s.in = in
	}
	if out != nil {
		s.out = out
	}
	switch k.typ {
	case brokle.TypeGeneration:
		s.request(in, content)
		s.response(out)
	case brokle.TypeEmbedding:
		s.in, s.out = textsOf(in), sizesOf(out)
	case brokle.TypeRetrieval:
		var q struct{ Query document }
		if json.Unmarshal(in, &q) == nil && len(q.Query.Content) > 0 {
			s.in = q.Query.text()
		}
		if docs := member(out, "documents"); docs != nil {
			s.out = docs
		}
	case brokle.TypeTool:
		if v := member(out, "output"); k.action == "tool.v2" && v != nil && member(out, "content") == nil { // else media are beside it
			s.out = v
		}
	case brokle.TypeAgent:
		s.session = sessionOf(rawOf(attrs, attrInit), out)
	case brokle.TypeChain:
		if messages := member(in, "messages"); k.action == "util" && messages != nil { // of all turns of a generation: the call below has the rest
			s.in, s.out = messages, nil
			if m := member(out, "message"); m != nil {
				s.out = m
			}
		}
	}
	return s
}

// rawOf is an attribute that holds JSON; nil where it says nothing.
func rawOf(attrs []attribute.KeyValue, key string) json.RawMessage {
	text := textOf(attrs, key)
	if text == "" || text == "null" || !json.Valid([]byte(text)) {
		return nil
	}
	return json.RawMessage(text)
}

func member(object json.RawMessage, name string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil || string(members[name]) == "null" {
		return nil
	}
	return members[name]
}

// sessionOf is the session of an agent.
func sessionOf(from ...json.RawMessage) string {
	for _, object := range from {
		var s struct {
			SessionID string `json:"sessionId"`
			State     struct {
				SessionID string `json:"sessionId"`
			} `json:"state"`
		}
		if json.Unmarshal(object, &s) == nil && s.SessionID+s.State.SessionID != "" {
			return cmp.Or(s.SessionID, s.State.SessionID)
		}
	}
	return ""
}
