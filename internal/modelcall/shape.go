package modelcall

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go"
)

// shape is a provider's way to write a call.
type shape struct {
	operation string // of OpenTelemetry's semantic conventions for generative AI (gen_ai.operation.name)
	typ       string // of the observation
	provider  string // unless the host says another
	content   []string
	// whole reads an answer that came at once, and piece one event of a stream.
	whole func(a *answer, body []byte)
	piece func(a *answer, data []byte)
	// built makes the output of what the pieces left in a; nil when there are none.
	built func(a *answer) any
}

var (
	openAIChat = &shape{operation: "chat", typ: brokle.TypeGeneration, provider: "openai", content: []string{"messages", "functions", "tools"},
		whole: chatWhole, piece: chatPiece, built: chatBuilt}
	openAICompletions = &shape{operation: "text_completion", typ: brokle.TypeGeneration, provider: "openai", content: []string{"prompt", "suffix"},
		whole: chatWhole, piece: chatPiece, built: chatBuilt}
	openAIResponses = &shape{operation: "chat", typ: brokle.TypeGeneration, provider: "openai", content: []string{"instructions", "input", "tools"},
		whole: responsesWhole, piece: responsesPiece, built: responsesBuilt}
	openAIEmbeddings = &shape{operation: "embeddings", typ: brokle.TypeEmbedding, provider: "openai", content: []string{"input"},
		whole: embeddingsWhole}
	openAIImages = &shape{operation: "image_generation", typ: brokle.TypeGeneration, provider: "openai", content: []string{"prompt"},
		whole: imagesWhole, piece: imagesPiece, built: imagesBuilt}
	anthropicMessages = &shape{operation: "chat", typ: brokle.TypeGeneration, provider: "anthropic", content: []string{"system", "messages", "tools"},
		whole: anthropicWhole, piece: anthropicPiece, built: anthropicBuilt}
	geminiGenerate = &shape{operation: "generate_content", typ: brokle.TypeGeneration, provider: "google",
		content: []string{"systemInstruction", "system_instruction", "contents", "tools"}, whole: geminiWhole, piece: geminiPiece, built: geminiBuilt}
	geminiEmbed = &shape{operation: "embeddings", typ: brokle.TypeEmbedding, provider: "google", content: []string{"content", "requests"},
		whole: geminiEmbedded}
	vertexEmbed = &shape{operation: "embeddings", typ: brokle.TypeEmbedding, provider: "google", content: []string{"instances"},
		whole: predictedVectors}
	imagenImages = &shape{operation: "image_generation", typ: brokle.TypeGeneration, provider: "google", content: []string{"instances"},
		whole: predictedImages}
)

// openAIPaths are the ends of the paths of OpenAI's API, which many servers have.
var openAIPaths = map[string]*shape{
	"/chat/completions": openAIChat, "/completions": openAICompletions, "/responses": openAIResponses, "/embeddings": openAIEmbeddings,
	"/images/generations": openAIImages,
}

// shapeOf tells by method and path what a request asks; nil when it is no call of a model. model is what the path says of it. Of what
// is no provider's own client, paths that anybody may have count only below a version or the word openai.
func shapeOf(req *http.Request, ownClient bool) (sh *shape, model string) {
	if req.Method != http.MethodPost || req.URL == nil {
		return nil, ""
	}
	p := req.URL.Path
	if dir, action, ok := strings.Cut(path.Base(p), ":"); ok { // Google's: …/models/NAME:action
		return googleShape(p, dir, action), dir
	}
	for end, sh := range openAIPaths {
		before, ok := strings.CutSuffix(p, end)
		if !ok || end == "/completions" && strings.HasSuffix(before, "/chat") {
			continue
		}
		if ownClient || end == "/chat/completions" || versioned(before) {
			return sh, deployment(before)
		}
	}
	if before, ok := strings.CutSuffix(p, "/messages"); ok && versioned(before) {
		return anthropicMessages, ""
	}
	return nil, ""
}

func googleShape(p, model, action string) *shape {
	switch action {
	case "generateContent", "streamGenerateContent":
		return geminiGenerate
	case "embedContent", "batchEmbedContents":
		return geminiEmbed
	case "rawPredict", "streamRawPredict":
		if strings.Contains(p, "/publishers/anthropic/") {
			return anthropicMessages
		}
	case "predict": // of anything that Vertex AI runs
		switch {
		case strings.HasPrefix(model, "imagen-"), strings.HasPrefix(model, "imagegeneration"):
			return imagenImages
		case strings.Contains(model, "embedding"):
			return vertexEmbed
		}
	}
	return nil
}

// versioned says whether a path ends as that of an API: with a version, or below openai.
func versioned(p string) bool {
	last := path.Base(p)
	return strings.Contains(p, "/openai") || len(last) > 1 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9'
}

// deployment is the name of a model in Azure's paths.
func deployment(p string) string {
	if path.Base(path.Dir(p)) == "deployments" {
		return path.Base(p)
	}
	return ""
}

// hosts are the providers by the ends of their hosts, by the names that the price book knows.
var hosts = []struct{ end, provider string }{
	{"openai.azure.com", "azure"}, {"cognitiveservices.azure.com", "azure"}, {"services.ai.azure.com", "azure"}, {"openai.com", "openai"},
	{"anthropic.com", "anthropic"}, {"generativelanguage.googleapis.com", "google"}, {"aiplatform.googleapis.com", "vertex"},
	{"openrouter.ai", "openrouter"}, {"groq.com", "groq"}, {"mistral.ai", "mistral"}, {"deepseek.com", "deepseek"}, {"x.ai", "xai"},
	{"together.xyz", "together"}, {"together.ai", "together"}, {"fireworks.ai", "fireworks"}, {"perplexity.ai", "perplexity"}, {"cerebras.ai", "cerebras"},
	{"moonshot.ai", "moonshot"}, {"moonshot.cn", "moonshot"}, {"z.ai", "zai"}, {"minimax.io", "minimax"}, {"dashscope.aliyuncs.com", "alibaba"},
	{"deepinfra.com", "deepinfra"}, {"sambanova.ai", "sambanova"}, {"cohere.com", "cohere"}, {"cohere.ai", "cohere"}, {"voyageai.com", "voyage"}, {"jina.ai", "jina"},
}

// providerOf is who is called at u: a provider of a known host, else the one whose shape is spoken.
func (sh *shape) providerOf(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	for _, h := range hosts {
		if host == h.end || strings.HasSuffix(host, "."+h.end) || strings.HasSuffix(host, "-"+h.end) {
			return h.provider
		}
	}
	if strings.HasPrefix(host, "bedrock-runtime.") && strings.HasSuffix(host, ".amazonaws.com") {
		return "bedrock"
	}
	regional := strings.HasPrefix(host, "aiplatform.") && strings.HasSuffix(host, ".rep.googleapis.com")
	if regional || sh.provider == "google" && strings.Contains(u.Path, "/publishers/") { // behind another host, too
		return "vertex"
	}
	return sh.provider
}

// asked is what a request says.
type asked struct {
	model  string
	input  any // nil when nothing was asked, or nothing of it is kept
	params map[string]json.RawMessage
}

// ask reads a request's body.
func (sh *shape) ask(body []byte, content bool) (a asked) {
	members := membersOf(body)
	_ = json.Unmarshal(members["model"], &a.model)
	if content {
		a.input = sh.input(members)
	}
	a.params = map[string]json.RawMessage{}
	for key, v := range members {
		if key == "model" || key == "stream" || slices.Contains(sh.content, key) || !content && !plain(v) {
			continue
		}
		a.params[key] = shorten(v)
	}
	return a
}

// input is what went in: a list of messages or a text where there is nothing beside it, else an object.
func (sh *shape) input(members map[string]json.RawMessage) any {
	var in object
	for _, key := range sh.content {
		if v := members[key]; v != nil {
			in = append(in, member{key, shorten(v)})
		}
	}
	switch {
	case len(in) == 0:
		return nil
	case len(in) == 1 && in[0].key != "tools":
		return in[0].value
	}
	return in.json()
}

// plain says whether a parameter is kept where content is not: a number, a truth, or a word.
func plain(v json.RawMessage) bool {
	const longestWord = 64
	return len(v) > 0 && v[0] != '{' && v[0] != '[' && len(v) <= longestWord
}
