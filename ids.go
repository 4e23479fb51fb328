package brokle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// The lengths of ids in W3C's Trace Context (§3.2.2), in hexadecimal digits.
const (
	traceIDDigits       = 32
	observationIDDigits = 16
)

// newTraceID returns a new random id of W3C's form, which is not all zeros.
func newTraceID() string {
	var b [traceIDDigits / 2]byte
	binary.BigEndian.PutUint64(b[:8], rand.Uint64())
	binary.BigEndian.PutUint64(b[8:], rand.Uint64()|1)
	var digits [traceIDDigits]byte
	hex.Encode(digits[:], b[:])
	return string(digits[:])
}

// newObservationID is newTraceID for an observation. It lies in digits, which nobody may change then.
func newObservationID(digits *[observationIDDigits]byte) string {
	var b [observationIDDigits / 2]byte
	binary.BigEndian.PutUint64(b[:], rand.Uint64()|1)
	hex.Encode(digits[:], b[:])
	return rawjson.Alias(digits[:])
}

// w3cTraceID is a trace's id as W3C's headers have it: itself when it has that form, else 16 bytes of a hash, as the
// server has it in what it gives out as OpenTelemetry.
func w3cTraceID(id string) string {
	if isW3CID(id, traceIDDigits) {
		return id
	}
	return hashed(traceIDDigits, "trace", id)
}

// w3cParentID is the same of the observation of a trace; of the trace itself when it is "".
func w3cParentID(trace, observation string) string {
	switch {
	case observation == "":
		return hashed(observationIDDigits, "root", trace)
	case isW3CID(observation, observationIDDigits):
		return observation
	}
	return hashed(observationIDDigits, "span", trace, observation)
}

func hashed(digits int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:digits/2])
}

// isW3CID says whether id is that many lower-case hexadecimal digits, not all of them zero.
func isW3CID(id string, digits int) bool {
	return len(id) == digits && strings.Trim(id, "0123456789abcdef") == "" && strings.Trim(id, "0") != ""
}
