package brokleeino

import (
	"cmp"
	"strings"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/flow/agent/react"

	"github.com/brokle-ai/brokle-go"
)

// kind is what a step is: the type of its observation, and its name where nothing says a better one.
type kind struct{ typ, name string }

var types = map[components.Component]string{
	components.ComponentOfChatModel: brokle.TypeGeneration, components.ComponentOfAgenticModel: brokle.TypeGeneration,
	components.ComponentOfEmbedding: brokle.TypeEmbedding, components.ComponentOfRetriever: brokle.TypeRetrieval, components.ComponentOfTool: brokle.TypeTool,
	compose.ComponentOfGraph: brokle.TypeChain, compose.ComponentOfChain: brokle.TypeChain, compose.ComponentOfWorkflow: brokle.TypeChain,
	adk.ComponentOfAgent: brokle.TypeAgent, adk.ComponentOfAgenticAgent: brokle.TypeAgent,
}

// kindOf reads what eino says of a step; of a component that was called outside of a graph this may be nothing.
func kindOf(info *callbacks.RunInfo) kind {
	if info == nil {
		return kind{brokle.TypeSpan, "eino"}
	}
	k := kind{cmp.Or(types[info.Component], brokle.TypeSpan), cmp.Or(info.Name, info.Type+string(info.Component), "eino")}
	if info.Component == compose.ComponentOfGraph && info.Name == react.GraphName {
		k.typ = brokle.TypeAgent
	}
	return k
}

// providers are the types of eino's components for models by the names that the price book knows. What is not here has its type's name in
// lower case.
var providers = map[string]string{
	"claude": "anthropic", "gemini": "google", "ark": "volcengine", "qwen": "alibaba", "arkbot": "volcengine",
}

func providerOf(info *callbacks.RunInfo) string {
	if info == nil {
		return ""
	}
	name := strings.ToLower(info.Type)
	return cmp.Or(providers[name], name)
}
