package standin

import (
	"fmt"
	"net/http"
	"strings"
)

func ollamaRefusal(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":"refused with %d"}`, status)
}

// ollamaChat answers in Ollama's own API, whose stream is a JSON text a line.
func ollamaChat(p *reply, q asked) {
	const counts = `"done_reason":"stop","total_duration":5000000,"prompt_eval_count":100,"eval_count":50`
	line := func(content string, done bool, more string) string {
		return fmt.Sprintf(`{"model":%q,"created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":%q},"done":%t%s}`, q.model, content, done, more)
	}
	if !q.stream {
		p.whole("%s\n", line("The sky is blue.", true, ","+counts))
		return
	}
	p.w.Header().Set("Content-Type", "application/x-ndjson")
	lines := []string{line("The sky", false, ""), line(" is blue.", false, ""), line("", true, ","+counts)}
	_, _ = fmt.Fprint(p.w, strings.Join(lines, "\n")+"\n")
}
