package brokleeino

import (
	"context"
	"sync"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/schema"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// Option changes how a Handler records.
type Option func(*modelcall.Recorder)

// WithClient records with c. Default: the client of the run's context, else the default of package brokle.
func WithClient(c *brokle.Client) Option { return func(r *modelcall.Recorder) { r.Client = c } }

// WithContent says whether what was said is recorded: inputs, outputs, tools, and the texts of errors. Models, counts, times and
// finish reasons always are. Default: true. Config.Mask of the client sees what is recorded.
func WithContent(on bool) Option { return func(r *modelcall.Recorder) { r.NoContent = !on } }

// WithOptions says these of every step, such as brokle.Tags.
func WithOptions(opts ...brokle.Option) Option {
	return func(r *modelcall.Recorder) { r.Options = append(r.Options, opts...) }
}

// Handler records what it is told. It is safe for concurrent use; given twice to a run it records once.
type Handler struct {
	r       *modelcall.Recorder
	reading sync.WaitGroup // goroutines that read copies of streams
}

var (
	_ callbacks.Handler       = (*Handler)(nil)
	_ callbacks.TimingChecker = (*Handler)(nil)
)

// New makes a Handler. Where no client records, it does nothing and takes no copies of streams.
func New(opts ...Option) *Handler {
	h := &Handler{r: &modelcall.Recorder{}}
	for _, o := range opts {
		o(h.r)
	}
	return h
}

// Wait waits for the streams that are still read, so that Close of the client, after it, sends all of them. It returns ctx's error
// when that ends first. No run may begin meanwhile.
func (h *Handler) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { // ends with the streams, which end with their contexts
		defer close(done)
		h.reading.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Needed implements callbacks.TimingChecker.
func (h *Handler) Needed(ctx context.Context, info *callbacks.RunInfo, timing callbacks.CallbackTiming) bool {
	switch timing {
	case callbacks.TimingOnStart, callbacks.TimingOnStartWithStreamInput, callbacks.TimingOnError:
		k := kindOf(info)
		return h.r.Recording(ctx, k.typ, k.name)
	}
	r := runOf(ctx, info)
	return r != nil && !r.over()
}

// OnStart implements callbacks.Handler.
func (h *Handler) OnStart(ctx context.Context, info *callbacks.RunInfo, in callbacks.CallbackInput) context.Context {
	out := ctx
	guarded(func() { out = h.begin(ctx, info, in) })
	return out
}

// OnStartWithStreamInput implements callbacks.Handler.
func (h *Handler) OnStartWithStreamInput(ctx context.Context, info *callbacks.RunInfo, in *schema.StreamReader[callbacks.CallbackInput]) context.Context {
	out := ctx
	guarded(func() {
		known := runOf(ctx, info)
		out = h.begin(ctx, info, nil)
		r := runOf(out, info)
		if r == nil || r == known || h.r.NoContent {
			in.Close()
			return
		}
		r.readInput(ctx, in)
	})
	return out
}

// OnEnd implements callbacks.Handler.
func (h *Handler) OnEnd(ctx context.Context, info *callbacks.RunInfo, out callbacks.CallbackOutput) context.Context {
	guarded(func() {
		r := runOf(ctx, info)
		if r == nil {
			return
		}
		if events, ok := eventsOf(out); ok {
			r.readEvents(ctx, events)
			return
		}
		g := &gathered{r: r}
		g.take(out)
		r.end(g.said(), nil)
	})
	return ctx
}

// OnEndWithStreamOutput implements callbacks.Handler.
func (h *Handler) OnEndWithStreamOutput(ctx context.Context, info *callbacks.RunInfo, out *schema.StreamReader[callbacks.CallbackOutput]) context.Context {
	guarded(func() {
		r := runOf(ctx, info)
		if r == nil || !r.claim() {
			out.Close()
			return
		}
		r.readOutput(ctx, out)
	})
	return ctx
}

// OnError implements callbacks.Handler. Some components tell of an error before they told of a start.
func (h *Handler) OnError(ctx context.Context, info *callbacks.RunInfo, err error) context.Context {
	guarded(func() {
		r := runOf(ctx, info)
		if r == nil {
			r = runOf(h.begin(ctx, info, nil), info)
		}
		if r != nil {
			r.end(nil, err)
		}
	})
	return ctx
}

// guarded runs record. What goes wrong in it is ours, and must not reach the program.
func guarded(record func()) {
	defer func() { _ = recover() }()
	record()
}
