// Command gsm8k turns solutions of grade-school maths problems into telemetry:
// it reads the JSON Lines of the public openai/grade-school-math repository's
// example_model_solutions.jsonl and writes events as JSON Lines for `brokle send`.
//
//	go run ./examples/gsm8k < example_model_solutions.jsonl | brokle send
//
// A question becomes a trace, each model's solution a generation in it, and
// the label of the solution a quality score "correct" (1 or 0). Ids are derived
// from the content, so sending the output again adds nothing. The source has no
// times; the events have none either and get the time of their receipt.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/brokle-ai/brokle-go"
)

// models are the keys of one line that hold a model's solution.
func models() []string {
	return []string{"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}
}

// solution is what one model answered, and whether that was right.
type solution struct {
	IsCorrect bool   `json:"is_correct"`
	Solution  string `json:"solution"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gsm8k:", err)
		os.Exit(1)
	}
}

// run converts the named file, or in when none is named.
func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) > 1 {
		return fmt.Errorf("want at most one file, got %d", len(args))
	}
	if len(args) == 1 {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	return convert(in, out)
}

// convert writes nine events for each line of in.
func convert(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for n := 1; ; n++ {
		line, readErr := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			events, err := eventsOf(line)
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			for _, e := range events {
				if err := enc.Encode(e); err != nil {
					return fmt.Errorf("line %d: %w", n, err)
				}
			}
		}
		if readErr == io.EOF {
			return w.Flush()
		}
		if readErr != nil {
			return readErr
		}
	}
}

// eventsOf is one question as a trace, its generations and their scores.
func eventsOf(line []byte) ([]brokle.Event, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return nil, err
	}
	var question, truth string
	if err := read(fields, "question", &question); err != nil {
		return nil, err
	}
	if err := read(fields, "ground_truth", &truth); err != nil {
		return nil, err
	}
	traceID := contentID("trace", question)
	events := []brokle.Event{event(brokle.TraceCreate, map[string]any{
		"id": traceID, "name": "gsm8k", "tags": []string{"gsm8k"},
		"input": question, "metadata": map[string]any{"ground_truth": truth},
	})}
	for _, model := range models() {
		var s solution
		if err := read(fields, model, &s); err != nil {
			return nil, err
		}
		generationID := contentID("generation", question, model)
		correct := 0
		if s.IsCorrect {
			correct = 1
		}
		events = append(events,
			event(brokle.ObservationCreate, map[string]any{
				"id": generationID, "trace_id": traceID, "type": "generation", "name": "solve",
				"model": model, "input": question, "output": s.Solution,
			}),
			event(brokle.QualityScoreCreate, map[string]any{
				"id": contentID("score", question, model), "trace_id": traceID, "observation_id": generationID,
				"name": "correct", "value": correct, "source": "HUMAN",
			}))
	}
	return events, nil
}

// read decodes the named field, which must be there.
func read(fields map[string]json.RawMessage, name string, into any) error {
	raw, ok := fields[name]
	if !ok {
		return fmt.Errorf("field %q is missing", name)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("field %q: %w", name, err)
	}
	return nil
}

// event wraps a payload; its id follows from type and payload.
func event(typ brokle.EventType, payload map[string]any) brokle.Event {
	raw, err := json.Marshal(payload) // keys sorted: the same content gives the same bytes
	if err != nil {
		panic("payload of plain values does not marshal: " + err.Error())
	}
	return brokle.Event{ID: contentID(string(typ), string(raw)), Type: typ, Payload: raw}
}

// contentID is 32 hex digits of the SHA-256 of its parts, each ended by a zero byte.
func contentID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
