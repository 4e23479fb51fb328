package broklegenkit

import (
	"context"
	"sync"

	"github.com/firebase/genkit/go/core/api"
	"github.com/firebase/genkit/go/core/tracing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// Option changes how a Plugin records.
type Option func(*modelcall.Recorder)

// WithClient records with c. Default: the client of the context of what runs, else the default of package brokle.
func WithClient(c *brokle.Client) Option { return func(r *modelcall.Recorder) { r.Client = c } }

// WithContent says whether what was said is recorded: inputs, outputs, tools, and the texts of errors. Models, counts, times and
// finish reasons always are. Default: true. Config.Mask of the client sees what is recorded.
func WithContent(on bool) Option { return func(r *modelcall.Recorder) { r.NoContent = !on } }

// WithOptions says these of every step, such as brokle.Tags.
func WithOptions(opts ...brokle.Option) Option {
	return func(r *modelcall.Recorder) { r.Options = append(r.Options, opts...) }
}

// Plugin records what Genkit runs, from its Init to its Stop. It is safe for concurrent use.
type Plugin struct {
	steps *processor

	mu     sync.Mutex // guards forget
	forget func()     // nil while nothing is recorded
}

var _ api.Plugin = (*Plugin)(nil)

// New makes a Plugin, for genkit.WithPlugins. Where no client records, it does nothing.
func New(opts ...Option) *Plugin {
	r := &modelcall.Recorder{}
	for _, o := range opts {
		o(r)
	}
	return &Plugin{steps: &processor{r: r, live: map[spanID]*step{}}}
}

// Name implements api.Plugin.
func (p *Plugin) Name() string { return "brokle" }

// Init implements api.Plugin. genkit.Init calls it; given to several instances of Genkit it records once.
func (p *Plugin) Init(context.Context) []api.Action {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forget == nil {
		provider := tracing.TracerProvider()
		provider.RegisterSpanProcessor(p.steps)
		calls := modelcall.Within(p.steps.inCall)
		p.forget = func() {
			provider.UnregisterSpanProcessor(p.steps)
			calls()
		}
	}
	return nil
}

// Stop ends the recording. What still runs is not recorded to its end.
func (p *Plugin) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forget != nil {
		p.forget()
		p.forget = nil
	}
}

// Join returns a context in which what starts in Brokle hangs below the step of Genkit that ctx is in: in a flow or a tool,
// brokle.StartSpan(plugin.Join(ctx), …). A context in none stays as it is.
func (p *Plugin) Join(ctx context.Context) context.Context { return p.steps.join(ctx) }
