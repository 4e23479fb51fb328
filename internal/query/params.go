package query

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// Param is a query parameter.
type Param struct {
	Name string
	Form Form
	// Lists are those that take it.
	Lists List
	// Says is a sentence for people, in Markdown.
	Says string
	// Choices are all its values; nil for any.
	Choices []string
	Longest int // bytes; 0: not bounded by itself

	// A filter has a field, and compares a column.
	field  func(*store.Filter) any
	column string
	op     store.Op
	notOf  []string // subjects that have no such filter
}

// Form is how a parameter's value is written.
type Form uint8

// The forms. A parameter of NameList, Conditions and MetricList may be repeated.
const (
	Text       Form = iota
	AnyCase         // text, read as upper case
	Time            // whatever wire.Timestamp reads, or a date
	Number          // a decimal number
	Integer         // from 1 to MaxLimit
	Boolean         // true or false
	Duration        // such as 5m
	NameList        // a list with commas
	Conditions      // a condition on scores
	MetricList      // a list with commas, whose names may be JSON strings
	Keyed           // text; the parameter's name ends in a key of any text, for which KEY stands
)

// List is a set of lists.
type List uint16

// What is listed or counted.
const (
	Traces List = 1 << iota
	Observations
	Scores
	Sessions
	Users
	Environments
	Events
	Stream
	Stats

	entities = Traces | Observations | Scores
	totals   = Sessions | Users
	rows     = entities | totals | Environments
	filtered = entities | totals | Stats
)

// How often a parameter may be repeated, or how much its comma lists hold together:
// what one question may cost.
const (
	MaxScores     = 10 // conditions
	MaxMetrics    = 20
	MaxGroups     = 8
	MaxEventTypes = 20
)

// Params are all parameters, in the order in which messages and documents name them.
func Params() []Param {
	notOfScores, notOfEvents := []string{"scores"}, []string{"scores", "events"}
	return []Param{
		{Name: "from", Form: Time, Lists: filtered | Environments | Events, column: "time", op: store.AtLeast,
			field: func(f *store.Filter) any { return &f.From },
			Says:  "The earliest start time, inclusive (scores, events: the timestamp): RFC 3339, Unix seconds, any other form of a time, or a date, which is its first moment in UTC"},
		{Name: "to", Form: Time, Lists: filtered | Environments | Events, column: "time", op: store.Below,
			field: func(f *store.Filter) any { return &f.To }, Says: "The latest start time, exclusive; not before `from`. A date leaves that day out: `from=2026-11-01&to=2026-12-01` is all of November"},
		{Name: "name", Lists: filtered | Stream, column: "name",
			field: func(f *store.Filter) any { return &f.Name }, Says: "The name, exactly, as all texts but where another form is named"},
		{Name: "user_id", Lists: filtered | Stream, column: "user_id",
			field: func(f *store.Filter) any { return &f.UserID }, Says: "The user's id"},
		{Name: "session_id", Lists: filtered | Stream, column: "session_id",
			field: func(f *store.Filter) any { return &f.SessionID }, Says: "The session's id"},
		{Name: "environment", Lists: filtered | Events | Stream, column: "environment",
			field: func(f *store.Filter) any { return &f.Environment }, Says: "The environment"},
		{Name: "key_id", Lists: filtered | Events | Stream, column: "key_id",
			field: func(f *store.Filter) any { return &f.KeyID }, Says: "The id of the key that brought it (of what several keys spoke of, the first), as `GET /v1/keys` has it"},
		{Name: "tag", Lists: filtered | Stream, column: "tag",
			field: func(f *store.Filter) any { return &f.Tag }, Says: "One of the tags"},
		{Name: "model", Lists: filtered | Stream, column: "model",
			field: func(f *store.Filter) any { return &f.Model }, Says: "The model, or that of any observation of the trace"},
		{Name: "type", Lists: Observations | Scores | Stats | Stream, column: "type",
			field: func(f *store.Filter) any { return &f.Type }, Says: "The type of the observation; of prompts `text` or `chat`"},
		{Name: "level", Form: AnyCase, Lists: entities | Stats | Stream, column: "level",
			field: func(f *store.Filter) any { return &f.Level }, Says: "The level, in any case"},
		{Name: "trace_id", Lists: Observations | Scores | Events | Stats | Stream, column: "trace_id",
			field: func(f *store.Filter) any { return &f.TraceID }, Says: "The trace that it belongs to"},
		{Name: "observation_id", Lists: Scores, column: "observation_id",
			field: func(f *store.Filter) any { return &f.ObservationID }, Says: "The observation that the score is about"},
		{Name: "data_type", Form: AnyCase, Lists: Scores, column: "data_type", Choices: []string{"NUMERIC", "CATEGORICAL", "BOOLEAN"},
			field: func(f *store.Filter) any { return &f.DataType }, Says: "The score's data type, in any case: `NUMERIC`, `CATEGORICAL` or `BOOLEAN`"},
		{Name: "source", Form: AnyCase, Lists: Scores, column: "source",
			field: func(f *store.Filter) any { return &f.Source }, Says: "Where the score is from, in any case: `API`, `AUTO`, `HUMAN` or `EVAL`"},
		{Name: "min_latency_ms", Form: Number, Lists: Traces | Observations | Stats, column: "latency_ms", op: store.AtLeast, notOf: notOfScores,
			field: func(f *store.Filter) any { return &f.MinLatencyMS }, Says: "The least latency, in milliseconds"},
		{Name: "max_latency_ms", Form: Number, Lists: Traces | Observations | Stats, column: "latency_ms", op: store.AtMost, notOf: notOfScores,
			field: func(f *store.Filter) any { return &f.MaxLatencyMS }, Says: "The greatest latency"},
		{Name: "min_cost", Form: Number, Lists: Traces | Observations | Stats, column: "total_cost", op: store.AtLeast, notOf: notOfScores,
			field: func(f *store.Filter) any { return &f.MinCost }, Says: "The least total cost"},
		{Name: "has_error", Form: Boolean, Lists: Traces | Observations | totals | Stats | Stream, column: "has_error", notOf: notOfScores,
			field: func(f *store.Filter) any { return &f.HasError }, Says: "Whether it failed: `true` or `false`. A trace has the status `error`: it says so, else its outermost observation does. A session or a user has such a trace, an observation or an event the level ERROR. Errors in a trace that did not fail are its `inner_errors`"},
		{Name: "duplicates", Form: Boolean, Lists: Observations | Stats, notOf: []string{"traces", "scores", "events", "sessions", "users"},
			field: func(f *store.Filter) any { return &f.Duplicates },
			Says: "`true`: with observations whose call of a provider another one reports too, and which that stands for (`duplicate_of`). " +
				"Absent, or `false`: without them, unless an `id` is asked for"},
		{Name: "score", Form: Conditions, Lists: Traces | Observations | Stats, notOf: notOfEvents,
			field: func(f *store.Filter) any { return &f.Scores },
			Says: "A condition on scores such as `quality>=0.8` with one of `=` `!=` `<` `<=` `>` `>=`; repeat it for more, at most 10, which must all hold. " +
				"A name with blanks at its ends, or an operator at its end, is written as a JSON string: `\" lead\">=0.5`"},
		{Name: "q", Lists: Traces | Observations | Stats, notOf: notOfScores, Longest: textsearch.MaxBytes,
			field: func(f *store.Filter) any { return &f.Text },
			Says: "Words, or phrases in double quotes, that must all be in the name, input or output of one event: whole words, in any case, " +
				"at most 32 and 1024 bytes; not with `of=scores`"},
		{Name: textsearch.AttributePrefix + anyKey, Form: Keyed, Lists: Traces | Observations | Stats, notOf: notOfScores, Longest: textsearch.MaxBytes,
			field: func(f *store.Filter) any { return &f.Attributes },
			Says: "The value of the attribute KEY, exactly and as plain text: of a span of OpenTelemetry, or in the object `attributes` of an event, such as `attributes.gen_ai.system=openai`. " +
				"With others, of any key, and with `q` it must hold for one event; at most 16; not with `of=scores`"},
		{Name: textsearch.ResourcePrefix + anyKey, Form: Keyed, Lists: Traces | Observations | Stats, notOf: notOfScores, Longest: textsearch.MaxBytes,
			field: func(f *store.Filter) any { return &f.Attributes },
			Says:  "The same of an attribute of the span's resource: `resource.service.name=checkout`"},
		{Name: FilterParam, Lists: filtered, Longest: MaxFilterBytes,
			Says: "A filter in one line, such as `level:error latency:>2s -env:dev`: see [Filters](#filters). With other parameters all must hold"},
		{Name: "id", Lists: Traces | Observations | Sessions | Events, column: "id", op: store.In,
			field: func(f *store.Filter) any { return &f.ID },
			Says:  "Only what has this id, as behind the path's `{id}`: for ids that do not survive in a path, such as `..` or `a/b`"},
		{Name: "of", Lists: Stats, Choices: subjectNames(), Says: "What is counted: `observations` (default), `traces`, `scores` or `events`"},
		{Name: "metrics", Form: MetricList, Lists: Stats,
			Says: "A comma list, of at most 20, of `count` (default) `error_rate` `latency_p50` `latency_p95` `latency_p99` `tokens` `cost` `cost_input` `cost_cached` `cost_output` `unpriced_count` `score_avg:NAME` " +
				"`score_count:NAME`. One with a comma, a quote or blanks at its ends in the name is written as a JSON string: `count,\"score_avg:clear,short\"`"},
		{Name: "group_by", Form: NameList, Lists: Stats,
			Says: "A comma list of at most 8 columns such as `model,environment`; with `of=scores` also `value_bucket`, which brings `value_bucket_end`"},
		{Name: "interval", Form: Duration, Lists: Stats, Says: "Group by time too: `1m` to `1d`"},
		{Name: "tz", Lists: Stats,
			Says: "The IANA name of a time zone, such as `Asia/Tokyo`: intervals begin by its clock, days at its midnight, also where the clock is changed. " +
				"Times of answers stay UTC, the beginnings of intervals too. Absent: UTC"},
		{Name: "event_type", Form: NameList, Lists: Stream, Says: "A comma list of at most 20 event types"},
		{Name: "last_event_id", Lists: Stream, Says: "As the header `Last-Event-ID`, which comes first"},
		{Name: "sort", Lists: rows,
			Says: "A numeric column, or a time: `start_time` or `end_time` (scores: `timestamp`; sessions, users, environments: `last_seen` or `first_seen`); " +
				"`-` before it for descending. Absent: newest first"},
		{Name: "previews", Form: Boolean, Lists: Traces | Observations,
			Says: "`true`: traces with `input_preview` and `output_preview`, as observations always have them, and both with `highlights` where words are searched for; at most 200 rows"},
		{Name: "limit", Form: Integer, Lists: rows | Events | Stats, Says: "Rows of a page, 1 to 1000; 50 when absent, for stats 1000"},
		{Name: "cursor", Lists: rows | Events | Stats, Says: "`next_cursor` of the page before, all else unchanged"},
		{Name: "format", Choices: []string{"otlp", "json", "jsonl", "csv"}, Says: "Of a trace `otlp`: as OpenTelemetry's spans and log records, in OTLP's JSON. Of the items of a dataset `jsonl` or `csv`: as a file; `json`, as when it is absent: as other answers"},
		{Name: "page", Form: Integer, Says: "Of datasets, their items and experiments: which page, from 1"},
		{Name: "offset", Form: Integer, Says: "Of datasets, their items and experiments, in the place of page: how many are left out before the first; data of items are then `items` and `total`"},
		{Name: "version", Says: "Of a dataset: the version whose items are meant, by its number, or `latest`; when absent the one that is pinned, else the latest"},
		{Name: "columns", Says: "Of an import: which columns, or members of rows, are what: `input:question,expected:answer,metadata:topic,id:number`; several of one kind become an object, those that are not named are left out. When absent rows have the members of an item"},
		{Name: "deduplicate", Form: Boolean, Says: "Of an import: skip an item without an id whose input and expected another one has; `true` when absent"},
		{Name: "line", Form: Integer, Says: "Of an import of JSON Lines: the number of the first line, as errors count them; 1 when absent"},
		{Name: "dataset_id", Says: "Experiments over this dataset"},
		{Name: "a", Says: "The experiment that another one is held against, by its id, or the newest of a name"},
		{Name: "b", Says: "The experiment that is held against it"},
		{Name: "change", Choices: []string{"better", "worse", "mixed", "same", "only_a", "only_b"}, Says: "Only items that changed so from `a` to `b`"},
		{Name: "book", Says: "The day, or a time, whose price book and own prices count; those of today when it is absent"},
		{Name: "dry_run", Form: Boolean, Says: "Only tell what would change"},
		{Name: "send", Form: Boolean, Says: "Also send a message that says that it is a test to each destination"},
		{Name: "full", Form: Boolean, Says: "Give each observation all that the answer about it alone has: messages, attributes, events"},
		{Name: "fields", Choices: []string{"tree", "trace"}, Says: "`tree`: the trace with its observations and scores, without what was sent: no input, output, metadata, attributes, model parameters or previews. No payload of an observation is read for it, but where no release is named those of the outermost; " +
			"`GET /v1/observations/{id}?trace_id=…` has them. `trace`: the trace itself with its input, output and metadata, without observations and scores"},
		{Name: "version", Form: Integer, Says: "The number of a prompt's version"},
		{Name: "label", Says: "A label: of the version that has it now; `latest` is always the newest one's"},
		{Name: "page", Form: Integer, Says: "Which page of so many rows, from 1; what `cursor` says, too"},
		{Name: "resolve", Form: Boolean, Says: "Langfuse's clients send it; no prompt is made of others here"},
		{Name: "wait", Form: Duration, Says: "How long to wait for the end of the job, or of the repricing, such as `5s`; at most 30s"},
	}
}

// anyKey stands for the key in the name of a Keyed parameter.
const anyKey = "KEY"

// Known says whether name is a parameter, given the names of those that there are, as NamesOf has them.
func Known(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		prefix, keyed := strings.CutSuffix(n, "."+anyKey)
		return n == name || keyed && strings.HasPrefix(name, prefix+".")
	})
}

// NamesOf are the parameters of a list.
func NamesOf(l List) []string {
	var names []string
	for _, p := range Params() {
		if p.Lists&l != 0 {
			names = append(names, p.Name)
		}
	}
	return names
}

// restricts says whether what is listed can be restricted by p, also where no request can ask so.
func (p *Param) restricts(l List, subject string) bool {
	switch {
	case l == Environments:
		return p.column == "time"
	case p.column == "id", p.column == "observation_id", p.column == "data_type", p.column == "source":
		return p.Lists&l != 0
	}
	return !slices.Contains(p.notOf, subject)
}
