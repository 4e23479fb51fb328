package extract

import "github.com/brokle-ai/brokle-go/internal/entity"

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
	pWriteBeside     // cache writes beside pWrite, kept for five minutes: Langfuse
	pWriteBesideLong // the same, kept for an hour
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
		"cache_read_tokens", // Pydantic AI
		"input_cache_read":  // Langfuse
		return pRead
	case "cache_creation_input_tokens", "cacheWriteInputTokens", "cacheWriteInputTokenCount", "cache_write_tokens", "input_cache_creation":
		return pWrite
	case "input_cache_creation_5m":
		return pWriteBeside
	case "input_cache_creation_1h":
		return pWriteBesideLong
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
	case "cache_creation",
		"cacheDetails": // Bedrock
		return pCreation
	case "tokens":
		return pActual
	case "billed_units":
		return pBilled
	}
	return pNone
}

// inputDetailKeys are those of details of the input: OpenAI, LangChain, OpenRouter, Vercel AI SDK 6, LiteLLM.
func inputDetailKeys(key string) part {
	_, key = entity.CutTier(key)
	switch key {
	case "cached_tokens", "cache_read", "cacheReadTokens":
		return pRead
	case "cache_creation", "cache_write_tokens", "cacheWriteTokens", "cache_creation_tokens":
		return pWrite
	case "audio_tokens", "audio":
		return pAudioIn
	}
	return creationKeys(key)
}

func outputDetailKeys(key string) part {
	_, key = entity.CutTier(key)
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
