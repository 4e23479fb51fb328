package batch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/batch"
)

// said is what is read of an event: its row, or why it failed, and its notes.
func said(row entity.Row, failure *wire.BatchEventError, notes []string) string {
	if failure != nil {
		return fmt.Sprintf("%s: %s: %s", failure.Code, failure.Message, failure.Details)
	}
	return fmt.Sprintf("%x %+v %q", []byte(row), row.Fields(), notes)
}

// decoded is what a request says of its event i, without what no payload tells.
func decoded(r *ingest.Request, i int) string {
	var failure *wire.BatchEventError
	for at := range r.Faults {
		if r.Faults[at].Index == i {
			failure = &r.Faults[at].Err
		}
	}
	var notes []string
	for _, n := range r.Notes {
		if n.Index == i && !strings.HasPrefix(n.Text, "payload held NaN") && !strings.HasPrefix(n.Text, "timestamp could not") {
			notes = append(notes, n.Text)
		}
	}
	return said(r.Rows[i], failure, notes)
}

// extracted is what Extract reads of it, which is what is read of a record that comes back from the Log.
func extracted(ev wire.Event) string {
	fields, failure := extract.Extract(&ev)
	if failure != nil {
		return said(nil, failure, nil)
	}
	return said(fields.AppendRow(nil), nil, fields.Notes)
}

// same holds what is read of the events of a body while it is walked over against what is read of each by itself.
func same(t *testing.T, body []byte) {
	t.Helper()
	sent := bytes.Clone(body)
	r, err := batch.Format{}.Decode(&wireformat.Incoming{Limits: wireformat.Limits{}.WithDefaults(), Body: body})
	if err != nil {
		return
	}
	if len(r.Rows) != len(r.Events) || !bytes.Equal(sent, body) {
		t.Fatalf("%d rows of %d events; the body is %q", len(r.Rows), len(r.Events), body)
	}
	refused := map[int]bool{} // for more than what Extract knows
	for _, f := range r.Faults {
		refused[f.Index] = !f.OfPayload || f.Err.Code == extract.CodePayloadTooDeep || f.Err.Code == extract.CodeInvalidPayload
	}
	for i, ev := range r.Events {
		if _, known := ev.Type.Canonical(); !known || !wire.ValidID(ev.ID) || refused[i] {
			if r.Rows[i] != nil {
				t.Fatalf("%+v has a row", ev)
			}
		} else if got, want := decoded(r, i), extracted(ev); got != want {
			t.Fatalf("%s of %s is read as\n%s\nand by itself as\n%s", ev.Type, ev.Payload, got, want)
		}
	}
	kept := func() (all []string) {
		for i, ev := range r.Events {
			if r.Rows[i] != nil {
				all = append(all, fmt.Sprintf("%q %q %q %x", ev.ID, ev.Type, r.Environment, r.Rows[i]))
			}
		}
		return all
	}
	before := kept()
	clear(body)
	if after := kept(); !slices.Equal(before, after) {
		t.Fatalf("what is kept longer than the body is in its memory: %q, and once it is gone %q", before, after)
	}
}

// choices are keys and values that a payload is made of.
type choices struct {
	keys, values []string
}

func newChoices() *choices {
	c := &choices{}
	for f := range entity.NumFields {
		c.keys = append(append(c.keys, f.String()), f.Keys()...)
	}
	c.keys = append(c.keys, "score_id", "score_name", "usage_details", "usage_metadata", "usageMetadata", "operation", "method", "endpoint", "response_attributes",
		"request_attributes", "duration_ms", "timestamp", "success", "error", "error_message", "reason", "unknown", "n\\u0061me", "", "langfuse", "otlp", "a\\\"b")
	c.values = []string{`null`, `true`, `false`, `0`, `-1`, `12`, `1.5`, `12.0`, `1e400`, `-0`, `""`, `"t"`, `"a\nb"`, `"\u0000"`, `"é"`, `"\ud83d\ude00\ud800"`, `"7"`, `"error"`, `"LLM"`, `"instrumentation"`, `"BOOLEAN"`,
		`"2026-03-01T10:00:00.5+02:00"`, `1772359201.25`, `[]`, `{}`, `["a",1,null,["b"],""]`, `{"b":1,"a":"x","c":null}`, `"` + strings.Repeat("x", 256) + `"`, `"` + strings.Repeat("é", 200) + `"`,
		`{"prompt_tokens":1,"output_tokens":2,"pages":3,"prompt_tokens_details":{"cached_tokens":9}}`, `{"llm.model":"m","input.args.0":1,"metadata.k":[1],"error.type":"E","brokle.tags":"a, b"}`,
		`["tags","level","x"]`, ` [ 1 , 2 ] `, `NaN`, `[-Infinity]`, `{"type":"span-create"}`}
	return c
}

func (c *choices) payload(rng *rand.Rand) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range rng.IntN(12) {
		if i > 0 {
			b.WriteByte(',')
		}
		space := []string{"", "", "", " ", "\n\t"}[rng.IntN(5)]
		fmt.Fprintf(&b, `%s"%s":%s%s%s`, space, c.keys[rng.IntN(len(c.keys))], space, c.values[rng.IntN(len(c.values))], space)
	}
	if rng.IntN(2) == 0 {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(`"id":"o","trace_id":"t","name":"n","value":1`)
	}
	b.WriteByte('}')
	return b.String()
}

var eventTypes = []string{"trace_create", "trace_update", "observation_create", "observation_update", "observation_complete", "quality_score_create", "quality_score_update",
	"event_create", "trace", "observation", "quality_score", "event", "nothing"}

// Property: what Decode reads of events while it walks over their request is what Extract reads of each of
// them, and nothing of it is in the memory of the body.
func TestRowsAreWhatExtractReads(t *testing.T) {
	t.Parallel()
	rng, c := chance.Of(t), newChoices()
	for range chance.Rounds(1500) {
		events := make([]string, 1+rng.IntN(8))
		for i := range events {
			members := []string{fmt.Sprintf(`"event_id":"e%d"`, i), fmt.Sprintf(`"event_type":%q`, eventTypes[rng.IntN(len(eventTypes))]), `"payload":` + c.payload(rng)}
			switch rng.IntN(8) {
			case 0:
				members = append(members, `"payload":`+c.payload(rng)) // the last counts
			case 1:
				members = append(members, `"timestamp":`+c.values[rng.IntN(len(c.values))])
			case 2:
				members[0] = `"event_id":"no id"`
			}
			rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
			events[i] = "{" + strings.Join(members, ",") + "}"
		}
		same(t, []byte(`{"environment":"production","events":[`+strings.Join(events, ",")+`]}`))
	}
}

// FuzzRows is the same for any payload that stands between two others.
func FuzzRows(f *testing.F) {
	c := newChoices()
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 60 {
		f.Add([]byte(c.payload(rng)), uint8(i))
	}
	f.Fuzz(func(t *testing.T, payload []byte, kind uint8) {
		if !json.Valid(payload) {
			return // it would end elsewhere in the request
		}
		typ := eventTypes[int(kind)%len(eventTypes)]
		between := func(id, payload string) string {
			return `{"event_id":"` + id + `","event_type":"` + typ + `","payload":` + payload + `}`
		}
		const other = `{"id":"o","trace_id":"t","name":"n","user_id":"u","tags":["x"],"usage":{"pages":1},"value":1,"level":"odd"}`
		same(t, []byte(`{"events":[`+between("a", other)+`,`+between("b", string(payload))+`,`+between("c", `{"id":"o2","name":"n"}`)+`]}`))
	})
}
