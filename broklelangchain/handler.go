package broklelangchain

import (
	"context"
	"errors"
	"slices"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// begin starts a step, unless nobody records.
func (h *handler) begin(ctx context.Context, k kind, typ, name string, input func() any) {
	if !h.recording(ctx, typ, name) {
		return
	}
	opts := slices.Clip(h.options)
	if !h.noContent {
		opts = append(opts, brokle.Input(kept(input())))
	}
	if k == model && h.model+h.provider != "" {
		opts = append(opts, brokle.RequestedModel(h.model), brokle.Provider(h.provider))
	}
	below := h.steps.below(ctx)
	inner, o := h.start(below, typ, name, opts)
	if o == nil {
		return
	}
	n := &step{kind: k, ctx: inner, o: o, outer: &modelcall.Outer{Given: ctx, Below: inner, NoContent: h.noContent}}
	if k == model {
		n.outer.Observation, n.outer.Below = o, below
	}
	n.outer.Announce()
	h.steps.push(ctx, n)
}

func (h *handler) start(ctx context.Context, typ, name string, opts []brokle.Option) (context.Context, *brokle.ActiveObservation) {
	if h.client != nil {
		return h.client.StartObservation(ctx, typ, name, opts...)
	}
	return brokle.StartObservation(ctx, typ, name, opts...)
}

// recording says whether there is anybody who records; where nobody was named, the SDK says so once.
func (h *handler) recording(ctx context.Context, typ, name string) bool {
	c := h.client
	if c == nil {
		if c = brokle.ClientFromContext(ctx); c == nil {
			brokle.StartObservation(ctx, typ, name)
			return false
		}
	}
	return c.Recording()
}

// end ends the innermost step of the kinds with what came out of it.
func (h *handler) end(output func() any, kinds ...kind) {
	n := h.steps.end(kinds...)
	switch {
	case n == nil:
	case h.noContent:
		n.o.End()
	default:
		n.o.End(brokle.Output(kept(output())))
	}
}

// fail ends the innermost step of the kinds with err.
func (h *handler) fail(err error, kinds ...kind) {
	n := h.steps.end(kinds...)
	if n == nil || n.taken {
		return
	}
	if errors.Is(err, context.Canceled) {
		n.o.Abort()
		return
	}
	opts := []brokle.Option{brokle.Error(err)}
	if h.noContent {
		opts = append(opts, brokle.StatusMessage("failed"))
	}
	n.o.End(opts...)
}

// HandleText implements callbacks.Handler.
func (h *handler) HandleText(ctx context.Context, text string) {
	h.begin(ctx, action, brokle.TypeEvent, "text", func() any { return text })
}

// HandleLLMStart implements callbacks.Handler.
func (h *handler) HandleLLMStart(ctx context.Context, prompts []string) {
	h.begin(ctx, model, brokle.TypeGeneration, "chat", func() any { return ofPrompts(prompts) })
}

// HandleLLMGenerateContentStart implements callbacks.Handler.
func (h *handler) HandleLLMGenerateContentStart(ctx context.Context, ms []llms.MessageContent) {
	h.begin(ctx, model, brokle.TypeGeneration, "chat", func() any { return messages(ms) })
}

// HandleLLMGenerateContentEnd implements callbacks.Handler. A nil res says nothing: one of the library's models makes this callback with it before it knows the answer.
func (h *handler) HandleLLMGenerateContentEnd(_ context.Context, res *llms.ContentResponse) {
	if res == nil {
		return
	}
	n := h.steps.end(model)
	if n == nil || n.taken {
		return
	}
	opts := told(res)
	if !h.noContent {
		opts = append(opts, brokle.Output(kept(answer(res))))
	}
	n.o.End(opts...)
}

// HandleLLMError implements callbacks.Handler.
func (h *handler) HandleLLMError(_ context.Context, err error) { h.fail(err, model) }

// HandleStreamingFunc implements callbacks.Handler.
func (h *handler) HandleStreamingFunc(_ context.Context, chunk []byte) {
	if n := h.steps.top(model); n != nil && len(chunk) > 0 && !n.outer.Taken() {
		n.o.FirstToken()
	}
}

// HandleChainStart implements callbacks.Handler.
func (h *handler) HandleChainStart(ctx context.Context, inputs map[string]any) {
	h.begin(ctx, chain, brokle.TypeChain, "chain", func() any { return inputs })
}

// HandleChainEnd implements callbacks.Handler.
func (h *handler) HandleChainEnd(_ context.Context, outputs map[string]any) {
	h.end(func() any { return outputs }, chain)
}

// HandleChainError implements callbacks.Handler.
func (h *handler) HandleChainError(_ context.Context, err error) { h.fail(err, chain) }

// HandleAgentAction implements callbacks.Handler: the tool that was chosen begins. If it makes no callbacks of its own it ends with what comes next.
func (h *handler) HandleAgentAction(ctx context.Context, a schema.AgentAction) {
	h.steps.leave(chain)
	h.begin(ctx, action, brokle.TypeTool, a.Tool, func() any { return a.ToolInput })
}

// HandleAgentFinish implements callbacks.Handler. What the agent returns is the output of its chain.
func (h *handler) HandleAgentFinish(context.Context, schema.AgentFinish) { h.steps.leave(chain) }

// HandleToolStart implements callbacks.Handler. It has no name of the tool: this is known where an agent chose it.
func (h *handler) HandleToolStart(ctx context.Context, input string) {
	if !h.steps.goOn() {
		h.begin(ctx, tool, brokle.TypeTool, "tool", func() any { return input })
	}
}

// HandleToolEnd implements callbacks.Handler.
func (h *handler) HandleToolEnd(_ context.Context, output string) {
	h.end(func() any { return output }, tool)
}

// HandleToolError implements callbacks.Handler.
func (h *handler) HandleToolError(_ context.Context, err error) { h.fail(err, tool) }

// HandleRetrieverStart implements callbacks.Handler.
func (h *handler) HandleRetrieverStart(ctx context.Context, query string) {
	h.begin(ctx, retriever, brokle.TypeRetrieval, "retrieve", func() any { return query })
}

// HandleRetrieverEnd implements callbacks.Handler.
func (h *handler) HandleRetrieverEnd(_ context.Context, _ string, documents []schema.Document) {
	h.end(func() any { return found(documents) }, retriever)
}
