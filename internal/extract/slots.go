package extract

// slot is a payload key that Extract looks at.
type slot uint8

const (
	sNone slot = iota
	sID
	sName
	sUserID
	sSessionID
	sEnvironment
	sTags
	sVersion
	sRelease
	sParentTraceID
	sTraceID
	sExternalTraceID
	sObservationID
	sExternalObservationID
	sSpanID
	sScoreID
	sParentObservationID
	sParentSpanID
	sType
	sStartTime
	sEndTime
	sLevel
	sStatusMessage
	sModel
	sProvider
	sPromptTokens
	sCompletionTokens
	sTotalTokens
	sInputCost
	sOutputCost
	sTotalCost
	sLatencyMS
	sQualityScore
	sUsage
	sScoreName
	sValue
	sScoreValue
	sStringValue
	sDataType
	sSource
	sEvaluatorName
	sEvaluatorVersion
	sComment
	sAuthorUserID
	sInput
	sOutput
	sMetadata
	sModelParameters
	sStatus
	sAttributes
	sOperation
	sMethod
	sEndpoint
	sResponseAttributes
	sRequestAttributes
	sDurationMS
	sTimestamp
	sSuccess
	sError
	sErrorType
	sErrorMessage
	sUsageDetails
	sUsageMetadata
	sUsageMetadataCamel
	sCacheReadTokens
	sCacheWriteTokens
	sReasoningTokens
	sAudioInputTokens
	sAudioOutputTokens
	sRequestedModel
	sFinishReason
	sClear
	numSlots

	firstRare = sStatus
)

var slotKeys = [numSlots]string{
	sID: "id", sName: "name", sUserID: "user_id", sSessionID: "session_id", sEnvironment: "environment",
	sTags: "tags", sVersion: "version", sRelease: "release", sParentTraceID: "parent_trace_id",
	sTraceID: "trace_id", sExternalTraceID: "external_trace_id", sObservationID: "observation_id",
	sExternalObservationID: "external_observation_id", sSpanID: "span_id", sScoreID: "score_id",
	sParentObservationID: "parent_observation_id", sParentSpanID: "parent_span_id", sType: "type",
	sStartTime: "start_time", sEndTime: "end_time", sLevel: "level", sStatusMessage: "status_message",
	sModel: "model", sProvider: "provider", sPromptTokens: "prompt_tokens",
	sCompletionTokens: "completion_tokens", sTotalTokens: "total_tokens", sInputCost: "input_cost",
	sOutputCost: "output_cost", sTotalCost: "total_cost", sLatencyMS: "latency_ms",
	sQualityScore: "quality_score", sUsage: "usage", sScoreName: "score_name", sValue: "value",
	sScoreValue: "score_value", sStringValue: "string_value", sDataType: "data_type", sSource: "source",
	sEvaluatorName: "evaluator_name", sEvaluatorVersion: "evaluator_version", sComment: "comment",
	sAuthorUserID: "author_user_id", sInput: "input", sOutput: "output", sMetadata: "metadata",
	sModelParameters: "model_parameters",
	sStatus:          "status", sAttributes: "attributes", sOperation: "operation",
	sMethod: "method", sEndpoint: "endpoint", sResponseAttributes: "response_attributes",
	sRequestAttributes: "request_attributes", sDurationMS: "duration_ms", sTimestamp: "timestamp",
	sSuccess: "success", sError: "error", sErrorType: "error_type",
	sErrorMessage: "error_message", sUsageDetails: "usage_details", sUsageMetadata: "usage_metadata",
	sUsageMetadataCamel: "usageMetadata", sCacheReadTokens: "cache_read_tokens", sCacheWriteTokens: "cache_write_tokens",
	sReasoningTokens: "reasoning_tokens", sAudioInputTokens: "audio_input_tokens", sAudioOutputTokens: "audio_output_tokens",
	sRequestedModel: "requested_model", sFinishReason: "finish_reason", sClear: "clear",
}

// slotOf is written as a switch because the compiler turns it into a binary
// search without hashing or allocating.
func slotOf(key []byte) slot {
	switch string(key) {
	case "id":
		return sID
	case "name":
		return sName
	case "user_id":
		return sUserID
	case "session_id":
		return sSessionID
	case "environment":
		return sEnvironment
	case "tags":
		return sTags
	case "version":
		return sVersion
	case "release":
		return sRelease
	case "parent_trace_id":
		return sParentTraceID
	case "trace_id":
		return sTraceID
	case "external_trace_id":
		return sExternalTraceID
	case "observation_id":
		return sObservationID
	case "external_observation_id":
		return sExternalObservationID
	case "span_id":
		return sSpanID
	case "score_id":
		return sScoreID
	case "parent_observation_id":
		return sParentObservationID
	case "parent_span_id":
		return sParentSpanID
	case "type":
		return sType
	case "start_time":
		return sStartTime
	case "end_time":
		return sEndTime
	case "level":
		return sLevel
	case "status_message":
		return sStatusMessage
	case "model":
		return sModel
	case "provider":
		return sProvider
	case "prompt_tokens":
		return sPromptTokens
	case "completion_tokens":
		return sCompletionTokens
	case "total_tokens":
		return sTotalTokens
	case "input_cost":
		return sInputCost
	case "output_cost":
		return sOutputCost
	case "total_cost":
		return sTotalCost
	case "latency_ms":
		return sLatencyMS
	case "quality_score":
		return sQualityScore
	case "usage":
		return sUsage
	case "score_name":
		return sScoreName
	case "value":
		return sValue
	case "score_value":
		return sScoreValue
	case "string_value":
		return sStringValue
	case "data_type":
		return sDataType
	case "source":
		return sSource
	case "evaluator_name":
		return sEvaluatorName
	case "evaluator_version":
		return sEvaluatorVersion
	case "comment":
		return sComment
	case "author_user_id":
		return sAuthorUserID
	case "input":
		return sInput
	case "output":
		return sOutput
	case "metadata":
		return sMetadata
	case "model_parameters":
		return sModelParameters
	case "status":
		return sStatus
	case "attributes":
		return sAttributes
	case "operation":
		return sOperation
	case "method":
		return sMethod
	case "endpoint":
		return sEndpoint
	case "response_attributes":
		return sResponseAttributes
	case "request_attributes":
		return sRequestAttributes
	case "duration_ms":
		return sDurationMS
	case "timestamp":
		return sTimestamp
	case "success":
		return sSuccess
	case "error":
		return sError
	case "error_type":
		return sErrorType
	case "error_message":
		return sErrorMessage
	case "usage_details":
		return sUsageDetails
	case "usage_metadata":
		return sUsageMetadata
	case "usageMetadata":
		return sUsageMetadataCamel
	case "cache_read_tokens":
		return sCacheReadTokens
	case "cache_write_tokens":
		return sCacheWriteTokens
	case "reasoning_tokens":
		return sReasoningTokens
	case "audio_input_tokens":
		return sAudioInputTokens
	case "audio_output_tokens":
		return sAudioOutputTokens
	case "requested_model":
		return sRequestedModel
	case "finish_reason":
		return sFinishReason
	case "clear":
		return sClear
	}
	return sNone
}
