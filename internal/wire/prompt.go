package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The types of prompts.
const (
	PromptText = "text" // a template is one text
	PromptChat = "chat" // a template is a list of messages
)

// PromptLatest is the label that is always the newest version's. It cannot be moved.
const PromptLatest = "latest"

// PromptProduction is the label of the version that applications use.
const PromptProduction = "production"

// PromptFallback is what observations say as the version of a prompt that was compiled in.
const PromptFallback = "fallback"

// PromptVersion is one version of a prompt: the answer of GET /v1/prompts/{name}. What a version says never changes; its labels move.
type PromptVersion struct {
	ID        string `json:"id"`         // NAME@VERSION
	ProjectID string `json:"project_id"` // the project of the key
	Name      string `json:"name"`       // 1 to 100 letters, digits, "-", "_" and "."
	Version   int    `json:"version"`    // from 1; 0 of a fallback
	Type      string `json:"type"`       // text or chat
	// Description and Tags are the prompt's, of all its versions.
	Description string         `json:"description"`
	Tags        []string       `json:"tags"`
	Template    PromptTemplate `json:"template"`
	// Config is an object of what goes with the prompt, such as a model and its parameters; nil when there is none.
	Config        json.RawMessage `json:"config"`
	Variables     []string        `json:"variables"` // of the template, in the order in which they first stand there
	Labels        []string        `json:"labels"`    // of this version, sorted; the newest one's have latest
	CommitMessage string          `json:"commit_message"`
	CreatedBy     string          `json:"created_by"` // the id of the key that made the version
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`  // of the prompt: a version, a label or the description
	IsFallback    bool            `json:"is_fallback"` // the text that was compiled in, because the server had none
}

// PromptTemplate is Content, or Messages. In both {{name}} stands for a variable: a letter or "_", then letters, digits and "_", with or without blanks around it. Other
// braces are text.
type PromptTemplate struct {
	Content  string          `json:"content,omitempty"`
	Messages []PromptMessage `json:"messages,omitempty"`
}

// PromptMessage is a message of a chat.
type PromptMessage struct {
	Role       string `json:"role"` // system, user, assistant, tool or another word
	Content    string `json:"content"`
	Name       string `json:"name,omitempty"`
	ToolCallID string `json:"tool_call_id,omitempty"`
}

// PromptSummary is a prompt in a list.
type PromptSummary struct {
	ID            string        `json:"id"` // its name
	ProjectID     string        `json:"project_id"`
	Name          string        `json:"name"`
	Type          string        `json:"type"` // text or chat
	Description   string        `json:"description"`
	Tags          []string      `json:"tags"`
	Labels        []PromptLabel `json:"labels"` // by name, latest too
	LatestVersion int           `json:"latest_version"`
	Versions      int           `json:"versions"` // how many there are
	CreatedAt     time.Time     `json:"created_at"`
	UpdatedAt     time.Time     `json:"updated_at"`
}

// PromptLabel is a label of a prompt, and the version that has it.
type PromptLabel struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

// MissingVariablesError says which variables of a prompt were given no value.
type MissingVariablesError struct {
	Prompt    string   // its name
	Version   int      // 0 of a fallback
	Variables []string // in the order of the template
}

func (e *MissingVariablesError) Error() string {
	return fmt.Sprintf("brokle: prompt %s, version %d: no value for %s", e.Prompt, e.Version, strings.Join(e.Variables, ", "))
}

// Compile gives the template with values in the places of its variables. Texts are put in as they are, numbers and booleans as they are written, what is none of these as
// JSON. A variable without a value, or with nil, is a *MissingVariablesError; values that no variable asks for are left out. What a value holds is never read as a
// template.
func (p *PromptVersion) Compile(values map[string]any) (PromptTemplate, error) {
	texts := make(map[string]string, len(values))
	missing := &MissingVariablesError{Prompt: p.Name, Version: p.Version}
	for _, name := range p.Template.Variables() {
		text, ok, err := textOf(values[name])
		switch {
		case err != nil:
			return PromptTemplate{}, fmt.Errorf("brokle: prompt %s: the value of %s: %w", p.Name, name, err)
		case !ok:
			missing.Variables = append(missing.Variables, name)
		default:
			texts[name] = text
		}
	}
	if len(missing.Variables) > 0 {
		return PromptTemplate{}, missing
	}
	return p.Template.fill(texts), nil
}

// CompileText is Compile of a prompt of type text. One of messages is an error.
func (p *PromptVersion) CompileText(values map[string]any) (string, error) {
	if p.Type == PromptChat {
		return "", fmt.Errorf("brokle: prompt %s is a chat: CompileMessages gives its messages", p.Name)
	}
	t, err := p.Compile(values)
	return t.Content, err
}

// CompileMessages is Compile as messages: a text is one message of the user.
func (p *PromptVersion) CompileMessages(values map[string]any) ([]PromptMessage, error) {
	t, err := p.Compile(values)
	if err != nil || p.Type == PromptChat {
		return t.Messages, err
	}
	return []PromptMessage{{Role: "user", Content: t.Content}}, nil
}

// Said is the version as observations say it.
func (p *PromptVersion) Said() string {
	if p.IsFallback {
		return PromptFallback
	}
	return strconv.Itoa(p.Version)
}

// textOf is a value as it is put into a text; ok is false for nil.
func textOf(v any) (text string, ok bool, err error) {
	switch v := v.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64, json.Number:
		return fmt.Sprint(v), true, nil
	case fmt.Stringer:
		return v.String(), true, nil
	}
	raw, err := json.Marshal(v)
	return string(raw), true, err
}

// texts are those that may have variables.
func (t *PromptTemplate) texts() []string {
	all := []string{t.Content}
	for i := range t.Messages {
		all = append(all, t.Messages[i].Content)
	}
	return all
}

// Variables are the names of the template's variables, each once, in the order in which they first stand there. It is never nil.
func (t *PromptTemplate) Variables() []string {
	names := []string{}
	for _, text := range t.texts() {
		eachVariable(text, func(_, name string) {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		})
	}
	return names
}

// fill puts texts in the places of variables.
func (t *PromptTemplate) fill(with map[string]string) PromptTemplate {
	out := PromptTemplate{Content: filled(t.Content, with), Messages: slices.Clone(t.Messages)}
	for i := range out.Messages {
		out.Messages[i].Content = filled(out.Messages[i].Content, with)
	}
	return out
}

func filled(text string, with map[string]string) string {
	var b strings.Builder
	eachVariable(text, func(before, name string) {
		b.WriteString(before)
		b.WriteString(with[name])
	})
	return b.String()
}

// maxVariable is how many bytes a variable may have, with its braces and blanks: what is longer is text.
const maxVariable = 200

// eachVariable calls take for each variable of a text, with what stands before it; and at last for the rest, without a name.
func eachVariable(text string, take func(before, name string)) {
	from := 0
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			break
		}
		open += at
		end := strings.Index(text[open:min(len(text), open+maxVariable)], "}}")
		if end < 0 {
			at = open + 1
			continue
		}
		name := strings.Trim(text[open+2:open+end], " \t")
		if !variableName(name) {
			at = open + 1 // {{{name}} has its variable one further
			continue
		}
		take(text[from:open], name)
		at = open + end + 2
		from = at
	}
	take(text[from:], "")
}

// variableName says whether a variable can be called so.
func variableName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
