package modelcall

import (
	"context"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// Recorder records the calls that pass it. Its fields are set before the first call; its zero value records with the client of
// the call's context, content and all.
type Recorder struct {
	// Client records; nil means that of the context, or the default.
	Client *brokle.Client
	// NoContent leaves out what was said: input, output, tools, and the texts of the provider's errors.
	NoContent bool
	// OwnClient says that all requests are a provider's client's, so that a path need not tell it.
	OwnClient bool
	// Options are said of every call, before what is found in it.
	Options []brokle.Option
}

// Next sends a request on, as a RoundTripper or the next of a chain of middlewares does.
type Next = func(*http.Request) (*http.Response, error)

type inside struct{}

// IsCall says whether Do would take req for a call of a model.
func (r *Recorder) IsCall(req *http.Request) bool {
	sh, _ := shapeOf(req, r.OwnClient)
	return sh != nil
}

// Do sends req by next and records it when it is a call of a model. What next returns is returned; the answer's body says what passes.
// A call within a call, such as that of a RoundTripper below a middleware, is the same one and recorded once; what a callback told of goes on (see Outer). Each try of a client that
// repeats is a call of its own.
func (r *Recorder) Do(req *http.Request, next Next) (*http.Response, error) {
	sh, model := shapeOf(req, r.OwnClient)
	ctx := req.Context()
	if sh == nil || isWithin(ctx) || !r.Recording(ctx, sh.typ, sh.operation) {
		return next(req)
	}
	c := &call{r: r, shape: sh, ctx: ctx, started: time.Now(), model: model, url: req.URL, retry: req.Header.Get("X-Stainless-Retry-Count"), outer: announced(ctx)}
	out := req.WithContext(context.WithValue(ctx, inside{}, true))
	c.watch(out)
	resp, err := next(out)
	if err != nil || resp == nil {
		c.broke(err)
		return resp, err
	}
	if resp.Request == out {
		resp.Request = req
	}
	c.answers(resp)
	return resp, nil
}
