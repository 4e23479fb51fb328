package sdk

import "strings"

// text is what one model call said and heard: size bytes in all.
func text(size int) (input, output string) {
	s := strings.Repeat("The quick brown fox jumps over the lazy dog, once more. ", size/112+2)
	return s[:size*4/10], s[:size*4/10]
}

// properties is the event that every client gets: the same fields with the same values.
func properties(size int) map[string]any {
	in, out := text(size)
	return map[string]any{"trace_id": "01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "name": "chat", "type": "generation", "model": "small-1",
		"input": in, "output": out, "total_tokens": 321, "environment": "bench"}
}

// call is properties as a struct, which only brokle takes.
type call struct {
	TraceID     string `json:"trace_id"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Model       string `json:"model"`
	Input       string `json:"input"`
	Output      string `json:"output"`
	TotalTokens int    `json:"total_tokens"`
	Environment string `json:"environment"`
}

func structured(size int) *call {
	in, out := text(size)
	return &call{"01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "chat", "generation", "small-1", in, out, 321, "bench"}
}
