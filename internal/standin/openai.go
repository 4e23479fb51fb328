package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// What every answer says it used, in OpenAI's chat and in its Responses API.
const (
	chatUsage      = `{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":80,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":0}}`
	responsesUsage = `{"input_tokens":100,"output_tokens":50,"total_tokens":150,"input_tokens_details":{"cached_tokens":80},"output_tokens_details":{"reasoning_tokens":30}}`
	chatTools      = `[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},{"id":"call_2","type":"function","function":{"name":"get_time","arguments":"{}"}}]`
)

func openAIRefusal(w http.ResponseWriter, status int) {
	typ, code := "invalid_request_error", "null"
	switch status {
	case 401:
		code = `"invalid_api_key"`
	case 429:
		typ, code = "requests", `"rate_limit_exceeded"`
	case 500, 529:
		typ = "server_error"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"message":"refused with %d","type":%q,"param":null,"code":%s}}`, status, typ, code)
}

func openAIChat(p *reply, q asked) {
	model := answered(q.model)
	if strings.Contains(q.model, "-judge") {
		judged(p, q)
		return
	}
	if !q.stream {
		message, finish := `{"role":"assistant","content":"The sky is blue.","refusal":null}`, "stop"
		if strings.HasSuffix(q.model, "-verdict") {
			message = `{"role":"assistant","content":"{\"reason\": \"It is right.\", \"value\": 0.75}","refusal":null}`
		}
		if q.tools() {
			message, finish = `{"role":"assistant","content":null,"tool_calls":`+chatTools+`}`, "tool_calls"
		}
		p.whole(`{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":%q,"choices":[{"index":0,"message":%s,"logprobs":null,"finish_reason":%q}],"usage":%s,"service_tier":"default"}`,
			model, message, finish, chatUsage)
		return
	}
	chunk := func(delta, finish string) string {
		return fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":%q,"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`, model, delta, finish)
	}
	events := []string{chunk(`{"role":"assistant","content":""}`, "null")}
	if q.tools() {
		for _, part := range []string{
			`{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}`, `{"index":0,"function":{"arguments":"{\"city\":"}}`,
			`{"index":0,"function":{"arguments":"\"Oslo\"}"}}`, `{"index":1,"id":"call_2","type":"function","function":{"name":"get_time","arguments":"{}"}}`,
		} {
			events = append(events, chunk(`{"tool_calls":[`+part+`]}`, "null"))
		}
		events = append(events, chunk(`{}`, `"tool_calls"`))
	} else {
		for _, s := range []string{"The", " sky", " is", " blue."} {
			events = append(events, chunk(fmt.Sprintf(`{"content":%q}`, s), "null"))
		}
		events = append(events, chunk(`{}`, `"stop"`))
	}
	if q.usage {
		events = append(events, fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":%q,"choices":[],"usage":%s,"service_tier":"default"}`, model, chatUsage))
	}
	p.stream(1, append(events, "[DONE]"))
}

// judged is the verdict of a judge: whether what stands between the marks output has what stands between the marks expected.
func judged(p *reply, q asked) {
	var messages []struct{ Content string }
	_ = json.Unmarshal(q.sent["messages"], &messages)
	between := func(mark string) string {
		text := messages[len(messages)-1].Content
		_, text, _ = strings.Cut(text, "<"+mark+">\n")
		text, _, _ = strings.Cut(text, "\n</"+mark+">")
		return text
	}
	score, reason := "0", "it has not what is expected"
	if len(messages) > 0 && strings.Contains(between("output"), between("expected")) {
		score, reason = "1", "it has what is expected"
	}
	if strings.HasSuffix(q.model, "-words") {
		score = map[string]string{"0": `"wrong"`, "1": `"correct"`}[score]
	}
	p.whole(`{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":%q,"choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"finish_reason":"stop"}],"usage":%s}`,
		q.model, fmt.Sprintf(`{"reason": %q, "score": %s}`, reason, score), chatUsage)
}

// answered is the model that answers for the one that was asked.
func answered(model string) string {
	if model == "gpt-4o-mini" || model == "gpt-4o-mini-verdict" {
		return "gpt-4o-mini-2024-07-18"
	}
	return model
}

func openAIResponses(p *reply, q asked) {
	output := `[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"The sky is blue.","annotations":[]}]}]`
	if q.tools() {
		output = `[{"type":"function_call","id":"fc_1","call_id":"call_1","status":"completed","name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}]`
	}
	response := func(status, output, usage string) string {
		return fmt.Sprintf(`{"id":"resp_1","object":"response","created_at":1700000000,"status":%q,"model":%q,"output":%s,"usage":%s,"error":null,"incomplete_details":null,"service_tier":"default"}`,
			status, answered(q.model), output, usage)
	}
	if !q.stream {
		p.whole("%s", response("completed", output, responsesUsage))
		return
	}
	events := []string{"response.created\n" + `{"type":"response.created","sequence_number":0,"response":` + response("in_progress", "[]", "null") + `}`}
	for _, s := range []string{"The", " sky", " is blue."} {
		events = append(events, "response.output_text.delta\n"+fmt.Sprintf(`{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":%q}`, s))
	}
	p.stream(1, append(events, "response.completed\n"+`{"type":"response.completed","response":`+response("completed", output, responsesUsage)+`}`))
}

func openAIEmbeddings(p *reply, q asked) {
	n := 1
	var inputs []json.RawMessage
	if json.Unmarshal(q.sent["input"], &inputs) == nil {
		n = len(inputs)
	}
	one := `{"object":"embedding","index":0,"embedding":[0.25,0.5,0.125]}`
	p.whole(`{"object":"list","data":[%s],"model":%q,"usage":{"prompt_tokens":12,"total_tokens":12}}`, strings.TrimSuffix(strings.Repeat(one+",", n), ","), q.model)
}

func openAIImages(p *reply, _ asked) {
	p.whole(`{"created":1700000000,"data":[{"b64_json":%q,"revised_prompt":"a blue sky"}],"usage":{"input_tokens":10,"output_tokens":20,"total_tokens":30}}`, strings.Repeat("iVBORw0K", 1000))
}
