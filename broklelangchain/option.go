package broklelangchain

import (
	"github.com/tmc/langchaingo/callbacks"

	"github.com/brokle-ai/brokle-go"
)

// Option changes how Handler records.
type Option func(*handler)

// WithClient records with c. Default: the client of the call's context, else the default of package brokle.
func WithClient(c *brokle.Client) Option { return func(h *handler) { h.client = c } }

// WithContent says whether what went through chains, tools, retrievers and models is recorded: inputs, outputs, and the texts of errors. Counts, times and
// finish reasons always are. Default: true. Config.Mask of the client sees what is recorded.
func WithContent(on bool) Option { return func(h *handler) { h.noContent = !on } }

// WithOptions says these of every step, such as brokle.Tags.
func WithOptions(opts ...brokle.Option) Option {
	return func(h *handler) { h.options = append(h.options, opts...) }
}

// WithModel says of every call of a model which one was asked, and of whom: "openai", "gpt-4o-mini". The callbacks do not tell. Default: what the
// answer says, which is nothing for most providers.
func WithModel(provider, model string) Option {
	return func(h *handler) { h.provider, h.model = provider, model }
}

// Handler is for the WithCallback or CallbacksHandler of models, chains, agents, tools and retrievers: one handler for all of them, so that their
// steps lie below one another. It is safe for concurrent use, and does not block.
func Handler(opts ...Option) callbacks.Handler {
	h := &handler{steps: steps{stacks: map[uint64]*stack{}}}
	for _, o := range opts {
		o(h)
	}
	return h
}

// handler implements callbacks.Handler.
type handler struct {
	client          *brokle.Client
	noContent       bool
	options         []brokle.Option
	provider, model string
	steps           steps
}
