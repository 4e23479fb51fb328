package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

type traceIn struct {
	TraceID string `json:"trace_id" jsonschema:"the id of the trace"`
	Content string `json:"content,omitempty" jsonschema:"how much is shown of what was said: none (the tree alone), short or long; short when absent"`
	Only    string `json:"only,omitempty" jsonschema:"calls (of models) or errors: only such observations; all when absent"`
	Cursor  string `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

func getTraceTool() tool {
	return typed(tool{
		name: "get_trace", title: "Read a trace", scope: "read", needs: []string{"GET /v1/traces/{id}", "GET /v1/observations/{id}"},
		says: "Read one trace: what it says of itself, then its observations as a tree (depth), each with its output and what was new in its input. " +
			"Messages that a call of a model before had already are folded: earlier counts them. get_observation has all of one observation.",
	}, func(p map[string]*jsonschema.Schema) {
		among(p["content"], "none", "short", "long")
		among(p["only"], "all", "calls", "errors")
	}, getTrace)
}

// How many characters of a text are shown, by content.
var lengths = map[string]int{"none": 0, "": 300, "short": 300, "long": 3000}

// mostRead is how many observations one answer shows: each is a request.
const mostRead = 60

func getTrace(ctx context.Context, a *asking, in traceIn) (string, error) {
	r, err := readTree(ctx, a.backend, in.TraceID)
	if err != nil {
		return "", err
	}
	w := &traceAnswer{reading: r, long: lengths[in.Content], room: in.tokens() - overhead() - 3*ownTokens}
	w.choose(in.Only)
	from, err := w.start(in.Cursor)
	if err != nil {
		return "", err
	}
	if from == 0 && in.Cursor == "" {
		if err := w.head(ctx); err != nil {
			return "", err
		}
	}
	next, err := w.lines(ctx, from)
	if err != nil {
		return "", err
	}
	return fenced(w.told(from, next, in.Only), strings.Join(w.out, "\n")), nil
}

// traceAnswer is an answer about a trace while it is written.
type traceAnswer struct {
	*reading
	rows []int // places in order that are shown
	long int
	room int // tokens
	out  []string
}

func (w *traceAnswer) choose(only string) {
	for i, o := range w.order {
		wrong := o.Status == "error" || o.Level == "ERROR"
		if only == "calls" && !isCall(o) || only == "errors" && !wrong {
			continue
		}
		w.rows = append(w.rows, i)
	}
}

// start is the row that a cursor names: by the id of the observation, for the trace may have grown.
func (w *traceAnswer) start(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	for i, row := range w.rows {
		if place(w.order[row]) == cursor {
			return i, nil
		}
	}
	return 0, errors.New("cursor: it names no observation of this trace; begin without one")
}

// place is a cursor: a hash, for ids were recorded, and may say anything.
func place(o *wire.Observation) string {
	sum := sha256.Sum256([]byte(o.ID))
	return "at-" + hex.EncodeToString(sum[:6])
}

func (w *traceAnswer) told(from, next int, only string) string {
	rows := "observations"
	if only == "calls" || only == "errors" {
		rows = only
	}
	switch {
	case len(w.rows) == 0:
		return fmt.Sprintf("A trace of %d observations, of which there are no %s.", len(w.order), rows)
	case next < len(w.rows):
		return fmt.Sprintf("A trace: %s %d to %d of %d. Ask the same with cursor=%s to go on.", rows, from+1, next, len(w.rows), place(w.order[w.rows[next]]))
	}
	return fmt.Sprintf("A trace: %s %d to %d of %d, the last.", rows, from+1, next, len(w.rows))
}

// put adds a line when it has room. write is asked for less and less where must is set.
func (w *traceAnswer) put(must bool, room int, write func(long int) (string, error)) (bool, error) {
	line, err := write(w.long)
	for long := w.long; err == nil && must && Tokens(line) > room && long > 8; long /= 2 {
		line, err = write(long / 2)
	}
	if err != nil {
		return false, err
	}
	if must && Tokens(line) > room {
		line = cut(line, room)
	}
	if Tokens(line) > room {
		return false, nil
	}
	w.room -= Tokens(line) + 1
	w.out = append(w.out, line)
	return true, nil
}

// traceHead are the columns of what a trace says of itself.
var traceHead = []string{
	"id", "name", "status", "status_message", "error_type", "start_time", "latency_ms", "observation_count", "error_count", "total_tokens", "total_cost", "unpriced_count",
	"models", "release", "version", "environment", "user_id", "session_id", "tags", "parent_trace_id", "scores", "score_comments", "metadata", "input", "output",
}

// head writes what the trace says of itself, within half of the room.
func (w *traceAnswer) head(ctx context.Context) error {
	row, err := members(w.trace)
	if err != nil {
		return err
	}
	if w.long > 0 {
		var own wire.Trace
		if err := get(ctx, w.backend, "/v1/traces/-", url.Values{"id": {w.trace.ID}, "fields": {"trace"}}, &own); err != nil && !errors.Is(err, ErrTooLarge) {
			return err
		}
		for name, raw := range map[string]json.RawMessage{"input": own.Input, "output": own.Output, "metadata": own.Metadata} {
			row[name] = sent(raw, w.long)
		}
	}
	var comments []string
	for _, s := range w.trace.ScoreList {
		if s.Comment != "" && len(comments) < 5 {
			comments = append(comments, s.Name+": "+s.Comment)
		}
	}
	row["score_comments"] = json.RawMessage(encode(comments))
	_, err = w.put(true, w.room/2, func(long int) (string, error) { return object(row, traceHead, max(long, 40)), nil })
	return err
}

// members are the members of what a struct is as JSON.
func members(v any) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a row: %w", err)
	}
	var row map[string]json.RawMessage
	return row, json.Unmarshal(raw, &row)
}

// lines writes observations from a row on, and returns the first that has no room.
func (w *traceAnswer) lines(ctx context.Context, from int) (next int, err error) {
	for next = from; next < len(w.rows); next++ {
		if next-from == mostRead && w.long > 0 {
			return next, nil
		}
		place := w.rows[next]
		ok, err := w.put(next == from, w.room, func(long int) (string, error) { return w.line(ctx, place, long) })
		if err != nil || !ok {
			return next, err
		}
	}
	return next, nil
}

// stepColumns are those of an observation in a tree; what was said comes behind them.
var stepColumns = []string{
	"depth", "id", "type", "name", "model", "status", "status_message", "error_type", "latency_ms", "time_to_first_token_ms", "total_tokens", "total_cost", "version", "prompt_name", "prompt_version",
	"finish_reason", "duplicate_of", "output", "new", "earlier", "input",
}

func (w *traceAnswer) line(ctx context.Context, place, long int) (string, error) {
	o := w.order[place]
	bare := *o
	bare.Children = nil
	row, err := members(&bare)
	if err != nil {
		return "", err
	}
	row["depth"] = json.RawMessage(encode(w.depth[place]))
	if o.Status == "ok" {
		delete(row, "status")
	}
	for _, name := range []string{"input", "output"} {
		delete(row, name)
	}
	if w.long > 0 {
		if err := w.said(ctx, o, row, long); err != nil {
			return "", err
		}
	}
	return object(row, stepColumns, max(long, 40)), nil
}

// said adds what went in and came out.
func (w *traceAnswer) said(ctx context.Context, o *wire.Observation, row map[string]json.RawMessage, long int) error {
	d, err := w.detail(ctx, o)
	if err != nil {
		return err
	}
	in, out := messagesOf(d.MessagesIn), messagesOf(d.MessagesOut)
	if out != nil {
		row["output"] = texts(out, long, false)
	} else {
		row["output"] = sent(d.Output, long)
	}
	if in == nil {
		row["input"] = sent(d.Input, long)
		return nil
	}
	earlier, err := w.earlier(ctx, o, in)
	if err != nil {
		return err
	}
	row["new"] = texts(in[earlier:], long, true)
	if earlier > 0 {
		row["earlier"] = json.RawMessage(encode(earlier))
	}
	return nil
}

// sent is a payload as it was sent, or the beginning of its text.
func sent(raw json.RawMessage, long int) json.RawMessage {
	if len(raw) > 0 && raw[0] != '"' {
		if whole := compact(raw); len(whole) <= long {
			return json.RawMessage(whole)
		}
	}
	return json.RawMessage(encode(shorten(plain(raw), long)))
}

// mostTexts is how many parts of messages a line has.
const mostTexts = 40

// texts are messages as texts of at most so many characters each, of many fewer each.
func texts(all []message, long int, roles bool) json.RawMessage {
	var out []string
	n := 0
	for _, m := range all {
		n += len(m.Parts)
	}
	if n > 4 {
		long = max(40, 4*long/n)
	}
	for _, m := range all {
		for _, p := range m.parts() {
			if len(out) == mostTexts {
				out = append(out, fmt.Sprintf("…(+%d)", n-mostTexts))
				return json.RawMessage(encode(out))
			}
			out = append(out, p.labelled(m.Role, long, roles))
		}
	}
	return json.RawMessage(encode(out))
}

func (p part) labelled(role string, long int, roles bool) string {
	text := shorten(p.text(), long)
	switch p.Type {
	case "tool_call":
		text = "call " + text
	case "tool_result", "reasoning":
		text = p.Type + " " + text
	}
	if roles && role != "" {
		text = role + ": " + text
	}
	return text
}
