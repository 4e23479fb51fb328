package extract_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The usage of each provider and library as its documents show it, in canonical fields: the
// prompt with what was cached, the completion with the reasoning.
func TestUsageOfVendors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ payload, want string }{
		"OpenAI chat": {`"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":80,"audio_tokens":3},"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":4,"accepted_prediction_tokens":0}}`,
			` prompt_tokens=100 completion_tokens=50 total_tokens=150 cache_read_tokens=80 reasoning_tokens=30 audio_input_tokens=3 audio_output_tokens=4`},
		"OpenAI Responses": {`"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":80},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":30},"total_tokens":150}`,
			` prompt_tokens=100 completion_tokens=50 total_tokens=150 cache_read_tokens=80 reasoning_tokens=30`},
		"OpenAI Realtime": {`"usage":{"total_tokens":253,"input_tokens":132,"output_tokens":121,"input_token_details":{"text_tokens":119,"audio_tokens":13,"cached_tokens":64},"output_token_details":{"text_tokens":30,"audio_tokens":91}}`,
			` prompt_tokens=132 completion_tokens=121 total_tokens=253 cache_read_tokens=64 audio_input_tokens=13 audio_output_tokens=91`},
		"OpenAI embeddings": {`"usage":{"prompt_tokens":12,"total_tokens":12}`, ` prompt_tokens=12 total_tokens=12`},
		"Pydantic AI": {`"usage":{"input_tokens":100,"cache_read_tokens":80,"cache_write_tokens":10,"input_audio_tokens":3,"output_tokens":50,"output_reasoning_tokens":30,"output_audio_tokens":2}`,
			` prompt_tokens=100 completion_tokens=50 cache_read_tokens=80 cache_write_tokens=10 reasoning_tokens=30 audio_input_tokens=3 audio_output_tokens=2`},
		"Langfuse, reasoning beside the output": {`"usage_details":{"output_reasoning_tokens":30,"input":20,"output":50}`,
			` prompt_tokens=20 completion_tokens=80 reasoning_tokens=30`},
		"Anthropic": {`"usage":{"input_tokens":20,"cache_read_input_tokens":80,"cache_creation_input_tokens":10,"output_tokens":50}`,
			` prompt_tokens=110 completion_tokens=50 cache_read_tokens=80 cache_write_tokens=10`},
		"Anthropic, writes by how long": {`"usage":{"input_tokens":20,"cache_read_input_tokens":80,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":6},"output_tokens":50,"service_tier":"standard"}`,
			` prompt_tokens=110 completion_tokens=50 cache_read_tokens=80 cache_write_tokens=10 cache_write_1h_tokens=6 service_tier=standard`},
		"Anthropic, fast": {`"usage":{"input_tokens":20,"output_tokens":50,"speed":"fast","service_tier":"standard"}`, ` prompt_tokens=20 completion_tokens=50 service_tier=fast`},
		"Anthropic, not fast": {`"usage":{"input_tokens":20,"output_tokens":50,"service_tier":"batch","speed":"standard","inference_geo":"us"}`,
			` prompt_tokens=20 completion_tokens=50 service_tier=batch`},
		"Anthropic, writes both ways": {`"usage":{"input_tokens":20,"cache_creation_input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":0},"output_tokens":50}`,
			` prompt_tokens=30 completion_tokens=50 cache_write_tokens=10 cache_write_1h_tokens=0`},
		"Anthropic without a cache": {`"usage":{"input_tokens":20,"cache_read_input_tokens":null,"cache_creation_input_tokens":0,"output_tokens":50}`,
			` prompt_tokens=20 completion_tokens=50 cache_write_tokens=0`},
		"Gemini": {`"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":150,"promptTokensDetails":[{"modality":"TEXT","tokenCount":95},{"modality":"AUDIO","tokenCount":5}]}`,
			` prompt_tokens=100 completion_tokens=50 total_tokens=150 cache_read_tokens=80 reasoning_tokens=30 audio_input_tokens=5`},
		"Gemini in Python": {`"usage_metadata":{"prompt_token_count":100,"candidates_token_count":20,"thoughts_token_count":30,"cached_content_token_count":80,"total_token_count":157,"tool_use_prompt_token_count":7}`,
			` prompt_tokens=107 completion_tokens=50 total_tokens=157 cache_read_tokens=80 reasoning_tokens=30`},
		"Gemini live": {`"usageMetadata":{"promptTokenCount":3,"responseTokenCount":4,"totalTokenCount":7}`,
			` prompt_tokens=3 completion_tokens=4 total_tokens=7`},
		"Bedrock Converse": {`"usage":{"inputTokens":20,"outputTokens":50,"totalTokens":160,"cacheReadInputTokens":80,"cacheWriteInputTokens":10}`,
			` prompt_tokens=110 completion_tokens=50 total_tokens=160 cache_read_tokens=80 cache_write_tokens=10`},
		"Cohere": {`"usage":{"billed_units":{"input_tokens":5,"output_tokens":418},"tokens":{"input_tokens":71,"output_tokens":420},"cached_tokens":64}`,
			` prompt_tokens=71 completion_tokens=420 cache_read_tokens=64`},
		"Cohere, billed only": {`"usage":{"billed_units":{"input_tokens":5,"output_tokens":418}}`, ` prompt_tokens=5 completion_tokens=418`},
		"Ollama":              {`"usage":{"prompt_eval_count":26,"eval_count":259,"eval_duration":4232710000}`, ` prompt_tokens=26 completion_tokens=259 usage={"eval_duration":4232710000}`},
		"Mistral":             {`"usage":{"prompt_tokens":16,"completion_tokens":34,"total_tokens":50}`, ` prompt_tokens=16 completion_tokens=34 total_tokens=50`},
		"DeepSeek": {`"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_cache_hit_tokens":80,"prompt_cache_miss_tokens":20,"completion_tokens_details":{"reasoning_tokens":30}}`,
			` prompt_tokens=100 completion_tokens=50 total_tokens=150 cache_read_tokens=80 reasoning_tokens=30 usage={"prompt_cache_miss_tokens":20}`},
		"xAI, reasoning beside the completion": {`"usage":{"prompt_tokens":32,"completion_tokens":90,"total_tokens":166,"completion_tokens_details":{"reasoning_tokens":44}}`,
			` prompt_tokens=32 completion_tokens=134 total_tokens=166 reasoning_tokens=44`},
		"LangChain": {`"usage_metadata":{"input_tokens":110,"output_tokens":50,"total_tokens":160,"input_token_details":{"cache_read":80,"cache_creation":10,"audio":2},"output_token_details":{"reasoning":30,"audio":1}}`,
			` prompt_tokens=110 completion_tokens=50 total_tokens=160 cache_read_tokens=80 cache_write_tokens=10 reasoning_tokens=30 audio_input_tokens=2 audio_output_tokens=1`},
		"LangChain, writes by how long": {`"usage_metadata":{"input_tokens":110,"output_tokens":50,"total_tokens":160,"input_token_details":{"cache_read":80,"cache_creation":0,"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":6}}`,
			` prompt_tokens=110 completion_tokens=50 total_tokens=160 cache_read_tokens=80 cache_write_tokens=10 cache_write_1h_tokens=6`},
		"LangChain, with a service tier": {`"usage_metadata":{"input_tokens":110,"output_tokens":50,"total_tokens":160,"input_token_details":{"priority":30,"priority_cache_read":80},"output_token_details":{"priority_reasoning":30,"priority":20}}`,
			` prompt_tokens=110 completion_tokens=50 total_tokens=160 cache_read_tokens=80 reasoning_tokens=30 service_tier=priority`},
		"LiteLLM, writes by how long": {`"usage":{"prompt_tokens":110,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":80,"cache_creation_tokens":10,"cache_creation_token_details":{"ephemeral_5m_input_tokens":4,"ephemeral_30m_input_tokens":null,"ephemeral_1h_input_tokens":6}},"service_tier":"standard","speed":null}`,
			` prompt_tokens=110 completion_tokens=50 cache_read_tokens=80 cache_write_tokens=10 cache_write_1h_tokens=6 service_tier=standard`},
		"Bedrock, writes by how long": {`"usage":{"inputTokens":20,"outputTokens":50,"cacheWriteInputTokens":10,"cacheDetails":[{"ttl":"1h","inputTokens":6},{"ttl":"5m","inputTokens":4}]}`,
			` prompt_tokens=30 completion_tokens=50 cache_write_tokens=10 cache_write_1h_tokens=6`},
		"Vertex, flex": {`"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7,"trafficType":"ON_DEMAND_FLEX"}`,
			` prompt_tokens=3 completion_tokens=4 total_tokens=7 service_tier=flex`},
		"Langfuse, writes by how long": {`"usage_details":{"input":20,"output":50,"input_cache_read":80,"cache_creation_input_tokens":4,"input_cache_creation_1h":6}`,
			` prompt_tokens=110 completion_tokens=50 cache_read_tokens=80 cache_write_tokens=10 cache_write_1h_tokens=6`},
		"Langfuse, both": {`"usage_details":{"input":20,"output":50,"input_cache_creation_5m":4,"input_cache_creation_1h":6}`,
			` prompt_tokens=30 completion_tokens=50 cache_write_tokens=10 cache_write_1h_tokens=6`},
		"tiers of our own":        {`"service_tier":"DEFAULT","requested_service_tier":"priority","usage":{"service_tier":"flex"},"model_parameters":{"service_tier":"batch"}`, ` service_tier=standard requested_service_tier=priority model_parameters={"service_tier":"batch"}`},
		"a tier among parameters": {`"model_parameters":{"service_tier":"auto","n":1}`, ` requested_service_tier=auto model_parameters={"service_tier":"auto","n":1}`},
		"fast among parameters":   {`"model_parameters":{"speed":"fast"}`, ` requested_service_tier=fast model_parameters={"speed":"fast"}`},
		"no tier":                 {`"service_tier":"","usage":{"service_tier":null,"traffic_type":"TRAFFIC_TYPE_UNSPECIFIED"},"model_parameters":{"service_tier":null,"speed":"slow"}`, ` model_parameters={"service_tier":null,"speed":"slow"}`},
		"LiteLLM": {`"usage":{"prompt_tokens":110,"completion_tokens":50,"total_tokens":160,"cache_read_input_tokens":80,"cache_creation_input_tokens":10,"prompt_tokens_details":{"cached_tokens":80}}`,
			` prompt_tokens=110 completion_tokens=50 total_tokens=160 cache_read_tokens=80 cache_write_tokens=10`},
		"OpenRouter": {`"usage":{"prompt_tokens":194,"completion_tokens":2,"total_tokens":196,"cost":0.95,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":100,"audio_tokens":0}}`,
			` prompt_tokens=194 completion_tokens=2 total_tokens=196 cache_read_tokens=0 cache_write_tokens=100 audio_input_tokens=0`},
		"Vercel AI SDK 4": {`"usage":{"promptTokens":10,"completionTokens":20,"totalTokens":30}`, ` prompt_tokens=10 completion_tokens=20 total_tokens=30`},
		"Vercel AI SDK 5": {`"usage":{"inputTokens":100,"outputTokens":50,"totalTokens":150,"reasoningTokens":30,"cachedInputTokens":80}`,
			` prompt_tokens=100 completion_tokens=50 total_tokens=150 cache_read_tokens=80 reasoning_tokens=30`},
		"Vercel AI SDK 6": {`"usage":{"inputTokens":110,"inputTokenDetails":{"noCacheTokens":20,"cacheReadTokens":80,"cacheWriteTokens":10},"outputTokens":50,"outputTokenDetails":{"textTokens":20,"reasoningTokens":30},"totalTokens":160}`,
			` prompt_tokens=110 completion_tokens=50 total_tokens=160 cache_read_tokens=80 cache_write_tokens=10 reasoning_tokens=30`},
		"Langfuse": {`"usage_details":{"input":20,"output":50,"total":160,"cache_read_input_tokens":80,"cache_creation_input_tokens":10}`,
			` prompt_tokens=110 completion_tokens=50 total_tokens=160 cache_read_tokens=80 cache_write_tokens=10`},
		"a proxy with both names":   {`"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"input_tokens":0,"output_tokens":0,"input_tokens_details":null}`, ` prompt_tokens=10 completion_tokens=20 total_tokens=30`},
		"a part and no whole":       {`"usage":{"cache_read_input_tokens":80}`, ` cache_read_tokens=80`},
		"the payload's own win":     {`"prompt_tokens":7,"cache_read_tokens":1,"usage":{"input_tokens":20,"cache_read_input_tokens":80,"output_tokens":50}`, ` prompt_tokens=7 completion_tokens=50 cache_read_tokens=1`},
		"own fields only":           {`"cache_write_tokens":1,"reasoning_tokens":"2","audio_input_tokens":3,"audio_output_tokens":4.0`, ` cache_write_tokens=1 reasoning_tokens=2 audio_input_tokens=3 audio_output_tokens=4`},
		"usage fills usage_details": {`"usage_details":{"input":1,"output":2},"usage":{"prompt_tokens":3}`, ` prompt_tokens=3 completion_tokens=2`},
		"counts of other names":     {`"usage":{"input":1,"pages":3,"searches":"2","cost":0.5,"unit":"TOKENS","tools":{"a":1},"pages":4},"usage_details":{"pages":9,"characters":7}`, ` prompt_tokens=1 usage={"pages":4,"searches":2,"characters":7}`},
		"null":                      {`"usage":null,"usage_details":[],"usageMetadata":"x"`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.ObservationComplete, Payload: []byte(`{"id":"o",` + c.payload + `}`)})
			if failure != nil || len(got.Notes) > 0 {
				t.Fatalf("failed: %+v %v", failure, got)
			}
			if want := "2/2 o" + c.want; show(got) != want {
				t.Errorf("read  %s\nwant  %s", show(got), want)
			}
		})
	}
}

// A whole that is less than its part is read as beside it, and the receipt says so.
func TestUsageNotesContradictions(t *testing.T) {
	t.Parallel()
	got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.ObservationComplete,
		Payload: []byte(`{"id":"o","usage":{"prompt_tokens":10,"cache_read_input_tokens":80,"completion_tokens":50,"completion_tokens_details":{"reasoning_tokens":70}}}`)})
	if failure != nil || show(got) != "2/2 o prompt_tokens=90 completion_tokens=120 cache_read_tokens=80 reasoning_tokens=70" {
		t.Fatalf("%+v, %+v", failure, got)
	}
	if len(got.Notes) != 2 || !strings.Contains(got.Notes[0], "more cached tokens than input tokens") || !strings.Contains(got.Notes[1], "more reasoning tokens than output tokens") {
		t.Errorf("notes %q", got.Notes)
	}
}

// A count that is none is left out by name, and the others are read.
func TestUsageNotesBadCounts(t *testing.T) {
	t.Parallel()
	got, failure := extract.Extract(&wire.Event{ID: "ev", Type: wire.ObservationComplete,
		Payload: []byte(`{"id":"o","usage":{"input_tokens":-1,"output_tokens":5,"output_tokens_details":{"reasoning_tokens":"many"}}}`)})
	if failure != nil || show(got) != "2/2 o completion_tokens=5" {
		t.Fatalf("%+v, %+v", failure, got)
	}
	if len(got.Notes) != 2 || got.Notes[0] != "payload.usage.input_tokens was left out: it must be a whole number from 0 to 9007199254740991, or a string that holds one" {
		t.Errorf("notes %q", got.Notes)
	}
}
