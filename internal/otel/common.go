package otel

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Keys of the prompt that an input was made from, as those say it who manage prompts. The version of OpenInference is that of a template without a name.
var (
	promptNameKeys    = []string{"brokle.prompt.name", "langfuse.observation.prompt.name", "gen_ai.prompt.name", "traceloop.prompt.key", "langsmith.metadata.lc_hub_repo"}
	promptVersionKeys = []string{"brokle.prompt.version", "langfuse.observation.prompt.version", "gen_ai.prompt.version", "traceloop.prompt.version",
		"langsmith.metadata.lc_hub_commit_hash", "llm.prompt_template.version"}
)

// common reads what means the same in every dialect.
func (r *reader) common() {
	m := r.m
	r.outcome()
	m.SessionID = r.unscrubbed("session.id", "gen_ai.conversation.id", "traceloop.association.properties.session_id",
		"langsmith.metadata.session_id", "langfuse.session.id", "session_id", "brokle.session_id")
	m.UserID = r.unscrubbed("user.id", "traceloop.association.properties.user_id", "langsmith.metadata.user_id",
		"langfuse.user.id", "user_id", "llm.user", "gen_ai.request.user", "brokle.user_id")
	m.Environment = r.text("brokle.environment", "langfuse.environment")
	if m.Environment == "" {
		m.Environment = r.resource("deployment.environment.name")
	}
	if m.Environment == "" {
		m.Environment = r.resource("deployment.environment")
	}
	m.Environment = strings.ToLower(m.Environment)
	if m.Release = r.text("langfuse.release", "brokle.release"); m.Release == "" {
		m.Release = r.resource("service.version")
	}
	m.CodeVersion = r.text("langfuse.version", "brokle.version")
	m.PromptName, m.PromptVersion = r.text(promptNameKeys...), r.text(promptVersionKeys...)
	m.Tags = texts(r.get("langfuse.trace.tags", "tag.tags", "brokle.trace.tags", "tags"))
	m.Input, m.Output = r.text("input.value"), r.text("output.value")
	m.Metadata = r.object("metadata", "brokle.trace.metadata")
	if m.UserID == "" {
		m.UserID = memberText(m.Metadata, "user_id")
	}
	m.messages = func() (in, out []Message, tools []Tool) {
		return messagesOf(m.Input), messagesOf(m.Output), nil
	}
}

// unscrubbed is text, without what logfire writes over words that it takes for secrets.
func (r *reader) unscrubbed(keys ...string) string {
	for _, key := range keys {
		if text := r.text(key); text != "" && !strings.HasPrefix(text, "[Scrubbed due to") {
			return text
		}
	}
	return ""
}

// object is the text of a JSON object, or "".
func (r *reader) object(keys ...string) string {
	v, _ := r.get(keys...)
	if text := strings.TrimSpace(v.Text); strings.HasPrefix(text, "{") && rawjson.Valid(text) {
		return text
	}
	return ""
}

// memberText is the text of a member of a JSON object, or "".
func memberText(object, key string) string {
	raw := member(object, key)
	text, _ := rawjson.Unquote([]byte(raw))
	return text
}

// member is a member of a JSON object as it is written; "" when it is absent or null.
func member(object, key string) string {
	if len(object) == 0 || object[0] != '{' {
		return ""
	}
	members := rawjson.MembersOf([]byte(object))
	for {
		name, value, ok := members.Next()
		if !ok {
			return ""
		}
		if string(name) == key && string(value) != "null" {
			return string(value)
		}
	}
}

// texts reads a list of texts, also where the list is JSON in a string. One text is a list of one.
func texts(v Value, _ string) []string {
	if v.Text == "" {
		return nil
	}
	if list, ok := listOf(v.Text); ok {
		return list
	}
	if v.Type == String {
		return []string{v.Text}
	}
	return nil
}

// listOf reads a JSON list of texts, in which null is "".
func listOf(text string) (list []string, ok bool) {
	if strings.IndexByte("[n \t\r\n", text[0]) < 0 || !rawjson.Valid(text) {
		return nil, false
	}
	if strings.TrimSpace(text) == "null" {
		return nil, true
	}
	elements := rawjson.ElementsOf(rawjson.Bytes(text))
	for {
		raw, more := elements.Next()
		if !more {
			return list, !elements.Broken()
		}
		item, isText := rawjson.Unquote(raw)
		if !isText && string(raw) != "null" {
			return nil, false
		}
		list = append(list, item)
	}
}

// outcome reads the status, and what is said of an error.
func (r *reader) outcome() {
	m := r.m
	m.Status = "ok"
	var thrown, said string
	for i := range r.Events {
		if e := &r.Events[i]; e.Name == "exception" {
			v, _ := find(e.Attributes, "exception.type")
			message, _ := find(e.Attributes, "exception.message")
			thrown, said = v.String(), message.String()
			if m.StatusMessage == "" {
				m.StatusMessage = firstLine(said)
			}
		}
	}
	kind := r.text("error.type")
	if kind == "" {
		kind = thrown
	}
	if r.StatusMessage != "" {
		m.StatusMessage = firstLine(r.StatusMessage)
	}
	if strings.HasSuffix(kind, "GeneratorExit") || strings.HasPrefix(said, "GeneratorExit") || kind == "_OTHER" && strings.Contains(r.StatusMessage, "abandoned stream") {
		r.why("status", "the reader of a stream left it: ", kind)
		m.Status, m.ErrorType = "aborted", kind
		return
	}
	if !r.Failed {
		m.StatusMessage = ""
		return
	}
	m.Status, m.Level = "error", "ERROR"
	m.ErrorType = kind[strings.LastIndexByte(kind, '.')+1:]
	if m.ErrorType == "" {
		m.ErrorType = m.StatusMessage
	}
}

// firstLine leaves out the traceback that some put behind an error's sentence.
func firstLine(text string) string {
	text, _, _ = strings.Cut(text, "Traceback (most recent call last)")
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// fail marks the span as failed where its status does not say so.
func (r *reader) fail(rule string) {
	if r.m.Status == "ok" {
		r.Failed = true
		r.outcome()
		r.why("status", rule)
	}
}

// finish fills in what follows from the rest.
func (r *reader) finish() {
	m := r.m
	m.Provider = strings.ToLower(m.Provider)
	m.ServiceTier, m.RequestedServiceTier = entity.Tier(m.ServiceTier), entity.Tier(m.RequestedServiceTier)
	if m.Model == "" {
		m.Model = m.RequestedModel
	}
	if original := m.FinishReasonOriginal; original != "" {
		m.FinishReason = r.reason(original)
	}
	if m.Prompt.Sent && m.Completion.Sent && m.Prompt.N == 0 && m.Completion.N == 0 {
		// No call has a prompt of nothing: the library has begun to count and was told nothing.
		m.dropCounts()
		r.why("prompt_tokens", "all counts were sent as 0, which means that none was known")
	}
	if m.Total = (Count{}); m.Prompt.Sent || m.Completion.Sent {
		m.Total = Count{m.Prompt.N + m.Completion.N, true}
		if m.TokenSource == "" {
			m.TokenSource = "reported"
		}
	} else {
		m.TokenSource = "none"
	}
}

// dropCounts leaves out all counts of tokens but those of audio.
func (m *Meaning) dropCounts() {
	m.Prompt, m.Completion, m.CacheRead, m.CacheWrite, m.CacheWrite1h, m.Reasoning = Count{}, Count{}, Count{}, Count{}, Count{}, Count{}
}

// take sets the counts of a usage, and its service tier where it says one.
func (m *Meaning) take(u *usage) {
	m.Prompt, m.Completion, m.CacheRead, m.CacheWrite, m.Reasoning = u.prompt, u.completion, u.cacheRead, u.cacheWrite, u.reasoning
	m.AudioInput, m.AudioOut = u.audioIn, u.audioOut
	m.details(u)
}

// details sets what a usage says of the call's price beside the counts.
func (m *Meaning) details(u *usage) {
	if u.hour.Sent {
		m.CacheWrite1h = u.hour
	}
	if u.tier != "" {
		m.ServiceTier = u.tier
	}
	if u.bad {
		m.leave("a count of its usage", entity.TokensForm)
	}
}

// leave notes that something was left out.
func (m *Meaning) leave(what string, must entity.Form) {
	m.Notes = append(m.Notes, what+" was left out: it must be "+must.String())
}

// reason is the word of our vocabulary for a finish reason as it was sent.
func (r *reader) reason(original string) string {
	if original != "completed" {
		return entity.StopReason(original)
	}
	// The Responses API is completed whether it asks for a tool or not.
	r.why("finish_reason", "completed says nothing, so the output says it")
	_, out, _ := r.m.Messages()
	for _, message := range out {
		for _, part := range message.Parts {
			if part.Type == "tool_call" {
				return "tool_calls"
			}
		}
	}
	return "stop"
}
