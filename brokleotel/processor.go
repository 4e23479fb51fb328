package brokleotel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/brokle-ai/brokle-go"
)

// parentKey is an attribute of a root span that hangs below an observation.
const parentKey = attribute.Key("brokle.parent_observation_id")

// Processor hands each span to c when it ends, which never blocks, and lets root spans hang below the observation of their context. A nil c is the
// default client at that time. ForceFlush and Shutdown flush the client; whoever made it closes it.
func Processor(c *brokle.Client) sdktrace.SpanProcessor { return &processor{sink{c}} }

// Exporter hands spans to c. A nil c is the default client at that time. Shutdown flushes the client; whoever made it closes it. With
// Processor beside it each span is sent once.
func Exporter(c *brokle.Client) sdktrace.SpanExporter { return &exporter{sink{c}} }

// sink is where spans go.
type sink struct{ named *brokle.Client }

func (s sink) client() *brokle.Client {
	if s.named != nil {
		return s.named
	}
	return brokle.ClientFromContext(context.Background())
}

// send hands a span over. The errors are those of Client.SubmitEvent.
func (s sink) send(span sdktrace.ReadOnlySpan) error {
	c := s.client()
	if !c.Recording() {
		return nil
	}
	payload, err := payloadOf(span)
	if err != nil {
		return err
	}
	// Sent twice, it is the same event.
	sum := sha256.Sum256(payload)
	at := span.SpanContext()
	_, err = c.SubmitEvent(brokle.Event{ID: at.TraceID().String() + "-" + at.SpanID().String() + "-" + hex.EncodeToString(sum[:8]), Type: brokle.ObservationCreate,
		Payload: payload, Timestamp: brokle.At(span.StartTime())})
	return err
}

func (s sink) flush(ctx context.Context) error { return s.client().Flush(ctx) }

type processor struct{ sink }

// OnStart implements sdktrace.SpanProcessor.
func (*processor) OnStart(ctx context.Context, span sdktrace.ReadWriteSpan) {
	parent := brokle.ObservationFromContext(ctx)
	if _, err := trace.SpanIDFromHex(parent.ID()); err != nil || span.Parent().IsValid() || span.SpanContext().TraceID().String() != parent.TraceID() {
		return
	}
	span.SetAttributes(parentKey.String(parent.ID()))
}

// OnEnd implements sdktrace.SpanProcessor. What the client refuses is in its metrics and its log.
func (p *processor) OnEnd(span sdktrace.ReadOnlySpan) {
	if span.SpanContext().IsSampled() {
		_ = p.send(span) // there is nobody to tell: Metrics.Refused counts it
	}
}

// ForceFlush implements sdktrace.SpanProcessor.
func (p *processor) ForceFlush(ctx context.Context) error { return p.flush(ctx) }

// Shutdown implements sdktrace.SpanProcessor.
func (p *processor) Shutdown(ctx context.Context) error { return p.flush(ctx) }

type exporter struct{ sink }

// ExportSpans implements sdktrace.SpanExporter. The error joins those of the spans that were refused.
func (e *exporter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	var failed []error
	for _, span := range spans {
		if err := e.send(span); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// Shutdown implements sdktrace.SpanExporter.
func (e *exporter) Shutdown(ctx context.Context) error { return e.flush(ctx) }
