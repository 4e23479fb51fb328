// Package forward sends what the Log stores on to a server of OpenTelemetry, as a second home for the data.
//
// It follows the Log with a cursor of its own, in a file. It promises that every span and log record that is
// stored, and every observation and trace of another door, is offered to that server at least once and in the order of the
// Log within a project, whatever is stopped or killed meanwhile; that nothing is offered of what was erased or has
// expired before; and that ingest never waits for it. It gives up only on what the server refuses for good,
// each record alone, and counts that. What another server has forwarded here goes no further, so that two
// servers may forward to each other.
//
// Source: OTLP specification 1.x, "OTLP/HTTP".
package forward
