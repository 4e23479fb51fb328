// Package otel says what a span means: which model call, tool or step it reports, in the terms
// that all doors share, whichever library reported it and by whichever convention.
//
// A convention is a dialect: a row of the table in dialects.go and one file with its reader. It
// sees a Span and fills a Meaning; it knows no HTTP, no protobuf and no storage.
// Messages, which only answers need, are read apart (Meaning.Messages). Twins says which of
// several spans report the same call of a provider.
//
// Sources: the semantic conventions for generative AI of OpenTelemetry, OpenInference's
// specification, and what the libraries were seen to send (testdata).
package otel
