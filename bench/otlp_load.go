package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spanLoad holds ready requests of spans in protobuf; one that is sent has fresh ids written over its own.
type spanLoad struct {
	bodies []spanBody
	mean   int // bytes of a span
}

type spanBody struct {
	body   []byte
	spans  int
	traces [][]int // by trace: where its id stands
	own    [][]int // by span: where its id stands, as its own and as a parent
	calls  []int   // where a response's id stands
}

const (
	spanBodies    = 60
	spansPerTrace = 10
)

// spanSizes are the spans of the requests, in turn.
var spanSizes = []int{100, 200, 300, 400, 500}

func newSpanLoad() (*spanLoad, error) {
	l := &spanLoad{}
	rng := mathrand.New(mathrand.NewPCG(5, 6))
	bytesOf, spans := 0, 0
	for n := range spanBodies {
		b, err := newSpanBody(rng, spanSizes[n%len(spanSizes)])
		if err != nil {
			return nil, err
		}
		bytesOf, spans = bytesOf+len(b.body), spans+b.spans
		l.bodies = append(l.bodies, b)
	}
	l.mean = bytesOf / spans
	return l, nil
}

func newSpanBody(rng *mathrand.Rand, n int) (spanBody, error) {
	b := spanBody{spans: n}
	var made []*trace.Span
	var traces, own, calls [][]byte
	var root []byte
	for i := range n {
		s, call := chatSpan(rng, i)
		if i%spansPerTrace == 0 {
			traces = append(traces, unique(16))
			root = s.SpanId
		} else {
			s.ParentSpanId = root
		}
		s.TraceId = traces[len(traces)-1]
		made, own, calls = append(made, s), append(own, s.SpanId), append(calls, []byte(call))
	}
	var err error
	b.body, err = proto.Marshal(&trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			stringAttribute("service.name", "shop"), stringAttribute("service.version", "1.2.3"),
			stringAttribute("deployment.environment.name", "production"), stringAttribute("telemetry.sdk.name", "opentelemetry"),
			stringAttribute("telemetry.sdk.language", "python"), stringAttribute("telemetry.sdk.version", "1.30.0"),
		}},
		ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "opentelemetry.instrumentation.openai_v2", Version: "2.1"}, Spans: made}},
	}}})
	for _, id := range traces {
		b.traces = append(b.traces, places(b.body, id))
	}
	for _, id := range own {
		b.own = append(b.own, places(b.body, id))
	}
	for _, id := range calls {
		b.calls = append(b.calls, places(b.body, id)...)
	}
	return b, err
}

// chatSpan is a call of a model with what was said, about 1 KB, and its provider's id.
func chatSpan(rng *mathrand.Rand, n int) (*trace.Span, string) {
	models := []string{"gpt-4o-mini", "claude-sonnet-4", "llama-3.3-70b", "mistral-large"}
	model := models[rng.IntN(len(models))]
	call := hex.EncodeToString(unique(12))
	said := func(role string, chars int) string {
		return `[{"role":"` + role + `","parts":[{"type":"text","content":"` + prose(rng, chars) + `"}]}]`
	}
	start := uint64(time.Now().UnixNano()) + uint64(n)*1e6
	number := func(n int) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(n)}}
	}
	return &trace.Span{
		SpanId: unique(8), Name: "chat " + model, Kind: trace.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: start, EndTimeUnixNano: start + 8e8,
		Attributes: []*common.KeyValue{
			stringAttribute("gen_ai.operation.name", "chat"), stringAttribute("gen_ai.provider.name", "openai"),
			stringAttribute("gen_ai.request.model", model), stringAttribute("gen_ai.response.model", model), stringAttribute("gen_ai.response.id", call),
			{Key: "gen_ai.request.temperature", Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: float64(rng.IntN(10)) / 10}}},
			{Key: "gen_ai.request.max_tokens", Value: number(256)},
			{Key: "gen_ai.response.finish_reasons", Value: &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{
				Values: []*common.AnyValue{{Value: &common.AnyValue_StringValue{StringValue: "stop"}}}}}}},
			{Key: "gen_ai.usage.input_tokens", Value: number(50 + rng.IntN(900))}, {Key: "gen_ai.usage.output_tokens", Value: number(20 + rng.IntN(400))},
			stringAttribute("server.address", "api.example.com"), {Key: "server.port", Value: number(443)},
			stringAttribute("gen_ai.input.messages", said("user", 190)), stringAttribute("gen_ai.output.messages", said("assistant", 200)),
		},
		Status: &trace.Status{},
	}, call
}

func stringAttribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

// unique is n bytes that stand nowhere else.
func unique(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}

func places(body, what []byte) (at []int) {
	for i := 0; ; {
		next := bytes.Index(body[i:], what)
		if next < 0 {
			return at
		}
		at = append(at, i+next)
		i += next + len(what)
	}
}

// request is the nth body with fresh ids, in buf; last is the id of its last trace.
func (l *spanLoad) request(n int, buf []byte) (body []byte, spans int, last string) {
	b := &l.bodies[n%len(l.bodies)]
	buf = append(buf[:0], b.body...)
	var id []byte
	write := func(at []int, size int) {
		id = unique(size)
		for _, i := range at {
			copy(buf[i:], id)
		}
	}
	for _, at := range b.own {
		write(at, 8)
	}
	for _, at := range b.calls {
		copy(buf[at:], hex.EncodeToString(unique(12)))
	}
	for _, at := range b.traces {
		write(at, 16)
	}
	return buf, b.spans, hex.EncodeToString(id)
}
