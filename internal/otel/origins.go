package otel

import "slices"

// commonOrigins are those of what reader.common reads.
var commonOrigins = []origin{
	attributed("session_id", "session.id", "gen_ai.conversation.id", "traceloop.association.properties.session_id",
		"langsmith.metadata.session_id", "langfuse.session.id", "session_id", "brokle.session_id"),
	attributed("user_id", "user.id", "traceloop.association.properties.user_id", "langsmith.metadata.user_id",
		"langfuse.user.id", "user_id", "llm.user", "gen_ai.request.user", "brokle.user_id"),
	{field: "user_id", inside: []string{"metadata", "brokle.trace.metadata"}},
	attributed("environment", "brokle.environment", "langfuse.environment"),
	{field: "environment", resource: []string{"deployment.environment.name", "deployment.environment"}},
	attributed("release", "langfuse.release", "brokle.release"),
	{field: "release", resource: []string{"service.version"}},
	attributed("version", "langfuse.version", "brokle.version"),
	attributed("tags", "langfuse.trace.tags", "tag.tags", "brokle.trace.tags", "tags"),
	attributed("input", "input.value"), attributed("output", "output.value"),
	attributed("metadata", "metadata", "brokle.trace.metadata"),
	attributed("prompt_name", promptNameKeys...), attributed("prompt_version", promptVersionKeys...),
	attributed("error_type", "error.type"), {field: "error_type", event: "exception"},
}

// genaiDialects are those whose readers begin with genai.
var genaiDialects = []string{"gen_ai", "langsmith", "logfire", "litellm", "openlit", "brokle", "anthropic", "traceloop", "vercel"}

// genaiOrigins are those of what genai reads.
var genaiOrigins = []origin{
	attributed("type", "gen_ai.operation.name"),
	attributed("requested_model", "gen_ai.request.model"), attributed("model", "gen_ai.response.model"),
	attributed("provider", "gen_ai.provider.name", "gen_ai.system"), attributed("response_id", "gen_ai.response.id"),
	attributed("service_tier", tierKeys...), attributed("requested_service_tier", askedTierKeys...), attributed("cache_write_1h_tokens", hourKeys...),
	attributed("prompt_tokens", promptKeys...), attributed("completion_tokens", completionKeys...),
	attributed("cache_read_tokens", readKeys...), attributed("cache_write_tokens", writeKeys...), attributed("reasoning_tokens", reasoningKeys...),
	attributed("audio_input_tokens", "gen_ai.usage.input_audio_tokens", "gen_ai.usage.audio_input_tokens"),
	attributed("audio_output_tokens", "gen_ai.usage.output_audio_tokens", "gen_ai.usage.audio_output_tokens"),
	attributed("finish_reason_original", "gen_ai.response.finish_reasons", "gen_ai.response.finish_reason"),
	attributed("time_to_first_token_ms", "gen_ai.response.time_to_first_chunk"),
	{field: "time_to_first_token_ms", event: "gen_ai.content.completion.chunk"}, {field: "time_to_first_token_ms", event: "llm.content.completion.chunk"},
	attributed("total_cost", "gen_ai.usage.cost", "gen_ai.usage.total_cost"),
	{field: "model_parameters", prefix: "gen_ai.request."},
	attributed("input", "gen_ai.tool.call.arguments", "gen_ai.input.messages"), attributed("output", "gen_ai.tool.call.result", "gen_ai.output.messages"),
}

// originsOf are what each dialect reads beside, or before, what it shares with others.
var originsOf = map[string][]origin{
	"mlflow": slices.Concat(
		insideOf("mlflow.spanOutputs", append([]string{"model", "response_id", "finish_reason_original", "service_tier"}, countFields...)...),
		insideOf("mlflow.chat.tokenUsage", countFields...),
		insideOf("mlflow.spanInputs", "requested_model", "requested_service_tier"),
		[]origin{
			attributed("requested_model", "mlflow.llm.model"), attributed("provider", "mlflow.llm.provider"),
			{field: "time_to_first_token_ms", event: "mlflow.chunk.item."},
			attributed("input", "mlflow.spanInputs"), attributed("output", "mlflow.spanOutputs"),
		}),
	"langfuse": slices.Concat(
		insideOf("langfuse.observation.usage_details", append([]string{"service_tier"}, countFields...)...),
		insideOf("langfuse.observation.model.parameters", "requested_service_tier"),
		insideOf("langfuse.observation.cost_details", "total_cost", "input_cost", "output_cost", "cache_read_cost"),
		[]origin{
			attributed("model", "langfuse.observation.model.name"), attributed("model_parameters", "langfuse.observation.model.parameters"),
			attributed("level", "langfuse.observation.level"), attributed("status_message", "langfuse.observation.status_message"),
			attributed("service_tier", "langfuse.observation.metadata.service_tier"),
			attributed("trace_name", "langfuse.trace.name"), attributed("time_to_first_token_ms", "langfuse.observation.completion_start_time"),
			attributed("finish_reason_original", "langfuse.observation.metadata.finish_reason"),
			attributed("input", "langfuse.observation.input"), attributed("output", "langfuse.observation.output"),
			{field: "metadata", prefix: "langfuse.observation.metadata."}, {field: "metadata", prefix: "langfuse.trace.metadata."},
		}),
	"openinference": slices.Concat(
		[]origin{
			attributed("provider", "llm.provider", "llm.system"),
			attributed("model_parameters", "llm.invocation_parameters", "embedding.invocation_parameters"),
			attributed("requested_model", "llm.request.model_name"),
		},
		insideOf("llm.invocation_parameters", "requested_model", "requested_service_tier"), insideOf("embedding.invocation_parameters", "requested_model"),
		insideOf("input.value", "requested_model"), insideOf("output.value", "response_id", "finish_reason_original", "service_tier", "cache_write_1h_tokens"),
		[]origin{
			attributed("model", "llm.response.model_name", "llm.model_name", "embedding.model_name"),
			attributed("prompt_tokens", "llm.token_count.prompt"), attributed("completion_tokens", "llm.token_count.completion"),
			attributed("cache_read_tokens", "llm.token_count.prompt_details.cache_read"),
			attributed("cache_write_tokens", "llm.token_count.prompt_details.cache_write"),
			attributed("reasoning_tokens", "llm.token_count.completion_details.reasoning"),
			attributed("audio_input_tokens", "llm.token_count.prompt_details.audio"),
			attributed("audio_output_tokens", "llm.token_count.completion_details.audio"),
			attributed("total_cost", "llm.cost.total"), attributed("input_cost", "llm.cost.prompt"), attributed("output_cost", "llm.cost.completion"),
			attributed("finish_reason_original", "llm.finish_reason"),
			{field: "time_to_first_token_ms", event: "First Token Stream Event"},
		}),
	"langsmith": slices.Concat(
		insideOf("langsmith.metadata.usage_metadata", append([]string{"service_tier"}, countFields...)...),
		insideOf("gen_ai.usage.input_token_details", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "audio_input_tokens", "service_tier"),
		insideOf("gen_ai.usage.output_token_details", "reasoning_tokens", "audio_output_tokens"),
		[]origin{
			attributed("input", "gen_ai.prompt"), attributed("output", "gen_ai.completion"), {field: "metadata", prefix: "langsmith.metadata."},
		}),
	"logfire": slices.Concat(
		insideOf("gen_ai.usage.raw", "reasoning_tokens", "service_tier", "cache_write_1h_tokens"),
		insideOf("request_data", "requested_service_tier"),
		[]origin{
			attributed("level", "logfire.level_num"), attributed("total_cost", "operation.cost"), attributed("type", "gen_ai.operation.name", "logfire.span_type"),
		}),
	"litellm": slices.Concat(
		insideOf("metadata.usage_object", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "service_tier", "reasoning_tokens", "audio_input_tokens", "audio_output_tokens"),
		[]origin{
			attributed("total_cost", "gen_ai.cost.total_cost"), attributed("input_cost", "gen_ai.cost.input_cost"), attributed("output_cost", "gen_ai.cost.output_cost"),
			attributed("cache_read_cost", "gen_ai.cost.cache_read_cost"), attributed("cache_write_cost", "gen_ai.cost.cache_creation_cost"),
			{field: "metadata", prefix: "metadata."},
		}),
	"vercel": append(append(insideOf("ai.response.providerMetadata", "service_tier", "cache_write_1h_tokens"), insideOf(vercelManagedPrompt, "prompt_name", "prompt_version")...), []origin{
		attributed("type", "ai.operationId"), attributed("name", "ai.toolCall.name"),
		attributed("requested_model", "gen_ai.request.model", "ai.model.id"), attributed("model", "gen_ai.response.model", "ai.response.model"),
		attributed("provider", "gen_ai.provider.name", "gen_ai.system", "ai.model.provider"),
		attributed("response_id", "gen_ai.response.id", "ai.response.id"),
		attributed("prompt_tokens", append(slices.Clone(promptKeys), vercelPromptKeys...)...),
		attributed("completion_tokens", append(slices.Clone(completionKeys), vercelCompletionKeys...)...),
		attributed("cache_read_tokens", vercelReadKeys...), attributed("cache_write_tokens", vercelWriteKeys...),
		attributed("reasoning_tokens", vercelReasoningKeys...),
		attributed("finish_reason_original", "gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "ai.response.finishReason"),
		attributed("time_to_first_token_ms", "ai.response.msToFirstChunk"),
		attributed("session_id", "ai.telemetry.metadata.sessionId"), attributed("user_id", "ai.telemetry.metadata.userId"),
		attributed("input", vercelInputKeys...), attributed("output", vercelOutputKeys...),
		{field: "metadata", prefix: "ai.telemetry.metadata."},
	}...),
	"openlit":   {attributed("environment", "brokle.environment", "langfuse.environment", "deployment.environment")},
	"anthropic": {attributed("finish_reason_original", "gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "anthropic.message.stop_reason")},
	"brokle": {
		attributed("level", "brokle.span.level"), attributed("status", "brokle.status"), attributed("status_message", "brokle.status_message"),
		attributed("input_cost", "brokle.input_cost"), attributed("output_cost", "brokle.output_cost"),
		attributed("cache_read_cost", "brokle.cache_read_cost"), attributed("cache_write_cost", "brokle.cache_write_cost"),
		attributed("token_source", "brokle.token_source"), attributed("cache_write_1h_tokens", "brokle.cache_write_1h_tokens"),
	},
	"genkit": slices.Concat(
		insideOf("genkit:output", "prompt_tokens", "completion_tokens", "cache_read_tokens", "reasoning_tokens", "finish_reason_original"),
		insideOf("genkit:init", "session_id"), insideOf("genkit:output", "session_id"),
		[]origin{
			attributed("type", "genkit:metadata:subtype", "genkit:type"), attributed("requested_model", "genkit:name"), attributed("provider", "genkit:name"),
			attributed("session_id", "genkit:sessionId"), attributed("status", "genkit:state"), attributed("input", "genkit:input"), attributed("output", "genkit:output"),
		}),
	"traceloop": {
		attributed("type", "traceloop.span.kind", "llm.request.type"),
		attributed("input", "traceloop.entity.input"), attributed("output", "traceloop.entity.output"),
		attributed("requested_model", "gen_ai.request.model", "llm.request.model"), attributed("model", "gen_ai.response.model", "llm.response.model"),
		attributed("finish_reason_original", "gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "gen_ai.completion.0.finish_reason"),
	},
}
