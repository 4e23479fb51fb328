package broklegenkit

import (
	"cmp"
	"strings"
	"time"

	"github.com/firebase/genkit/go/core/api"
	"go.opentelemetry.io/otel/attribute"

	"github.com/brokle-ai/brokle-go"
)

// The attributes of Genkit's spans.
const (
	attrName    = "genkit:name"
	attrType    = "genkit:type"
	attrSubtype = "genkit:metadata:subtype"
	attrInput   = "genkit:input"
	attrOutput  = "genkit:output"
	attrInit    = "genkit:init"
	attrState   = "genkit:state"
)

// kind is what a step is: the type of its observation and its name, by what Genkit says when it starts.
type kind struct {
	typ, name       string
	action          string // Genkit's word
	provider, model string // of a call
}

var types = map[string]string{
	string(api.ActionTypeModel): brokle.TypeGeneration, string(api.ActionTypeBackgroundModel): brokle.TypeGeneration,
	string(api.ActionTypeEmbedder): brokle.TypeEmbedding, string(api.ActionTypeRetriever): brokle.TypeRetrieval,
	string(api.ActionTypeTool): brokle.TypeTool, string(api.ActionTypeToolV2): brokle.TypeTool,
	string(api.ActionTypeAgent): brokle.TypeAgent, string(api.ActionTypeFlow): brokle.TypeChain, "util": brokle.TypeChain,
}

// operations are OpenTelemetry's words (gen_ai.operation.name), by which calls are named.
var operations = map[string]string{brokle.TypeGeneration: "chat", brokle.TypeEmbedding: "embeddings"}

// providers are Genkit's plugins by the names that the price book knows. What is not here has its plugin's name.
var providers = map[string]string{"googleai": "google", "vertexai": "vertex", "kimi": "moonshot", "dashscope": "alibaba"}

func kindOf(attrs []attribute.KeyValue, spanName string) kind {
	action := cmp.Or(textOf(attrs, attrSubtype), textOf(attrs, attrType))
	k := kind{typ: cmp.Or(types[action], brokle.TypeSpan), action: action, name: cmp.Or(textOf(attrs, attrName), spanName)}
	if operation := operations[k.typ]; operation != "" {
		plugin, model, found := strings.Cut(k.name, "/")
		if !found {
			plugin, model = "", k.name
		}
		k.provider, k.model, k.name = cmp.Or(providers[plugin], plugin), model, operation+" "+model
	}
	return k
}

func (k kind) isCall() bool { return k.model != "" }

// started is what is said of a step when it starts.
func (k kind) started(at time.Time) []brokle.Option {
	opts := []brokle.Option{brokle.StartedAt(at.UTC()), brokle.Attribute("genkit.action", k.action)}
	if k.isCall() {
		opts = append(opts, brokle.Provider(k.provider), brokle.RequestedModel(k.model))
	}
	return opts
}

func textOf(attrs []attribute.KeyValue, key string) string {
	for _, a := range attrs {
		if string(a.Key) == key {
			return a.Value.AsString()
		}
	}
	return ""
}
