package price

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

// The pages on which vendors publish the rules below, as the public tables name them. The figures are from the tables, read on
// 2026-11-29, and not from the pages.
const (
	openaiPage    = "https://developers.openai.com/api/docs/pricing"
	anthropicPage = "https://platform.claude.com/docs/en/about-claude/pricing"
	geminiPage    = "https://ai.google.dev/gemini-api/docs/pricing"
	vertexPage    = "https://cloud.google.com/vertex-ai/generative-ai/pricing"
	bedrockPage   = "https://aws.amazon.com/bedrock/pricing/"
	azurePage     = "https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/"
	mistralPage   = "https://mistral.ai/pricing/api"
	deepseekPage  = "https://api-docs.deepseek.com/quick_start/pricing"
	xaiPage       = "https://docs.x.ai/docs/models"
	coherePage    = "https://cohere.com/pricing"
	groqPage      = "https://console.groq.com/docs/models"
	fireworksPage = "https://fireworks.ai/pricing"
	perplexity    = "https://docs.perplexity.ai/docs/getting-started/pricing"
	moonshotPage  = "https://platform.kimi.ai/docs/pricing/chat.md"
	zaiPage       = "https://docs.z.ai/guides/overview/pricing"
	cerebrasPage  = "https://www.cerebras.ai/pricing#pricing"
	voyagePage    = "https://docs.voyageai.com/docs/pricing"
	minimaxPage   = "https://platform.minimax.io/docs/pricing/overview"
	routerPage    = "https://openrouter.ai/models"
)

// someDay is a Friday, before the prices that begin in December.
const someDay = "2026-11-20T12:00:00Z"

// priced is a call and what it costs by the vendor's rule: tokens times dollars for a million, added up.
type priced struct {
	provider, model, tier, start string
	usage                        Usage
	rule                         string
	page                         string
}

var pricedCalls = []priced{
	{"openai", "gpt-4o-2024-08-06", "", "", Usage{Input: 1000, Output: 100}, "1000*2.5 + 100*10", openaiPage},
	{"openai", "gpt-4o", "", "", Usage{Input: 1000, CacheRead: 800, Output: 100}, "200*2.5 + 800*1.25 + 100*10", openaiPage},
	{"openai", "gpt-4o", "batch", "", Usage{Input: 1000, Output: 100}, "1000*1.25 + 100*5", openaiPage},
	{"openai", "gpt-4o", "priority", "", Usage{Input: 1000, CacheRead: 400, Output: 100}, "600*4.25 + 400*2.125 + 100*17", openaiPage},
	{"openai", "gpt-4o", "default", "", Usage{Input: 7, Output: 3}, "7*2.5 + 3*10", openaiPage},
	{"openai", "gpt-4o-2024-05-13", "", "", Usage{Input: 1000, Output: 100}, "1000*5 + 100*15", openaiPage},
	{"openai", "gpt-4o-mini", "", "", Usage{Input: 123_457, CacheRead: 1024, Output: 321}, "122433*0.15 + 1024*0.075 + 321*0.6", openaiPage},
	{"openai", "gpt-4.1", "", "", Usage{Input: 250_000, Output: 1000}, "250000*2 + 1000*8", openaiPage},
	{"openai", "gpt-4.1-nano", "", "", Usage{Input: 5, Output: 1}, "5*0.1 + 1*0.4", openaiPage},
	{"openai", "gpt-5", "", "", Usage{Input: 4000, CacheRead: 3000, Output: 900, Reasoning: 700}, "1000*1.25 + 3000*0.125 + 900*10", openaiPage},
	{"openai", "gpt-5", "flex", "", Usage{Input: 4000, CacheRead: 3000, Output: 900}, "1000*0.625 + 3000*0.0625 + 900*5", openaiPage},
	{"openai", "gpt-5", "priority", "", Usage{Input: 4000, CacheRead: 3000, Output: 900}, "1000*2.5 + 3000*0.25 + 900*20", openaiPage},
	{"openai", "gpt-5-mini", "batch", "", Usage{Input: 4000, Output: 900}, "4000*0.125 + 900*1", openaiPage},
	{"openai", "gpt-5.4", "", "", Usage{Input: 272_000, Output: 10}, "272000*2.5 + 10*15", openaiPage},
	{"openai", "gpt-5.4", "", "", Usage{Input: 272_001, CacheRead: 1, Output: 10}, "272000*5 + 1*0.5 + 10*22.5", openaiPage},
	{"openai", "gpt-5.4", "batch", "", Usage{Input: 300_000, Output: 10}, "300000*2.5 + 10*11.25", openaiPage},
	{"openai", "o3", "", "2025-06-09T23:59:59Z", Usage{Input: 1000, Output: 100}, "1000*10 + 100*40", openaiPage},
	{"openai", "o3", "", "2025-06-10T00:00:00Z", Usage{Input: 1000, Output: 100}, "1000*2 + 100*8", openaiPage},
	{"openai", "o3", "flex", "", Usage{Input: 1000, CacheRead: 500, Output: 100}, "500*1 + 500*0.25 + 100*4", openaiPage},
	{"openai", "o4-mini", "", "", Usage{Input: 1000, CacheRead: 1000, Output: 64, Reasoning: 64}, "1000*0.275 + 64*4.4", openaiPage},
	{"openai", "text-embedding-3-small", "", "", Usage{Input: 8191}, "8191*0.02", openaiPage},
	{"openai", "text-embedding-3-large", "", "", Usage{Input: 8191}, "8191*0.13", openaiPage},
	{"openai", "gpt-audio", "", "", Usage{Input: 1000, AudioInput: 900, Output: 500, AudioOutput: 400}, "100*2.5 + 900*32 + 100*10 + 400*64", openaiPage},
	{"openai", "gpt-realtime", "", "", Usage{Input: 2000, CacheRead: 500, AudioInput: 1000, ImageInput: 200, Output: 300, AudioOutput: 300}, "300*4 + 500*0.4 + 1000*32 + 200*5 + 300*64", openaiPage},
	{"openai", "gpt-image-1", "", "", Usage{Input: 300, ImageInput: 200, Output: 4160, ImageOutput: 4160}, "100*5 + 200*10 + 4160*40", openaiPage},
	{"openai", "ft:gpt-4o-mini-2024-07-18:acme:support:9xyz", "", "", Usage{Input: 1000, Output: 100}, "1000*0.3 + 100*1.2", openaiPage},
	{"openai", "gpt-6-sol", "", "", Usage{Input: 5000, CacheRead: 3000, CacheWrite: 1000, Output: 10}, "1000*2 + 3000*0.2 + 1000*2.5 + 10*10", openaiPage},
	{"anthropic", "claude-sonnet-4-5-20250929", "", "", Usage{Input: 10_000, CacheRead: 8000, CacheWrite: 1500, CacheWrite1h: 500, Output: 700}, "500*3 + 8000*0.3 + 1000*3.75 + 500*6 + 700*15", anthropicPage},
	{"anthropic", "claude-sonnet-4-5", "", "", Usage{Input: 200_000, Output: 700}, "200000*3 + 700*15", anthropicPage},
	{"anthropic", "claude-sonnet-4-5", "", "", Usage{Input: 250_000, Output: 1000}, "250000*6 + 1000*22.5", anthropicPage},
	{"anthropic", "claude-sonnet-4-5", "batch", "", Usage{Input: 1000, CacheWrite: 400, Output: 700}, "600*1.5 + 400*1.875 + 700*7.5", anthropicPage},
	{"anthropic", "claude-sonnet-4-6", "", "2026-03-12T23:00:00Z", Usage{Input: 250_000, Output: 1000}, "250000*6 + 1000*22.5", anthropicPage},
	{"anthropic", "claude-sonnet-4-6", "", "2026-03-13T00:00:00Z", Usage{Input: 250_000, Output: 1000}, "250000*3 + 1000*15", anthropicPage},
	{"anthropic", "claude-opus-4-5", "", "", Usage{Input: 1000, CacheRead: 900, Output: 77}, "100*5 + 900*0.5 + 77*25", anthropicPage},
	{"anthropic", "claude-haiku-4-5-20251001", "", "", Usage{Input: 1000, CacheWrite: 1000, CacheWrite1h: 1000, Output: 77}, "1000*2 + 77*5", anthropicPage},
	{"anthropic", "claude-haiku-5-5", "", "", Usage{Input: 100_000, Output: 77}, "100000*0.1 + 77*0.5", anthropicPage},
	{"anthropic", "claude-haiku-5-5", "", "", Usage{Input: 100_001, Output: 77}, "100001*0.5 + 77*2.5", anthropicPage},
	{"anthropic", "claude-haiku-5-5", "batch", "", Usage{Input: 100_001, Output: 77}, "100001*0.25 + 77*1.25", anthropicPage},
	{"anthropic", "claude-3-haiku-20240307", "", "", Usage{Input: 1000, Output: 100}, "1000*0.25 + 100*1.25", anthropicPage},
	{"anthropic", "claude-opus-5-5", "fast", "", Usage{Input: 1000, Output: 100}, "1000*8 + 100*40", anthropicPage},
	{"gcp.gemini", "gemini-2.5-pro", "", "", Usage{Input: 200_000, Output: 100}, "200000*1.25 + 100*10", geminiPage},
	{"gcp.gemini", "gemini-2.5-pro", "", "", Usage{Input: 200_001, CacheRead: 100_000, Output: 100}, "100001*2.5 + 100000*0.25 + 100*15", geminiPage},
	{"gcp.gemini", "models/gemini-2.5-flash", "", "", Usage{Input: 1500, AudioInput: 1000, Output: 100, Reasoning: 60}, "500*0.3 + 1000*1 + 100*2.5", geminiPage},
	{"gcp.gemini", "gemini-2.5-flash", "BATCH", "", Usage{Input: 1500, AudioInput: 1000, Output: 100}, "500*0.15 + 1000*0.5 + 100*1.25", geminiPage},
	{"gcp.gemini", "gemini-2.5-flash-lite", "priority", "", Usage{Input: 1500, Output: 100}, "1500*0.18 + 100*0.72", geminiPage},
	{"gcp.gemini", "gemini-2.5-flash-image", "", "", Usage{Input: 100, Output: 1300, ImageOutput: 1290}, "100*0.3 + 10*2.5 + 1290*30", geminiPage},
	{"gcp.gemini", "gemini-4-argon", "", "2026-11-30T23:59:59Z", Usage{Input: 100, Output: 10}, "100*2 + 10*10", geminiPage},
	{"gcp.gemini", "gemini-4-argon", "", "2026-12-01T00:00:00Z", Usage{Input: 100, Output: 10}, "100*4 + 10*20", geminiPage},
	{"gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "", "", Usage{Input: 250_000, Output: 100}, "250000*2.5 + 100*15", vertexPage},
	{"gcp.vertex_ai", "claude-opus-4-5@20251101", "", "", Usage{Input: 250, Output: 100}, "250*5 + 100*25", vertexPage},
	{"aws.bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*1.1 + 50*0.11 + 100*5.5", bedrockPage},
	{"aws.bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "", "", Usage{Input: 250, Output: 100}, "250*1 + 100*5", bedrockPage},
	{"aws.bedrock", "amazon.nova-lite-v1:0", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*0.06 + 50*0.015 + 100*0.24", bedrockPage},
	{"azure.ai.openai", "gpt-4o", "", "", Usage{Input: 250, Output: 100}, "250*2.5 + 100*10", azurePage},
	{"azure.ai.openai", "gpt-4.1-mini", "batch", "", Usage{Input: 250, Output: 100}, "250*0.2 + 100*0.8", azurePage},
	{"mistral_ai", "mistral-large-2411", "", "", Usage{Input: 250, Output: 100}, "250*2 + 100*6", mistralPage},
	{"mistral_ai", "mistral-large-2512", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*0.5 + 50*0.05 + 100*1.5", mistralPage},
	{"mistral_ai", "mistral-small-latest", "", "2026-03-15T12:00:00Z", Usage{Input: 250, Output: 100}, "250*0.1 + 100*0.3", mistralPage},
	{"mistral_ai", "mistral-small-latest", "", "2026-03-16T12:00:00Z", Usage{Input: 250, Output: 100}, "250*0.15 + 100*0.6", mistralPage},
	{"deepseek", "deepseek-v4-pro", "", "2026-11-20T00:59:59Z", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*0.66 + 50*0.022 + 100*1.98", deepseekPage},
	{"deepseek", "deepseek-v4-pro", "", "2026-11-20T01:00:00Z", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*1.32 + 50*0.044 + 100*3.96", deepseekPage},
	{"deepseek", "deepseek-v4-pro", "", "2026-11-20T04:00:00Z", Usage{Input: 250, Output: 100}, "250*0.66 + 100*1.98", deepseekPage},
	{"deepseek", "deepseek-v4-pro", "", "2026-11-20T09:59:59Z", Usage{Input: 250, Output: 100}, "250*1.32 + 100*3.96", deepseekPage},
	{"deepseek", "deepseek-v4-pro", "", "2026-11-20T23:59:59Z", Usage{Input: 250, Output: 100}, "250*0.66 + 100*1.98", deepseekPage},
	{"deepseek", "deepseek-v4-pro", "", "2026-11-21T02:00:00Z", Usage{Input: 250, Output: 100}, "250*0.66 + 100*1.98", deepseekPage}, // Saturday
	{"deepseek", "deepseek-v4-pro", "", "2026-08-16T02:00:00Z", Usage{Input: 250, Output: 100}, "250*0.435 + 100*0.87", deepseekPage},
	{"deepseek", "deepseek-flash", "", "2026-11-20T02:00:00Z", Usage{Input: 250, Output: 100}, "250*0.3 + 100*1.2", deepseekPage},
	{"x_ai", "grok-4.3", "", "", Usage{Input: 199_999, Output: 100}, "199999*1.25 + 100*2.5", xaiPage},
	{"x_ai", "grok-4.3", "", "", Usage{Input: 200_001, CacheRead: 1, Output: 100}, "200000*2.5 + 1*0.4 + 100*5", xaiPage},
	{"cohere", "command-a-03-2025", "", "", Usage{Input: 250, Output: 100}, "250*2.5 + 100*10", coherePage},
	{"cohere", "command-r-08-2024", "", "", Usage{Input: 250, Output: 100}, "250*0.15 + 100*0.6", coherePage},
	{"groq", "openai/gpt-oss-120b", "on_demand", "", Usage{Input: 250, CacheRead: 128, Output: 100}, "122*0.15 + 128*0.075 + 100*0.6", groqPage},
	{"groq", "llama-3.1-8b-instant", "", "", Usage{Input: 250, Output: 100}, "250*0.05 + 100*0.08", groqPage},
	{"fireworks", "accounts/fireworks/models/gpt-oss-120b", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*0.15 + 50*0.015 + 100*0.6", fireworksPage},
	{"perplexity", "sonar-pro", "", "", Usage{Input: 250, Output: 100}, "250*3 + 100*15", perplexity},
	{"moonshot", "kimi-k2.5", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*0.6 + 50*0.1 + 100*3", moonshotPage},
	{"zai", "glm-4.6", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*0.6 + 50*0.11 + 100*2.2", zaiPage},
	{"cerebras", "gpt-oss-120b", "", "", Usage{Input: 250, Output: 100}, "250*0.35 + 100*0.75", cerebrasPage},
	{"voyage", "voyage-3.5", "", "", Usage{Input: 250}, "250*0.06", voyagePage},
	{"minimax", "MiniMax-M2", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*0.3 + 50*0.03 + 100*1.2", minimaxPage},
	{"openrouter", "openai/gpt-4o", "", "", Usage{Input: 250, CacheRead: 50, Output: 100}, "200*2.5 + 50*1.25 + 100*10", routerPage},
}

// Calls of many vendors cost what their published rules say, worked out in fractions and not by the book's code.
func TestVendorsRules(t *testing.T) {
	t.Parallel()
	book := Builtin()
	if len(pricedCalls) < 60 {
		t.Errorf("%d calls, want 60", len(pricedCalls))
	}
	for _, p := range pricedCalls {
		start := p.start
		if start == "" {
			start = someDay
		}
		c := &Call{Provider: p.provider, Answered: p.model, Tier: p.tier, Start: moment(t, start), Usage: p.usage}
		want := byRule(t, p.rule)
		x := book.Explain(c)
		if x.Cost.Total != want || x.Reason != Priced {
			t.Errorf("%s %s %s %s: %s %q, want %s (%s)", p.model, p.tier, start, p.rule, x.Cost.Total, x.Reason, want, p.page)
			continue
		}
		if x.Cost.Input+x.Cost.Output != x.Cost.Total || x.Cost.CacheRead+x.Cost.CacheWrite > x.Cost.Input {
			t.Errorf("%s: the parts do not add up: %+v", p.model, x.Cost)
		}
		if x.Entry.Source == "" || !strings.HasPrefix(x.Entry.URL, "https://") || x.Entry.Line == 0 {
			t.Errorf("%s: an entry without a source: %+v", p.model, x.Entry)
		}
	}
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// byRule works a rule out in fractions: "1000*2.5 + 100*10".
func byRule(t *testing.T, rule string) Amount {
	t.Helper()
	sum := new(big.Rat)
	for term := range strings.SplitSeq(rule, " + ") {
		tokens, dollars, _ := strings.Cut(term, "*")
		a, okA := new(big.Rat).SetString(tokens)
		b, okB := new(big.Rat).SetString(dollars)
		if !okA || !okB {
			t.Fatalf("%q is no rule", rule)
		}
		sum.Add(sum, a.Mul(a, b))
	}
	units := sum.Mul(sum, big.NewRat(int64(USD)/million, 1))
	if !units.IsInt() {
		t.Fatalf("%q is no whole number of units", rule)
	}
	return Amount(units.Num().Int64())
}
