package broklehttp

import (
	"net/http"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// Option changes how Transport or Middleware records.
type Option func(*config)

type config struct {
	calls   modelcall.Recorder
	baggage func(*http.Request) bool
	trusted func(*http.Request) bool
	name    func(*http.Request) string
}

func configOf(opts []Option) *config {
	never := func(*http.Request) bool { return false }
	c := &config{baggage: never, trusted: never, name: nameOf}
	for _, o := range opts {
		o(c)
	}
	return c
}

// WithClient records with c. Default: the client of the request's context, else the default of package brokle.
func WithClient(c *brokle.Client) Option { return func(o *config) { o.calls.Client = c } }

// WithContent says whether what was said to and by a model is recorded: input, output, tools, and the texts of the provider's errors. Models, counts, times and
// finish reasons always are. Default: true. Config.Mask of the client sees what is recorded.
func WithContent(on bool) Option { return func(o *config) { o.calls.NoContent = !on } }

// WithOptions says these of every call of a model, such as brokle.Tags.
func WithOptions(opts ...brokle.Option) Option {
	return func(o *config) { o.calls.Options = append(o.calls.Options, opts...) }
}

// WithBaggage lets Transport send user, session, tags and metadata (see brokle.Inject) with the requests for which to says true. Default: with
// none, and never with calls of a model.
func WithBaggage(to func(*http.Request) bool) Option { return func(o *config) { o.baggage = to } }

// WithTrusted lets Middleware go on in the trace of the sender of the requests for which from says true (see brokle.Extract). Default: of
// none, because whoever can send a request could name any trace. Give it for servers that only your own programs reach.
func WithTrusted(from func(*http.Request) bool) Option { return func(o *config) { o.trusted = from } }

// WithName names what Middleware starts. Default: the pattern of http.ServeMux where it is known, which is inside of it; else method and path.
func WithName(name func(*http.Request) string) Option { return func(o *config) { o.name = name } }

func nameOf(r *http.Request) string {
	if r.Pattern != "" {
		return r.Pattern
	}
	return r.Method + " " + r.URL.Path
}
