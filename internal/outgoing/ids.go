package outgoing

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// traceID is a trace's id as OTLP has them: 16 bytes in hex.
func traceID(id string) string {
	if isID(id, 32) {
		return id
	}
	return hashed(16, "trace", id)
}

// spanID is the id of an observation of a trace: 8 bytes in hex. Ids that are none of OTLP are the trace's own, so
// the trace is part of what is hashed.
func spanID(trace, id string) string {
	if isID(id, 16) {
		return id
	}
	return hashed(8, "span", trace, id)
}

// rootID is the id of the span of a trace itself.
func rootID(trace string) string { return hashed(8, "root", trace) }

// isID says whether id is so many digits of hex in lower case, and not all 0.
func isID(id string, digits int) bool {
	return len(id) == digits && strings.Trim(id, "0123456789abcdef") == "" && strings.Trim(id, "0") != ""
}

func hashed(size int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:size])
}
