package entity_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// The words of Gemini's FinishReason and BlockReason, in any case; what is none of ours stays.
func TestStopReason(t *testing.T) {
	t.Parallel()
	for want, words := range map[string]string{
		"stop":           "STOP stop end_turn",
		"length":         "MAX_TOKENS length",
		"content_filter": "SAFETY PROHIBITED_CONTENT BLOCKLIST SPII IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT MODEL_ARMOR JAILBREAK content_filter",
		"error":          "MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS",
		"tool_calls":     "tool_use function_call",
	} {
		for _, word := range strings.Fields(words) {
			if got := entity.StopReason(word); got != want {
				t.Errorf("%s is %s, want %s", word, got, want)
			}
		}
	}
	for _, word := range []string{"RECITATION", "LANGUAGE", "OTHER", ""} {
		if got := entity.StopReason(word); got != word {
			t.Errorf("%q is %q", word, got)
		}
	}
}
