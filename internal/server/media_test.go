package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	otlpcommon "go.opentelemetry.io/proto/otlp/common/v1"
	otlptrace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// photo is a picture as a phone takes it, as far as its first bytes and its size go: nothing in it can be compressed.
func photo(seed uint64, n int) []byte {
	b := make([]byte, n)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := 0; i+8 <= n; i += 8 {
		for j, v := 0, random.Uint64(); j < 8; j, v = j+1, v>>8 {
			b[i+j] = byte(v)
		}
	}
	copy(b, "\xff\xd8\xff\xe0\x00\x10JFIF")
	return b
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func in64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// files are the names of all media on the disk.
func (h *house) files() (names []string) {
	h.tb.Helper()
	err := filepath.WalkDir(filepath.Join(h.dir, "media"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		h.tb.Fatal(err)
	}
	return names
}

// withPhoto is an observation with a photo, as a client of OpenAI sends it.
func withPhoto(id, traceID string, b []byte) string {
	return event(id, "observation_create", `{"id":"`+id+`","trace_id":"`+traceID+`","name":"look","type":"generation","input":{"messages":[{"role":"user","content":[
		{"type":"text","text":"Whatisthis"},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,`+in64(b)+`"}}]}]}}`)
}

// A phone's photo, 5 MB, comes in by each door in the form of each API: the event is stored with a reference, the photo once.
func TestPhotos(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	b := photo(1, 5<<20)
	plain, hash := in64(b), hashOf(b)
	anthropic := `{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"` + plain + `"}}]}`
	gemini := `{"role":"user","parts":[{"inlineData":{"mimeType":"image/jpeg","data":"` + plain + `"}}]}`
	observation := func(id, input string) string {
		return event(id, "observation_create", `{"id":"`+id+`","trace_id":"t","name":"n","input":`+input+`}`)
	}
	for _, ev := range []string{
		withPhoto("openai", "t", b), observation("anthropic", `[`+anthropic+`]`), observation("gemini", gemini),
		observation("audio", `[{"type":"input_audio","input_audio":{"data":"`+plain+`","format":"mp3"}}]`),
		observation("blob", `[{"role":"user","parts":[{"type":"blob","mime_type":"image/jpeg","content":"`+plain+`"}]}]`),
	} {
		h.accept(ev)
	}
	for _, mode := range []string{"protobuf", "json"} {
		h.otlpPhoto(t, mode, `[{"role":"user","parts":[{"type":"blob","modality":"image","mime_type":"image/jpeg","content":"`+plain+`"}]}]`)
	}
	if rep := h.send("POST", "/api/public/ingestion", []byte(`{"batch":[{"id":"lf","type":"generation-create","body":{"id":"langfuse","traceId":"t","name":"n","input":[`+anthropic+`]}}]}`)); rep.status != 207 || !bytes.Contains(rep.body, []byte(`"status":201`)) {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if got := h.files(); len(got) != 1 || !strings.HasPrefix(got[0], hash) {
		t.Fatalf("%v", got)
	}
	for _, id := range []string{"openai", "anthropic", "gemini", "audio", "blob", "langfuse"} {
		rep := h.get("/v1/observations/" + id)
		if rep.status != 200 || len(rep.body) > 64<<10 || !bytes.Contains(rep.body, []byte(medium.Scheme+hash+";type=")) {
			t.Errorf("%s: %d, %d bytes", id, rep.status, len(rep.body))
		}
	}
	spans := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?name=chat"))
	if len(spans.Data) != 2 {
		t.Fatalf("%d spans", len(spans.Data))
	}
	for _, o := range spans.Data {
		if rep := h.get("/v1/observations/" + o.ID); !bytes.Contains(rep.body, []byte(medium.Scheme+hash+";type=image/jpeg;size=5242880")) || len(rep.body) > 64<<10 {
			t.Errorf("%s: %d bytes", o.ID, len(rep.body))
		}
	}
	rep := h.get("/v1/media/" + hash)
	if rep.status != 200 || !bytes.Equal(rep.body, b) {
		t.Fatalf("%d, %d bytes", rep.status, len(rep.body))
	}
}

// otlpPhoto sends a span with this as its attribute of messages.
func (h *house) otlpPhoto(t *testing.T, mode, messages string) {
	t.Helper()
	id := []byte(fmt.Sprintf("%-16s", mode))
	body, err := proto.Marshal(&otlptrace.TracesData{ResourceSpans: []*otlptrace.ResourceSpans{{ScopeSpans: []*otlptrace.ScopeSpans{{Spans: []*otlptrace.Span{{
		TraceId: id, SpanId: id[:8], Name: "chat", StartTimeUnixNano: 1772359200_000000000, EndTimeUnixNano: 1772359201_500000000,
		Attributes: []*otlpcommon.KeyValue{
			{Key: "gen_ai.operation.name", Value: &otlpcommon.AnyValue{Value: &otlpcommon.AnyValue_StringValue{StringValue: "chat"}}},
			{Key: "gen_ai.input.messages", Value: &otlpcommon.AnyValue{Value: &otlpcommon.AnyValue_StringValue{StringValue: messages}}},
		},
	}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	kind := "application/x-protobuf"
	if mode == "json" {
		kind = "application/json"
		quoted, _ := json.Marshal(messages)
		body = []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"chat","startTimeUnixNano":"1772359200000000000","endTimeUnixNano":"1772359201500000000",
			"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.input.messages","value":{"stringValue":` + string(quoted) + `}}]}]}]}]}`)
	}
	for range 2 { // an exporter's retry is the same span
		if rep := h.send("POST", "/v1/traces", body, "Content-Type", "", "Content-Type", kind); rep.status != 200 || bytes.Contains(rep.body, []byte("bytes")) {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
}

// The same event again is a duplicate; the same photo in another is not stored again; with other content it is another photo.
func TestPhotoAgain(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	a, b := photo(1, 100<<10), photo(2, 100<<10)
	h.accept(withPhoto("e1", "t", a))
	if got := h.post(withPhoto("e1", "t", a)); got.DuplicateEvents != 1 {
		t.Errorf("%+v", got)
	}
	h.accept(withPhoto("e2", "t", a), withPhoto("e3", "u", b))
	if got := h.files(); len(got) != 2 {
		t.Errorf("%v", got)
	}
	// The export has events as they were sent, so that another server makes the same of it.
	page := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events?limit=100"))
	if len(page.Data) != 3 {
		t.Fatalf("%d events", len(page.Data))
	}
	other := open(t, setup{})
	for i, ev := range page.Data {
		want := in64([][]byte{a, a, b}[i])
		if !strings.Contains(string(ev.Payload), "data:image/jpeg;base64,"+want) {
			t.Fatalf("%s: %.300s", ev.EventID, ev.Payload)
		}
		other.accept(event(ev.EventID, string(ev.EventType), string(ev.Payload)))
	}
	if rep := other.get("/v1/media/" + hashOf(b)); rep.status != 200 || !bytes.Equal(rep.body, b) {
		t.Errorf("%d", rep.status)
	}
	for _, id := range []string{"e1", "e2", "e3"} {
		got := decoded[wire.Observation](t, other.get("/v1/observations/"+id))
		want := decoded[wire.Observation](t, h.get("/v1/observations/"+id))
		if string(got.Input) != string(want.Input) || !strings.Contains(string(got.Input), "data:image/jpeg;base64,"+medium.Scheme) {
			t.Errorf("%s: %s\ninstead of %s", id, got.Input, want.Input)
		}
	}
	// What is in a picture was never words, and its hash finds it.
	for q, want := range map[string]int{"Whatisthis": 2, hashOf(a): 1, "JFIF": 0} {
		if got := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?q="+q)); len(got.Data) != want {
			t.Errorf("%s finds %d traces, want %d", q, len(got.Data), want)
		}
	}
}

// A medium is shown to those who may read its project, as what its bytes are.
func TestMedium(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	b := photo(3, 200<<10)
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">` + strings.Repeat("<g/>", 4000) + `</svg>`)
	pdf := append([]byte("%PDF-1.7\n"), photo(4, 20_000)...)
	h.accept(withPhoto("e", "t", b), event("svg", "event_create", `{"a":"data:image/svg+xml;base64,`+in64(svg)+`","b":"data:image/png;base64,`+in64(pdf)+`"}`))
	for _, c := range []struct {
		b                 []byte
		kind, disposition string
	}{{b, "image/jpeg", "inline"}, {svg, "application/octet-stream", "attachment"}, {pdf, "application/pdf", "attachment"}} {
		rep := h.get("/v1/media/sha256-" + hashOf(c.b))
		if rep.status != 200 || !bytes.Equal(rep.body, c.b) {
			t.Fatalf("%d, %d bytes", rep.status, len(rep.body))
		}
		for name, want := range map[string]string{
			"Content-Type": c.kind, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=31536000, immutable",
			"Etag": `"` + hashOf(c.b) + `"`, "Accept-Ranges": "bytes", "Content-Length": fmt.Sprint(len(c.b)), "Cross-Origin-Resource-Policy": "same-origin", "Content-Disposition": c.disposition,
		} {
			if got := rep.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.kind, name, got, want)
			}
		}
	}
	path := "/v1/media/" + hashOf(b)
	if rep := h.get(path, "Range", "bytes=100-199"); rep.status != 206 || !bytes.Equal(rep.body, b[100:200]) || rep.header.Get("Content-Range") != fmt.Sprintf("bytes 100-199/%d", len(b)) {
		t.Errorf("%d, %d bytes, %v", rep.status, len(rep.body), rep.header)
	}
	if rep := h.get(path, "Range", "bytes=9999999-"); rep.status != 416 {
		t.Errorf("%d", rep.status)
	}
	if rep := h.get(path, "If-None-Match", `"`+hashOf(b)+`"`); rep.status != 304 || len(rep.body) != 0 {
		t.Errorf("%d, %d bytes", rep.status, len(rep.body))
	}
	if rep := h.send("HEAD", path, nil); rep.status != 200 || len(rep.body) != 0 || rep.header.Get("Content-Length") != fmt.Sprint(len(b)) {
		t.Errorf("%d, %d bytes", rep.status, len(rep.body))
	}
	stranger := h.newKey("two", "read")
	for _, path := range []string{path, "/v1/media/" + strings.Repeat("0", 64), "/v1/media/x", "/v1/media/.."} {
		if rep := h.get(path, "X-API-Key", "", "X-API-Key", stranger); rep.status != 404 {
			t.Errorf("%s: %d", path, rep.status)
		}
	}
	if rep := h.get(path, "X-API-Key", "", "X-API-Key", h.newKey("one", "ingest")); rep.status != 403 {
		t.Errorf("a key that may only send: %d", rep.status)
	}
	if rep := h.get(path, "X-API-Key", ""); rep.status != 401 {
		t.Errorf("no key: %d", rep.status)
	}
	if rep := h.get("/metrics"); !bytes.Contains(rep.body, []byte("brokle_media_stored_total")) && h.srv.o.MediaStats != nil {
		t.Error("no metrics")
	}
}

// Limits are for text and for media apart, and one event fails alone.
func TestMediaLimits(t *testing.T) {
	t.Parallel()
	h := open(t, setup{limits: wireformat.Limits{MaxPayloadBytes: 64 << 10, MaxMediumBytes: 1 << 20}})
	text := strings.Repeat("words and ", 7000)
	got := h.post(withPhoto("fits", "t", photo(1, 1<<20)), withPhoto("large", "t", photo(2, 1<<20+1)), event("text", "event_create", `{"a":"`+text+`"}`),
		event("both", "event_create", `{"a":"`+text+`","b":"data:image/png;base64,`+in64(photo(3, 100<<10))+`"}`),
		event("spam", "event_create", `{"a":"`+strings.Repeat("spam", 20_000)+`"}`))
	codes := map[string]string{}
	for _, e := range got.Errors {
		codes[e.EventID] = e.Code + ": " + e.Message + ": " + e.Details
	}
	if got.ProcessedEvents != 1 || got.FailedEvents != 4 ||
		codes["large"] != "medium_too_large: Payload too large: payload: a medium (image/jpeg) has 1048577 bytes, the most is 1048576" ||
		!strings.HasPrefix(codes["text"], "payload_too_large: ") || !strings.HasPrefix(codes["both"], "payload_too_large: ") || !strings.HasPrefix(codes["spam"], "payload_too_large: ") {
		t.Errorf("%+v", got)
	}
	if files := h.files(); len(files) != 1 {
		t.Errorf("%v: what failed has left media", files)
	}
	body := []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"chat",
		"attributes":[{"key":"a","value":{"stringValue":"data:image/png;base64,` + in64(photo(2, 1<<20+1)) + `"}}]}]}]}]}`)
	if rep := h.send("POST", "/v1/traces", body); rep.status != 200 || !bytes.Contains(rep.body, []byte(`span 0102030405060708: a medium (image/png) has 1048577 bytes, the most is 1048576`)) {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}

// A medium goes with the last event that refers to it, and not before.
func TestEraseMedia(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	shared, own := photo(1, 50<<10), photo(2, 50<<10)
	h.accept(event("u", "trace_create", `{"id":"t1","name":"n","user_id":"ann"}`), withPhoto("o1", "t1", shared), withPhoto("o2", "t1", own), withPhoto("o3", "t2", shared))
	if rep := h.send("DELETE", "/v1/users/ann", nil); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/media/" + hashOf(own)); rep.status != 404 {
		t.Errorf("%d", rep.status)
	}
	if rep := h.get("/v1/media/" + hashOf(shared)); rep.status != 200 {
		t.Errorf("%d: another trace refers to it", rep.status)
	}
	if rep := h.send("DELETE", "/v1/traces/t2", nil); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if files := h.files(); len(files) != 0 {
		t.Errorf("%v", files)
	}
}

// A log that takes nothing leaves the media of the request; the sweep finds them, and leaves those of events.
func TestMediaLeftOver(t *testing.T) {
	t.Parallel()
	var log *faulty
	h := open(t, setup{log: holding(&log)})
	h.accept(withPhoto("o1", "t", photo(1, 50<<10)))
	log.set(func(*store.Batch) error { return store.ErrUnavailable })
	if rep := h.send("POST", "/v1/telemetry/batch", batch(withPhoto("o2", "t", photo(2, 50<<10)))); rep.status != 503 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	log.set(nil)
	if files := h.files(); len(files) != 2 {
		t.Fatalf("%v", files)
	}
	if err := h.weeder.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files := h.files(); len(files) != 1 || !strings.HasPrefix(files[0], hashOf(photo(1, 50<<10))) {
		t.Errorf("%v", files)
	}
	// A directory that cannot be written to refuses the event: nothing refers to what is not there.
	shard := filepath.Join(h.dir, "media", "project-one", hashOf(photo(3, 50<<10))[:2])
	if err := errors.Join(os.RemoveAll(shard), os.WriteFile(shard, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if rep := h.send("POST", "/v1/telemetry/batch", batch(withPhoto("o3", "t", photo(3, 50<<10)))); rep.status != 503 {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/observations/o3"); rep.status != 404 {
		t.Errorf("%d: it is there without its photo", rep.status)
	}
}

// An asynchronous batch keeps its media when the job is done.
func TestMediaOfJobs(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	b := photo(1, 500<<10)
	rep := h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"events":[`+withPhoto("o", "t", b)+`]}`))
	job := decoded[wire.BatchResponse](t, rep)
	if rep.status != 202 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if got := decoded[wire.Job](t, h.get("/v1/telemetry/jobs/"+job.JobID+"?wait=20s")); got.Status != "completed" {
		t.Fatalf("%+v", got)
	}
	if rep := h.get("/v1/media/" + hashOf(b)); rep.status != 200 || !bytes.Equal(rep.body, b) {
		t.Errorf("%d", rep.status)
	}
}
