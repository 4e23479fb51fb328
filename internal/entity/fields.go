package entity

// Field is one typed field of an event: what people filter, sort and sum by,
// and what the fold folds. This table is the only list of them; the warehouse's
// columns, the extraction and the fold all follow it.
type Field uint8

// The typed fields. JSON-typed ones (input, output, metadata, model_parameters)
// stay in the payload: the warehouse keeps a preview of input and output only.
const (
	Name Field = iota
	UserID
	SessionID
	Environment // payload.environment of a trace; Record.Environment is the batch's
	Tags        // list of strings; a map becomes "key:value" strings
	Version
	Release
	ParentTraceID
	TraceID
	ObservationID // the observation a score is about
	ParentObservationID
	ObservationType
	StartTime // explicit only; the inferred one is the event's timestamp
	EndTime   // explicit only
	Level     // upper case
	StatusMessage
	Model
	Provider
	PromptTokens
	CompletionTokens
	TotalTokens
	CacheReadTokens  // part of PromptTokens
	CacheWriteTokens // part of PromptTokens
	ReasoningTokens  // part of CompletionTokens
	AudioInputTokens
	AudioOutputTokens
	RequestedModel // what was asked for; Model is what answered
	FinishReason
	InputCost
	OutputCost
	TotalCost
	LatencyMS
	QualityScore
	Value       // numeric or boolean (0/1) score value
	StringValue // categorical score value
	DataType
	Source
	EvaluatorName
	EvaluatorVersion
	Comment
	AuthorUserID
	Input
	Output
	Metadata
	ModelParameters
	Clear     // names of fields that the event empties before its own values apply
	NumFields // how many there are; not a field
)

// FieldType is how a field's value is held.
type FieldType uint8

// The field types and where a FieldValue holds them.
const (
	Text    FieldType = iota // FieldValue.Text
	Integer                  // FieldValue.Int
	Float                    // FieldValue.Num
	Time                     // FieldValue.Int, microseconds since 1970 UTC
	List                     // FieldValue.List
	JSON                     // FieldValue.Text, raw JSON as sent; never a warehouse column
)

// Type says how f is held.
func (f Field) Type() FieldType { return fieldTable[f].typ }

// String is the field's name on the wire and in the warehouse.
func (f Field) String() string { return fieldTable[f].name }

// FieldNamed is the field of that name on the wire.
func FieldNamed(name string) (Field, bool) {
	for f := range NumFields {
		if fieldTable[f].name == name {
			return f, true
		}
	}
	return 0, false
}

var fieldTable = [NumFields]struct {
	name string
	typ  FieldType
}{
	Name:                {"name", Text},
	UserID:              {"user_id", Text},
	SessionID:           {"session_id", Text},
	Environment:         {"environment", Text},
	Tags:                {"tags", List},
	Version:             {"version", Text},
	Release:             {"release", Text},
	ParentTraceID:       {"parent_trace_id", Text},
	TraceID:             {"trace_id", Text},
	ObservationID:       {"observation_id", Text},
	ParentObservationID: {"parent_observation_id", Text},
	ObservationType:     {"type", Text},
	StartTime:           {"start_time", Time},
	EndTime:             {"end_time", Time},
	Level:               {"level", Text},
	StatusMessage:       {"status_message", Text},
	Model:               {"model", Text},
	Provider:            {"provider", Text},
	PromptTokens:        {"prompt_tokens", Integer},
	CompletionTokens:    {"completion_tokens", Integer},
	TotalTokens:         {"total_tokens", Integer},
	CacheReadTokens:     {"cache_read_tokens", Integer},
	CacheWriteTokens:    {"cache_write_tokens", Integer},
	ReasoningTokens:     {"reasoning_tokens", Integer},
	AudioInputTokens:    {"audio_input_tokens", Integer},
	AudioOutputTokens:   {"audio_output_tokens", Integer},
	RequestedModel:      {"requested_model", Text},
	FinishReason:        {"finish_reason", Text},
	InputCost:           {"input_cost", Float},
	OutputCost:          {"output_cost", Float},
	TotalCost:           {"total_cost", Float},
	LatencyMS:           {"latency_ms", Float},
	QualityScore:        {"quality_score", Float},
	Value:               {"value", Float},
	StringValue:         {"string_value", Text},
	DataType:            {"data_type", Text},
	Source:              {"source", Text},
	EvaluatorName:       {"evaluator_name", Text},
	EvaluatorVersion:    {"evaluator_version", Text},
	Comment:             {"comment", Text},
	AuthorUserID:        {"author_user_id", Text},
	Input:               {"input", JSON},
	Output:              {"output", JSON},
	Metadata:            {"metadata", JSON},
	ModelParameters:     {"model_parameters", JSON},
	Clear:               {"clear", List},
}

// Kind is what an entity is.
type Kind uint8

// The kinds of entity. Generic is an event_create that describes no entity.
const (
	TraceKind Kind = iota + 1
	ObservationKind
	ScoreKind
	GenericKind
)

// Rank orders events of one entity that have the same timestamp.
type Rank uint8

// create < update < complete.
const (
	RankCreate Rank = iota
	RankUpdate
	RankComplete
)

// Fields is what one event says about one entity: the typed fields that are
// present and not null in its payload, in no particular order, each at most once.
type Fields struct {
	Kind     Kind
	Rank     Rank
	EntityID string
	// Content is a hash of the event's type and payload: two events with one id and
	// one Content are one fact, however often they were accepted.
	Content uint64
	Values  []FieldValue
	// Notes say what of the payload was left out or read otherwise than it was written, in
	// sentences for people; nil for nearly every event. They repeat no value.
	Notes []string
}

// FieldValue is one present field. Which member holds the value follows from
// Field.Type.
type FieldValue struct {
	Field Field
	Int   int64
	Num   float64
	Text  string
	List  []string
}

// Get returns the value of f, or false when the event does not carry it.
func (fs *Fields) Get(f Field) (FieldValue, bool) {
	for i := range fs.Values {
		if fs.Values[i].Field == f {
			return fs.Values[i], true
		}
	}
	return FieldValue{}, false
}
