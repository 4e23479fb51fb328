package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// streamed is the body of an answer that reads what it shows while it is sent, a little at a time. It may be written more than
// once: HTTP/1.0 is told its length first.
type streamed struct {
	// light says that all of it is in memory already: it does not wait for a slot.
	light bool
	// write writes one JSON value.
	write func(ctx context.Context, enc *jsontext.Encoder) error

	ctx context.Context
}

// MarshalJSONTo implements json.MarshalerTo.
func (b *streamed) MarshalJSONTo(enc *jsontext.Encoder) error { return b.write(b.ctx, enc) }

// errChanged ends an answer of which something expired, or was erased, since it was begun.
func errChanged() *problem {
	return &problem{
		status: http.StatusServiceUnavailable, code: codeUnavailable, retryAfter: time.Second,
		message: "what was asked for changed while it was read; send this request again after the seconds of Retry-After",
		cause:   errors.New("events of the answer are no longer there"),
	}
}
