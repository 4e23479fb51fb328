package formats_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// update rewrites testdata/answers.txt.gz: go test ./internal/wireformat/formats -run Answers -update
var update = flag.Bool("update", false, "rewrite the golden file")

// taken is a Log that keeps the batch and says that all of it was stored.
type taken struct {
	store.Log
	batch *store.Batch
}

func (l *taken) Append(_ context.Context, b *store.Batch) ([]store.Outcome, error) {
	l.batch = b
	for i := range b.Events {
		b.Events[i].Payload = bytes.Clone(b.Events[i].Payload)
	}
	return slices.Repeat([]store.Outcome{store.Stored}, len(b.Events)), nil
}

// answer is what becomes of a body: why it is refused, or what is said of each event and stored of it.
func answer(t *testing.T, path, body string) string {
	t.Helper()
	f := formats.All()[slices.IndexFunc(formats.All(), func(f wireformat.Format) bool { return slices.Contains(f.Paths(), path) })]
	in := &wireformat.Incoming{Path: path, Header: http.Header{}, Project: "p", Limits: wireformat.Limits{MaxEvents: 20, MaxPayloadBytes: 2048, MaxDepth: 8}, Body: []byte(body)}
	r, err := f.Decode(in)
	if refused := (*ingest.RequestError)(nil); errors.As(err, &refused) {
		return fmt.Sprintf("refused %+v\n", *refused)
	}
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	out := fmt.Sprintf("%q %+v async %v\n", r.Environment, r.Dedup, r.Async)
	if len(r.Events) == 0 {
		return out + "empty\n"
	}
	log := &taken{}
	res, err := ingest.New(ingest.Options{Log: log}).Submit(t.Context(), "p", r)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	clear(in.Body) // it is used again for another request
	for _, e := range res.Errors {
		out += fmt.Sprintf("failed %+v\n", e)
	}
	for _, n := range res.Notes {
		out += fmt.Sprintf("note %+v\n", n)
	}
	for i := range log.batch.Events {
		ev := &log.batch.Events[i]
		at := "receipt"
		if !ev.Timestamp.Equal(log.batch.ReceivedAt) {
			at = ev.Timestamp.UTC().Format("2006-01-02T15:04:05.999999999Z")
		}
		payload := " as it was sent"
		if !strings.Contains(body, string(ev.Payload)) {
			payload = "\n  " + string(ev.Payload)
		}
		out += fmt.Sprintf("stored %q %s %s%s\n  %s\n", ev.ID, ev.Type, at, payload, said(log.batch.Rows[i].Fields()))
	}
	return out
}

// said is what an event's fields say, sorted, but for what is JSON, which stays in the payload.
func said(f *entity.Fields) string {
	values := []string{}
	for _, v := range f.Values {
		switch v.Field.Type() {
		case entity.JSON:
		case entity.Integer, entity.Time:
			values = append(values, fmt.Sprintf("%s=%d", v.Field, v.Int))
		case entity.Float:
			values = append(values, fmt.Sprintf("%s=%v", v.Field, v.Num))
		case entity.List:
			values = append(values, fmt.Sprintf("%s=%q", v.Field, v.List))
		default:
			values = append(values, fmt.Sprintf("%s=%q", v.Field, v.Text))
		}
	}
	slices.Sort(values)
	return fmt.Sprintf("kind %d rank %d %q %016x %s", f.Kind, f.Rank, f.EntityID, f.Content, strings.Join(values, " "))
}

// What clients are told, and what is stored of what they send, stays byte for byte what it was before a
// request was read in one pass; only a change that is meant may rewrite the file.
func TestAnswersStay(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, c := range bodies() {
		sent := c.body
		if len(sent) > 300 {
			sent = fmt.Sprintf("%s… %d bytes", sent[:200], len(sent))
		}
		fmt.Fprintf(&out, "> %s %q\n%s", c.path, sent, shortened(answer(t, c.path, c.body)))
	}
	file := filepath.Join("testdata", "answers.txt.gz")
	if *update {
		if err := os.WriteFile(file, zipped(t, out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := unzipped(t, file); out.String() != want {
		got, want := strings.Split(out.String(), "\n"), strings.Split(want, "\n")
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("line %d is\n%s\nand was\n%s", i+1, strings.Join(got[max(0, i-3):min(i+2, len(got))], "\n"), strings.Join(want[max(0, i-3):min(i+2, len(want))], "\n"))
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unzipped(t *testing.T, file string) string {
	t.Helper()
	kept, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	r, err := gzip.NewReader(kept)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shortened cuts the lines that hold much.
func shortened(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if len(line) > 900 {
			lines[i] = fmt.Sprintf("%s… %d bytes", line[:800], len(line))
		}
	}
	return strings.ToValidUTF8(strings.Join(lines, "\n"), "?")
}

// event is an element of the events of a batch.
func event(id, typ, payload string) string {
	return `{"event_id":"` + id + `","event_type":"` + typ + `","timestamp":1772359201.5,"payload":` + payload + `}`
}

// types are all that an event may be, the short forms too.
var types = []wire.EventType{wire.TraceCreate, wire.TraceUpdate, wire.ObservationCreate, wire.ObservationUpdate, wire.ObservationComplete,
	wire.QualityScoreCreate, wire.QualityScoreUpdate, wire.EventCreate, "trace", "quality_score", "nothing"}

type sent struct{ path, body string }

const (
	batchPath  = "/v1/telemetry/batch"
	bulkPath   = "/api/v1/telemetry/bulk"
	scorePath  = "/v1/scores"
	scoresPath = "/v1/scores/batch"
	theirPath  = "/api/public/ingestion"
	theirScore = "/api/public/scores"
)

// bodies are requests in all formats of JSON of our own and of Langfuse's.
func bodies() (all []sent) {
	add := func(path, body string) { all = append(all, sent{path, body}) }
	for _, path := range []string{batchPath, bulkPath, scorePath, scoresPath, theirPath, theirScore} {
		for _, body := range append(envelopes, raws()...) {
			add(path, body)
		}
	}
	for _, one := range events {
		add(batchPath, `{"events":[`+one+`]}`)
	}
	for _, payload := range append(payloads, rawPayloads()...) {
		add(bulkPath, `{"telemetry":[`+payload+`],"timestamp":"2026-03-01T00:00:00Z"}`)
		add(scorePath, payload)
		add(theirPath, `{"batch":[{"id":"a","type":"span-create","body":`+payload+`}]}`)
		of := make([]string, len(types))
		for i, typ := range types {
			of[i] = event(fmt.Sprint("e", i), string(typ), payload)
		}
		add(batchPath, `{"events":[`+strings.Join(of, ",")+`]}`)
	}
	for _, value := range values {
		for _, typ := range []string{"observation_update", "quality_score_create"} {
			of := make([]string, len(valued))
			for i, key := range valued {
				of[i] = event(key, typ, `{"id":"o","trace_id":"t","name":"s","value":1,"`+key+`":`+value+`}`)
			}
			add(batchPath, `{"events":[`+strings.Join(of, ",")+`]}`)
		}
	}
	for _, body := range bulks {
		add(bulkPath, body)
	}
	for _, body := range scores {
		add(scorePath, body)
		add(scoresPath, `{"scores":[`+body+`,{"name":"q","trace_id":"t","value":true}]}`)
		add(theirScore, body)
	}
	for _, body := range langfuses {
		add(theirPath, body)
	}
	for _, one := range langfuseEvents {
		add(theirPath, `{"batch":[`+one+`],"metadata":{}}`)
	}
	return all
}

// raws are bodies that no text of JSON holds.
func raws() []string {
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	good := event("a", "event_create", `{}`)
	return []string{
		"", " ", "\n", "\uFEFF", "\uFEFF{}", "\xff", "{\"\xff\":1}", "{\"a\":\"\x01\"}", `{"a":"\x"}`, "{\"events\":[" + good + "]}\x00",
		`{"events":[` + good + `],"metadata":` + nest(20) + `}`, `{"events":[` + good + `],"metadata":` + nest(20000) + `}`, `{"events":` + nest(20000) + `}`,
		`{"events":[` + nest(20000) + `,` + good + `]}`, `{"events":[` + event("a", "event_create", `{"a":`+nest(20)+`}`) + `,` + good + `]}`,
		`{"events":[` + event("a", "event_create", `{"a":`+nest(20000)+`,"n":NaN}`) + `,` + good + `]}`, strings.Repeat("[", 20000), `{"events":` + strings.Repeat("[", 50000),
		"{\"events\":[" + event("a", "event_create", "{\"a\":\"\xff\"}") + "," + event("\xff", "event_create", "{}") + "," + event("a", "\xff", "{}") + "]}",
		"{\"environment\":\"\xff\",\"events\":[" + good + "]}", "\t{ \"events\"\r: [ " + good + " ] ,\n\"b\" : { } } \n",
	}
}

// rawPayloads are such payloads.
func rawPayloads() []string {
	return []string{
		"{\"name\":\"a\xffb\",\"trace_id\":\"t\"}", "{\"a\xff\":1}", `{"name":"` + strings.Repeat("n", 1001) + `","trace_id":"t"}`, `{"a":"` + strings.Repeat("x", 2100) + `"}`,
		`{"a":` + strings.Repeat("[", 7) + strings.Repeat("]", 7) + `}`, `{"a":` + strings.Repeat("[", 8) + strings.Repeat("]", 8) + `}`,
		`{"id":"` + strings.Repeat("é", 255) + `","name":"n"}`, `{"id":"` + strings.Repeat("é", 256) + `","name":"n"}`, "{\"name\":\"\xed\xa0\x80\"}",
	}
}
