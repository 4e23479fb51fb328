package brokleeino

import (
	"encoding/json"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/document"
	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/components/indexer"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/prompt"
	"github.com/cloudwego/eino/components/retriever"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/schema"
)

// unwrapped is what the callbacks of eino's components are told, without what only describes it. A program's own values are left to encoding/json.
func unwrapped(v any) any {
	switch v := v.(type) {
	case *model.CallbackInput:
		return withTools(messagesOf(v.Messages), v.Tools)
	case *model.AgenticCallbackInput:
		return withTools(v.Messages, v.Tools)
	case *embedding.CallbackInput:
		return v.Texts
	case *embedding.CallbackOutput:
		return sizes(v.Embeddings)
	case [][]float64:
		return sizes(v)
	case *retriever.CallbackInput:
		return v.Query
	case *retriever.CallbackOutput:
		return plain(v.Docs)
	case *tool.CallbackInput:
		return jsonOrText(v.ArgumentsInJSON)
	case *schema.ToolArgument:
		return jsonOrText(v.Text)
	case *prompt.CallbackInput:
		return plain(v.Variables)
	case *prompt.CallbackOutput:
		return messagesOf(v.Result)
	case *prompt.AgenticCallbackInput:
		return plain(v.Variables)
	case *prompt.AgenticCallbackOutput:
		return v.Result
	case *indexer.CallbackInput:
		return plain(v.Docs)
	case *indexer.CallbackOutput:
		return v.IDs
	case *document.LoaderCallbackInput:
		return v.Source
	case *document.LoaderCallbackOutput:
		return plain(v.Docs)
	case *document.TransformerCallbackInput:
		return plain(v.Input)
	case *document.TransformerCallbackOutput:
		return plain(v.Output)
	case *adk.AgentCallbackInput:
		if v.Input == nil {
			return nil
		}
		return messagesOf(v.Input.Messages)
	case *adk.TypedAgentCallbackInput[*schema.AgenticMessage]:
		if v.Input == nil {
			return nil
		}
		return v.Input.Messages
	}
	return v
}

// withTools is what goes into a model: its messages alone, or beside the tools.
func withTools(messages any, tools []*schema.ToolInfo) any {
	if len(tools) == 0 {
		return messages
	}
	list := make([]any, 0, len(tools))
	for _, t := range tools {
		list = append(list, toolOf(t))
	}
	return map[string]any{"messages": messages, "tools": list}
}

// sizes is what is kept of vectors.
func sizes(vectors [][]float64) any {
	out := map[string]any{"embeddings": len(vectors)}
	if len(vectors) > 0 {
		out["dimensions"] = len(vectors[0])
	}
	return out
}

func jsonOrText(s string) any {
	if json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return s
}
