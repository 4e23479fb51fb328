package ingest_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/ingest"
)

// hundred is a request of 100 events of about 900 bytes each.
func hundred(b *testing.B) []byte {
	b.Helper()
	var body bytes.Buffer
	body.WriteString(`{"environment":"production","events":[`)
	for i := range 100 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"event_id":"01K0ZV6B3T8M5Q2Y7R4N1W%04d","event_type":"observation_create","timestamp":1772359201.5,"payload":`+
			`{"id":"obs-%d","trace_id":"01K0ZV6B3T8M5Q2Y7R4N1W9XCE","name":"answer","type":"generation","start_time":"2026-03-01T10:00:00.123456Z",`+
			`"model":"m-large","input":[{"role":"user","content":%q}],"output":%q,"usage":{"prompt_tokens":123,"completion_tokens":45},"total_cost":0.00123}}`,
			i, i, strings.Repeat("What is the capital of France? ", 9), strings.Repeat("Paris is the capital. ", 9))
	}
	body.WriteString(`]}`)
	return body.Bytes()
}

// BenchmarkDecode reads a request: syntax, envelope and the keys of each event.
func BenchmarkDecode(b *testing.B) {
	body := hundred(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(body, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidate is the rest up to the log, which takes everything at once:
// the rules of each event, its fields, and the answer.
func BenchmarkValidate(b *testing.B) {
	body := hundred(b)
	in := ingest.New(ingest.Options{Log: allStored{}})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r, err := decode(body, "")
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if resp, err := in.Submit(b.Context(), "p", r); err != nil || resp.ProcessedEvents != 100 {
			b.Fatal(resp, err)
		}
	}
}
