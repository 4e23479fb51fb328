package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
)

// line is one problem of our own, in the format of the source.
func line(question string, right ...bool) string {
	fields := map[string]any{"question": question, "ground_truth": "A: 4"}
	for i, model := range models() {
		fields[model] = solution{IsCorrect: right[i], Solution: fmt.Sprintf("I think <<2+%d=%d>>", i, 2+i)}
	}
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(b) + "\n"
}

func decode(t *testing.T, out []byte) []brokle.Event {
	t.Helper()
	var events []brokle.Event
	dec := json.NewDecoder(bytes.NewReader(out))
	for dec.More() {
		var e brokle.Event
		if err := dec.Decode(&e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func TestConvert(t *testing.T) {
	t.Parallel()
	in := line("2 + 2?", true, false, false, true) + "\n" + line("3 + 1 < 5?", false, false, false, false)
	var first, second bytes.Buffer
	if err := convert(strings.NewReader(in), &first); err != nil {
		t.Fatal(err)
	}
	if err := convert(strings.NewReader(strings.TrimRight(in, "\n")), &second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same input gave different events")
	}

	events := decode(t, first.Bytes())
	types := map[brokle.EventType]int{}
	ids := map[string]bool{}
	values := 0
	for _, e := range events {
		types[e.Type]++
		ids[e.ID] = true
		if !brokle.ValidID(e.ID) {
			t.Errorf("id %q is not valid", e.ID)
		}
		if e.Type == brokle.QualityScoreCreate {
			var p struct{ Value int }
			if err := json.Unmarshal(e.Payload, &p); err != nil {
				t.Fatal(err)
			}
			values += p.Value
		}
	}
	if types[brokle.TraceCreate] != 2 || types[brokle.ObservationCreate] != 8 || types[brokle.QualityScoreCreate] != 8 {
		t.Errorf("events by type: %v, want 2 traces, 8 generations, 8 scores", types)
	}
	if len(ids) != len(events) {
		t.Errorf("%d ids for %d events", len(ids), len(events))
	}
	if values != 2 {
		t.Errorf("%d correct solutions, want 2", values)
	}
}

func TestConvertNamesTheLineAtFault(t *testing.T) {
	t.Parallel()
	good := line("1?", true, true, true, true)
	for in, want := range map[string]string{
		good + "{": "line 2",
		good + `{"question":"q","ground_truth":"t"}`: `line 2: field "6b_finetuning" is missing`,
		`{"question":1}`: `line 1: field "question"`,
	} {
		err := convert(strings.NewReader(in), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("convert of %.60q: %v, want it to say %s", in, err, want)
		}
	}
}
