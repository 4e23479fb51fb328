package mcp

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// message is one of messages_in or messages_out.
type message struct {
	Role  string            `json:"role"`
	Parts []json.RawMessage `json:"parts"`
}

// part is what a part of a message says.
type part struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	MediaType string          `json:"media_type"`
	URI       string          `json:"uri"`
}

// messagesOf reads a list of messages; nil for none.
func messagesOf(raw json.RawMessage) []message {
	var all []message
	if len(raw) == 0 || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}

// said is what a message says: two with the same say the same.
func (m message) said() string {
	var key strings.Builder
	key.WriteString(cmp.Or(m.Role, "assistant"))
	for _, p := range m.Parts {
		key.WriteByte(0)
		key.Write(p)
	}
	return key.String()
}

// text is a part for people: what a tool is called with, and what was said.
func (p part) text() string {
	switch p.Type {
	case "tool_call":
		args := "null"
		if len(p.Arguments) > 0 {
			args = compact(p.Arguments)
		}
		return p.Name + "(" + args + ")"
	case "medium":
		return p.MediaType + " " + shorten(p.URI, 120)
	}
	return p.Text
}

func (m message) parts() []part {
	all := make([]part, len(m.Parts))
	for i, raw := range m.Parts {
		if json.Unmarshal(raw, &all[i]) != nil {
			all[i] = part{Type: "other", Text: string(raw)}
		}
	}
	return all
}

// What of a call's messages the call before it had already: a long agent sends all of them again each time. The page folds the same way
// (web/src/trace/earlier.ts).
const (
	looked   = 4  // calls that are looked at on either way; agents work side by side
	longTalk = 20 // messages of which only the last are shown, when no call before had the others
	lastTalk = 2  // that are shown then
)

// folded is how many messages at the beginning of in are no news; had has the calls before, the likeliest first.
func folded(in []message, had func(yield func(*wire.Observation) bool)) int {
	most := 0
	if len(in) >= 2 {
		for before := range had {
			n, sure := shared(in, before)
			most = max(most, n)
			if sure {
				break
			}
		}
	}
	if most == 0 && len(in) > longTalk {
		return len(in) - lastTalk
	}
	return most
}

// shared counts the messages at the beginning that a call before had, or gave; sure says that the later one goes on where that one was. The last
// message is always new, and one alone is no history.
func shared(in []message, before *wire.Observation) (n int, sure bool) {
	had := messagesOf(before.MessagesIn)
	if len(had) == 0 {
		return 0, false
	}
	known := map[string]bool{}
	for _, m := range slices.Concat(had, messagesOf(before.MessagesOut)) {
		known[m.said()] = true
	}
	for n < len(in)-1 && known[in[n].said()] {
		n++
	}
	if n < 2 {
		n = 0
	}
	return n, n >= len(had)
}

func isCall(o *wire.Observation) bool {
	return strings.EqualFold(o.Type, "generation") || strings.EqualFold(o.Type, "llm")
}

// callsOf are the calls of a tree by their start; one that stands for another is none.
func callsOf(all []*wire.Observation) []*wire.Observation {
	calls := slices.DeleteFunc(slices.Clone(all), func(o *wire.Observation) bool { return !isCall(o) || o.DuplicateOf != "" })
	slices.SortStableFunc(calls, func(a, b *wire.Observation) int { return a.StartTime.Compare(b.StartTime) })
	return calls
}

// callsBefore are the nearest calls before one: those below the same step first, then any.
func callsBefore(o *wire.Observation, calls []*wire.Observation) []*wire.Observation {
	at := slices.IndexFunc(calls, func(x *wire.Observation) bool { return x.ID == o.ID })
	before := slices.Clone(calls[:max(0, at)])
	slices.Reverse(before)
	var beside, others []*wire.Observation
	for _, x := range before {
		if x.ParentObservationID == o.ParentObservationID && len(beside) < looked {
			beside = append(beside, x)
		}
	}
	for _, x := range before {
		if len(others) < looked && !slices.Contains(beside, x) {
			others = append(others, x)
		}
	}
	return append(beside, others...)
}
