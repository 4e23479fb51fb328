package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

type observationIn struct {
	ObservationID string   `json:"observation_id" jsonschema:"the id of the observation"`
	TraceID       string   `json:"trace_id,omitempty" jsonschema:"its trace; of several observations with this id the newest when absent"`
	Parts         []string `json:"parts,omitempty" jsonschema:"what to show beside the fields, in this order; output, input (what is new in it), parameters and metadata when absent. earlier has the messages that a call before had already"`
	Cursor        string   `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

// allParts are what can be shown of an observation.
func allParts() []string {
	return []string{"output", "input", "earlier", "tools", "parameters", "metadata", "attributes", "usage", "events", "links", "resource"}
}

func getObservationTool() tool {
	return typed(tool{
		name: "get_observation", title: "Read an observation", scope: "read", needs: []string{"GET /v1/observations/{id}"},
		says: "Read one observation whole: its fields, then piece by piece what came out, what was new in what went in, and more when asked for. What has no room follows with the cursor.",
	}, func(p map[string]*jsonschema.Schema) { among(p["parts"], allParts()...) }, getObservation)
}

// piece is a text of an observation, with what it is.
type piece struct {
	Part    string `json:"part"`
	Message int    `json:"message,omitempty"` // its number, from 1
	Role    string `json:"role,omitempty"`
	Type    string `json:"type,omitempty"`
	Tool    string `json:"tool,omitempty"`
	From    int    `json:"from,omitempty"` // characters of the text that were shown before
	Left    int    `json:"left,omitempty"` // and that were not yet
	Text    string `json:"text"`
}

func getObservation(ctx context.Context, a *asking, in observationIn) (string, error) {
	o, err := readObservation(ctx, a.backend, in.ObservationID, in.TraceID)
	if errors.Is(err, ErrTooLarge) {
		return "", errors.New("the observation is larger than a tool can read: GET /v1/observations/{id} has it")
	}
	if err != nil {
		return "", err
	}
	pieces, earlier, err := piecesOf(ctx, a, o, in.Parts)
	if err != nil {
		return "", err
	}
	w := &pieceAnswer{pieces: pieces, room: in.tokens() - overhead() - 2*ownTokens}
	if err := w.start(in.Cursor); err != nil {
		return "", err
	}
	if in.Cursor == "" {
		if err := w.fields(o, earlier); err != nil {
			return "", err
		}
	}
	cursor := w.lines()
	own := "An observation, whole."
	switch {
	case cursor != "":
		own = "An observation. There is more: ask the same with cursor=" + cursor
	case in.Cursor != "":
		own = "The end of the observation."
	}
	return fenced(own, strings.Join(w.out, "\n")), nil
}

// piecesOf are the parts of an observation that were asked for; earlier is how many of its messages are left out.
func piecesOf(ctx context.Context, a *asking, o *wire.Observation, parts []string) (pieces []piece, earlier int, err error) {
	in := messagesOf(o.MessagesIn)
	if len(in) >= 2 && isCall(o) && o.TraceID != "" {
		if earlier, err = earlierIn(ctx, a, o, in); err != nil {
			return nil, 0, err
		}
	}
	if len(parts) == 0 {
		parts = []string{"output", "input", "parameters", "metadata"}
	}
	for _, name := range parts {
		switch name {
		case "output":
			pieces = append(pieces, conversation(name, messagesOf(o.MessagesOut), 0, o.Output)...)
		case "input":
			pieces = append(pieces, conversation(name, in[min(earlier, len(in)):], earlier, o.Input)...)
		case "earlier":
			pieces = append(pieces, conversation(name, in[:earlier], 0, nil)...)
		default:
			pieces = append(pieces, payload(name, payloads(o)[name])...)
		}
	}
	if slices.Contains(parts, "earlier") {
		earlier = 0
	}
	return pieces, earlier, nil
}

// earlierIn asks for the trace of an observation, to fold what the calls before had. A trace that cannot be read folds nothing.
func earlierIn(ctx context.Context, a *asking, o *wire.Observation, in []message) (int, error) {
	r, err := readTree(ctx, a.backend, o.TraceID)
	if err != nil {
		return 0, ctx.Err()
	}
	at, err := r.place(o.ID)
	if err != nil {
		return 0, nil //nolint:nilerr // it is no longer there: nothing is folded
	}
	return r.earlier(ctx, r.order[at], in)
}

func payloads(o *wire.Observation) map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"tools": o.Tools, "parameters": o.ModelParameters, "metadata": o.Metadata, "attributes": o.Attributes, "usage": o.Usage, "events": o.Events, "links": o.Links, "resource": o.Resource,
	}
}

func payload(name string, raw json.RawMessage) []piece {
	if text := plain(raw); text != "" && text != "{}" && text != "[]" {
		return []piece{{Part: name, Text: text}}
	}
	return nil
}

// conversation are messages part by part, or the payload where there are none.
func conversation(name string, all []message, skipped int, raw json.RawMessage) []piece {
	if all == nil {
		return payload(name, raw)
	}
	var pieces []piece
	for i, m := range all {
		for _, p := range m.parts() {
			text := p.Text
			if p.Type == "tool_call" || p.Type == "medium" {
				text = p.text()
			}
			pieces = append(pieces, piece{Part: name, Message: skipped + i + 1, Role: m.Role, Type: p.Type, Tool: p.Name, Text: text})
		}
	}
	return pieces
}

// pieceAnswer is an answer of pieces while it is written.
type pieceAnswer struct {
	pieces   []piece
	at, from int // the piece that comes next, and how many characters of it were shown
	room     int // tokens
	out      []string
}

// start reads a cursor: the number of a piece, and how much of it was shown.
func (w *pieceAnswer) start(cursor string) error {
	if cursor == "" {
		return nil
	}
	at, from, ok := strings.Cut(cursor, ".")
	n, err := strconv.Atoi(at)
	m, err2 := strconv.Atoi(from)
	if !ok || err != nil || err2 != nil || n < 0 || m < 0 || n >= len(w.pieces) || m > len([]rune(w.pieces[n].Text)) {
		return errors.New("cursor: it is none of this observation with these parts; begin without one")
	}
	w.at, w.from = n, m
	return nil
}

// fields writes what the observation is, without what it holds.
func (w *pieceAnswer) fields(o *wire.Observation, earlier int) error {
	bare := *o
	bare.Children, bare.Input, bare.Output, bare.MessagesIn, bare.MessagesOut = nil, nil, nil, nil, nil
	bare.InputPreview, bare.OutputPreview = "", ""
	row, err := members(&bare)
	if err != nil {
		return err
	}
	for name := range payloads(o) {
		delete(row, name)
	}
	delete(row, "model_parameters")
	columns := columnsOf[wire.Observation]()
	if earlier > 0 {
		row["earlier"], columns = json.RawMessage(encode(earlier)), append(columns, "earlier")
	}
	line := object(row, columns, 500)
	for long := 250; Tokens(line) > w.room/2 && long > 4; long /= 2 {
		line = object(row, columns, long)
	}
	line = cut(line, w.room/2)
	w.room -= Tokens(line) + 1
	w.out = append(w.out, line)
	return nil
}

// pieceTokens is what a piece takes beside its text.
const pieceTokens = 40

// lines writes pieces, the last one as far as there is room, and returns where to go on; "" at the end.
func (w *pieceAnswer) lines() (cursor string) {
	for first := true; w.at < len(w.pieces); first = false {
		p := w.pieces[w.at]
		rest := []rune(p.Text)[w.from:]
		p.From, p.Text = w.from, string(rest)
		if Tokens(encode(p)) <= w.room {
			w.put(p)
			w.at, w.from = w.at+1, 0
			continue
		}
		if w.room < 3*pieceTokens && !first {
			break
		}
		shown := w.fitting(p, rest)
		p.Text, p.Left = string(rest[:shown]), len(rest)-shown
		w.put(p)
		w.from += shown
		break
	}
	if w.at == len(w.pieces) {
		return ""
	}
	return fmt.Sprintf("%d.%d", w.at, w.from)
}

func (w *pieceAnswer) put(p piece) {
	line := encode(p)
	w.room -= Tokens(line) + 1
	w.out = append(w.out, line)
}

// fitting is how many characters of a text have room as JSON, at least one.
func (w *pieceAnswer) fitting(p piece, rest []rune) int {
	least, most := 1, len(rest)
	p.Left = len(rest)
	for least < most {
		half := (least + most + 1) / 2
		if p.Text = string(rest[:half]); Tokens(encode(p)) <= w.room {
			least = half
		} else {
			most = half - 1
		}
	}
	return least
}
