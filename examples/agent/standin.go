package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// standIn answers chats as OpenAI's API does: first it asks for the tool, then it says what the tool said.
type standIn struct{}

// ServeHTTP implements http.Handler.
func (standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Messages) == 0 || r.URL.Path != "/chat/completions" {
		http.Error(w, `{"error":{"message":"no chat","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	last := asked.Messages[len(asked.Messages)-1]
	var text string
	_ = json.Unmarshal(last.Content, &text)
	message, finish := map[string]any{"role": "assistant", "content": "The weather is " + text + "."}, "stop"
	if last.Role != "tool" {
		finish = "tool_calls"
		city, _ := json.Marshal(map[string]string{"city": cityIn(text)}) // a map of texts always encodes
		message = map[string]any{"role": "assistant", "content": nil, "tool_calls": []any{
			map[string]any{"id": "call_1", "type": "function", "function": map[string]any{"name": "get_weather", "arguments": string(city)}}}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": fmt.Sprintf("chatcmpl-%d", len(asked.Messages)), "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": finish}},
		"usage":   map[string]any{"prompt_tokens": 40 * len(asked.Messages), "completion_tokens": 15, "total_tokens": 40*len(asked.Messages) + 15},
	})
}

// cityIn is the last word of a question.
func cityIn(question string) string {
	words := strings.Fields(strings.Trim(question, "?!. "))
	if len(words) == 0 {
		return "Oslo"
	}
	return words[len(words)-1]
}
