package ingest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/ingest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// One event per way to be wrong: each fails alone, and its error is held to the
// byte.
func TestErrorsOfEvents(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	event := func(id, typ, payload string) string {
		return `{"event_id":"` + id + `","event_type":"` + typ + `","payload":` + payload + `}`
	}
	bad := []string{
		`7`, `null`, `[]`,
		`{"event_type":"event_create","payload":{}}`,
		`{"event_id":null,"event_type":"event_create","payload":{}}`,
		`{"event_id":"","event_type":"event_create","payload":{}}`,
		`{"event_id":7,"event_type":"event_create","payload":{}}`,
		event("with space", "event_create", `{}`), event(`n\u00fcll`, "event_create", `{}`),
		event(strings.Repeat("x", 129), "event_create", `{}`), event(strings.Repeat("y", 300), "event_create", `{}`),
		event("utf8-\xff", "event_create", `{}`),
		`{"event_id":"no-type","payload":{}}`, `{"event_id":"type-7","event_type":7,"payload":{}}`,
		event("type-unknown", "trace_delete", `{}`), event("type-case", "Trace_Create", `{"name":"n"}`),
		event("type-long", strings.Repeat("t", 100), `{}`),
		`{"event_id":"no-payload","event_type":"event_create"}`, event("payload-null", "event_create", `null`),
		event("payload-list", "event_create", `[]`), event("payload-text", "event_create", `"{}"`),
		event("payload-utf8", "event_create", "{\"a\":\"\xff\"}"),
		event("payload-large", "event_create", `{"a":"`+strings.Repeat("x", 1<<20)+`"}`),
		event("payload-deep", "event_create", deep(65)), event("payload-very-deep", "event_create", deep(100000)),
		event("trace-name", "trace_create", `{}`), event("trace-id", "trace_update", `{"name":"n"}`),
		event("obs-trace-7", "observation_create", `{"name":"n","trace_id":7}`),
		event("obs-name", "observation", `{"trace_id":"t"}`),
		event("complete-id", "observation_complete", `{}`),
		event("score-about", "quality_score_create", `{"name":"q","value":1}`), event("score-value", "quality_score_create", `{"trace_id":"t","name":"q"}`),
	}
	good := []string{
		event("good-deep", "event_create", deep(64)), event("good-brackets", "event_create", `{"a":[`+strings.Repeat("[],", 200)+`"[[[[}"]}`),
		event("good-large", "event_create", `{"a":"`+strings.Repeat("x", 1<<20-8)+`"}`), event("good-short-type", "trace", `{"name":"n"}`),
	}
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	resp := mustPost(t, in, "p", `{"events":[`+strings.Join(append(bad, good...), ",")+`]}`)
	adds(t, resp, len(bad)+len(good))
	if resp.ProcessedEvents != len(good) || len(log.stored()) != len(good) {
		t.Errorf("%d processed and %d stored of %d good events", resp.ProcessedEvents, len(log.stored()), len(good))
	}
	var got bytes.Buffer
	for _, e := range resp.Errors {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(b, '\n'))
	}
	const file = "testdata/errors.golden"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the errors differ from %s (write it anew with -update):\n%s", file, got.Bytes())
	}
}
