// Package batch is the format of POST /v1/telemetry/batch: a JSON object with a list of
// events and an envelope, answered with what became of each event.
package batch
