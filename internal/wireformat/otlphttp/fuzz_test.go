package otlphttp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/otlphttp"
)

// FuzzProtobuf: see fuzz. The seeds are a case of each library that was recorded.
func FuzzProtobuf(f *testing.F) {
	for _, pattern := range []string{"?-call4.*.pb", "?-call4e.logs.pb"} {
		seeds(f, "otlp/"+pattern, "/v1/traces")
	}
	seeds(f, "recorded/?.*.pb", "/v1/traces")
	f.Fuzz(fuzz)
}

// FuzzJSON does the same for JSON.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{"scope":{"name":"ai","version":"1"},"spans":[` +
			`{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","parentSpanId":"","name":"n","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":"1700000000000000000",` +
			`"endTimeUnixNano":1700000001000000000,"attributes":[{"key":"gen_ai.usage.input_tokens","value":{"intValue":"5"}},{"key":"a","value":{"arrayValue":{"values":[{"doubleValue":NaN},{}]}}},` +
			`{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"bytesValue":"AA=="}}]}}}],"events":[{"name":"e","timeUnixNano":1}],"links":[{}],"status":{"code":2,"message":"m"}}]}]}]}`,
		`{"resource_spans":[{"scope_spans":[{"spans":[1,{"trace_id":"AQIDBAUGBwgJCgsMDQ4PEA==","span_id":"AAAAAAAAAAk="}]}]}]}`,
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","severityNumber":"SEVERITY_NUMBER_INFO","body":{"stringValue":"b"},"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0102030405060708"}]}]}]}`,
		"\ufeff{}", `{"resourceSpans":{}}`, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"\ud800":"\ud800"}]}]}]}`,
	} {
		f.Add("/v1/traces", []byte(text))
		f.Add("/v1/logs", []byte(text))
	}
	f.Fuzz(fuzz)
}

func seeds(f *testing.F, pattern, path string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("../../otel/testdata", filepath.FromSlash(pattern)))
	if err != nil || len(names) == 0 {
		f.Fatal(pattern, err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		at := path
		if bytes.HasSuffix([]byte(name), []byte(".logs.pb")) {
			at = "/v1/logs"
		}
		f.Add(at, body)
	}
}

// fuzz: whatever a body is, it is refused as a whole with a RequestError, or each of its spans is an event that can
// be stored and read back, or a fault that is short; and read again it has the same ids.
func fuzz(t *testing.T, path string, body []byte) {
	if path != "/v1/logs" {
		path = "/v1/traces"
	}
	in := func() *wireformat.Incoming {
		return &wireformat.Incoming{Path: path, Header: http.Header{}, Project: "p", Limits: wireformat.Limits{}.WithDefaults(), Body: bytes.Clone(body)}
	}
	r, err := otlphttp.Format{}.Decode(in())
	if err != nil {
		if refused := (*ingest.RequestError)(nil); !errors.As(err, &refused) || refused.Code == "" || refused.Message == "" {
			t.Fatalf("refused with %v", err)
		}
		return
	}
	again, err := otlphttp.Format{}.Decode(in())
	if err != nil || len(again.Events) != len(r.Events) || len(r.Rows) != len(r.Events) {
		t.Fatalf("read again: %v, %d events and %d fields, then %d", err, len(r.Events), len(r.Rows), len(again.Events))
	}
	failed := map[int]bool{}
	for _, fault := range r.Faults {
		failed[fault.Index] = true
		if fault.Err.Code == "" || fault.Err.Message == "" || len(fault.Err.Details) > 400 || !utf8.ValidString(fault.Err.Details) {
			t.Fatalf("fault %+v", fault)
		}
	}
	for i := range r.Events {
		ev := &r.Events[i]
		if !wire.ValidID(ev.ID) || ev.ID != again.Events[i].ID {
			t.Fatalf("event %d is %q, then %q", i, ev.ID, again.Events[i].ID)
		}
		if failed[i] {
			continue
		}
		if !json.Valid(ev.Payload) || !utf8.Valid(ev.Payload) {
			t.Fatalf("the payload is no JSON: %q", ev.Payload)
		}
		if fields, failure := extract.Extract(ev); failure != nil || !bytes.Equal(fields.AppendRow(nil), r.Rows[i]) {
			t.Fatalf("read from the payload: %+v %+v, read from the body: %+v", failure, fields, r.Rows[i].Fields())
		}
	}
}
