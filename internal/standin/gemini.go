package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const (
	geminiUsage = `{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":150}`
	// geminiMediaUsage counts a prompt with sound and what a search added to it; the image that comes is of the answer's tokens.
	geminiMediaUsage = `{"promptTokenCount":100,"candidatesTokenCount":20,"toolUsePromptTokenCount":40,"totalTokenCount":160,"promptTokensDetails":[{"modality":"TEXT","tokenCount":70},{"modality":"AUDIO","tokenCount":30}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":15}],"toolUsePromptTokensDetails":[{"modality":"TEXT","tokenCount":40}],"trafficType":"ON_DEMAND"}`
)

func geminiRefusal(w http.ResponseWriter, status int) {
	word := map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 529: "UNAVAILABLE"}[status]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":"refused with %d","status":%q}}`, status, status, word)
}

func gemini(p *reply, q asked) {
	if path := p.r.URL.Path; !strings.HasSuffix(path, "enerateContent") {
		geminiOther(p, q, path)
		return
	}
	chunk := func(parts, finish, usage string) string {
		if finish != "" {
			finish = `,"finishReason":"` + finish + `"`
		}
		return fmt.Sprintf(`{"candidates":[{"content":{"role":"model","parts":%s}%s,"index":0}],"usageMetadata":%s,"modelVersion":%q,"responseId":"gem_1"}`, parts, finish, usage, q.model)
	}
	calls := `[{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}}},{"functionCall":{"name":"get_time","args":{}}}]`
	answer := `[{"text":"Air scatters.","thought":true},{"text":"The sky is blue."}]`
	if q.tools() {
		answer = calls
	}
	usage := geminiUsage
	if strings.HasSuffix(q.model, "-media") {
		answer, usage = `[{"text":"It is blue."},{"inlineData":{"mimeType":"image/png","data":"`+strings.Repeat("iVBORw0K", 1000)+`"}},{"text":"As drawn."}]`, geminiMediaUsage
	}
	blocked := ""
	if strings.HasSuffix(q.model, "-blocked") {
		blocked = fmt.Sprintf(`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":100,"totalTokenCount":100},"modelVersion":%q,"responseId":"gem_1"}`, q.model)
	}
	switch {
	case q.stream:
	case blocked != "":
		p.whole("%s", blocked)
		return
	default:
		p.whole("%s", chunk(answer, "STOP", usage))
		return
	}
	early := `{"promptTokenCount":100,"totalTokenCount":100}`
	events := []string{chunk(`[{"text":"Air scatters.","thought":true}]`, "", early), chunk(`[{"text":"The sky"}]`, "", early), chunk(`[{"text":" is blue."}]`, "", early), chunk(`[{"text":""}]`, "STOP", geminiUsage)}
	if q.tools() {
		events = []string{chunk(`[{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}}}]`, "", early), chunk(`[{"functionCall":{"name":"get_time","args":{}}}]`, "STOP", geminiUsage)}
	}
	if blocked != "" {
		events = []string{blocked}
	}
	if p.r.URL.Query().Get("alt") != "sse" {
		p.whole("[%s]", strings.Join(events, ",\r\n"))
		return
	}
	p.stream(0, events)
}

// geminiOther answers what generates nothing.
func geminiOther(p *reply, q asked, path string) {
	const values = `"values":[0.25,0.5,0.125]`
	all := func(one, key string) string {
		var sent []json.RawMessage
		_ = json.Unmarshal(q.sent[key], &sent) // no list has no items
		return strings.TrimSuffix(strings.Repeat(one+",", len(sent)), ",")
	}
	switch {
	case strings.HasSuffix(path, ":countTokens"):
		p.whole(`{"totalTokens":12,"promptTokensDetails":[{"modality":"TEXT","tokenCount":12}]}`)
	case strings.HasSuffix(path, ":batchEmbedContents"):
		p.whole(`{"embeddings":[%s]}`, all("{"+values+"}", "requests"))
	case strings.HasSuffix(path, ":embedContent"):
		p.whole(`{"embedding":{%s}}`, values)
	case strings.HasPrefix(q.model, "imagen"):
		p.whole(`{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":%q}]}`, strings.Repeat("iVBORw0K", 1000))
	default:
		p.whole(`{"predictions":[%s],"metadata":{"billableCharacterCount":12}}`, all(`{"embeddings":{`+values+`,"statistics":{"truncated":false,"token_count":6}}}`, "instances"))
	}
}
