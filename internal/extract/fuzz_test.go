package extract_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var fuzzSeeds = []string{
	`{}`, `{"name":"n","tags":["a",1,null,{"x":[]}]}`, `{"id":"a\\","name":"\"\\\"","x":"\\\\"}`,
	`{"name":"é😀","metadata":{"a":{"b":[1,2,{"c":"}"}]}}}`, ` { "name" : "n" , "value" : 1e3 } `,
	`{"trace_id":"t","name":"n","usage":{"prompt_tokens":1,"input_tokens":"2"},"start_time":"2026-01-01T00:00:00Z"}`,
	`{"a":1,"a":2,"name":"x","name":null}`, `{"tags":{"b":1,"a":"x"},"type":"span","span_id":"s"}`, `{"\u006e":"\ud83d\ude00\ud800x"}`,
	`{"type":"instrumentation","operation":"x_completion","span_id":"s","timestamp":2.5,"duration_ms":1,"response_attributes":{"llm.usage.prompt_tokens":1,"llm.model":"m"}}`,
	`{"id":"o","type":"span","span_id":"s","status":"error","attributes":{"input.args.1":{"a":[]},"input.kwargs.k":1,"metadata.m":null,"error.type":"E","brokle.tags":"a,b"}}`,
	`{"id":"o","usage":{"input_tokens":1,"cache_creation":{"ephemeral_1h_input_tokens":2},"promptTokensDetails":[{"modality":"AUDIO","tokenCount":3}],"tokens":{"input":4}}}`,
	`{"id":"o","clear":["tags",1,"x"],"level":"FATAL2","finish_reason":"MAX_TOKENS","usageMetadata":{"thoughtsTokenCount":"7"}}`,
	`{"value":"1","data_type":"NUMERIC","trace_id":"t","name":"q"}`, `{`, `{"a"`, `{"a":`, `{"a":"`, `{"a":1`, `{"a":1,`, `[}`, `"`, `{"a":"\`,
}

// Walking an object must find what encoding/json finds, and must end and stay
// inside the bytes when they are no JSON.
func FuzzMembers(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := map[string]json.RawMessage{}
		m := rawjson.MembersOf(data)
		for {
			key, value, ok := m.Next()
			if !ok {
				break
			}
			if len(value) == 0 {
				t.Fatalf("%q: empty value", data)
			}
			got[string(bytes.ToValidUTF8(key, []byte("\ufffd")))] = value
		}
		want := map[string]json.RawMessage{}
		if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) || json.Unmarshal(data, &want) != nil || !validUTF8(data) {
			return
		}
		if m.Broken() || len(got) != len(want) {
			t.Fatalf("%q: found %q (broken %v), want %q", data, got, m.Broken(), want)
		}
		for key, value := range want {
			if !bytes.Equal(got[key], value) {
				t.Errorf("%q: %q is %q, want %q", data, key, got[key], value)
			}
			compareText(t, value)
		}
	})
}

// holdsJSON checks that what was put together from a payload that is JSON is JSON too.
func holdsJSON(t *testing.T, payload []byte, fields *entity.Fields) {
	t.Helper()
	for _, v := range fields.Values {
		if v.Field.Type() == entity.JSON && json.Valid(payload) && !json.Valid([]byte(v.Text)) {
			t.Errorf("%q: %s is %q", payload, v.Field, v.Text)
		}
	}
}

func validUTF8(data []byte) bool { return bytes.Equal(bytes.ToValidUTF8(data, nil), data) }

func compareText(t *testing.T, value []byte) {
	t.Helper()
	text, ok := rawjson.Unquote(value)
	if ok != (value[0] == '"') {
		t.Errorf("Unquote(%q) is %v", value, ok)
	}
	var want string
	if ok && json.Unmarshal(value, &want) == nil && text != want {
		t.Errorf("Unquote(%q) = %q, want %q", value, text, want)
	}
}

var fuzzTypes = []wire.EventType{wire.TraceCreate, wire.TraceUpdate, wire.ObservationCreate, wire.ObservationUpdate,
	wire.ObservationComplete, wire.QualityScoreCreate, wire.QualityScoreUpdate, wire.EventCreate}

// Whatever the payload, Extract ends, does not change it, says the same again,
// reads JSON with the spaces taken out alike, and gives either fields or a
// complete error.
func FuzzExtract(f *testing.F) {
	for i, s := range fuzzSeeds {
		f.Add([]byte(s), uint8(i))
	}
	f.Fuzz(func(t *testing.T, payload []byte, kind uint8) {
		ev := wire.Event{ID: "ev", Type: fuzzTypes[int(kind)%len(fuzzTypes)], Payload: bytes.Clone(payload)}
		fields, failure := extract.Extract(&ev)
		if !bytes.Equal(ev.Payload, payload) {
			t.Fatal("the payload was changed")
		}
		if failure != nil {
			if failure.EventID != "ev" || failure.Code == "" || failure.Message == "" || failure.Details == "" || fields != nil {
				t.Fatalf("%q: incomplete error %+v", payload, failure)
			}
		} else if fields.EntityID == "" || fields.Kind == 0 {
			t.Fatalf("%q: incomplete fields %+v", payload, fields)
		}
		if fields != nil {
			holdsJSON(t, payload, fields)
		}
		again, _ := extract.Extract(&ev)
		if !reflect.DeepEqual(fields, again) {
			t.Fatalf("%q: read as %+v and as %+v", payload, fields, again)
		}
		var compact bytes.Buffer
		if json.Compact(&compact, payload) != nil {
			return
		}
		ev.Payload = compact.Bytes()
		if _, other := extract.Extract(&ev); (other == nil) != (failure == nil) {
			t.Fatalf("%q: %+v, but without spaces %+v", payload, failure, other)
		}
	})
}
