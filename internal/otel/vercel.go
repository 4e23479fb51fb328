package otel

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// vercelOperations are the types of ai.operationId. The call of a model is a span of its own, below one that
// stands for all steps and repeats their sums.
var vercelOperations = map[string]string{
	"ai.generateText": "chain", "ai.streamText": "chain", "ai.generateObject": "chain", "ai.streamObject": "chain",
	"ai.embed": "chain", "ai.embedMany": "chain", "ai.rerank": "chain",
	"ai.generateText.doGenerate": "generation", "ai.streamText.doStream": "generation",
	"ai.generateObject.doGenerate": "generation", "ai.streamObject.doStream": "generation",
	"ai.embed.doEmbed": "embedding", "ai.embedMany.doEmbed": "embedding", "ai.rerank.doRerank": "reranker",
	"ai.toolCall": "tool",
}

// vercelManagedPrompt has a prompt as an object.
const vercelManagedPrompt = "ai.telemetry.metadata.langfusePrompt"

// Keys of Vercel's own.
var (
	vercelPromptKeys     = []string{"ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"}
	vercelCompletionKeys = []string{"ai.usage.outputTokens", "ai.usage.completionTokens"}
	vercelReadKeys       = []string{"ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"}
	vercelWriteKeys      = []string{"ai.usage.inputTokenDetails.cacheWriteTokens"}
	vercelReasoningKeys  = []string{"ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"}
	vercelInputKeys      = []string{"ai.prompt.messages", "ai.prompt", "ai.toolCall.args", "ai.value", "ai.values"}
	vercelOutputKeys     = []string{"ai.response.text", "ai.response.object", "ai.response.toolCalls", "ai.toolCall.result"}
)

// vercel reads the spans of Vercel's AI SDK, which has words of its own beside some of gen_ai's.
func vercel(r *reader) {
	genai(r)
	m := r.m
	operation := r.text("ai.operationId")
	if typ := vercelOperations[operation]; typ != "" {
		m.Type = typ
		r.why("type", "ai.operationId is ", operation)
	}
	if id := r.text("ai.telemetry.metadata.sessionId"); id != "" && m.SessionID == "" {
		m.SessionID = id
	}
	if id := r.text("ai.telemetry.metadata.userId"); id != "" && m.UserID == "" {
		m.UserID = id
	}
	if prompt := r.text(vercelManagedPrompt); m.PromptName == "" { // what Langfuse's clients have one put there
		m.PromptName, m.PromptVersion = memberText(prompt, "name"), unquoted(member(prompt, "version"))
	}
	m.Metadata = r.unflatten(jsonOrText, "ai.telemetry.metadata.")
	m.Input = r.text(vercelInputKeys...)
	m.Output = r.text(vercelOutputKeys...)
	switch m.Type {
	case "tool":
		if name := r.text("ai.toolCall.name"); name != "" {
			m.Name = name
			r.why("name", "ai.toolCall.name, because each tool's span is called ai.toolCall")
		}
	case "generation", "embedding":
		r.vercelCall()
	default:
		m.dropCounts()
		m.FinishReasonOriginal = ""
	}
	m.plainIn = false
	m.messages = r.vercelMessages
}

// vercelCall reads who was asked, who answered, and what was counted.
func (r *reader) vercelCall() {
	m := r.m
	if m.RequestedModel == "" {
		m.RequestedModel = r.text("ai.model.id")
	}
	if m.Model == "" {
		m.Model = r.text("ai.response.model")
	}
	if m.ResponseID == "" {
		m.ResponseID = r.text("ai.response.id")
	}
	if m.Provider == "" {
		m.Provider = r.text("ai.model.provider")
	}
	m.Provider, _, _ = strings.Cut(m.Provider, ".") // such as openai.chat, openai.responses
	if !m.Prompt.Sent {
		m.Prompt = r.count(vercelPromptKeys...)
	}
	if !m.Completion.Sent {
		m.Completion = r.count(vercelCompletionKeys...)
	}
	m.CacheRead = r.count(vercelReadKeys...)
	m.CacheWrite = r.count(vercelWriteKeys...)
	m.Reasoning = r.count(vercelReasoningKeys...)
	r.vercelProvider(r.object("ai.response.providerMetadata"))
	if m.FinishReasonOriginal == "" {
		m.FinishReasonOriginal = r.text("ai.response.finishReason")
	}
	if v, key := r.get("ai.response.msToFirstChunk"); key != "" {
		m.FirstToken = r.millis(v, 1)
		r.why("time_to_first_token_ms", "ai.response.msToFirstChunk")
	}
}

// vercelProvider reads what each provider says in words of its own: OpenAI its service tier, Anthropic its whole usage.
func (r *reader) vercelProvider(metadata string) {
	if metadata == "" {
		return
	}
	for m := rawjson.MembersOf([]byte(metadata)); ; {
		_, of, ok := m.Next()
		if !ok {
			return
		}
		u := usageOf(member(string(of), "usage"))
		u.read(string(of), "")
		r.m.details(&u)
	}
}

// vercelMessages reads what went in, and puts text and calls of tools together to the message that came out.
func (r *reader) vercelMessages() (in, out []Message, tools []Tool) {
	if in = messagesOf(r.text("ai.prompt.messages")); len(in) == 0 {
		in = vercelPrompt(r.text("ai.prompt"))
	}
	if r.m.Type == "embedding" {
		v, _ := r.get("ai.values")
		values, _ := decode(v.String()).(list)
		for _, value := range values { // each is JSON once more
			if s, ok := value.(string); ok {
				in = append(in, textMessage("user", unquoted(s)))
			}
		}
	}
	answer := Message{Role: "assistant"}
	if s := r.text("ai.response.reasoning"); s != "" {
		answer.Parts = append(answer.Parts, Part{Type: "reasoning", Text: s})
	}
	answer.Parts = append(answer.Parts, partsOf(r.text("ai.response.text", "ai.response.object"))...)
	calls, _ := decode(r.text("ai.response.toolCalls")).(list)
	for _, c := range calls {
		if c, ok := c.(object); ok {
			answer.addCall(callPart(c))
		}
	}
	if len(answer.Parts) > 0 && r.m.Type != "tool" {
		out = []Message{answer}
	}
	v, _ := r.get("ai.prompt.tools")
	offered, _ := decode(v.String()).(list)
	return in, out, toolsOf(offered)
}

// vercelPrompt reads a prompt as the program gave it: a text or messages, and a system's text beside it.
func vercelPrompt(prompt string) []Message {
	o := decodeObject(prompt)
	if s := text(o, "prompt"); s != "" {
		return append(instructions(o), textMessage("user", s))
	}
	return messagesIn(any(o))
}
