package server

import (
	"net/http"
	"sync/atomic"
)

// budget bounds the memory that the bodies of all requests hold together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// hold is what one request has taken from the budget. It belongs to one goroutine.
type hold struct {
	from  *budget
	bytes int64
}

// take adds n bytes to the hold, or says that the server has too much in flight.
func (h *hold) take(n int64) error {
	if h.from.used.Add(n) > h.from.limit {
		h.from.used.Add(-n)
		return &problem{
			status: http.StatusServiceUnavailable, code: codeOverloaded, retryAfter: 1,
			message: "the server holds as many bytes of requests as it may; send this one again after the seconds of Retry-After",
		}
	}
	h.bytes += n
	return nil
}

// give returns n bytes of the hold.
func (h *hold) give(n int64) {
	h.bytes -= n
	h.from.used.Add(-n)
}

// release returns all that is still held.
func (h *hold) release() { h.give(h.bytes) }
