package standin

import (
	"fmt"
	"net/http"
)

func anthropicRefusal(w http.ResponseWriter, status int) {
	typ := map[int]string{400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}[status]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"type":"error","error":{"type":%q,"message":"refused with %d"},"request_id":"req_1"}`, typ, status)
}

// anthropicMessages answers; its input counts leave the cache out: 20 + 80 read + 10 written.
func anthropicMessages(p *reply, q asked) {
	content, reason := `[{"type":"thinking","thinking":"Air scatters.","signature":"sig"},{"type":"text","text":"The sky is blue."}]`, "end_turn"
	if q.tools() {
		content = `[{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Oslo"}},{"type":"tool_use","id":"toolu_2","name":"get_time","input":{}}]`
		reason = "tool_use"
	}
	if !q.stream {
		p.whole(`{"id":"msg_1","type":"message","role":"assistant","model":%q,"content":%s,"stop_reason":%q,"stop_sequence":null,"usage":{"input_tokens":20,"cache_creation_input_tokens":10,"cache_read_input_tokens":80,"output_tokens":50}}`,
			q.model, content, reason)
		return
	}
	events := []string{"message_start\n" + fmt.Sprintf(`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":%q,"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"cache_creation_input_tokens":10,"cache_read_input_tokens":80,"output_tokens":1}}}`, q.model)}
	block := func(i int, start string, deltas ...string) {
		events = append(events, "content_block_start\n"+fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, start))
		for _, d := range deltas {
			events = append(events, "content_block_delta\n"+fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":%s}`, i, d))
		}
		events = append(events, "content_block_stop\n"+fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, i))
	}
	if q.tools() {
		block(0, `{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}`,
			`{"type":"input_json_delta","partial_json":""}`, `{"type":"input_json_delta","partial_json":"{\"city\": \"Os"}`, `{"type":"input_json_delta","partial_json":"lo\"}"}`)
		block(1, `{"type":"tool_use","id":"toolu_2","name":"get_time","input":{}}`, `{"type":"input_json_delta","partial_json":""}`)
	} else {
		block(0, `{"type":"thinking","thinking":"","signature":""}`, `{"type":"thinking_delta","thinking":"Air "}`, `{"type":"thinking_delta","thinking":"scatters."}`, `{"type":"signature_delta","signature":"sig"}`)
		events = append(events, "ping\n"+`{"type":"ping"}`)
		block(1, `{"type":"text","text":""}`, `{"type":"text_delta","text":"The sky"}`, `{"type":"text_delta","text":" is blue."}`)
	}
	events = append(events, "message_delta\n"+fmt.Sprintf(`{"type":"message_delta","delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":50}}`, reason))
	p.stream(2, append(events, "message_stop\n"+`{"type":"message_stop"}`))
}
