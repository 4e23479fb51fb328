// Package segmentlog is the Log: segment files of compressed, checksummed
// blocks, written by one committer that syncs once for all requests that wait.
//
// It promises that a nil error from Append means on disk, synced, and counted
// once; that a payload comes back byte for byte; and that a start after any
// crash needs no person: whole blocks are kept, the rest is reported and cut, and
// the id index is brought up to the Log before the first request is decided.
//
// The file format is written down in docs/format.md.
package segmentlog
