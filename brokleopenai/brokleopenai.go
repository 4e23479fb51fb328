// Package brokleopenai records the calls of OpenAI's own Go client (github.com/openai/openai-go), also of Azure and of other servers
// that speak its API.
//
//	client := openai.NewClient(option.WithMiddleware(brokleopenai.Middleware()))
//
// Each request for chat, completions, Responses, embeddings and images becomes one observation below the one of its context: models, messages,
// tools, usage, finish reason, time to first token of a stream, the provider's error. Each try of a request that the client repeats is one of its own. What the program
// gets stays what it is: bytes, their pace, errors, cancellation. What passes is copied within bounds.
//
// Where the context names no client the default is used (brokle.SetDefault), and without one nothing is recorded.
package brokleopenai

import (
	"net/http"

	"github.com/openai/openai-go/v3/option"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// Option changes how Middleware records.
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

// Middleware is for option.WithMiddleware.
func Middleware(opts ...Option) option.Middleware {
	r := &modelcall.Recorder{OwnClient: true}
	for _, o := range opts {
		o(r)
	}
	return func(req *http.Request, next option.MiddlewareNext) (*http.Response, error) { return r.Do(req, next) }
}
