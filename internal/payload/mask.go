package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

var errMaskResult = errors.New("mask returned something other than a JSON object")

// Mask runs the user's hook; whatever goes wrong in it is an error.
func Mask(mask func(wire.EventType, json.RawMessage) (json.RawMessage, error), t wire.EventType, payload json.RawMessage) (out json.RawMessage, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("mask panicked: %T", r) // the value may hold what should be hidden
		}
	}()
	out, err = mask(t, bytes.Clone(payload))
	if err == nil && !isObject(out) {
		return nil, errMaskResult
	}
	return out, err
}

// isObject says whether b is one whole JSON object.
func isObject(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == '{' && json.Valid(b)
}
