package standin

import (
	"fmt"
	"net/http"
	"strings"
)

const geminiUsage = `{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":150}`

func geminiRefusal(w http.ResponseWriter, status int) {
	word := map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 529: "UNAVAILABLE"}[status]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":"refused with %d","status":%q}}`, status, status, word)
}

func gemini(p *reply, q asked) {
	if strings.HasSuffix(p.r.URL.Path, "mbedContents") || strings.HasSuffix(p.r.URL.Path, "embedContent") {
		p.whole(`{"embedding":{"values":[0.25,0.5,0.125]}}`)
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
	if !q.stream {
		p.whole("%s", chunk(answer, "STOP", geminiUsage))
		return
	}
	early := `{"promptTokenCount":100,"totalTokenCount":100}`
	events := []string{chunk(`[{"text":"Air scatters.","thought":true}]`, "", early), chunk(`[{"text":"The sky"}]`, "", early), chunk(`[{"text":" is blue."}]`, "", early), chunk(`[{"text":""}]`, "STOP", geminiUsage)}
	if q.tools() {
		events = []string{chunk(`[{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}}}]`, "", early), chunk(`[{"functionCall":{"name":"get_time","args":{}}}]`, "STOP", geminiUsage)}
	}
	if p.r.URL.Query().Get("alt") != "sse" {
		p.whole("[%s]", strings.Join(events, ",\r\n"))
		return
	}
	p.stream(0, events)
}
