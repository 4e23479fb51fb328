package broklehttp

import (
	"net/http"

	"github.com/brokle-ai/brokle-go"
)

// Transport sends requests by base, http.DefaultTransport when it is nil, and records those that call a model.
func Transport(base http.RoundTripper, opts ...Option) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{base, configOf(opts)}
}

type transport struct {
	base http.RoundTripper
	*config
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.calls.IsCall(req) {
		return t.calls.Do(req, t.base.RoundTrip)
	}
	ctx := req.Context()
	if brokle.ClientFromContext(ctx).Recording() && req.Header.Get("Traceparent") == "" { // the program's own stays
		out := req.Clone(ctx) // a RoundTripper changes nothing of a request
		if out.Header == nil {
			out.Header = http.Header{}
		}
		if t.baggage(req) {
			brokle.Inject(ctx, out.Header)
		} else {
			brokle.InjectTrace(ctx, out.Header)
		}
		resp, err := t.base.RoundTrip(out)
		if resp != nil && resp.Request == out {
			resp.Request = req
		}
		return resp, err
	}
	return t.base.RoundTrip(req)
}

// CloseIdleConnections lets http.Client's method of this name reach base.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
