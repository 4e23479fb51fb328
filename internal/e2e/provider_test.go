package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// answerChat is a stand-in for a model's provider: it answers chats of OpenAI's API as theirs does.
// What is asked with tools is answered with a call of one, and "too much" is refused.
func answerChat(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Stream        bool
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
		Messages []struct{ Content any }
		Tools    []any
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.Messages) == 0 {
		http.Error(w, "no chat", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch last := asked.Messages[len(asked.Messages)-1].Content; {
	case last == "too much":
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`)
	case asked.Stream:
		w.Header().Set("Content-Type", "text/event-stream")
		stream(w, asked.StreamOptions.IncludeUsage)
	case len(asked.Tools) > 0:
		_, _ = fmt.Fprintf(w, `{%s,"object":"chat.completion","usage":%s,"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant",`+
			`"content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]}}]}`, chatHead(), chatUsage)
	default:
		_, _ = fmt.Fprintf(w, `{%s,"object":"chat.completion","usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25},`+
			`"choices":[{"index":0,"message":{"role":"assistant","content":"because"},"finish_reason":"stop"}]}`, chatHead())
	}
}

// chatHead begins an answer. Each has an id of its own, as a provider's have: two of one id that overlap in time, from two clients, would be one call that was reported twice.
func chatHead() string {
	return `"id":"chatcmpl-` + rand.Text() + `","created":1700000000,"model":"gpt-4o-mini-2024-07-18"`
}

// chatUsage is what each answer says that it used where it is not the short one.
const chatUsage = `{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":80},"completion_tokens_details":{"reasoning_tokens":30}}`

func stream(w io.Writer, withUsage bool) {
	var all strings.Builder
	head := chatHead()
	for _, part := range []string{
		`"choices":[{"index":0,"delta":{"role":"assistant","content":"It "},"finish_reason":null}]`,
		`"choices":[{"index":0,"delta":{"content":"rains."},"finish_reason":null}]`,
		`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`,
		`"choices":[],"usage":` + chatUsage,
	} {
		if withUsage || !strings.Contains(part, "usage") {
			fmt.Fprintf(&all, "data: {%s,\"object\":\"chat.completion.chunk\",%s}\n\n", head, part)
		}
	}
	_, _ = io.WriteString(w, all.String()+"data: [DONE]\n\n")
}
