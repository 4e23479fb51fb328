// Package outgoing makes of stored records what a server of OpenTelemetry takes: requests of OTLP in JSON.
//
// What came as a span or a log record goes out as it was received. An observation of another door
// goes out as a span by the semantic conventions for generative AI, and a trace that says something of itself
// as the span above its outermost ones. Scores and events of no entity stay here: OTLP has nothing that they are.
//
// An id that OTLP has no form for becomes the first bytes of a SHA-256, always the same ones, and stays
// readable in an attribute: brokle.trace_id or brokle.id.
//
// Sources: opentelemetry-proto 1.x and the semantic conventions for generative AI of OpenTelemetry.
package outgoing
