package brokleeino

import (
	"context"
	"errors"
	"sync"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/compose"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// run is one step while it runs. Its info tells it apart from the others whose contexts it is in: eino makes one for each.
type run struct {
	h      *Handler
	info   *callbacks.RunInfo
	kind   kind
	parent *run
	o      *brokle.ActiveObservation
	trace  *brokle.ActiveTrace // that began with it; nil when there was one

	mu      sync.Mutex // guards all below
	claimed bool       // somebody reads its output
	around  bool       // another model does the call
	ended   bool
}

type runKey struct{}

// runOf is the run that info tells of, nil when ctx is in none or in another.
func runOf(ctx context.Context, info *callbacks.RunInfo) *run {
	r, _ := ctx.Value(runKey{}).(*run)
	if r == nil || r.info != info {
		return nil
	}
	return r
}

// begin starts a step, and returns a context that carries it. One that is known already stays.
func (h *Handler) begin(ctx context.Context, info *callbacks.RunInfo, in any) context.Context {
	k := kindOf(info)
	if runOf(ctx, info) != nil || !h.r.Recording(ctx, k.typ, k.name) {
		return ctx
	}
	r := &run{h: h, info: info, kind: k}
	if r.parent, _ = ctx.Value(runKey{}).(*run); r.parent != nil && r.parent.isCall() && r.isCall() {
		r.parent.wraps()
	}
	name, opts := r.asked(ctx, in)
	outer := brokle.TraceFromContext(ctx)
	ctx, r.o = h.r.Start(ctx, k.typ, name, opts)
	if outer == nil && !r.isCall() {
		r.trace = brokle.TraceFromContext(ctx)
		if v := r.content(in); v != nil {
			r.trace.Update(brokle.Input(v))
		}
	}
	return context.WithValue(ctx, runKey{}, r)
}

func (r *run) isCall() bool {
	return r.kind.typ == brokle.TypeGeneration || r.kind.typ == brokle.TypeEmbedding
}

// wraps says that r, a model, has another one do its call: that one counts, and r is a span around it.
func (r *run) wraps() {
	r.mu.Lock()
	r.around = true
	r.mu.Unlock()
	r.o.Update(brokle.Type(brokle.TypeSpan))
}

// counts says whether r is a call that counts.
func (r *run) counts() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isCall() && !r.around
}

// claim says that somebody reads the output of r: true to the first who asks.
func (r *run) claim() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !r.claimed && !r.ended
	r.claimed = true
	return first
}

func (r *run) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// end ends the step, once: with err where it failed. What was interrupted is to go on later, and has not failed.
func (r *run) end(opts []brokle.Option, err error) {
	r.mu.Lock()
	done := r.ended
	r.ended = true
	r.mu.Unlock()
	if done {
		return
	}
	switch {
	case err == nil:
		r.o.End(opts...)
	case interrupted(err):
		r.o.End(append(opts, brokle.Attribute("eino.interrupted", true))...)
	case errors.Is(err, context.Canceled):
		r.o.Abort(opts...)
	default:
		r.o.End(append(opts, r.h.r.Failed(err)...)...)
	}
}

func interrupted(err error) bool {
	if _, ok := compose.ExtractInterruptInfo(err); ok {
		return true
	}
	_, ok := compose.IsInterruptRerunError(err)
	return ok
}

// content is v as it is recorded; nil where content is not.
func (r *run) content(v any) any {
	if r.h.r.NoContent {
		return nil
	}
	if raw := modelcall.Content(plain(v)); raw != nil {
		return raw
	}
	return nil
}
