// Package otlphttp is the format of OpenTelemetry's protocol over HTTP: spans and log records, in
// protobuf and in JSON, answered in the encoding in which they came.
//
// Each span and each record becomes one event, whose payload holds it as it was received with what it
// stood under (package otlp) and whose id is derived from the project and that payload: an exporter's
// retry is a duplicate.
//
// Source: OTLP specification 1.x, sections "OTLP/HTTP" and "Partial Success".
package otlphttp
