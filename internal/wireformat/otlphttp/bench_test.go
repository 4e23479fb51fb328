package otlphttp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

func attribute(key string, value any) *common.KeyValue {
	v := &common.AnyValue{}
	switch value := value.(type) {
	case string:
		v.Value = &common.AnyValue_StringValue{StringValue: value}
	case int:
		v.Value = &common.AnyValue_IntValue{IntValue: int64(value)}
	case float64:
		v.Value = &common.AnyValue_DoubleValue{DoubleValue: value}
	case []string:
		list := &common.ArrayValue{}
		for _, s := range value {
			list.Values = append(list.Values, &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}})
		}
		v.Value = &common.AnyValue_ArrayValue{ArrayValue: list}
	}
	return &common.KeyValue{Key: key, Value: v}
}

// chat is a call of a model by the semantic conventions, with what was said: about 1 KB.
func chat(n int) *trace.Span {
	id := fmt.Sprintf("%016d", n+1)
	said := func(role, text string) string {
		return `[{"role":"` + role + `","parts":[{"type":"text","content":"` + text + `"}]}]`
	}
	return &trace.Span{
		TraceId: []byte(id), SpanId: []byte(id[8:]), ParentSpanId: []byte("parent01"), Name: "chat gpt-4o-mini", Kind: trace.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: 1772359200_000000000, EndTimeUnixNano: 1772359201_500000000,
		Attributes: []*common.KeyValue{
			attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.provider.name", "openai"),
			attribute("gen_ai.request.model", "gpt-4o-mini"), attribute("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
			attribute("gen_ai.response.id", "chatcmpl-AbCdEf0123456789"), attribute("gen_ai.request.temperature", 0.2),
			attribute("gen_ai.request.max_tokens", 256), attribute("gen_ai.response.finish_reasons", []string{"stop"}),
			attribute("gen_ai.usage.input_tokens", 123), attribute("gen_ai.usage.output_tokens", 45),
			attribute("server.address", "api.openai.com"), attribute("server.port", 443),
			attribute("gen_ai.input.messages", said("user", strings.Repeat("What is the capital of France? ", 7)+`\nAnswer \"briefly\".`)),
			attribute("gen_ai.output.messages", said("assistant", strings.Repeat("Paris is the capital. ", 7))),
		},
		Status: &trace.Status{},
	}
}

// chats is a request of n calls.
func chats(tb testing.TB, n int) []byte {
	tb.Helper()
	spans := make([]*trace.Span, n)
	for i := range spans {
		spans[i] = chat(i)
	}
	body, err := proto.Marshal(&trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			attribute("service.name", "shop"), attribute("service.version", "1.2.3"), attribute("deployment.environment.name", "production"),
			attribute("telemetry.sdk.name", "opentelemetry"), attribute("telemetry.sdk.language", "python"), attribute("telemetry.sdk.version", "1.30.0"),
		}},
		ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "opentelemetry.instrumentation.openai_v2", Version: "2.1"}, Spans: spans}},
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// toJSON is the same request in JSON.
func toJSON(tb testing.TB, body []byte) []byte {
	tb.Helper()
	var b strings.Builder
	err := otlp.Spans(body, false, func(i *otlp.Item) {
		if i.Err != nil {
			tb.Fatal(i.Err)
		}
		if b.Len() == 0 {
			fmt.Fprintf(&b, `{"resourceSpans":[{"resource":%s,"scopeSpans":[{"scope":%s,"spans":[`, i.Resource, i.Scope)
		} else {
			b.WriteByte(',')
		}
		b.Write(i.Raw)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return []byte(b.String() + "]}]}]}")
}

// recordings are what libraries have sent.
func recordings(tb testing.TB) (all [][]byte) {
	tb.Helper()
	names, _ := filepath.Glob("../../otel/testdata/*/*.traces.pb")
	more, _ := filepath.Glob("../../otel/testdata/recorded/*/*.traces.pb")
	for _, name := range append(names, more...) {
		body, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, body)
	}
	if len(all) == 0 {
		tb.Fatal("nothing is recorded")
	}
	return all
}

// perSpan reports the time, the processor's time and the allocations of one span.
func perSpan(b *testing.B, run func() (spans int)) {
	b.Helper()
	spans, before := 0, cpu(b)
	b.ReportAllocs()
	for b.Loop() {
		spans += run()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(spans), "ns/span")
	b.ReportMetric(float64(cpu(b)-before)/float64(spans), "cpu-ns/span")
}

// cpu is the processor time of this process in ns.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkDecode is the whole of it: from the body to what ingest takes.
func BenchmarkDecode(b *testing.B) {
	pb := chats(b, 100)
	bodies := map[string][][]byte{"protobuf": {pb}, "json": {toJSON(b, pb)}, "recorded": recordings(b)}
	for _, name := range []string{"protobuf", "json", "recorded"} {
		b.Run(name, func(b *testing.B) {
			perSpan(b, func() (spans int) {
				for _, body := range bodies[name] {
					r, err := Format{}.Decode(&wireformat.Incoming{Project: "default", Path: "/v1/traces", Limits: wireformat.Limits{}.WithDefaults(), Body: body})
					if err != nil || len(r.Faults) > 0 {
						b.Fatal(err, r.Faults)
					}
					spans += len(r.Events)
				}
				return spans
			})
		})
	}
}

// BenchmarkParts is the same, one part after the other.
func BenchmarkParts(b *testing.B) {
	body := chats(b, 100)
	inJSON := toJSON(b, body)
	origin, of := otlp.Origin{Door: "otlp"}, wireformat.NewIDs("otlp_", "default")
	for _, kind := range []struct {
		name string
		body []byte
		json bool
	}{{"spans of protobuf", body, false}, {"spans of JSON", inJSON, true}} {
		b.Run(kind.name, func(b *testing.B) {
			perSpan(b, func() (spans int) {
				if err := otlp.Spans(kind.body, kind.json, func(*otlp.Item) { spans++ }); err != nil {
					b.Fatal(err)
				}
				return spans
			})
		})
	}
	// What follows is of one span.
	_ = otlp.Spans(chats(b, 1), false, func(i *otlp.Item) {
		payload := otlp.AppendStored(nil, origin, i)
		ev := wire.Event{ID: "e", Type: wire.ObservationCreate, Payload: payload}
		for _, part := range []struct {
			name string
			run  func()
		}{
			{"read", func() { otel.Read(i.Span) }},
			{"item", func() { extract.Item(&ev, origin, i) }},
			{"stored", func() { otlp.AppendStored(make([]byte, 0, len(payload)), origin, i) }},
			{"id", func() { of.Of(payload) }},
		} {
			b.Run(part.name, func(b *testing.B) { perSpan(b, func() int { part.run(); return 1 }) })
		}
	})
}
