package entity

// Field is one field of an event or of the rows that events fold into: its place in the
// table below, which is the only list of them. Extraction, the fold, the warehouse's columns
// and what a list can be sorted and grouped by all follow it. A new field is a row
// there and a member of the struct that shows it (package wire, json tag of the same name);
// only a field that code must speak of needs a name here.
type Field uint8

// The fields that code speaks of.
const (
	Name Field = iota
	UserID
	SessionID
	Environment // of a payload; Record.Environment is the batch's
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
	Model // what answered
	Provider
	PromptTokens
	CompletionTokens
	TotalTokens
	CacheReadTokens    // part of PromptTokens
	CacheWriteTokens   // part of PromptTokens
	CacheWrite1hTokens // part of CacheWriteTokens: those that are kept for an hour
	ReasoningTokens    // part of CompletionTokens
	AudioInputTokens
	AudioOutputTokens
	RequestedModel       // what was asked for
	ServiceTier          // what the answer says
	RequestedServiceTier // what was asked for
	PromptName           // of the prompt that the input was made from
	PromptVersion        // its version
	ResponseID           // the provider's name of its answer
	FinishReason
	FinishReasonOriginal // the provider's own word
	Status               // ok, error or aborted
	ErrorType            // without its module
	TokenSource          // reported, estimated or none
	TimeToFirstToken     // milliseconds after the start
	FirstTokenAt         // the same as a time, for clients that say that
	InputCost
	OutputCost
	CacheReadCost  // part of InputCost
	CacheWriteCost // part of InputCost
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
	Usage      // object of the counts that a client names and no field has
	Attributes // object
	TraceName  // of the trace, said by one of its observations
	TraceInput // the same
	TraceOutput
	Door  // by which it came: brokle, otlp or langfuse
	Scope // the instrumentation's
	ScopeVersion
	SDK       // and its version
	PromptKey // a hash of what went in: equal prompts have equal ones
	Twin      // what else tells whether two observations are one call: see Twins
	KeyID     // of the key that brought it: no payload says it, the Log knows it (Record.KeyID)
	Clear     // names of fields that the event empties before its own values apply
	ID
)

// ownDoor is the door of our own events.
const ownDoor = "brokle"

// NumFields is how many fields there are.
const NumFields = Field(len(table))

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
	Flag                     // of rows only: no event says one
	Order                    // a number of rows only, for who compares them: nobody is shown it
)

// Rule is how the values that several events have of a field become one.
type Rule uint8

// The rules. Where the fold does more, fold.go says so.
const (
	Last   Rule = iota // the last value
	Merge              // JSON objects key by key: see FoldMetadata
	Unite              // a list: all elements, distinct, sorted bytewise
	Append             // a list: all elements, in the order of the fold
	First              // a text: the first value
)

// kinds is a set of kinds.
type kinds uint8

const (
	ofTrace       kinds = 1 << TraceKind
	ofObservation kinds = 1 << ObservationKind
	ofScore       kinds = 1 << ScoreKind
	ofAny               = ofTrace | ofObservation | ofScore
)

func (k kinds) has(kind Kind) bool { return k&(1<<kind) != 0 }

var table = [...]struct {
	name  string    // on the wire and in the warehouse
	held  FieldType // how
	form  Form      // how a payload writes it
	said  kinds     // whose events say it
	core  kinds     // of these, whose events are nothing without it: no update empties it
	kept  kinds     // whose rows in the warehouse have it as a column
	group bool      // statistics can be grouped by that column
	rule  Rule
	// absent is the text of a field that no event says.
	absent string
	// keys are further keys of a payload, in the order in which they count behind the name.
	keys []string
}{
	Name:                 {name: "name", said: ofAny, core: ofScore, kept: ofAny, group: true},
	UserID:               {name: "user_id", form: LabelForm, said: ofTrace | ofObservation, kept: ofTrace | ofObservation, group: true},
	SessionID:            {name: "session_id", form: LabelForm, said: ofTrace | ofObservation, kept: ofTrace | ofObservation, group: true},
	Environment:          {name: "environment", form: LabelForm, said: ofAny, kept: ofAny, group: true},
	Tags:                 {name: "tags", held: List, form: TagsForm, said: ofTrace | ofObservation, kept: ofTrace | ofObservation, rule: Unite},
	Version:              {name: "version", form: TextForm, said: ofTrace | ofObservation, kept: ofTrace | ofObservation, group: true},
	Release:              {name: "release", form: TextForm, said: ofTrace | ofObservation, kept: ofTrace | ofObservation, group: true},
	ParentTraceID:        {name: "parent_trace_id", form: IDForm, said: ofTrace},
	TraceID:              {name: "trace_id", said: ofAny &^ ofTrace, core: ofAny, kept: ofAny &^ ofTrace, group: true, keys: []string{"external_trace_id"}},
	ObservationID:        {name: "observation_id", said: ofScore, core: ofScore, kept: ofScore, keys: []string{"external_observation_id", "span_id"}},
	ParentObservationID:  {name: "parent_observation_id", form: IDForm, said: ofObservation, kept: ofObservation, keys: []string{"parent_span_id"}},
	ObservationType:      {name: "type", form: TypeForm, said: ofObservation, kept: ofObservation, group: true, absent: "span"},
	StartTime:            {name: "start_time", held: Time, form: TimeForm, said: ofObservation, kept: ofTrace | ofObservation},
	EndTime:              {name: "end_time", held: Time, form: TimeForm, said: ofObservation, kept: ofTrace | ofObservation},
	Level:                {name: "level", form: LevelForm, said: ofObservation, kept: ofObservation, group: true, absent: "DEFAULT"},
	StatusMessage:        {name: "status_message", form: TextForm, said: ofTrace | ofObservation, kept: ofObservation},
	Model:                {name: "model", form: TextForm, said: ofObservation, kept: ofObservation, group: true},
	Provider:             {name: "provider", form: TextForm, said: ofObservation, kept: ofObservation, group: true},
	PromptTokens:         {name: "prompt_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	CompletionTokens:     {name: "completion_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	TotalTokens:          {name: "total_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofTrace | ofObservation},
	CacheReadTokens:      {name: "cache_read_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	CacheWriteTokens:     {name: "cache_write_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	CacheWrite1hTokens:   {name: "cache_write_1h_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	ReasoningTokens:      {name: "reasoning_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	AudioInputTokens:     {name: "audio_input_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	AudioOutputTokens:    {name: "audio_output_tokens", held: Integer, form: TokensForm, said: ofObservation, kept: ofObservation},
	RequestedModel:       {name: "requested_model", form: TextForm, said: ofObservation, kept: ofObservation},
	ServiceTier:          {name: "service_tier", form: TierForm, said: ofObservation, kept: ofObservation, group: true},
	RequestedServiceTier: {name: "requested_service_tier", form: TierForm, said: ofObservation, kept: ofObservation},
	FinishReason:         {name: "finish_reason", form: FinishForm, said: ofObservation, kept: ofObservation},
	PromptName:           {name: "prompt_name", form: LabelForm, said: ofObservation, kept: ofObservation, group: true},
	PromptVersion:        {name: "prompt_version", form: LabelForm, said: ofObservation, kept: ofObservation, group: true},
	ResponseID:           {name: "response_id", form: TextForm, said: ofObservation, kept: ofObservation},
	FinishReasonOriginal: {name: "finish_reason_original", form: TextForm, said: ofObservation, kept: ofObservation},
	Status:               {name: "status", said: ofTrace | ofObservation, kept: ofTrace | ofObservation, group: true},
	ErrorType:            {name: "error_type", form: TextForm, said: ofTrace | ofObservation, kept: ofObservation, group: true},
	TokenSource:          {name: "token_source", said: ofObservation, kept: ofObservation, group: true},
	TimeToFirstToken:     {name: "time_to_first_token_ms", held: Float, form: LatencyForm, said: ofObservation, kept: ofObservation},
	FirstTokenAt:         {name: "completion_start_time", held: Time, form: TimeForm, said: ofObservation},
	CacheReadCost:        {name: "cache_read_cost", held: Float, form: CostForm, said: ofObservation, kept: ofObservation},
	CacheWriteCost:       {name: "cache_write_cost", held: Float, form: CostForm, said: ofObservation, kept: ofObservation},
	InputCost:            {name: "input_cost", held: Float, form: CostForm, said: ofObservation, kept: ofObservation},
	OutputCost:           {name: "output_cost", held: Float, form: CostForm, said: ofObservation, kept: ofObservation},
	TotalCost:            {name: "total_cost", held: Float, form: CostForm, said: ofObservation, kept: ofTrace | ofObservation},
	LatencyMS:            {name: "latency_ms", held: Float, form: LatencyForm, said: ofObservation, kept: ofTrace | ofObservation},
	QualityScore:         {name: "quality_score", held: Float, form: NumberForm, said: ofObservation, kept: ofObservation},
	Value:                {name: "value", held: Float, said: ofScore, core: ofScore, kept: ofScore, keys: []string{"score_value"}},
	StringValue:          {name: "string_value", said: ofScore, core: ofScore, kept: ofScore, group: true},
	DataType:             {name: "data_type", said: ofScore, core: ofScore, kept: ofScore, group: true},
	Source:               {name: "source", form: SourceForm, said: ofScore, kept: ofScore, group: true},
	EvaluatorName:        {name: "evaluator_name", form: TextForm, said: ofScore, kept: ofScore, group: true},
	EvaluatorVersion:     {name: "evaluator_version", form: TextForm, said: ofScore, kept: ofScore, group: true},
	Comment:              {name: "comment", form: TextForm, said: ofScore, kept: ofScore},
	AuthorUserID:         {name: "author_user_id", form: LabelForm, said: ofScore, kept: ofScore},
	Input:                {name: "input", held: JSON, form: JSONForm, said: ofTrace | ofObservation},
	Output:               {name: "output", held: JSON, form: JSONForm, said: ofTrace | ofObservation},
	Metadata:             {name: "metadata", held: JSON, form: JSONForm, said: ofAny, rule: Merge},
	ModelParameters:      {name: "model_parameters", held: JSON, form: JSONForm, said: ofObservation},
	Usage:                {name: "usage", held: JSON, said: ofObservation, rule: Merge},
	Attributes:           {name: "attributes", held: JSON, said: ofObservation, rule: Merge},
	TraceName:            {name: "trace_name", said: ofObservation, kept: ofObservation},
	TraceInput:           {name: "trace_input", held: JSON, said: ofObservation},
	TraceOutput:          {name: "trace_output", held: JSON, said: ofObservation},
	Door:                 {name: "door", said: ofObservation, kept: ofObservation, group: true, absent: ownDoor},
	Scope:                {name: "scope", said: ofObservation, kept: ofObservation, group: true},
	ScopeVersion:         {name: "scope_version", said: ofObservation, kept: ofObservation},
	SDK:                  {name: "sdk", said: ofObservation, kept: ofObservation, group: true},
	PromptKey:            {name: "prompt_key", said: ofObservation, kept: ofObservation},
	Twin:                 {name: "twin", said: ofObservation, kept: ofObservation},
	KeyID:                {name: "key_id", said: ofAny, core: ofAny, kept: ofAny, group: true, rule: First},
	Clear:                {name: "clear", held: List, said: ofAny, core: ofAny},
	ID:                   {name: "id", kept: ofAny},

	// What only the fold says.
	{name: "cost_source", kept: ofObservation, group: true},
	{name: "cost_reason", kept: ofObservation, group: true},
	{name: "duplicate_of", kept: ofObservation},
	{name: "duplicate_of_trace", kept: ofObservation},
	{name: "inner_errors", held: Integer, kept: ofTrace},
	{name: "unpriced_count", held: Integer, kept: ofTrace},
	{name: "newest", held: Flag, kept: ofObservation},
	{name: "newness", held: Order, kept: ofObservation},
	{name: "floating", held: Flag, kept: ofObservation},
	{name: "start_time_inferred", held: Flag, kept: ofObservation},
	{name: "latency_reason", kept: ofTrace | ofObservation},
	{name: "counts_tokens", held: Flag, kept: ofObservation},
	{name: "counts_cost", held: Flag, kept: ofObservation},
	{name: "counted", held: Flag, kept: ofObservation},
	{name: "observation_count", held: Integer, kept: ofTrace},
	{name: "error_count", held: Integer, kept: ofTrace},
	{name: "models", held: List, kept: ofTrace},
	{name: "timestamp", held: Time, kept: ofScore},
}

// Merges says whether what several events say of f becomes one value, rather than that of the last.
func (f Field) Merges() bool { return table[f].rule != Last && table[f].rule != First }

// Type says how f is held.
func (f Field) Type() FieldType { return table[f].held }

// Form says how a payload writes f. It is OwnForm when no one form says it.
func (f Field) Form() Form { return table[f].form }

// Keys are the keys of a payload that say f beside its name, in the order in which they count.
func (f Field) Keys() []string { return table[f].keys }

// String is the field's name on the wire and in the warehouse.
func (f Field) String() string { return table[f].name }

// FieldNamed is the field of that name on the wire.
func FieldNamed(name string) (Field, bool) {
	for f := range NumFields {
		if table[f].name == name {
			return f, true
		}
	}
	return 0, false
}

// Said are the fields that events of the kind say.
func Said(kind Kind) []Field {
	var fields []Field
	for f := range NumFields {
		if table[f].said.has(kind) {
			fields = append(fields, f)
		}
	}
	return fields
}

// Clears says whether an update of the kind may empty f. What an entity is about it may not: an
// observation does not lose its trace, nor a score its value.
func (f Field) Clears(kind Kind) bool { return table[f].said.has(kind) && !table[f].core.has(kind) }
