package store

import "github.com/brokle-ai/brokle-go"

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
	numSlots
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
	}
	return sNone
}

// form is how the value of a key must be written.
type form uint8

const (
	fID      form = iota // string, 1 to 255 characters; "" counts as absent
	fLabel               // as fID, or a number, kept as its text
	fName                // string, 1 to 1000 characters; "" counts as absent
	fText                // string, number or boolean, kept as its text; "" counts as absent
	fType                // observation type
	fLevel               // one of levels
	fSource              // one of sources
	fTime                // any form of brokle.Timestamp
	fTokens              // whole number from 0 to MaxTokens
	fNumber              // finite number
	fLatency             // as fNumber; a negative one is kept as 0
	fTags                // list, map or one string
	fJSON                // anything
)

// rule says that the value of slot's key, if present, is field, in this form.
type rule struct {
	slot  slot
	field Field
	form  form
}

// The typed fields of each kind, from the table "What the events mean" of the wire contract.
var (
	traceRules = []rule{
		{sName, Name, fName}, {sUserID, UserID, fLabel}, {sSessionID, SessionID, fLabel},
		{sEnvironment, Environment, fLabel}, {sTags, Tags, fTags}, {sVersion, Version, fText},
		{sRelease, Release, fText}, {sParentTraceID, ParentTraceID, fID},
		{sInput, Input, fJSON}, {sOutput, Output, fJSON}, {sMetadata, Metadata, fJSON},
	}
	observationRules = []rule{
		{sName, Name, fName}, {sType, ObservationType, fType}, {sStartTime, StartTime, fTime},
		{sEndTime, EndTime, fTime}, {sLevel, Level, fLevel}, {sStatusMessage, StatusMessage, fText},
		{sVersion, Version, fText}, {sModel, Model, fText}, {sProvider, Provider, fText},
		{sPromptTokens, PromptTokens, fTokens}, {sCompletionTokens, CompletionTokens, fTokens},
		{sTotalTokens, TotalTokens, fTokens}, {sInputCost, InputCost, fNumber},
		{sOutputCost, OutputCost, fNumber}, {sTotalCost, TotalCost, fNumber},
		{sLatencyMS, LatencyMS, fLatency}, {sQualityScore, QualityScore, fNumber},
		{sEnvironment, Environment, fLabel}, {sTags, Tags, fTags}, {sInput, Input, fJSON},
		{sOutput, Output, fJSON}, {sMetadata, Metadata, fJSON}, {sModelParameters, ModelParameters, fJSON},
	}
	scoreRules = []rule{
		{sSource, Source, fSource}, {sEvaluatorName, EvaluatorName, fText},
		{sEvaluatorVersion, EvaluatorVersion, fText}, {sComment, Comment, fText},
		{sAuthorUserID, AuthorUserID, fLabel}, {sEnvironment, Environment, fLabel},
		{sMetadata, Metadata, fJSON},
	}
)

// The limits of typed fields; each is also said in the error's details.
const (
	// MaxNameLength and MaxLabelLength count characters (Unicode code points).
	MaxNameLength  = 1000
	MaxLabelLength = 255
	// MaxTokens is the largest token count: the largest integer that every JSON
	// reader keeps exactly (RFC 8259 section 6), 2^53 − 1.
	MaxTokens = 1<<53 - 1
	// MaxNumber is the largest magnitude of a cost, latency or score: sums and
	// means over any number of events stay finite.
	MaxNumber = 1e100
)

// String is the rule as an error's details say it.
func (f form) String() string {
	switch f {
	case fID:
		return "a string of 1 to 255 characters without NUL"
	case fLabel:
		return "a string of 1 to 255 characters without NUL, or a number"
	case fName:
		return "a string of 1 to 1000 characters"
	case fText:
		return "a string, a number or a boolean"
	case fType:
		return "a string of 1 to 255 characters such as span, llm, generation, event, retrieval, embedding, agent, tool or chain"
	case fLevel:
		return "one of DEBUG, INFO, WARN, ERROR and DEFAULT, in any case"
	case fSource:
		return "one of API, AUTO, HUMAN and EVAL, in any case"
	case fTime:
		return "Unix seconds, milliseconds, microseconds or nanoseconds, or an RFC 3339 string, from 1970 to 9999"
	case fTokens:
		return "a whole number from 0 to 9007199254740991, or a string that holds one"
	case fNumber, fLatency:
		return "a finite number of magnitude at most 1e100, or a string that holds one"
	case fTags:
		return "a list of strings, an object of strings, or a string"
	}
	return "any JSON value"
}

// shape is what a canonical event type means.
func shape(t brokle.EventType) (kind Kind, rank Rank, ok bool) {
	switch t {
	case brokle.TraceCreate:
		return TraceKind, RankCreate, true
	case brokle.TraceUpdate:
		return TraceKind, RankUpdate, true
	case brokle.ObservationCreate:
		return ObservationKind, RankCreate, true
	case brokle.ObservationUpdate:
		return ObservationKind, RankUpdate, true
	case brokle.ObservationComplete:
		return ObservationKind, RankComplete, true
	case brokle.QualityScoreCreate:
		return ScoreKind, RankCreate, true
	case brokle.QualityScoreUpdate:
		return ScoreKind, RankUpdate, true
	case brokle.EventCreate:
		return GenericKind, RankCreate, true
	}
	return 0, 0, false
}
