package extract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A level is read as loggers write it, in any case; what is none, or means one thing to one
// logger and another to the next, costs the event nothing but the level.
func TestExtractLevels(t *testing.T) {
	t.Parallel()
	for want, words := range map[string]string{
		"ERROR": `"error" "ERR" "CRITICAL" "crit" "FATAL" "Emergency" "EMERG" "SEVERE" "alert" "panic" "dpanic" "ERROR4" "Fatal2" 17 "21" 50`,
		"WARN":  `"warn" "WARNING" "wrn" "WARN3" 13 "16"`,
		"INFO":  `"info" "NOTICE" "Information" "informational" "success" "INFO2" 9`,
		"DEBUG": `"debug" "TRACE" "verbose" "FINE" "FINEST" "silly" "TRACE3" 7`,
		"":      `"LOUD" "" "ERROR5" "ERRORS" 3 4 10 20 30 40 -4 1e1 true [] {} "a very long word that is no level"`,
	} {
		for _, word := range slices.Concat(splitWords(words)) {
			payload := `{"trace_id":"t","name":"n","output":"the answer","level":` + word + `}`
			got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.ObservationCreate, Payload: []byte(payload)})
			if failure != nil {
				t.Errorf("%s: %+v", word, failure)
				continue
			}
			level, _ := got.Get(entity.Level)
			if output, _ := got.Get(entity.Output); level.Text != want || output.Text != `"the answer"` {
				t.Errorf("%s: level %q, want %q; output %s", word, level.Text, want, output.Text)
			}
			if noted := want == "" && word != `""`; noted != (len(got.Notes) == 1 && strings.HasPrefix(got.Notes[0], "payload.level was left out: ")) {
				t.Errorf("%s: notes %q", word, got.Notes)
			}
		}
	}
}

// splitWords takes JSON values apart at spaces outside strings.
func splitWords(list string) []string {
	var out []string
	quoted, from := false, 0
	for i, c := range list + " " {
		if c == '"' {
			quoted = !quoted
		}
		if c == ' ' && !quoted {
			out = append(out, list[from:i])
			from = i + 1
		}
	}
	return out
}

func TestExtractFinishReasons(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"stop": "stop", "end_turn": "stop", "STOP": "stop", "max_tokens": "length", "MAX_TOKENS": "length", "length": "length",
		"tool_use": "tool_calls", "tool_call": "tool_calls", "tool-calls": "tool_calls", "SAFETY": "content_filter", "content_filter": "content_filter",
		"error": "error", "pause_turn": "pause_turn",
	} {
		got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.ObservationUpdate, Payload: []byte(`{"id":"o","finish_reason":"` + sent + `"}`)})
		if v, _ := got.Get(entity.FinishReason); failure != nil || v.Text != want {
			t.Errorf("%s: %q, want %q", sent, v.Text, want)
		}
	}
}

// A field that breaks its rule costs the event that field and nothing else, and the event
// says so: the prompt beside it must not be lost.
func TestExtractLeavesOut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		typ              wire.EventType
		with, note, want string
	}{
		"user too long":      {"trace_create", `"user_id":"` + long + `"`, "user_id", ""},
		"user is a list":     {"trace_create", `"user_id":[]`, "user_id", ""},
		"user with NUL":      {"trace_create", `"user_id":"a\u0000"`, "user_id", ""},
		"session":            {"trace_create", `"session_id":true`, "session_id", ""},
		"tags are a number":  {"trace_create", `"tags":5`, "tags", ""},
		"version":            {"trace_create", `"version":{}`, "version", ""},
		"parent trace":       {"trace_create", `"parent_trace_id":7`, "parent_trace_id", ""},
		"environment":        {"trace_create", `"environment":[]`, "environment", ""},
		"name of an update":  {"trace_update", `"name":7`, "name", ""},
		"parent":             {"observation_create", `"parent_observation_id":7`, "parent_observation_id", ""},
		"the other parent":   {"observation_create", `"parent_observation_id":7,"parent_span_id":"p"`, "parent_observation_id", " parent_observation_id=p"},
		"type":               {"observation_create", `"type":7`, "type", ""},
		"start":              {"observation_create", `"start_time":"soon"`, "start_time", ""},
		"start in 1969":      {"observation_create", `"start_time":-1`, "start_time", ""},
		"end":                {"observation_complete", `"end_time":{}`, "end_time", ""},
		"trace of an update": {"observation_update", `"trace_id":7`, "trace_id", ""},
		"negative tokens":    {"observation_create", `"prompt_tokens":-1,"completion_tokens":2`, "prompt_tokens", " completion_tokens=2"},
		"half a token":       {"observation_create", `"prompt_tokens":1.5`, "prompt_tokens", ""},
		"too many tokens":    {"observation_create", `"total_tokens":9007199254740993`, "total_tokens", ""},
		"cost":               {"observation_create", `"total_cost":"NaN"`, "total_cost", ""},
		"cost, infinite":     {"observation_create", `"input_cost":1e999`, "input_cost", ""},
		"cost, hexadecimal":  {"observation_create", `"output_cost":"0x1p4"`, "output_cost", ""},
		"negative cost":      {"observation_create", `"total_cost":-0.01`, "total_cost", ""},
		"part of a cost":     {"observation_create", `"input_cost":"-1","output_cost":2`, "input_cost", " output_cost=2"},
		"absurd cost":        {"observation_create", `"output_cost":1e13`, "output_cost", ""},
		"for an hour":        {"observation_create", `"cache_write_1h_tokens":-1`, "cache_write_1h_tokens", ""},
		"tier":               {"observation_create", `"service_tier":{}`, "service_tier", ""},
		"tier too long":      {"observation_create", `"service_tier":"` + long + `"`, "service_tier", ""},
		"latency":            {"observation_create", `"latency_ms":-3`, "latency_ms", ""},
		"model":              {"observation_create", `"model":["a"]`, "model", ""},
		"finish reason":      {"observation_create", `"finish_reason":{}`, "finish_reason", ""},
		"quality":            {"observation_create", `"quality_score":"good"`, "quality_score", ""},
		"source of a score":  {"quality_score_create", `"source":"x","comment":"c"`, "source", " comment=c"},
		"comment of a score": {"quality_score_update", `"comment":[]`, "comment", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload, want := `{"id":"e","name":"n","input":"the prompt",`+c.with+`}`, `1/0 e name=n`+c.want+` input="the prompt"`
			switch c.typ {
			case wire.TraceUpdate:
				want = `1/1 e` + c.want + ` input="the prompt"`
			case wire.ObservationCreate:
				payload, want = strings.Replace(payload, `"id":"e",`, `"id":"e","trace_id":"t",`, 1), `2/0 e name=n trace_id=t`+c.want+` input="the prompt"`
			case wire.ObservationUpdate:
				want = `2/1 e name=n` + c.want + ` input="the prompt"`
			case wire.ObservationComplete:
				want = `2/2 e name=n` + c.want + ` input="the prompt"`
			case wire.QualityScoreCreate:
				payload, want = strings.Replace(payload, `"id":"e",`, `"id":"e","trace_id":"t","value":1,`, 1), `3/0 e name=n trace_id=t value=1 data_type=NUMERIC`+c.want
			case wire.QualityScoreUpdate:
				want = `3/1 e name=n` + c.want
			}
			if name == "name of an update" {
				payload, want = `{"id":"e","name":7,"input":"the prompt"}`, `1/1 e input="the prompt"`
			}
			got, failure := extract.Extract(&wire.Event{ID: "ev", Type: c.typ, Payload: []byte(payload)})
			if failure != nil {
				t.Fatalf("failed: %+v", failure)
			}
			if show(got) != want {
				t.Errorf("read  %s\nwant  %s", show(got), want)
			}
			if len(got.Notes) != 1 || !strings.HasPrefix(got.Notes[0], "payload."+c.note+" was left out: it must be ") {
				t.Errorf("notes %q", got.Notes)
			}
		})
	}
}

func TestExtractNotesHaveAnEnd(t *testing.T) {
	t.Parallel()
	payload := `{"trace_id":"t","name":"n","usage":{"a":1` + strings.Repeat(`,"input_tokens":-1`, 100) + `}}`
	got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.ObservationCreate, Payload: []byte(payload)})
	if failure != nil || len(got.Notes) != extract.MaxNotes {
		t.Errorf("%d notes, %+v", len(got.Notes), failure)
	}
}

func TestExtractClear(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ           wire.EventType
		payload, want string
		noted         bool
	}{
		"a list":                  {"trace_update", `{"id":"t","clear":["tags","user_id","tags"],"tags":["x"]}`, `1/1 t tags=["x"] clear=["tags" "user_id"]`, false},
		"one name":                {"observation_complete", `{"id":"o","clear":"output"}`, `2/2 o clear=["output"]`, false},
		"a parent":                {"observation_update", `{"id":"o","clear":["parent_observation_id","cache_read_tokens"]}`, `2/1 o clear=["parent_observation_id" "cache_read_tokens"]`, false},
		"of a score":              {"quality_score_update", `{"id":"s","clear":["comment"]}`, `3/1 s clear=["comment"]`, false},
		"what is none":            {"trace_update", `{"id":"t","clear":["tags","model",7,null,"id"]}`, `1/1 t clear=["tags"]`, true},
		"not what it is about":    {"observation_update", `{"id":"o","clear":["trace_id","clear"]}`, `2/1 o`, true},
		"not a value":             {"quality_score_update", `{"id":"s","clear":["value","parent_observation_id"]}`, `3/1 s`, true},
		"null":                    {"trace_update", `{"id":"t","clear":null}`, `1/1 t`, false},
		"an object":               {"trace_update", `{"id":"t","clear":{"tags":1}}`, `1/1 t`, true},
		"a create clears nothing": {"trace_create", `{"id":"t","name":"n","clear":["tags"]}`, `1/0 t name=n`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failure := extract.Extract(&wire.Event{ID: "ev", Type: c.typ, Payload: []byte(c.payload)})
			if failure != nil || show(got) != c.want || c.noted != (len(got.Notes) == 1) {
				t.Errorf("%+v: read %s, notes %q\nwant %s", failure, show(got), got.Notes, c.want)
			}
		})
	}
}
