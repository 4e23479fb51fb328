// Package brokleanthropic records the calls of Anthropic's own Go client (github.com/anthropics/anthropic-sdk-go), also by Amazon Bedrock
// and by Vertex AI.
//
//	client := anthropic.NewClient(option.WithMiddleware(brokleanthropic.Middleware()))
//
// Give the middleware before bedrock.WithConfig or vertex.WithCredentials, as these packages ask of every middleware.
//
// Each request for messages becomes one observation below the one of its context: models, messages, thinking,
// tools, usage with the cache's, finish reason, time to first token of a stream, the provider's error. Each try of a request that the client repeats is one of its own. What the program
// gets stays what it is: bytes, their pace, errors, cancellation. What passes is copied within bounds.
//
// Anthropic's client makes spans of its own where it has a tracer provider of OpenTelemetry. When these go to the same server, too, the server takes both
// for one call, by the id of the answer, and keeps what this middleware says. A call that failed before it had an id is an error of each;
// option.WithoutOpenTelemetry turns the spans off.
//
// Where the context names no client the default is used (brokle.SetDefault), and without one nothing is recorded.
package brokleanthropic

import (
	"net/http"

	"github.com/anthropics/anthropic-sdk-go/option"

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
