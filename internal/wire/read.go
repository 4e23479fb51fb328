package wire

import (
	"encoding/json"
	"time"
)

// TraceSummary is one row of GET /v1/traces: the fold of a trace and of what belongs to it.
type TraceSummary struct {
	ID               string     `json:"id"`
	Name             string     `json:"name"`
	UserID           string     `json:"user_id"`
	SessionID        string     `json:"session_id"`
	Environment      string     `json:"environment"`
	KeyID            string     `json:"key_id"` // of the key that brought it, not its secret; "" when that is not known
	Tags             []string   `json:"tags"`
	StartTime        time.Time  `json:"start_time"`
	EndTime          *time.Time `json:"end_time"`                 // nil while nothing in it has ended
	LatencyMS        *float64   `json:"latency_ms"`               // end − start; nil without an end
	LatencyReason    string     `json:"latency_reason,omitempty"` // why there is an end and no latency
	ObservationCount int64      `json:"observation_count"`
	ErrorCount       int64      `json:"error_count"`    // observations of level ERROR
	InnerErrors      int64      `json:"inner_errors"`   // of them, those below the one that the trace has its status from
	Status           string     `json:"status"`         // ok, error or aborted: what the trace says itself, else that of the outermost observation
	UnpricedCount    int64      `json:"unpriced_count"` // calls of a model whose cost is not known
	TotalTokens      int64      `json:"total_tokens"`   // of the observations that are counted
	// TotalCost is the same, exactly added, in the currency the client used, usually USD; nil when no cost in it is known.
	TotalCost *float64       `json:"total_cost"`
	Scores    map[string]any `json:"scores"` // name → mean of the numeric values, else the last text
	Models    []string       `json:"models"` // distinct, sorted
	// InputPreview and OutputPreview are the first characters of what went in and came out, Highlights where the words of a search are: in lists that were asked for previews.
	InputPreview  string      `json:"input_preview,omitempty"`
	OutputPreview string      `json:"output_preview,omitempty"`
	Highlights    []Highlight `json:"highlights,omitempty"`
}

// Highlight is a text of a row in which words were found that were searched for, with what stands around them.
type Highlight struct {
	Field    string    `json:"field"` // name, input, output, status_message, tags, metadata or attributes
	Segments []Segment `json:"segments"`
}

// Segment is a part of a text.
type Segment struct {
	Text  string `json:"text"`
	Match bool   `json:"match,omitempty"` // it is a word that was searched for
}

// Trace is one folded trace with what belongs to it: GET /v1/traces/{id}.
type Trace struct {
	TraceSummary
	Version       string          `json:"version,omitempty"`
	Release       string          `json:"release,omitempty"`
	ParentTraceID string          `json:"parent_trace_id,omitempty"`
	Metadata      json.RawMessage `json:"metadata"` // merged key by key; null when never sent
	Input         json.RawMessage `json:"input"`
	Output        json.RawMessage `json:"output"`
	StatusMessage string          `json:"status_message,omitempty"` // what the trace says of itself, as the next
	ErrorType     string          `json:"error_type,omitempty"`
	Observations  []*Observation  `json:"observations"` // the roots; children hang below
	ScoreList     []Score         `json:"score_list"`   // every score of the trace and its observations
	// Clear names fields that an update empties before its own values apply: see the option
	// Clear. No answer has it.
	Clear []string `json:"clear,omitempty"`
}

// Observation is one folded observation: a generation, a span, a tool call, … Its id is
// its own within its trace. A number that is not known is nil.
type Observation struct {
	ID                  string     `json:"id"`
	TraceID             string     `json:"trace_id"`
	ParentObservationID string     `json:"parent_observation_id"`
	Type                string     `json:"type"`
	Name                string     `json:"name"`
	Environment         string     `json:"environment"`
	KeyID               string     `json:"key_id"` // of the key that brought it, not its secret; "" when that is not known
	StartTime           time.Time  `json:"start_time"`
	StartTimeInferred   bool       `json:"start_time_inferred"` // from an event's timestamp, not sent
	EndTime             *time.Time `json:"end_time"`
	LatencyMS           *float64   `json:"latency_ms"`
	LatencyReason       string     `json:"latency_reason,omitempty"` // why there is an end and no latency
	Level               string     `json:"level"`
	StatusMessage       string     `json:"status_message"`
	Version             string     `json:"version"`
	Model               string     `json:"model"`           // what answered
	RequestedModel      string     `json:"requested_model"` // what was asked for
	Provider            string     `json:"provider"`
	// ServiceTier is what the answer says: batch, flex, priority, fast or standard; another word as it was sent. "" when nobody said.
	ServiceTier string `json:"service_tier"`
	// RequestedServiceTier is what was asked for. It counts when ServiceTier is "".
	RequestedServiceTier string `json:"requested_service_tier"`
	// PromptName is the name of the prompt that the input was made from, as GET /v1/prompts has it; "" when nobody said.
	PromptName string `json:"prompt_name"`
	// PromptVersion is its version: a number, or "fallback" for the text that was compiled in.
	PromptVersion string `json:"prompt_version"`
	ResponseID    string `json:"response_id"`   // the provider's name of its answer
	FinishReason  string `json:"finish_reason"` // stop, length, tool_calls, content_filter or error; another word as it was sent
	// FinishReasonOriginal is the provider's own word, where it was sent.
	FinishReasonOriginal string `json:"finish_reason_original"`
	// Status is ok, error, or aborted: the reader of a stream left it.
	Status             string `json:"status"`
	ErrorType          string `json:"error_type"`        // the class of the error, without its module
	PromptTokens       *int64 `json:"prompt_tokens"`     // with those read from and written to a cache
	CompletionTokens   *int64 `json:"completion_tokens"` // with those of reasoning
	TotalTokens        *int64 `json:"total_tokens"`      // the sum of both; what was sent when one is not known
	CacheReadTokens    *int64 `json:"cache_read_tokens"`
	CacheWriteTokens   *int64 `json:"cache_write_tokens"`
	CacheWrite1hTokens *int64 `json:"cache_write_1h_tokens"` // of the cache writes, kept for an hour
	ReasoningTokens    *int64 `json:"reasoning_tokens"`
	AudioInputTokens   *int64 `json:"audio_input_tokens"`
	AudioOutputTokens  *int64 `json:"audio_output_tokens"`
	// TokenSource says where the counts come from: reported, estimated (by the library that sent them) or none.
	TokenSource    string   `json:"token_source"`
	InputCost      *float64 `json:"input_cost"` // in USD, as all costs
	CacheReadCost  *float64 `json:"cache_read_cost"`
	CacheWriteCost *float64 `json:"cache_write_cost"`
	OutputCost     *float64 `json:"output_cost"`
	TotalCost      *float64 `json:"total_cost"`
	// CostSource says where the costs come from: reported (by the client), computed (from the tokens, by the price that was valid) or none.
	CostSource string `json:"cost_source"`
	// CostReason says why a call of a model has no cost, or why a cost that was sent does not count.
	CostReason         string   `json:"cost_reason,omitempty"`
	TimeToFirstTokenMS *float64 `json:"time_to_first_token_ms"`
	// DuplicateOf is the observation that reports the same call of a provider and is kept in its
	// place; "" when it is the one, or the only one. It may be in another trace.
	DuplicateOf      string `json:"duplicate_of"`
	DuplicateOfTrace string `json:"duplicate_of_trace"`
	// Source says how the observation came.
	Source *ObservationSource `json:"source,omitempty"`
	// Counted is false when tokens or a cost of it are left out of sums, because they
	// stand for those of what hangs below it.
	Counted         bool            `json:"counted"`
	QualityScore    *float64        `json:"quality_score"`
	Tags            []string        `json:"tags"`
	InputPreview    string          `json:"input_preview"`        // the first characters; lists have no payload
	OutputPreview   string          `json:"output_preview"`       // the same
	Highlights      []Highlight     `json:"highlights,omitempty"` // in lists that were asked for previews: where the words of a search are
	ModelParameters json.RawMessage `json:"model_parameters,omitempty"`
	Usage           json.RawMessage `json:"usage,omitempty"`      // an object: what was counted beside the tokens above
	Attributes      json.RawMessage `json:"attributes,omitempty"` // an object, merged key by key
	Metadata        json.RawMessage `json:"metadata,omitempty"`
	Input           json.RawMessage `json:"input,omitempty"`
	Output          json.RawMessage `json:"output,omitempty"`
	// MessagesIn and MessagesOut are what went in and came out in one shape, whichever client sent it:
	// lists of messages, each with a role and parts; nil where neither input nor output has messages.
	MessagesIn  json.RawMessage `json:"messages_in,omitempty"`
	MessagesOut json.RawMessage `json:"messages_out,omitempty"`
	Tools       json.RawMessage `json:"tools,omitempty"`    // a list: what was offered to the model
	Resource    json.RawMessage `json:"resource,omitempty"` // an object: of a span of OpenTelemetry
	Events      json.RawMessage `json:"events,omitempty"`   // a list, each with name, time and attributes
	Links       json.RawMessage `json:"links,omitempty"`    // a list, each with trace_id, span_id and attributes
	Children    []*Observation  `json:"children,omitempty"`
	// Ambiguous says that other traces have an observation of this id, that the request
	// named none, and that this is the newest.
	Ambiguous bool `json:"ambiguous,omitempty"`
	// Clear names fields that an update empties before its own values apply: see the option
	// Clear. No answer has it.
	Clear []string `json:"clear,omitempty"`
}

// ObservationSource says how an observation came.
type ObservationSource struct {
	Door         string `json:"door"`          // brokle, otlp or langfuse
	Scope        string `json:"scope"`         // the instrumentation
	ScopeVersion string `json:"scope_version"` // and its version
	SDK          string `json:"sdk"`           // with its version
}

// ObservationEvent is one of the events that an observation, a trace or a score was
// folded from: a row of GET /v1/observations/{id}/history, and of the others.
type ObservationEvent struct {
	EventID     string          `json:"event_id"`
	EventType   EventType       `json:"event_type"`
	Timestamp   time.Time       `json:"timestamp"`   // what the client said
	ReceivedAt  time.Time       `json:"received_at"` // when the server had it
	BatchID     string          `json:"batch_id"`
	Environment string          `json:"environment"`      // of the batch
	KeyID       string          `json:"key_id,omitempty"` // of the key that brought the batch; absent when that is not known
	Payload     json.RawMessage `json:"payload"`
}

// Score is one folded quality score.
type Score struct {
	ID               string          `json:"id"`
	TraceID          string          `json:"trace_id"`
	ObservationID    string          `json:"observation_id"`
	Name             string          `json:"name"`
	Value            *float64        `json:"value"`        // NUMERIC and BOOLEAN (0 or 1); nil for CATEGORICAL
	StringValue      string          `json:"string_value"` // CATEGORICAL
	DataType         string          `json:"data_type"`
	Source           string          `json:"source"`
	EvaluatorName    string          `json:"evaluator_name"`
	EvaluatorVersion string          `json:"evaluator_version"`
	Comment          string          `json:"comment"`
	AuthorUserID     string          `json:"author_user_id"`
	Environment      string          `json:"environment"`
	KeyID            string          `json:"key_id"`    // of the key that brought it, not its secret; "" when that is not known
	Timestamp        time.Time       `json:"timestamp"` // of its first event
	Metadata         json.RawMessage `json:"metadata,omitempty"`
	// Clear names fields that an update empties before its own values apply: see the option
	// Clear. No answer has it.
	Clear []string `json:"clear,omitempty"`
}

// Page is what every list answers: the rows, and where to go on.
type Page[T any] struct {
	Data []T `json:"data"`
	// NextCursor is nil on the last page. It is opaque.
	NextCursor *string `json:"next_cursor"`
}

// StatRow is one row of GET /v1/stats: "time" when an interval was asked for,
// then a key for each group_by and for each metric.
type StatRow map[string]any

// StoredEvent is an event as the server keeps it, with what the server knows of
// it: a row of GET /v1/telemetry/events.
type StoredEvent = ObservationEvent
