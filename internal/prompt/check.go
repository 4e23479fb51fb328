package prompt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What there may be.
const (
	maxName        = 100       // characters
	maxLabel       = 50        // characters
	maxDescription = 2000      // characters
	maxTags        = 50        // each of at most maxName characters
	maxMessages    = 200       // of a chat
	maxTemplate    = 256 << 10 // bytes of all texts
	maxConfig      = 64 << 10  // bytes
	maxPrompts     = 2000      // of a project, with those whose name is only remembered
	maxVersions    = 1000      // of a prompt
	maxFile        = 12 << 20  // bytes, of a project
)

// Errors of what is asked for, and of changes.
var (
	// ErrInvalid says that something is not what it should be; the error has a line for each thing that is wrong.
	ErrInvalid = errors.New("it is not valid")
	// ErrUnknown says that there is no such prompt, version or label.
	ErrUnknown = errors.New("not found")
)

// Text is what a new version is made of: the body of POST /v1/prompts.
type Text struct {
	Name string `json:"name"` // of the prompt, which is made when there is none; 1 to 100 letters, digits, "-", "_" and "."
	// Type is text or chat, and stays what it is. Default: what the template is.
	Type     string              `json:"type,omitempty"`
	Template wire.PromptTemplate `json:"template"` // content, or messages; at most 256 KiB
	// Config is an object of what goes with the version, such as a model and its parameters; at most 64 KiB.
	Config json.RawMessage `json:"config,omitempty"`
	Labels []string        `json:"labels,omitempty"` // that are moved to the new version: each 1 to 50 lower-case letters, digits, "-", "_" and "."
	// Description and Tags are the prompt's, of all its versions. Absent: they stay what they are.
	Description   *string   `json:"description,omitempty"`
	Tags          *[]string `json:"tags,omitempty"`
	CommitMessage string    `json:"commit_message,omitempty"` // why there is this version; at most 2000 characters
}

// read is the text that raw says.
func read(raw []byte) (Text, error) {
	var t Text
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t); err != nil {
		return t, fmt.Errorf("%w: it is no JSON object of this kind: %s", ErrInvalid, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return t, fmt.Errorf("%w: something follows the object", ErrInvalid)
	}
	if string(t.Config) == "null" {
		t.Config = nil
	}
	if t.Type == "" {
		if t.Type = wire.PromptText; len(t.Template.Messages) > 0 {
			t.Type = wire.PromptChat
		}
	}
	if err := errors.Join(t.faults()...); err != nil {
		return t, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return t, nil
}

// faults says what is wrong, a line each.
func (t *Text) faults() []error {
	errs := nameFaults("name", t.Name, maxName)
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	errs = append(errs, t.templateFaults()...)
	if len(t.Config) > maxConfig || len(t.Config) > 0 && t.Config[0] != '{' {
		wrong("config: it is an object of at most %d bytes", maxConfig)
	}
	for i, label := range t.Labels {
		for _, err := range labelFaults(label) {
			wrong("labels, %d: %w", i+1, err)
		}
	}
	if t.Description != nil && !fits(*t.Description, maxDescription) {
		wrong("description: it has at most %d characters", maxDescription)
	}
	if !fits(t.CommitMessage, maxDescription) {
		wrong("commit_message: it has at most %d characters", maxDescription)
	}
	if t.Tags != nil {
		if len(*t.Tags) > maxTags {
			wrong("tags: there are at most %d", maxTags)
		}
		for i, tag := range *t.Tags {
			if tag == "" || !fits(tag, maxName) {
				wrong("tags, %d: it has 1 to %d characters", i+1, maxName)
			}
		}
	}
	return errs
}

func (t *Text) templateFaults() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	p := &t.Template
	size := len(p.Content)
	switch {
	case t.Type != wire.PromptText && t.Type != wire.PromptChat:
		wrong("type: it is %s or %s", wire.PromptText, wire.PromptChat)
	case t.Type == wire.PromptText && (len(p.Messages) > 0 || p.Content == ""):
		wrong("template: of a text it has content, which is not empty, and no messages")
	case t.Type == wire.PromptChat && (len(p.Messages) == 0 || len(p.Messages) > maxMessages || p.Content != ""):
		wrong("template: of a chat it has 1 to %d messages, and no content", maxMessages)
	}
	for i := range p.Messages {
		m := &p.Messages[i]
		size += len(m.Content)
		if m.Role == "" || !fits(m.Role, maxName) || !fits(m.Name, maxName) || !fits(m.ToolCallID, maxName) {
			wrong("template, messages, %d: role has 1 to %d characters, name and tool_call_id at most as many", i+1, maxName)
		}
	}
	if size > maxTemplate {
		wrong("template: its texts have at most %d bytes", maxTemplate)
	}
	return errs
}

// fits says that a text is UTF-8 of at most so many characters.
func fits(s string, most int) bool { return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most }

// nameFaults says what is wrong with a name.
func nameFaults(what, s string, most int) []error {
	bad := s == "" || len(s) > most || s == "." || s == ".."
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			bad = true
		}
	}
	if !bad {
		return nil
	}
	return []error{fmt.Errorf(`%s: it has 1 to %d letters of a to z, digits, "-", "_" and "."`, what, most)}
}

// labelFaults says what is wrong with a label that is to be moved.
func labelFaults(s string) []error {
	if s == wire.PromptLatest {
		return []error{fmt.Errorf("label: %s is always on the newest version", s)}
	}
	if errs := nameFaults("label", s, maxLabel); errs != nil || strings.ToLower(s) != s {
		return []error{fmt.Errorf(`label: it has 1 to %d lower-case letters, digits, "-", "_" and "."`, maxLabel)}
	}
	return nil
}
