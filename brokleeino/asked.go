package brokleeino

import (
	"context"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/retriever"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/brokle-ai/brokle-go"
)

// asked is what is said of a step when it starts: its name, and as options the rest. in is nil when its input comes as a stream.
func (r *run) asked(ctx context.Context, in any) (name string, opts []brokle.Option) {
	name = r.kind.name
	if r.info != nil {
		opts = append(opts, brokle.Attribute("eino.component", string(r.info.Component)))
		if r.info.Name != "" && r.info.Name != name || r.isCall() && r.info.Name != "" {
			opts = append(opts, brokle.Attribute("eino.name", r.info.Name))
		}
	}
	operation, modelName := "", ""
	switch {
	case r.kind.typ == brokle.TypeGeneration:
		operation, modelName, opts = "chat", modelOf(in), append(opts, modelParams(in)...)
	case r.kind.typ == brokle.TypeEmbedding:
		operation = "embeddings"
		if c := embedding.ConvCallbackInput(in); c != nil && c.Config != nil {
			modelName = c.Config.Model
		}
	case r.info != nil && r.info.Component == components.ComponentOfTool:
		if id := compose.GetToolCallID(ctx); id != "" {
			opts = append(opts, brokle.Attribute("gen_ai.tool.call.id", id))
		}
	case r.kind.typ == brokle.TypeRetrieval:
		if c := retriever.ConvCallbackInput(in); c != nil && c.TopK > 0 {
			opts = append(opts, brokle.Attribute("retriever.top_k", c.TopK))
		}
	case r.kind.typ == brokle.TypeAgent:
		if c := adk.ConvAgentCallbackInput(in); c != nil && c.ResumeInfo != nil {
			opts = append(opts, brokle.Attribute("eino.resumed", true))
		}
	}
	if operation != "" {
		if opts = append(opts, brokle.Provider(providerOf(r.info)), brokle.RequestedModel(modelName)); modelName != "" {
			name = operation + " " + modelName
		}
	}
	if v := r.content(in); v != nil {
		opts = append(opts, brokle.Input(v))
	}
	return name, opts
}

// modelOf is the model that a call asks for.
func modelOf(in any) string {
	if c := model.ConvCallbackInput(in); c != nil && c.Config != nil {
		return c.Config.Model
	}
	if c := model.ConvAgenticCallbackInput(in); c != nil && c.Config != nil {
		return c.Config.Model
	}
	return ""
}

// modelParams are the parameters of a call. A zero is what eino has for one that nobody set.
func modelParams(in any) []brokle.Option {
	params := map[string]any{}
	set := func(key string, v any, isSet bool) {
		if isSet {
			params[key] = v
		}
	}
	if c := model.ConvCallbackInput(in); c != nil {
		if c.Config != nil {
			set("max_tokens", c.Config.MaxTokens, c.Config.MaxTokens != 0)
			set("temperature", c.Config.Temperature, c.Config.Temperature != 0)
			set("top_p", c.Config.TopP, c.Config.TopP != 0)
			set("stop", c.Config.Stop, len(c.Config.Stop) > 0)
		}
		if c.ToolChoice != nil {
			set("tool_choice", string(*c.ToolChoice), true)
		}
	} else if c := model.ConvAgenticCallbackInput(in); c != nil && c.Config != nil {
		set("temperature", c.Config.Temperature, c.Config.Temperature != 0)
		set("top_p", c.Config.TopP, c.Config.TopP != 0)
	}
	if len(params) == 0 {
		return nil
	}
	return []brokle.Option{brokle.ModelParameters(params)}
}

// plain is v, a value of eino's, as it is recorded.
func plain(v any) any {
	switch v := v.(type) {
	case *schema.Message:
		return messageOf(v)
	case []*schema.Message:
		return messagesOf(v)
	case *schema.Document:
		return documentOf(v)
	case []*schema.Document:
		docs := make([]any, 0, len(v))
		for _, d := range v {
			docs = append(docs, documentOf(d))
		}
		return docs
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, one := range v {
			m[key] = plain(one)
		}
		return m
	}
	return unwrapped(v)
}

func documentOf(d *schema.Document) any {
	if d == nil {
		return nil
	}
	m := map[string]any{"id": d.ID, "content": d.Content}
	if score := d.Score(); score != 0 {
		m["score"] = score
	}
	return m
}
