package ingest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// noted are the notes of an answer as "id: first words", one a line.
func noted(resp *wire.BatchResponse) string {
	var lines []string
	for _, n := range resp.Notes {
		words := strings.Fields(n.Note)
		lines = append(lines, n.EventID+": "+strings.Join(words[:min(3, len(words))], " "))
	}
	return strings.Join(lines, "\n")
}

// What is read otherwise than it was sent is said in the answer, for each event that was
// stored and in the order of the request; no event fails for it.
func TestNotesOfABatch(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Now: func() time.Time { return now }})
	resp := mustPost(t, in, "p", `{"events":[
		{"event_id":"a","event_type":"event_create","payload":{},"timestamp":"yesterday"},
		{"event_id":"b","event_type":"observation_create","payload":{"trace_id":"t","name":"n","level":"LOUD","prompt_tokens":-1},"timestamp":"2026-11-28 09:00:00 +0000 UTC"},
		{"event_id":"c","event_type":"trace_create","payload":{},"timestamp":-1},
		{"event_id":"d","event_type":"trace_create","payload":{"name":"NaN","metadata":{"x":[NaN,-Infinity],"y":"a \"NaN"}},"timestamp":1e99},
		{"event_id":"b","event_type":"observation_create","payload":{"trace_id":"t","name":"n","level":"LOUD"}},
		{"event_id":"e","event_type":"event_create","payload":{"n":1.50}}]}`)
	if resp.ProcessedEvents != 4 || resp.FailedEvents != 1 || resp.DuplicateEvents != 1 {
		t.Fatalf("%+v", resp)
	}
	want := "a: timestamp could not\nb: payload.level was left\nb: payload.prompt_tokens was left\nd: timestamp could not\nd: payload held NaN"
	if got := noted(resp); got != want {
		t.Errorf("notes\n%s\nwant\n%s", got, want)
	}
	got := map[string]wire.Event{}
	for _, rec := range log.stored() {
		got[rec.Event.ID] = rec.Event
	}
	if at := got["a"].Timestamp; !at.Equal(now) {
		t.Errorf("a is at %v", at)
	}
	if at := got["b"].Timestamp; !at.Equal(now.Add(-time.Hour)) {
		t.Errorf("b is at %v", at)
	}
	if p := string(got["d"].Payload); p != `{"name":"NaN","metadata":{"x":[null,null],"y":"a \"NaN"}}` {
		t.Errorf("d is %s", p)
	}
	if p := string(got["e"].Payload); p != `{"n":1.50}` {
		t.Errorf("e is %s", p)
	}
}

// A batch without anything to say has no key for it.
func TestNoNotes(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	b, err := json.Marshal(mustPost(t, in, "p", `{"events":[`+`{"event_id":"e1","event_type":"event_create","payload":{}}`+`]}`))
	if err != nil || strings.Contains(string(b), "notes") {
		t.Errorf("%s, %v", b, err)
	}
}

// One number that JSON has not takes its own event's number and nothing else of a batch.
func TestOneNaNInAThousandEvents(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 1000 {
		score := "1"
		if i == 500 {
			score = "NaN"
		}
		fmt.Fprintf(&b, `,{"event_id":"e%d","event_type":"trace_create","payload":{"id":"t%d","name":"n","metadata":{"score":%s}}}`, i, i, score)
	}
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	resp := mustPost(t, in, "p", `{"events":[`+b.String()[1:]+`]}`)
	if resp.ProcessedEvents != 1000 || len(resp.Notes) != 1 || resp.Notes[0].EventID != "e500" {
		t.Errorf("%d processed, notes %+v", resp.ProcessedEvents, resp.Notes)
	}
}
