// Package brokleotel sends the spans of OpenTelemetry's Go SDK through a client of Brokle, with its Mask, its spool and its accounting, and lets spans and
// observations share one tree.
//
//	provider := sdktrace.NewTracerProvider(
//		sdktrace.WithIDGenerator(brokleotel.IDGenerator()),
//		sdktrace.WithSpanProcessor(brokleotel.Processor(client)))
//
// A span goes as OpenTelemetry has it, with its ids, resource and scope: the server reads what any instrumentation means by it, as it does at its own door
// for OpenTelemetry. [Processor] needs no batcher, because the client has one; [Exporter] is for sdktrace.WithBatcher all the same.
//
// A root span that starts in the context of an observation belongs to that trace and hangs below the observation, by [IDGenerator] and Processor. What
// starts in Brokle in the context of a span hangs below the span by [Join], where the context carries no trace of Brokle: package brokle depends on nothing of
// OpenTelemetry, so it sees no span by itself. Beyond these two each hangs below the nearest of its own kind: a span that has a span above it stays below that one, and
// an observation whose context carries an observation stays below this, whatever was started between them; all are in one trace.
//
// Config.SampleRate keeps all spans: OpenTelemetry's sampler decides about them.
package brokleotel
