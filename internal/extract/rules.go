package extract

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// form is how the value of a key must be written.
type form uint8

const (
	fID       form = iota // string, 1 to 255 characters; "" counts as absent
	fLabel                // as fID, or a number, kept as its text
	fName                 // string, 1 to 1000 characters; "" counts as absent
	fText                 // string, number or boolean, kept as its text; "" counts as absent
	fType                 // observation type
	fSeverity             // a level as loggers write them, see levelOf
	fFinish               // a finish reason, see finishReason
	fSource               // one of sources
	fTime                 // any form of brokle.Timestamp
	fTokens               // whole number from 0 to MaxTokens
	fNumber               // finite number
	fLatency              // as fNumber, from 0
	fTags                 // list, map or one string
	fJSON                 // anything
)

// rule says that the value of slot's key, if present, is field, in this form.
type rule struct {
	slot  slot
	field entity.Field
	form  form
}

// The typed fields of each kind, from the table "What the events mean" of the wire contract,
// without ids and names.
var (
	traceRules = []rule{
		{sUserID, entity.UserID, fLabel}, {sSessionID, entity.SessionID, fLabel},
		{sEnvironment, entity.Environment, fLabel}, {sTags, entity.Tags, fTags}, {sVersion, entity.Version, fText},
		{sRelease, entity.Release, fText}, {sParentTraceID, entity.ParentTraceID, fID},
		{sInput, entity.Input, fJSON}, {sOutput, entity.Output, fJSON}, {sMetadata, entity.Metadata, fJSON},
	}
	observationRules = []rule{
		{sType, entity.ObservationType, fType}, {sStartTime, entity.StartTime, fTime},
		{sEndTime, entity.EndTime, fTime}, {sLevel, entity.Level, fSeverity}, {sStatusMessage, entity.StatusMessage, fText},
		{sVersion, entity.Version, fText}, {sModel, entity.Model, fText}, {sProvider, entity.Provider, fText},
		{sPromptTokens, entity.PromptTokens, fTokens}, {sCompletionTokens, entity.CompletionTokens, fTokens},
		{sTotalTokens, entity.TotalTokens, fTokens}, {sInputCost, entity.InputCost, fNumber},
		{sOutputCost, entity.OutputCost, fNumber}, {sTotalCost, entity.TotalCost, fNumber},
		{sUserID, entity.UserID, fLabel}, {sSessionID, entity.SessionID, fLabel},
		{sLatencyMS, entity.LatencyMS, fLatency}, {sQualityScore, entity.QualityScore, fNumber},
		{sEnvironment, entity.Environment, fLabel}, {sTags, entity.Tags, fTags}, {sInput, entity.Input, fJSON},
		{sOutput, entity.Output, fJSON}, {sMetadata, entity.Metadata, fJSON}, {sModelParameters, entity.ModelParameters, fJSON},
	}
	// rareRules are more of an observation's: of keys from firstRare on.
	rareRules = []rule{
		{sCacheReadTokens, entity.CacheReadTokens, fTokens}, {sCacheWriteTokens, entity.CacheWriteTokens, fTokens},
		{sReasoningTokens, entity.ReasoningTokens, fTokens}, {sAudioInputTokens, entity.AudioInputTokens, fTokens},
		{sAudioOutputTokens, entity.AudioOutputTokens, fTokens}, {sRequestedModel, entity.RequestedModel, fText},
		{sFinishReason, entity.FinishReason, fFinish},
	}
	scoreRules = []rule{
		{sSource, entity.Source, fSource}, {sEvaluatorName, entity.EvaluatorName, fText},
		{sEvaluatorVersion, entity.EvaluatorVersion, fText}, {sComment, entity.Comment, fText},
		{sAuthorUserID, entity.AuthorUserID, fLabel}, {sEnvironment, entity.Environment, fLabel},
		{sMetadata, entity.Metadata, fJSON},
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
	case fSeverity:
		return "one of DEBUG, INFO, WARN, ERROR and DEFAULT, or a word or number that means one of them to every logger"
	case fFinish:
		return "a string such as stop, length, tool_calls, content_filter or error"
	case fSource:
		return "one of API, AUTO, HUMAN and EVAL, in any case"
	case fTime:
		return "Unix seconds, milliseconds, microseconds or nanoseconds, or a text such as RFC 3339, from 1970 to 9999"
	case fTokens:
		return "a whole number from 0 to 9007199254740991, or a string that holds one"
	case fNumber:
		return "a finite number of magnitude at most 1e100, or a string that holds one"
	case fLatency:
		return "a number from 0 to 1e100, or a string that holds one"
	case fTags:
		return "a list of strings, an object of strings, or a string"
	}
	return "any JSON value"
}
