package extract

import (
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// usageSlots are the keys under which clients put a provider's usage as it came, in the
// order in which they count.
var usageSlots = [...]slot{entity.Usage, sUsageDetails, sUsageMetadata, sUsageMetadataCamel}

// usages fills the token fields that are not given yet from a provider's usage at these keys,
// and the field of the counts that have other names.
func (x *extractor) usages(at []slot) {
	var counts members
	for _, s := range at {
		raw := x.get(s)
		if raw == nil || raw[0] != '{' {
			continue
		}
		var named members
		r := usageReader{x: x, where: keys.names[s], named: &named}
		r.read(raw)
		r.fill()
		for _, key := range named.keys {
			if counts.values[key] == nil {
				counts.add(key, named.values[key])
			}
		}
	}
	if len(counts.keys) > 0 {
		x.put(entity.FieldValue{Field: entity.Usage, Text: rawjson.Alias(counts.object())})
	}
}

// part is one count that a usage holds.
type part uint8

const (
	pNone part = iota
	// What is sent and what is not of these is told by the shape: see usageReader.fill.
	pInput  // every input token, whatever was read from a cache
	pFresh  // input tokens beside those of the cache: Anthropic, Bedrock, Langfuse
	pOutput // every output token, or those beside the reasoning
	pAnswer // the same by names that proxies also send beside the others, as 0
	pTotal
	pRead
	pWrite
	pWriteShort // parts of pWrite by how long they are kept
	pWriteLong
	pReasoning
	pThoughts // reasoning that is not in pOutput: Gemini
	pApart    // reasoning that is in pOutput by one client, and beside it by another
	pToolUse  // input that is not in pInput: Gemini
	pAudioIn
	pAudioOut
	numParts
	pInputDetails // objects, or Gemini's lists of modalities, that say more
	pOutputDetails
	pCreation // Anthropic's cache writes by how long they are kept
	pActual   // Cohere's tokens, which are those of others
	pBilled   // Cohere's billed units
)

// usageKeys are the keys of a usage, from the documents of the providers and of the
// libraries that hand their answers on.
func usageKeys(key string) part {
	switch key {
	case "prompt_tokens", // OpenAI chat, Mistral, DeepSeek, Groq, xAI, LiteLLM
		"promptTokens",                           // Vercel AI SDK 4
		"promptTokenCount", "prompt_token_count", // Gemini
		"prompt_eval_count": // Ollama
		return pInput
	case "input_tokens", // Anthropic; OpenAI Responses and LangChain, which say so by their details
		"inputTokens", // Bedrock; Vercel AI SDK 5, which says so by its keys
		"input":       // Langfuse
		return pFresh
	case "output_tokens", "outputTokens", "output":
		return pAnswer
	case "completion_tokens", "completionTokens", "eval_count", "candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count":
		return pOutput
	case "total_tokens", "totalTokens", "totalTokenCount", "total_token_count", "total":
		return pTotal
	case "cache_read_input_tokens", "cacheReadInputTokens", "cacheReadInputTokenCount", "input_cached_tokens",
		"cachedContentTokenCount", "cached_content_token_count", "prompt_cache_hit_tokens", "cachedInputTokens", "cached_tokens",
		"cache_read_tokens": // Pydantic AI
		return pRead
	case "cache_creation_input_tokens", "cacheWriteInputTokens", "cacheWriteInputTokenCount", "cache_write_tokens":
		return pWrite
	case "input_audio_tokens":
		return pAudioIn
	case "output_audio_tokens":
		return pAudioOut
	case "thoughtsTokenCount", "thoughts_token_count":
		return pThoughts
	case "output_reasoning_tokens": // Langfuse: beside its output; Pydantic AI: in its output_tokens
		return pApart
	case "reasoning_tokens", "reasoningTokens":
		return pReasoning
	case "toolUsePromptTokenCount", "tool_use_prompt_token_count":
		return pToolUse
	case "prompt_tokens_details", "input_tokens_details", "input_token_details", "inputTokenDetails", "promptTokensDetails":
		return pInputDetails
	case "completion_tokens_details", "output_tokens_details", "output_token_details", "outputTokenDetails", "candidatesTokensDetails":
		return pOutputDetails
	case "cache_creation":
		return pCreation
	case "tokens":
		return pActual
	case "billed_units":
		return pBilled
	}
	return pNone
}

// inputDetailKeys are those of details of the input: OpenAI, LangChain, OpenRouter, Vercel AI SDK 6.
func inputDetailKeys(key string) part {
	switch key {
	case "cached_tokens", "cache_read", "cacheReadTokens":
		return pRead
	case "cache_creation", "cache_write_tokens", "cacheWriteTokens":
		return pWrite
	case "audio_tokens", "audio":
		return pAudioIn
	}
	return creationKeys(key)
}

func outputDetailKeys(key string) part {
	switch key {
	case "reasoning_tokens", "reasoning", "reasoningTokens":
		return pReasoning
	case "audio_tokens", "audio":
		return pAudioOut
	}
	return pNone
}

// creationKeys are those of Anthropic's cache_creation.
func creationKeys(key string) part {
	switch key {
	case "ephemeral_5m_input_tokens":
		return pWriteShort
	case "ephemeral_1h_input_tokens":
		return pWriteLong
	}
	return pNone
}

// usageReader reads one usage.
type usageReader struct {
	x     *extractor
	where string // the payload's key
	has   [numParts]bool
	n     [numParts]int64
	// inclusive is set when a key shows that the input holds what was read from a cache.
	inclusive bool
	langfuse  bool // a key shows that it is Langfuse's own shape
	// named are counts of names that mean no part. A pointer, so that what is kept of them does not
	// move x to the heap.
	named *members
}

func (r *usageReader) read(raw []byte) {
	var nested [pBilled - numParts][]byte
	m := rawjson.MembersOf(raw)
	for {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		p := usageKeys(string(key))
		switch {
		case p == pNone:
			if n, ok := WholeNumber(value); ok {
				r.named.add(string(key), strconv.AppendInt(nil, n, 10))
			}
		case p > numParts:
			nested[p-numParts-1] = value
		default:
			r.take(p, key, value)
			r.shape(string(key))
		}
	}
	r.details(nested[pInputDetails-numParts-1], inputDetailKeys, pAudioIn)
	r.details(nested[pOutputDetails-numParts-1], outputDetailKeys, pAudioOut)
	r.object(nested[pCreation-numParts-1], creationKeys)
	// Cohere: what the model saw beats what is billed, and holds what was cached.
	if r.object(nested[pActual-numParts-1], usageKeys) || r.object(nested[pBilled-numParts-1], usageKeys) {
		r.inclusive = true
	}
}

// shape knows clients by names that only they have.
func (r *usageReader) shape(key string) {
	switch key {
	case "cachedInputTokens", // Vercel AI SDK: its input is all of it
		"cache_read_tokens", "cache_write_tokens": // Pydantic AI, too
		r.inclusive = true
	case "output":
		r.langfuse = true
	}
}

// details reads an object of parts, which all are parts of the whole that stands beside
// it, or Gemini's list of {modality, tokenCount}.
func (r *usageReader) details(raw []byte, keys func(string) part, audio part) {
	if r.object(raw, keys) {
		r.inclusive = r.inclusive || audio == pAudioIn
	}
	if len(raw) == 0 || raw[0] != '[' {
		return
	}
	for e := rawjson.ElementsOf(raw); ; {
		one, ok := e.Next()
		if !ok {
			return
		}
		r.modality(one, audio)
	}
}

func (r *usageReader) modality(raw []byte, audio part) {
	var modality string
	var count []byte
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		switch string(key) {
		case "modality":
			modality, _ = rawjson.Unquote(value)
		case "tokenCount":
			count = value
		}
	}
	if modality == "AUDIO" && count != nil {
		r.take(audio, []byte("tokenCount"), count)
	}
}

// object reads the members of raw and says whether it is an object.
func (r *usageReader) object(raw []byte, keys func(string) part) bool {
	if len(raw) == 0 || raw[0] != '{' {
		return false
	}
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			return true
		}
		if p := keys(string(key)); p != pNone && p < numParts {
			r.take(p, key, value)
		}
	}
}

// take reads one count. Of a part that may stand in several places the largest stays.
func (r *usageReader) take(p part, key, value []byte) {
	if value[0] == 'n' || string(value) == `""` {
		return
	}
	n, ok := WholeNumber(value)
	if !ok {
		r.x.note("payload." + r.where + "." + short(string(key)) + " was left out: it must be " + entity.TokensForm.String())
		return
	}
	if p == pRead || p == pWrite || p == pReasoning {
		n = max(n, r.n[p])
	}
	r.has[p], r.n[p] = true, n
}

// fill makes the parts canonical and fills the fields: the prompt includes what was read from
// and written to a cache, the completion includes the reasoning.
func (r *usageReader) fill() {
	if r.has[pWriteShort] || r.has[pWriteLong] {
		if split := r.n[pWriteShort] + r.n[pWriteLong]; split > r.n[pWrite] {
			r.has[pWrite], r.n[pWrite] = true, split
		}
	}
	if !r.has[pOutput] {
		r.has[pOutput], r.n[pOutput] = r.has[pAnswer], r.n[pAnswer]
	}
	if r.has[pApart] && r.langfuse {
		r.has[pThoughts], r.n[pThoughts] = true, r.n[pApart]
	} else if r.has[pApart] {
		r.has[pReasoning], r.n[pReasoning] = true, max(r.n[pReasoning], r.n[pApart])
	}
	cached := r.n[pRead] + r.n[pWrite]
	input, known := r.n[pInput], r.has[pInput]
	if !known {
		input, known = r.n[pFresh], r.has[pFresh]
		if !r.inclusive {
			input += cached
			cached = 0
		}
	}
	if known && cached > input { // a whole that is less than its parts is none of them
		r.x.note("payload." + r.where + " says more cached tokens than input tokens: they were taken as beside one another")
		input += cached
	}
	r.put(entity.PromptTokens, input+r.n[pToolUse], known)
	r.put(entity.CompletionTokens, r.output(input), r.has[pOutput] || r.has[pThoughts])
	r.put(entity.TotalTokens, r.n[pTotal], r.has[pTotal])
	r.put(entity.CacheReadTokens, r.n[pRead], r.has[pRead])
	r.put(entity.CacheWriteTokens, r.n[pWrite], r.has[pWrite])
	r.put(entity.ReasoningTokens, max(r.n[pReasoning], r.n[pThoughts]), r.has[pReasoning] || r.has[pThoughts])
	r.put(entity.AudioInputTokens, r.n[pAudioIn], r.has[pAudioIn])
	r.put(entity.AudioOutputTokens, r.n[pAudioOut], r.has[pAudioOut])
}

// output is the completion with its reasoning. It is beside it for Gemini, and for xAI, whose
// total shows it.
func (r *usageReader) output(input int64) int64 {
	out, reasoning := r.n[pOutput], r.n[pReasoning]
	if r.has[pOutput] && reasoning > out {
		r.x.note("payload." + r.where + " says more reasoning tokens than output tokens: they were taken as beside one another")
	}
	beside := reasoning > out || reasoning > 0 && r.has[pTotal] && r.n[pTotal] == input+out+reasoning
	if beside {
		out += reasoning
	}
	return out + r.n[pThoughts]
}

func (r *usageReader) put(f entity.Field, n int64, known bool) {
	if known && n <= MaxTokens {
		r.x.fill(entity.FieldValue{Field: f, Int: n})
	}
}
