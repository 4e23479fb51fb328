package price

import "strings"

// The places of names whose provider is not a shelf of the book.
const (
	anywhere = "*" // nobody said who was called, or the book does not know them
	own      = "self-hosted"
)

// canonical is a provider as the book names it, from what instrumentations and libraries call it; false when nobody is named.
func canonical(provider string) (string, bool) {
	name := strings.ToLower(strings.TrimSpace(provider))
	if name == "" {
		return anywhere, false
	}
	for {
		if p, ok := providers[name]; ok {
			return p, true
		}
		i := strings.LastIndexByte(name, '.') // "openai.chat" is an API of openai's
		if i < 0 {
			return anywhere, true
		}
		name = name[:i]
	}
}

// providers are the names of providers: the book's, those of OpenTelemetry's semantic conventions, and of common libraries.
var providers = map[string]string{
	"openai": "openai", "text-completion-openai": "openai",
	"anthropic": "anthropic",
	"google":    "google", "gemini": "google", "gcp.gemini": "google", "gcp.gen_ai": "google", "google_genai": "google", "google-genai": "google",
	"google_ai_studio": "google", "google.generative-ai": "google", "google-gla": "google",
	"vertex": "vertex", "vertex_ai": "vertex", "vertexai": "vertex", "gcp.vertex_ai": "vertex", "google_vertexai": "vertex", "google.vertex": "vertex",
	"google-vertex": "vertex", "google_vertex_ai": "vertex", "vertex_ai_beta": "vertex", "google_anthropic_vertex": "vertex",
	"azure": "azure", "azure_openai": "azure", "azure-openai": "azure", "azure_ai": "azure", "azure.ai.openai": "azure", "azure.ai.inference": "azure",
	"az.ai.inference": "azure", "az.ai.openai": "azure", "azureopenai": "azure", "azure_text": "azure",
	"bedrock": "bedrock", "aws": "bedrock", "aws.bedrock": "bedrock", "aws_bedrock": "bedrock", "amazon_bedrock": "bedrock", "amazon-bedrock": "bedrock",
	"bedrock_converse": "bedrock", "amazon": "bedrock", "amazon_nova": "bedrock",
	"mistral": "mistral", "mistral_ai": "mistral", "mistralai": "mistral", "codestral": "mistral",
	"deepseek": "deepseek",
	"xai":      "xai", "x_ai": "xai", "x-ai": "xai", "x.ai": "xai",
	"cohere": "cohere", "cohere_chat": "cohere",
	"groq":     "groq",
	"together": "together", "together_ai": "together", "togetherai": "together", "together-ai": "together",
	"fireworks": "fireworks", "fireworks_ai": "fireworks", "fireworks-ai": "fireworks",
	"perplexity": "perplexity", "cerebras": "cerebras",
	"moonshot": "moonshot", "moonshotai": "moonshot", "moonshot_ai": "moonshot", "kimi": "moonshot",
	"zai": "zai", "z.ai": "zai", "z-ai": "zai", "minimax": "minimax",
	"meta": "meta", "meta_llama": "meta",
	"alibaba": "alibaba", "dashscope": "alibaba", "alibaba_cloud": "alibaba",
	"ai21": "ai21", "voyage": "voyage", "voyageai": "voyage", "voyage_ai": "voyage", "jina": "jina", "jina_ai": "jina",
	"databricks": "databricks", "cloudflare": "cloudflare", "workers-ai": "cloudflare", "workersai": "cloudflare",
	"deepinfra": "deepinfra", "sambanova": "sambanova", "openrouter": "openrouter", "open_router": "openrouter",
	own: own, "ollama": own, "ollama_chat": own, "vllm": own, "hosted_vllm": own, "lmstudio": own, "lm_studio": own, "llamacpp": own, "llama.cpp": own,
	"llamafile": own, "llama_cpp": own, "tgi": own, "sglang": own, "localai": own, "xinference": own,
}

// beforeNames are the providers that gateways and libraries write before a model's name. Names of organisations, as open
// models have them ("mistralai/…", "meta-llama/…"), are not among them: whoever runs these has a price of their own.
var beforeNames = map[string]string{
	"openai": "openai", "text-completion-openai": "openai", "anthropic": "anthropic", "google": "google", "gemini": "google", "google-gla": "google", "google_genai": "google",
	"vertex_ai": "vertex", "vertex_ai_beta": "vertex", "google-vertex": "vertex", "google_vertexai": "vertex", "vertex": "vertex",
	"azure": "azure", "azure_ai": "azure", "azure_openai": "azure", "bedrock": "bedrock", "bedrock_converse": "bedrock", "amazon-bedrock": "bedrock", "amazon_bedrock": "bedrock",
	"mistral": "mistral", "deepseek": "deepseek", "xai": "xai", "x-ai": "xai", "cohere": "cohere", "cohere_chat": "cohere", "groq": "groq",
	"together": "together", "together_ai": "together", "fireworks": "fireworks", "fireworks_ai": "fireworks", "perplexity": "perplexity", "cerebras": "cerebras",
	"moonshot": "moonshot", "zai": "zai", "minimax": "minimax", "dashscope": "alibaba", "ai21": "ai21", "voyage": "voyage", "jina_ai": "jina",
	"databricks": "databricks", "cloudflare": "cloudflare", "deepinfra": "deepinfra", "sambanova": "sambanova", "openrouter": "openrouter",
	"ollama": own, "ollama_chat": own, "hosted_vllm": own, "vllm": own, "lm_studio": own, "llamafile": own,
}

// mayForward says whether a provider's name may stand for another: clients of OpenAI's and Anthropic's protocols talk to every gateway,
// and OpenRouter asks what the vendor asks.
func mayForward(provider string) bool {
	return provider == anywhere || provider == "openai" || provider == "anthropic" || provider == "openrouter"
}

// fallbacks are whose prices hold where a provider has no entry for a model.
func fallbacks(provider string, named bool) []string {
	closed := []string{"openai", "anthropic", "google", "cohere", "xai"}
	switch provider {
	case "azure":
		return []string{"openai", "anthropic", "cohere", "xai"}
	case "bedrock":
		return []string{"anthropic"}
	case "vertex":
		return []string{"google", "anthropic"}
	case "google":
		return []string{"vertex"}
	case "openai", "anthropic":
		return append(closed, "mistral", "deepseek", "perplexity", "moonshot", "zai", "minimax")
	case anywhere:
		if named { // somebody whom the book does not know: only models that nobody else can run
			return closed
		}
		return append(closed, "mistral", "deepseek", "perplexity", "moonshot", "zai", "minimax", "alibaba", "ai21", "voyage", "jina")
	}
	return nil
}
