package extract_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// generation is an observation_create of about 900 bytes, as an SDK sends it.
var generation = []byte(`{"id":"obs-01K0ZV6B3T8M5Q2Y7R4N1W9XCD","trace_id":"01K0ZV6B3T8M5Q2Y7R4N1W9XCE","name":"answer-question",` +
	`"type":"generation","start_time":"2026-03-01T10:00:00.123456Z","end_time":1772359201.5,"level":"DEFAULT","model":"m-large",` +
	`"provider":"acme","input":[{"role":"system","content":"You are a helpful assistant.\nAnswer briefly."},{"role":"user","content":"` +
	strings.Repeat("What is the capital of France? ", 8) + `"}],"output":"` + strings.Repeat("Paris is the capital. ", 8) +
	`","model_parameters":{"temperature":0.2,"max_tokens":256},"usage":{"prompt_tokens":123,"completion_tokens":45,"total_tokens":168},` +
	`"total_cost":0.00123,"metadata":{"region":"eu-1","attempt":1}}`)

func BenchmarkExtract(b *testing.B) {
	ev := wire.Event{ID: "e", Type: wire.ObservationCreate, Payload: generation}
	b.SetBytes(int64(len(generation)))
	b.ReportAllocs()
	for b.Loop() {
		if _, failure := extract.Extract(&ev); failure != nil {
			b.Fatal(failure)
		}
	}
}
