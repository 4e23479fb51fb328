package brokleeino

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/schema"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// maxGathered is how many bytes of an answer that comes in pieces are kept.
const maxGathered = 256 << 10

// gathered is what came out of a step so far: at once, or in pieces.
type gathered struct {
	r      *run
	stream bool

	mu       sync.Mutex // guards all below
	messages []*schema.Message
	agentic  []*schema.AgenticMessage
	text     strings.Builder
	others   []json.RawMessage
	size     int
	cut      bool
	usage    schema.TokenUsage
	finish   string
	id       string
}

// take adds a piece.
func (g *gathered) take(v any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch v := v.(type) {
	case *model.CallbackOutput:
		g.message(v.Message)
		if v.TokenUsage != nil {
			g.count(&schema.TokenUsage{PromptTokens: v.TokenUsage.PromptTokens, CompletionTokens: v.TokenUsage.CompletionTokens,
				PromptTokenDetails:      schema.PromptTokenDetails(v.TokenUsage.PromptTokenDetails),
				CompletionTokensDetails: schema.CompletionTokensDetails(v.TokenUsage.CompletionTokensDetails)})
		}
	case *schema.Message:
		g.message(v)
	case *model.AgenticCallbackOutput:
		g.block(v.Message)
		if v.TokenUsage != nil {
			g.count(&schema.TokenUsage{PromptTokens: v.TokenUsage.PromptTokens, CompletionTokens: v.TokenUsage.CompletionTokens})
		}
	case *schema.AgenticMessage:
		g.block(v)
	case *tool.CallbackOutput:
		if v.ToolOutput != nil {
			g.other(v.ToolOutput)
		} else {
			g.words(v.Response)
		}
	case string:
		g.words(v)
	case *embedding.CallbackOutput:
		if v.TokenUsage != nil {
			g.count(&schema.TokenUsage{PromptTokens: v.TokenUsage.PromptTokens, CompletionTokens: v.TokenUsage.CompletionTokens})
		}
		g.other(v)
	default:
		g.other(v)
	}
}

// room says whether n bytes more are kept. Nothing is where content is not recorded.
func (g *gathered) room(n int) bool {
	if g.r.h.r.NoContent || g.cut {
		return false
	}
	if g.size += n; g.stream && g.size > maxGathered {
		g.cut = true
	}
	return !g.cut
}

func (g *gathered) message(m *schema.Message) {
	if m == nil {
		return
	}
	if m.ResponseMeta != nil {
		if g.count(m.ResponseMeta.Usage); m.ResponseMeta.FinishReason != "" {
			g.finish = m.ResponseMeta.FinishReason
		}
	}
	g.id = idOf(m, g.id)
	n := len(m.Content) + len(m.ReasoningContent)
	for _, c := range m.ToolCalls {
		n += len(c.Function.Name) + len(c.Function.Arguments)
	}
	if n+len(m.AssistantGenMultiContent) > 0 {
		g.begun()
	}
	if g.room(n) {
		bare := *m
		bare.Extra, bare.ResponseMeta = nil, nil
		g.messages = append(g.messages, &bare)
	}
}

func (g *gathered) block(m *schema.AgenticMessage) {
	if m == nil {
		return
	}
	if m.ResponseMeta != nil {
		g.count(m.ResponseMeta.TokenUsage)
	}
	if len(m.ContentBlocks) > 0 {
		g.begun()
	}
	if g.room(len(modelcall.Content(m))) {
		bare := *m
		bare.Extra, bare.ResponseMeta = nil, nil
		g.agentic = append(g.agentic, &bare)
	}
}

func (g *gathered) words(s string) {
	if s == "" {
		return
	}
	if g.begun(); g.room(len(s)) {
		g.text.WriteString(s)
	}
}

func (g *gathered) other(v any) {
	raw := modelcall.Content(plain(v))
	if raw == nil {
		return
	}
	if g.begun(); g.room(len(raw)) {
		g.others = append(g.others, raw)
	}
}

// begun says that the first piece of a stream has come.
func (g *gathered) begun() {
	if g.stream && g.r.isCall() {
		g.r.o.FirstToken()
	}
}

// count keeps what a usage says: of pieces that count again, the last. All zeros is what eino has for a usage that nobody sent.
func (g *gathered) count(u *schema.TokenUsage) {
	if u != nil && u.PromptTokens+u.CompletionTokens > 0 {
		g.usage = *u
	}
}

// said is what came, as options.
func (g *gathered) said() (opts []brokle.Option) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.r.counts() {
		opts = g.counts()
	}
	out := g.output()
	if out != nil {
		raw := modelcall.Content(out)
		opts = append(opts, brokle.Output(raw))
		if g.r.trace != nil {
			g.r.trace.Update(brokle.Output(raw))
		}
	}
	if g.cut {
		opts = append(opts, brokle.Attribute("brokle.output_cut", true))
	}
	return opts
}

func (g *gathered) counts() (opts []brokle.Option) {
	if u := g.usage; u.PromptTokens+u.CompletionTokens > 0 {
		opts = append(opts, brokle.Usage(int64(u.PromptTokens), int64(u.CompletionTokens)))
		for _, part := range []struct {
			n   int
			say func(int64) brokle.Option
		}{{u.PromptTokenDetails.CachedTokens, brokle.CacheReadTokens}, {u.PromptTokenDetails.CacheWriteTokens, brokle.CacheWriteTokens},
			{u.CompletionTokensDetails.ReasoningTokens, brokle.ReasoningTokens}} {
			if part.n > 0 {
				opts = append(opts, part.say(int64(part.n)))
			}
		}
	}
	if g.finish != "" {
		opts = append(opts, brokle.FinishReason(g.finish))
	}
	if g.id != "" {
		opts = append(opts, brokle.ResponseID(g.id))
	}
	return opts
}

// output is what is kept of what came, put together; nil when that is nothing.
func (g *gathered) output() any {
	switch {
	case len(g.messages) == 1:
		return messageOf(g.messages[0])
	case len(g.messages) > 1:
		if m, err := schema.ConcatMessages(g.messages); err == nil {
			return messageOf(m)
		}
		return messagesOf(g.messages) // they do not belong together
	case len(g.agentic) > 0:
		if m, err := schema.ConcatAgenticMessages(g.agentic); err == nil {
			return m
		}
		return g.agentic
	case g.text.Len() > 0:
		return jsonOrText(g.text.String())
	case len(g.others) == 1:
		return g.others[0]
	case len(g.others) > 1:
		return g.others
	}
	return nil
}

// idOf is the provider's name of its answer, where a component of eino-ext says it: in a type of its own.
func idOf(m *schema.Message, known string) string {
	v, ok := m.Extra["openai-request-id"]
	if !ok {
		return known
	}
	var id string
	if raw := modelcall.Content(v); json.Unmarshal(raw, &id) != nil || id == "" {
		return known
	}
	return id
}

// forget makes room for another answer.
func (g *gathered) forget(stream bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stream, g.messages, g.agentic, g.others, g.size, g.cut = stream, nil, nil, nil, 0, false
	g.text.Reset()
}

func (g *gathered) full() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cut
}

// whole is what came, as a value to be recorded; nil when that is nothing.
func (g *gathered) whole() any {
	g.mu.Lock()
	defer g.mu.Unlock()
	if raw := modelcall.Content(g.output()); raw != nil {
		return raw
	}
	return nil
}
