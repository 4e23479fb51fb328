// Package ingest decides, for each event of a request, whether it may be stored,
// has the Log store what may, and says what became of every one.
//
// It promises that a bad event fails alone and leaves nothing behind but its
// error; that every event of a request is in exactly one of processed, duplicate
// and failed; that a payload is stored byte for byte or not at all; and that once
// a request has been decoded its write does not depend on the client staying.
// It knows no HTTP, no wire format and no storage engine.
package ingest
