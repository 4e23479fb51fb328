package broklegenkit

import (
	"context"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// genkitScope is that of Genkit's own spans.
const genkitScope = "genkit-tracer"

// maxLive bounds the spans that are kept while they run. One more is not recorded, and what is below it goes to a trace of its own.
const maxLive = 10_000

type spanID struct {
	trace trace.TraceID
	span  trace.SpanID
}

func idOf(at trace.SpanContext) spanID { return spanID{at.TraceID(), at.SpanID()} }

// processor makes steps of Genkit's spans. Others that lie between are passed over.
type processor struct {
	r *modelcall.Recorder

	mu   sync.RWMutex // guards live
	live map[spanID]*step
}

// step is a span while it runs.
type step struct {
	parent *step
	kind   kind
	ctx    context.Context           // carries o
	o      *brokle.ActiveObservation // nil of a span that is not Genkit's
	// outer is what the program's context carried when it started, and still carries within it: what it carries instead is newer.
	outer *brokle.ActiveObservation
	trace *brokle.ActiveTrace // that began with it; nil when there was one
}

func (p *processor) at(ctx trace.SpanContext) *step {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.live[idOf(ctx)]
}

// OnStart implements sdktrace.SpanProcessor.
func (p *processor) OnStart(ctx context.Context, span sdktrace.ReadWriteSpan) {
	guarded(func() {
		parent := p.at(span.Parent())
		var s *step
		if span.InstrumentationScope().Name == genkitScope {
			s = p.begin(ctx, parent, span)
		} else if parent != nil {
			s = &step{parent: parent, ctx: parent.ctx, outer: parent.outer}
		}
		if s == nil {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.live) < maxLive {
			p.live[idOf(span.SpanContext())] = s
		}
	})
}

// begin starts a step below parent, or below what the program has started since.
func (p *processor) begin(ctx context.Context, parent *step, span sdktrace.ReadOnlySpan) *step {
	k := kindOf(span.Attributes(), span.Name())
	s := &step{parent: parent, kind: k, outer: brokle.ObservationFromContext(ctx)}
	if parent != nil && s.outer == parent.outer {
		ctx = parent.ctx
	}
	if !p.r.Recording(ctx, k.typ, k.name) {
		return nil
	}
	known := brokle.TraceFromContext(ctx)
	s.ctx, s.o = p.r.Start(ctx, k.typ, k.name, k.started(span.StartTime()))
	if known == nil {
		s.trace = brokle.TraceFromContext(s.ctx)
	}
	return s
}

// OnEnd implements sdktrace.SpanProcessor.
func (p *processor) OnEnd(span sdktrace.ReadOnlySpan) {
	guarded(func() {
		p.mu.Lock()
		id := idOf(span.SpanContext())
		s := p.live[id]
		delete(p.live, id)
		p.mu.Unlock()
		if s != nil && s.o != nil {
			s.end(p.r, span)
		}
	})
}

// Shutdown implements sdktrace.SpanProcessor. Whoever made the client closes it.
func (p *processor) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (p *processor) ForceFlush(context.Context) error { return nil }

// inCall says whether ctx is in a call of a model, or of what instruments it.
func (p *processor) inCall(ctx context.Context) bool {
	s := p.at(trace.SpanContextFromContext(ctx))
	for s != nil && s.o == nil {
		s = s.parent
	}
	return s != nil && s.kind.isCall()
}

func (p *processor) join(ctx context.Context) context.Context {
	s := p.at(trace.SpanContextFromContext(ctx))
	if s == nil || brokle.ObservationFromContext(ctx) != s.outer {
		return ctx
	}
	for s.o == nil {
		s = s.parent
	}
	return brokle.WithObservation(ctx, s.o)
}

// guarded runs record. What goes wrong in it is ours, and must not reach the program.
func guarded(record func()) {
	defer func() { _ = recover() }()
	record()
}
