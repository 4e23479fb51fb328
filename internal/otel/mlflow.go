package otel

import "strings"

// flowTypes are the types of mlflow.spanType.
var flowTypes = map[string]string{
	"CHAT_MODEL": "generation", "LLM": "generation", "EMBEDDING": "embedding", "AGENT": "agent", "TOOL": "tool", "CHAIN": "chain",
	"RETRIEVER": "retrieval", "RERANKER": "reranker", "GUARDRAIL": "guardrail", "EVALUATOR": "evaluator", "WORKFLOW": "chain", "TASK": "chain",
}

// mlflow reads MLflow's spans, in which every value is JSON once more.
func mlflow(r *reader) {
	m := r.m
	kind := r.unwrapped("mlflow.spanType")
	if typ := flowTypes[strings.ToUpper(kind)]; typ != "" {
		m.Type = typ
	}
	r.why("type", "mlflow.spanType is ", kind)
	m.Input, m.Output = r.unwrapped("mlflow.spanInputs"), r.unwrapped("mlflow.spanOutputs")
	if strings.HasPrefix(m.Output, "<") && strings.Contains(m.Output, " object at 0x") {
		m.Output = "" // what Python prints of an object says nothing
	}
	answer := decodeObject(m.Output)
	m.RequestedModel = memberText(m.Input, "model")
	if m.RequestedModel == "" {
		m.RequestedModel = r.unwrapped("mlflow.llm.model")
	}
	m.Model, m.ResponseID = text(answer, "model"), text(answer, "id")
	m.ServiceTier, m.RequestedServiceTier = text(answer, "service_tier"), memberText(m.Input, "service_tier")
	m.Provider = r.unwrapped("mlflow.llm.provider")
	r.flowUsage(answer)
	r.flowReason(answer)
	m.FirstToken = r.since(r.firstEvent("mlflow.chunk.item.", true))
	m.Metadata = ""
	m.messages = r.flowMessages
}

// unwrapped is an attribute without the JSON around it.
func (r *reader) unwrapped(key string) string { return unquoted(r.text(key)) }

// flowUsage reads the provider's usage in the answer, or MLflow's own, whose counts include the
// cache although their names are Anthropic's.
func (r *reader) flowUsage(answer object) {
	m := r.m
	u := usageOf(string(encode(answer["usage"])))
	if !u.prompt.Sent {
		u = usageOf(r.unwrapped("mlflow.chat.tokenUsage"))
		u.exclusive = false
		r.why("prompt_tokens", "mlflow.chat.tokenUsage includes the cache")
	}
	m.take(&u)
	if u.exclusive {
		r.addCache("Anthropic's usage is exclusive")
	}
}

func (r *reader) flowReason(answer object) {
	m := r.m
	if choice, ok := first(answer["choices"]).(object); ok {
		m.FinishReasonOriginal = text(choice, "finish_reason")
	}
	if m.FinishReasonOriginal == "" {
		m.FinishReasonOriginal = text(answer, "stop_reason")
	}
}

func (r *reader) flowMessages() (in, out []Message, tools []Tool) {
	in, out = messagesOf(r.m.Input), messagesOf(r.m.Output)
	if r.m.Type == "embedding" {
		return embedded(decodeObject(r.m.Input)["input"]), nil, nil
	}
	for i := range out {
		if out[i].Role == "" {
			out[i].Role = "assistant"
		}
	}
	if s, ok := decode(r.m.Output).(string); ok && s != "" && len(out) == 0 && r.m.Type == "generation" {
		out = []Message{textMessage("assistant", s)}
	}
	tools = toolsOf(decode(r.unwrapped("mlflow.chat.tools")))
	if len(tools) == 0 {
		tools = toolsOf(decodeObject(r.m.Input)["tools"])
	}
	return in, out, tools
}

// embedded are the texts that were embedded, as messages of the user.
func embedded(v any) (in []Message) {
	if s, ok := v.(string); ok {
		v = list{s}
	}
	texts, _ := v.(list)
	for _, t := range texts {
		if s, ok := t.(string); ok {
			in = append(in, textMessage("user", s))
		}
	}
	return in
}
