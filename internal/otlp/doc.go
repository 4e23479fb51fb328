// Package otlp reads the requests of the OpenTelemetry protocol in both of its encodings,
// protobuf and JSON, a span at a time: a span that cannot be read is an error of its own, and
// those beside it are read all the same.
//
// Source: opentelemetry-proto 1.x, collector/trace/v1 and collector/logs/v1, and the OTLP
// specification, section "JSON Protobuf Encoding".
package otlp
