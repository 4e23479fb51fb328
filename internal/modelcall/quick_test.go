package modelcall

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// Whatever events come, in whatever order: what is read quickly is what is read in full.
func TestQuickReadsTheSame(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		piece, full func(*answer, []byte)
		built       func(*answer) any
		event       func(*rand.Rand) string
	}{
		"chat":      {chatPiece, chatChunk, chatBuilt, anyChunk},
		"anthropic": {anthropicPiece, anthropicEvent, anthropicBuilt, anyBlock},
		"responses": {responsesPiece, responsesEvent, responsesBuilt, anyDelta},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := chance.Of(t)
			for range chance.Rounds(300) {
				var quick, full answer
				for range rng.IntN(12) {
					event := tc.event(rng)
					tc.piece(&quick, []byte(event))
					tc.full(&full, []byte(event))
					if quick.first != full.first || quick.done != full.done || quick.failed != full.failed {
						t.Fatalf("after %s: first %t, %t; done %t, %t; failed %t, %t", event, quick.first, full.first, quick.done, full.done, quick.failed, full.failed)
					}
				}
				a, b := tc.built(&quick), tc.built(&full)
				if !reflect.DeepEqual(a, b) || quick.id != full.id || quick.model != full.model || quick.finish != full.finish || quick.tier != full.tier || !reflect.DeepEqual(quick.usage, full.usage) {
					t.Fatalf("%v %+v, want %v %+v", a, quick, b, full)
				}
			}
		})
	}
}

// anyText is a JSON text as providers write it.
func anyText(r *rand.Rand) string {
	return []string{`"a word"`, `""`, `"é\n\"x\" \u00e9"`, `"\ud83d\ude00"`, `"{\"a\":"`, `null`, `7`}[r.IntN(7)]
}

func maybe(r *rand.Rand, text string) string {
	if r.IntN(4) == 0 {
		return text
	}
	return ""
}

func anyChunk(r *rand.Rand) string {
	choice := func(i int) string {
		return fmt.Sprintf(`{"index":%d,"delta":{%s"content":%s%s},"finish_reason":%s%s}`, i, maybe(r, `"role":"assistant",`), anyText(r),
			maybe(r, `,"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]`), []string{"null", `"stop"`}[r.IntN(8)/7], maybe(r, `,"logprobs":null`))
	}
	choices := choice(0)
	if r.IntN(6) == 0 {
		choices = choice(1)
	}
	if r.IntN(6) == 0 {
		choices += "," + choice(1)
	}
	return fmt.Sprintf(`{"id":"c","object":"x","model":"m","choices":[%s]%s%s%s`, choices, maybe(r, `,"usage":{"prompt_tokens":3}`), maybe(r, `,"service_tier":"default"`),
		[]string{"}", "}", "}", "}", "", "} x"}[r.IntN(6)])
}

func anyBlock(r *rand.Rand) string {
	i := r.IntN(3)
	switch r.IntN(5) {
	case 0:
		return fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":{"type":"text","text":""}}`, i)
	case 1:
		return fmt.Sprintf(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":%d}}`, r.IntN(9))
	}
	return fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":"x_delta",%q:%s%s}%s`, i, []string{"text", "thinking", "partial_json", "signature", "citation"}[r.IntN(5)],
		anyText(r), maybe(r, `,"citation":{"a":1}`), []string{"}", "}", "}", ""}[r.IntN(4)])
}

func anyDelta(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		return `{"type":"response.completed","response":{"id":"r","model":"m","status":"completed","output":[{"type":"message"}],"usage":{"input_tokens":1}}}`
	case 1:
		return `{"type":"error","code":"x","message":"m"}`
	}
	return fmt.Sprintf(`{"type":%q,"item_id":"i","delta":%s%s`, []string{outputTextDelta, "response.function_call_arguments.delta", "response.created"}[r.IntN(3)], anyText(r), []string{"}", "}", ""}[r.IntN(3)])
}
