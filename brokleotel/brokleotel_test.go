package brokleotel_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleotel"
	"github.com/brokle-ai/brokle-go/brokletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write testdata")

func open(t *testing.T, change func(*brokle.Config)) (*brokle.Client, *brokletest.Server) {
	t.Helper()
	srv := brokletest.NewServer(t)
	cfg := srv.Config()
	if change != nil {
		change(&cfg)
	}
	c, err := brokle.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, srv
}

// call is a span as an instrumentation makes it of a call of a model, with attributes of every type.
func call() sdktrace.ReadOnlySpan {
	id := trace.SpanContextConfig{TraceID: trace.TraceID{1, 2, 3}, SpanID: trace.SpanID{4, 5}, TraceFlags: trace.FlagsSampled}
	parent := id
	parent.SpanID = trace.SpanID{6}
	start := time.Unix(1700000000, 123456789)
	return tracetest.SpanStub{
		Name: "chat gpt-4o-mini", SpanContext: trace.NewSpanContext(id), Parent: trace.NewSpanContext(parent), SpanKind: trace.SpanKindClient,
		StartTime: start, EndTime: start.Add(1500 * time.Millisecond),
		Attributes: []attribute.KeyValue{
			attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "openai"), attribute.String("gen_ai.request.model", "gpt-4o-mini"),
			attribute.String("gen_ai.response.model", "gpt-4o-mini-2024-07-18"), attribute.String("gen_ai.response.id", "chatcmpl-1"), attribute.StringSlice("gen_ai.response.finish_reasons", []string{"stop"}),
			attribute.Int("gen_ai.usage.input_tokens", 100), attribute.Int("gen_ai.usage.output_tokens", 50), attribute.Float64("gen_ai.request.temperature", 0.5),
			attribute.String("gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"Why <b>?"}]}]`),
			attribute.Bool("b", true), attribute.BoolSlice("bs", []bool{true}), attribute.Int64Slice("is", []int64{1 << 60}), attribute.Float64Slice("fs", []float64{math.NaN(), math.Inf(-1), 1}),
			attribute.ByteSlice("bytes", []byte{1}), attribute.Map("map", attribute.Slice("list", attribute.IntValue(1))),
		},
		Events:               []sdktrace.Event{{Name: "first", Time: start.Add(time.Second), Attributes: []attribute.KeyValue{attribute.Int("n", 1)}}},
		Links:                []sdktrace.Link{{SpanContext: trace.NewSpanContext(parent)}},
		Status:               sdktrace.Status{Code: codes.Error, Description: "too much"},
		Resource:             resource.NewWithAttributes("https://schema.test/r", attribute.String("service.name", "shop")),
		InstrumentationScope: instrumentation.Scope{Name: "test.genai", Version: "1.2", SchemaURL: "https://schema.test/s"},
	}.Snapshot()
}

// testdata/span.json is what a span is sent as; the tests of the server read it, too.
func TestASpanGoesAsOpenTelemetryHasIt(t *testing.T) {
	t.Parallel()
	c, srv := open(t, nil)
	e := brokleotel.Exporter(c)
	for range 2 { // sent twice, it is one event
		if err := e.ExportSpans(t.Context(), []sdktrace.ReadOnlySpan{call()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	ev := srv.Require(1)[0]
	const golden = "testdata/span.json"
	got := append(ev.Payload[:len(ev.Payload):len(ev.Payload)], '\n')
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(got) != string(want) {
		t.Errorf("%v: sent\n%s\nwant\n%s", err, got, want)
	}
	if ev.Type != brokle.ObservationCreate || !ev.Timestamp.Equal(time.Unix(1700000000, 123456000)) || !strings.HasPrefix(ev.ID, "0102030000000000") {
		t.Errorf("%+v", ev)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.ExportSpans(t.Context(), []sdktrace.ReadOnlySpan{call()}); err != nil || c.ProcessorMetrics().Refused.Closed != 0 {
		t.Errorf("after the end: %v, %+v", err, c.ProcessorMetrics())
	}
}

// spanOf reads what matters of a sent span.
func spanOf(t *testing.T, ev brokle.Event) (s struct{ TraceID, SpanID, ParentSpanID, Name string }) {
	t.Helper()
	var p struct {
		OTLP struct{ Span json.RawMessage }
	}
	if err := json.Unmarshal(ev.Payload, &p); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(p.OTLP.Span, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// recordOnly lets spans be seen and not sent.
type recordOnly struct{}

func (recordOnly) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return sdktrace.SamplingResult{Decision: sdktrace.RecordOnly}
}

func (recordOnly) Description() string { return "recordOnly" }

// Spans below observations, and observations below spans, are one tree with the ids of both.
func TestSpansAndObservationsShareOneTree(t *testing.T) {
	t.Parallel()
	c, srv := open(t, nil)
	provider := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(brokleotel.IDGenerator()), sdktrace.WithSpanProcessor(brokleotel.Processor(c)))
	tracer := provider.Tracer("test")

	ctx, ours := c.StartSpan(t.Context(), "ours")
	ctx, theirs := tracer.Start(ctx, "theirs")
	_, below := tracer.Start(ctx, "below")
	below.End()
	theirs.End()
	ours.End()

	ctx, root := tracer.Start(brokle.WithClient(t.Context(), c), "root")
	_, inside := brokle.StartSpan(brokleotel.Join(ctx), "inside")
	inside.End()
	root.End()

	custom, _ := c.StartTrace(t.Context(), "custom", brokle.ID("order-17"))
	_, apart := tracer.Start(custom, "apart")
	apart.End()
	_, unsampled := sdktrace.NewTracerProvider(sdktrace.WithSampler(recordOnly{}), sdktrace.WithSpanProcessor(brokleotel.Processor(c))).Tracer("x").Start(t.Context(), "unsampled")
	unsampled.End()

	if err := provider.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := map[string]struct{ TraceID, SpanID, ParentSpanID, Name string }{}
	var in brokle.Observation
	for _, ev := range srv.OfType(brokle.ObservationCreate) {
		if strings.HasPrefix(string(ev.Payload), `{"otlp"`) {
			s := spanOf(t, ev)
			spans[s.Name] = s
		} else if strings.Contains(string(ev.Payload), `"inside"`) {
			if err := json.Unmarshal(ev.Payload, &in); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := spans["theirs"]; s.TraceID != ours.TraceID() || s.ParentSpanID != ours.ID() || s.SpanID != theirs.SpanContext().SpanID().String() {
		t.Errorf("theirs: %+v below %s of %s", s, ours.ID(), ours.TraceID())
	}
	if s := spans["below"]; s.TraceID != ours.TraceID() || s.ParentSpanID != spans["theirs"].SpanID {
		t.Errorf("below: %+v", s)
	}
	if in.TraceID != root.SpanContext().TraceID().String() || in.ParentObservationID != root.SpanContext().SpanID().String() || spans["root"].ParentSpanID != "" {
		t.Errorf("inside: %+v, root %+v", in, spans["root"])
	}
	if s := spans["apart"]; len(s.TraceID) != 32 || s.ParentSpanID != "" || len(spans) != 4 {
		t.Errorf("%+v", spans)
	}
	if joined := brokleotel.Join(custom); joined != custom || brokleotel.Join(context.Background()) != context.Background() {
		t.Error("Join changed a context that has a trace, or no span")
	}
}

// Mask sees spans, too, and what the client refuses is the exporter's error.
func TestSpansAreMaskedAndRefusalsTold(t *testing.T) {
	t.Parallel()
	c, srv := open(t, func(c *brokle.Config) {
		c.EventMaxBytes = 4096
		c.Mask = func(_ brokle.EventType, p json.RawMessage) (json.RawMessage, error) {
			return json.RawMessage(strings.ReplaceAll(string(p), "Why", "###")), nil
		}
	})
	e := brokleotel.Exporter(c)
	big := tracetest.SpanStub{Name: strings.Repeat("x", 5000), SpanContext: call().SpanContext()}.Snapshot()
	if err := e.ExportSpans(t.Context(), []sdktrace.ReadOnlySpan{big, call()}); !errors.Is(err, brokle.ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := string(srv.Require(1)[0].Payload); strings.Contains(p, "Why") || !strings.Contains(p, "###") {
		t.Errorf("%s", p)
	}
}

func Example() {
	srv := brokletest.New()
	client, err := brokle.New(srv.Config()) // brokle.New(brokle.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithIDGenerator(brokleotel.IDGenerator()),
		sdktrace.WithSpanProcessor(brokleotel.Processor(client)))

	ctx, trace := client.StartTrace(context.Background(), "answer")
	_, span := provider.Tracer("example").Start(ctx, "look-up")
	span.End()
	trace.End()

	_ = provider.Shutdown(context.Background())
	_ = client.Close(context.Background())
	fmt.Println(span.SpanContext().TraceID().String() == trace.ID(), len(srv.OfType(brokle.ObservationCreate)))
	// Output: true 1
}
