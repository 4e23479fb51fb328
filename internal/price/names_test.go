package price

import (
	"strings"
	"testing"
)

// Names as clients, gateways and clouds write them find their entries; what only the account knows finds none.
func TestNames(t *testing.T) {
	t.Parallel()
	book := Builtin()
	for _, c := range []struct{ provider, name, want, as string }{
		// as it is, in either case, by the names of the conventions and of libraries
		{"openai", "gpt-4o", "openai", "gpt-4o"},
		{"OpenAI", "GPT-4o", "openai", "gpt-4o"},
		{"openai.responses", "gpt-4o", "openai", "gpt-4o"},
		{"", "gpt-4o", "openai", "gpt-4o"},
		{"", "claude-haiku-4-5", "anthropic", "claude-haiku-4-5"},
		{"", "gemini-2.5-flash", "google", "gemini-2.5-flash"},
		// with the provider before it
		{"", "openai/gpt-4o", "openai", "gpt-4o"},
		{"", "openai:gpt-4o", "openai", "gpt-4o"},
		{"openai", "anthropic/claude-haiku-4-5", "anthropic", "claude-haiku-4-5"},
		{"my-gateway", "gemini/gemini-2.5-flash", "google", "gemini-2.5-flash"},
		{"", "openrouter/anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5"},
		{"openai", "groq/llama-3.1-8b-instant", "groq", "llama-3.1-8b-instant"},
		{"groq", "openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b"},
		{"groq", "openai/gpt-4o", "", ""}, // groq does not sell it
		// dated
		{"openai", "gpt-4o-2024-08-06", "openai", "gpt-4o-2024-08-06"},
		{"openai", "gpt-5-mini-20250807", "openai", "gpt-5-mini-2025-08-07"},
		{"openai", "gpt-5-mini-2026-12-24", "openai", "gpt-5-mini"},
		{"anthropic", "claude-opus-4-5-20251101", "anthropic", "claude-opus-4-5-20251101"},
		{"google", "gemini-2.5-flash-002", "google", "gemini-2.5-flash"},
		{"xai", "grok-3-mini-0811", "xai", "grok-3-mini"},
		// the latest
		{"mistral", "mistral-small-latest", "mistral", "mistral-small-latest"},
		{"openai", "gpt-4o-mini-latest", "openai", "gpt-4o-mini"},
		// fine-tuned: by the tuned model's own price, never the base model's
		{"openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", "openai", "ft:gpt-4o-mini-2024-07-18"},
		{"openai", "ft:gpt-5-2025-08-07:acme::abc", "", ""},
		{"azure", "ft:o4-mini-2099-01-01:acme::abc", "", ""}, // a pattern of Azure's has o4-mini
		{"azure", "gpt-4o-mini-2024-07-18.ft-0123456789abcdef", "", ""},
		{"google", "tunedModels/my-model-x1", "", ""},
		// Azure: its spelling, its zones, and deployments that are called as their model
		{"azure", "gpt-35-turbo", "azure", "gpt-35-turbo"},
		{"azure", "gpt-35-turbo-instruct-0914", "azure", "gpt-35-turbo-instruct-0914"},
		{"azure.ai.openai", "gpt-4o", "azure", "gpt-4o"},
		{"", "azure/eu/gpt-4o", "azure", "eu/gpt-4o"},
		{"azure", "o3-deep-research", "azure", "o3-deep-research"},
		{"azure", "gpt-4o-audio-preview", "openai", "gpt-4o-audio-preview"},
		{"azure", "prod-chat-eu", "", ""},
		// Bedrock: regions, versions, ARNs
		{"aws.bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "bedrock", "anthropic.claude-3-haiku-20240307-v1:0"},
		{"", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0"},
		{"bedrock", "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0", "bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"},
		{"bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "bedrock", "amazon.nova-lite-v1:0"},
		{"bedrock", "amazon.nova-lite-v1:0:300k", "bedrock", "amazon.nova-lite-v1:0"},
		{"", "bedrock/us-east-1/amazon.nova-lite-v1:0", "bedrock", "amazon.nova-lite-v1:0"},
		{"bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12cd34", "", ""},
		{"bedrock", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/ab12cd34", "", ""},
		// Vertex: paths and versions
		{"gcp.vertex_ai", "claude-opus-4-5@20251101", "vertex", "claude-opus-4-5@20251101"},
		{"gcp.vertex_ai", "projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-flash", "vertex", "gemini-2.5-flash"},
		{"", "vertex_ai/gemini-2.5-flash", "vertex", "gemini-2.5-flash"},
		{"gcp.vertex_ai", "claude-haiku-4-5@20991231", "vertex", "claude-haiku-4-5"},
		{"gcp.vertex_ai", "projects/p/locations/us-central1/endpoints/1234567890", "", ""},
		{"gcp.gemini", "models/gemini-2.5-pro", "google", "gemini-2.5-pro"},
		// OpenRouter: how it chose is no other model, what is free is another
		{"openrouter", "openai/gpt-4o:nitro", "openrouter", "openai/gpt-4o"},
		{"openrouter", "openai/gpt-5-mini-2025-08-07", "openrouter", "openai/gpt-5-mini-2025-08-07"},
		// one seller, several, and who runs it alone
		{"", "llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"},
		{"", "meta-llama/llama-3.3-70b-instruct", "", ""},
		{"ollama", "gpt-4o", "", ""},
		{"", "ollama/llama3.3", "", ""},
		{"vllm", "mistral-large-latest", "", ""},
		// no other kind of model than the beginning of its name says
		{"google", "gemini-2.5-pro-preview-new-tts", "", ""},
		{"anthropic", "claude-opus-4-8-fast-x", "", ""},
		{"openai", "no-such-model", "", ""},
		{"openai", strings.Repeat("x", longestName+1), "", ""},
	} {
		f := book.memo.find(book, &Call{Provider: c.provider, Asked: c.name})
		provider, as := "", ""
		if len(f.found) > 0 {
			provider, as = f.found[0].model.provider, f.found[0].as
		}
		if provider != c.want || as != c.as || (f.reason == Priced) != (c.want != "") {
			t.Errorf("%s %s: %s %s %q, want %s %s", c.provider, c.name, provider, as, f.reason, c.want, c.as)
		}
	}
}

// The answered model counts before the asked one, which counts when the first has no price.
func TestAnsweredBeforeAsked(t *testing.T) {
	t.Parallel()
	book := Builtin()
	for _, c := range []struct{ answered, asked, want string }{
		{"gpt-4o-mini-2024-07-18", "gpt-4o", "0.15"},
		{"prod-chat-eu", "gpt-4o", "2.5"},
		{"gpt-4o", "prod-chat-eu", "2.5"},
		{"", "gpt-4o", "2.5"},
	} {
		x := book.Explain(&Call{Provider: "azure", Answered: c.answered, Asked: c.asked, Start: moment(t, someDay), Usage: Usage{Input: million}})
		if x.Cost.Total.String() != c.want {
			t.Errorf("%+v: %s %s", c, x.Cost.Total, x.Reason)
		}
	}
}

// Names come from outside: whatever they are, a question ends with an amount or a reason, and the same one when it is asked again.
func FuzzNames(f *testing.F) {
	book := Builtin()
	for _, p := range pricedCalls {
		f.Add(p.provider, p.model, p.tier)
	}
	for _, name := range []string{"ft:", "/", ":", "a@", "arn:aws", "-latest", "openai/openai/openai/", "us.", "models/", "projects/publishers//models/"} {
		f.Add("", name, "")
	}
	f.Fuzz(func(t *testing.T, provider, name, tier string) {
		call := &Call{Provider: provider, Answered: name, Asked: tier, Tier: tier, Usage: Usage{Input: 10, Output: 1}}
		cost, reason := book.Price(call)
		again, same := book.Price(call)
		if cost != again || reason != same || (reason == Priced) != (cost.Entry != nil) || cost.Total < 0 {
			t.Errorf("%+v %q, then %+v %q", cost, reason, again, same)
		}
	})
}
