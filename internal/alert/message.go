package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Change is what is told: a rule, or one of its groups, has another state than before.
type Change struct {
	ID          string       `json:"id"` // of the change: the same whenever and wherever it is sent
	Project     string       `json:"project"`
	Name        string       `json:"name"` // of the rule
	Text        string       `json:"text"` // a sentence for people
	Description string       `json:"description,omitempty"`
	State       string       `json:"state"`        // ok, warning or alert
	Before      string       `json:"state_before"` // what it was
	By          wire.StatRow `json:"by,omitempty"` // the group, by column; absent without group_by
	Metric      string       `json:"metric"`
	Value       *float64     `json:"value"`             // null: there was none
	NoData      bool         `json:"no_data,omitempty"` // there was no value, and the rule says what that means
	Comparison  string       `json:"comparison"`
	Warning     *float64     `json:"warning,omitempty"`
	Alert       *float64     `json:"alert,omitempty"`
	Question    string       `json:"question"`
	From        time.Time    `json:"from"`             // what was asked about: from ≤ time < to
	To          time.Time    `json:"to"`               // its end
	Reason      string       `json:"reason,omitempty"` // why, when it is not for a value: the rule was changed, or disabled
	At          time.Time    `json:"at"`               // when that was seen
}

// The types of messages.
const (
	typeChanged = "alert.changed"
	typeTest    = "alert.test"
)

// Message is the body of a request to a webhook, and what a command reads: type, timestamp and data, as the specification of Standard Webhooks has it.
type Message struct {
	Type      string    `json:"type"`      // alert.changed, or alert.test when somebody tries a rule out
	Timestamp time.Time `json:"timestamp"` // when what it tells happened
	Data      Change    `json:"data"`
}

// changeID is the id of the nth change of a rule.
func (h *held) changeID(n int64) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{h.Project, h.Name, h.Made.UTC().Format(time.RFC3339Nano), strconv.FormatInt(n, 10)}, "\x00")))
	return "alert_" + hex.EncodeToString(sum[:12])
}

// sentence says a change in words.
func (c *Change) sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s of project %s", strings.ToUpper(c.State), c.Name, c.Project)
	if len(c.By) > 0 {
		b.WriteString(", " + groupText(c.By))
	}
	switch {
	case c.Reason != "":
		b.WriteString(": " + c.Reason)
	case c.Value == nil:
		fmt.Fprintf(&b, ": %s has no value", c.Metric)
	default:
		fmt.Fprintf(&b, ": %s is %s", c.Metric, numberText(*c.Value))
	}
	for _, t := range []struct {
		state string
		at    *float64
	}{{stateWarning, c.Warning}, {stateAlert, c.Alert}} {
		if t.at != nil && t.state == c.State && c.Value != nil {
			fmt.Fprintf(&b, ", %s %s", c.Comparison, numberText(*t.at))
		}
	}
	fmt.Fprintf(&b, " (%s to %s UTC, before: %s).", c.From.UTC().Format("2006-01-02 15:04:05"), c.To.UTC().Format("15:04:05"), c.Before)
	return b.String()
}

// numberText writes a number in six digits that matter.
func numberText(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// longestValue is how much of a group's value stands in a sentence, in characters.
const longestValue = 100

// groupText names a group: what it has are texts of telemetry.
func groupText(by wire.StatRow) string {
	var parts []string
	for _, column := range slices.Sorted(maps.Keys(by)) {
		value := fmt.Sprint(by[column])
		if by[column] == nil || value == "" {
			value = "none"
		}
		if r := []rune(value); len(r) > longestValue {
			value = string(r[:longestValue]) + "…"
		}
		parts = append(parts, column+" "+strings.Map(printed, value))
	}
	return strings.Join(parts, ", ")
}

// printed has a blank for what is no sign on a line.
func printed(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

// body is what is sent of a message to a destination of this kind.
func (m *Message) body(kind string) ([]byte, error) {
	if kind != kindSlack {
		return json.Marshal(m)
	}
	title := m.Data.Text
	if m.Type == typeTest {
		title = "TEST " + title
	}
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type block struct {
		Type     string `json:"type"`
		Text     *text  `json:"text,omitempty"`
		Elements []text `json:"elements,omitempty"`
	}
	// As plain text nothing in it means anything to a chat, whatever telemetry it is made of.
	plain := func(s string) text { return text{"plain_text", cut(s, 2900)} }
	first := plain(title)
	blocks := []block{{Type: "section", Text: &first}}
	if m.Data.Description != "" {
		more := plain(m.Data.Description)
		blocks = append(blocks, block{Type: "section", Text: &more})
	}
	blocks = append(blocks, block{Type: "context", Elements: []text{plain(m.Data.ID)}})
	return json.Marshal(map[string]any{"text": escapes.Replace(cut(title, 2900)), "blocks": blocks})
}

// escapes is how Slack has its three signs of control written in the text of a message.
var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
