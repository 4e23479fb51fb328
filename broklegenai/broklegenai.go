package broklegenai

import (
	"net/http"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// Option changes how HTTPClient records.
type Option func(*modelcall.Recorder)

// WithClient records with c. Default: the client of the call's context, else the default of package brokle.
func WithClient(c *brokle.Client) Option { return func(r *modelcall.Recorder) { r.Client = c } }

// WithContent says whether what was said to and by a model is recorded: input, output, tools, and the texts of the provider's errors. Models, counts, times and
// finish reasons always are. Default: true. Config.Mask of the client sees what is recorded.
func WithContent(on bool) Option { return func(r *modelcall.Recorder) { r.NoContent = !on } }

// WithOptions says these of every call, such as brokle.Tags.
func WithOptions(opts ...brokle.Option) Option {
	return func(r *modelcall.Recorder) { r.Options = append(r.Options, opts...) }
}

// HTTPClient is for genai.ClientConfig's HTTPClient: a copy of base that records. Its Timeout and the rest stay; base itself, which may be nil, is not changed.
func HTTPClient(base *http.Client, opts ...Option) *http.Client {
	c := http.Client{}
	if base != nil {
		c = *base
	}
	c.Transport = Transport(c.Transport, opts...)
	return &c
}

// Transport sends requests by base, http.DefaultTransport when it is nil, and records those that call a model: for who composes an HTTP client.
func Transport(base http.RoundTripper, opts ...Option) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	t := &transport{base: base, calls: modelcall.Recorder{OwnClient: true}}
	for _, o := range opts {
		o(&t.calls)
	}
	return t
}

type transport struct {
	base  http.RoundTripper
	calls modelcall.Recorder
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.calls.Do(req, t.base.RoundTrip)
}

// CloseIdleConnections lets http.Client's method of this name reach base.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
