package brokleotel

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/brokle-ai/brokle-go"
)

// IDGenerator makes ids as OpenTelemetry's SDK does, but for a root span whose context carries a trace of Brokle: this has the id of that trace, where
// it is of W3C's form, as those are that nobody chose otherwise.
func IDGenerator() sdktrace.IDGenerator { return generator{} }

type generator struct{}

// NewIDs implements sdktrace.IDGenerator.
func (g generator) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	var err error
	if id, err = trace.TraceIDFromHex(brokle.TraceFromContext(ctx).ID()); err != nil {
		binary.BigEndian.PutUint64(id[:8], rand.Uint64())
		binary.BigEndian.PutUint64(id[8:], rand.Uint64()|1) // not all zeros
	}
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements sdktrace.IDGenerator.
func (generator) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}

// Join returns a context in which what starts in Brokle belongs to the trace of the span that ctx carries, and hangs below it. A context that
// carries a trace of Brokle already, or no span, stays as it is.
func Join(ctx context.Context) context.Context {
	at := trace.SpanContextFromContext(ctx)
	if !at.IsValid() || brokle.TraceFromContext(ctx) != nil {
		return ctx
	}
	return brokle.Extract(ctx, http.Header{"Traceparent": {"00-" + at.TraceID().String() + "-" + at.SpanID().String() + "-01"}})
}
