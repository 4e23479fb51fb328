package entity

import "strings"

// StopReason is a provider's finish reason in one vocabulary: stop, length, tool_calls,
// content_filter or error; another is kept as it was sent.
func StopReason(text string) string {
	switch strings.ToLower(text) {
	case "stop", "end_turn", "stop_sequence", "complete", "eos", "eos_token":
		return "stop"
	case "length", "max_tokens", "max_output_tokens", "model_length", "max_length":
		return "length"
	case "tool_calls", "tool-calls", "tool_use", "tool_call", "function_call":
		return "tool_calls"
	case "content_filter", "content-filter", "content_filtered", "guardrail_intervened", "safety", "prohibited_content", "blocklist",
		"spii", "image_safety", "image_prohibited_content", "model_armor", "jailbreak": // Gemini's
		return "content_filter"
	case "error", "malformed_function_call", "unexpected_tool_call", "too_many_tool_calls":
		return "error"
	}
	return text
}
