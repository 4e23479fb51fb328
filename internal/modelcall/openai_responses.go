package modelcall

import (
	"cmp"
	"encoding/json"
	"strings"
)

// responsesBody is an answer of OpenAI's Responses API.
type responsesBody struct {
	ID         string                     `json:"id"`
	Model      string                     `json:"model"`
	Status     string                     `json:"status"`
	Output     json.RawMessage            `json:"output"`
	Usage      map[string]json.RawMessage `json:"usage"`
	Error      json.RawMessage            `json:"error"`
	Tier       string                     `json:"service_tier"`
	Incomplete struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
}

func responsesWhole(a *answer, body []byte) {
	var r responsesBody
	if json.Unmarshal(body, &r) == nil {
		r.tell(a)
	}
}

func (r *responsesBody) tell(a *answer) {
	var items []struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(r.Output, &items)
	finish := r.Incomplete.Reason
	if finish == "" && r.Status == "completed" { // which says nothing: the output does
		finish = "stop"
		for _, item := range items {
			if strings.HasSuffix(item.Type, "_call") && (item.Type == "function_call" || item.Type == "custom_tool_call") {
				finish = "tool_calls"
			}
		}
	}
	a.told(r.ID, r.Model, finish)
	a.tier = cmp.Or(r.Tier, a.tier)
	a.counts(r.Usage)
	a.fail(r.Error)
	a.done = r.Status != "" && r.Status != "in_progress" && r.Status != "queued"
	if len(items) > 0 {
		a.output = shorten(r.Output)
	}
}

// outputTextDelta is the event that says more of the text.
const outputTextDelta = "response.output_text.delta"

// isDeltaOf says whether an event of that type says more of something.
func isDeltaOf(typ string) bool { return strings.HasSuffix(typ, ".delta") }

func responsesPiece(a *answer, data []byte) {
	if !quickResponses(a, data) {
		responsesEvent(a, data)
	}
}

func responsesEvent(a *answer, data []byte) {
	var e struct {
		Type     string          `json:"type"`
		Delta    json.RawMessage `json:"delta"`
		Response *responsesBody  `json:"response"`
		Message  string          `json:"message"`
		Code     string          `json:"code"`
		Error    json.RawMessage `json:"error"`
	}
	if json.Unmarshal(data, &e) != nil {
		return
	}
	if isDeltaOf(e.Type) {
		a.first = true
		var s string
		if e.Type == outputTextDelta && json.Unmarshal(e.Delta, &s) == nil && a.text.Len()+len(s) <= keptOutput {
			a.text.WriteString(s)
		}
	}
	if e.Response != nil {
		e.Response.tell(a)
	}
	if e.Type == "error" {
		a.failed, a.errorType, a.errorText = true, e.Code, e.Message
		a.fail(e.Error)
	}
}

// responsesBuilt is for a stream that did not come to the event that holds the whole.
func responsesBuilt(a *answer) any {
	if a.output != nil || a.text.Len() == 0 {
		return a.output
	}
	return map[string]any{"role": "assistant", "content": a.text.String()}
}
