// Package server speaks HTTP: it finds the caller's key, holds the limits,
// reads and decodes bodies, and turns what ingest, the Log and the Warehouse
// say into the statuses and bodies of the wire contract.
//
// It promises: every answer that is not 2xx carries the error envelope with a
// stable code (docs/api.md lists them); no request that a client can form is
// answered with a 500; a body that was read whole is handed to ingest whether
// or not the client still listens; a body that would not fit is refused before
// it is kept; and neither keys nor payloads reach a log line, an error or a metric.
package server
