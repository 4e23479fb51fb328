package sqlview

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// View is what a question may select from.
type View struct {
	Name, Says string
	Columns    []Column
	// Day is the column by which an export cuts the view into days, a time that is never NULL. Tie has the columns that tell rows of one moment apart.
	Day string
	Tie []string
}

// Order is the ORDER BY in which no two rows are equal.
func (v *View) Order() string { return strings.Join(append([]string{v.Day}, v.Tie...), ", ") }

// Column is a column of a View.
type Column struct {
	Name string
	Type Type
	Says string // "" where the name says it
	// From is the column of the warehouse's rows that it is made of; "" where it is made of several.
	From string
	// Always says that it is never NULL.
	Always bool
}

// Type is what values of a column are.
type Type uint8

// The types. What is missing is NULL, of a text and of a list too.
const (
	Text    Type = iota
	Integer      // 64 bits
	Number       // a double
	Time         // UTC, microseconds
	List         // of texts; never NULL
	Flag
)

// String is the type as docs/sql.md calls it.
func (t Type) String() string {
	return [...]string{"text", "integer", "number", "time", "list of texts", "boolean"}[t]
}

func typeOf(t entity.FieldType) Type {
	return map[entity.FieldType]Type{entity.Integer: Integer, entity.Float: Number, entity.Time: Time, entity.List: List, entity.Flag: Flag}[t]
}

// Views are all of them.
func Views() []View {
	return []View{traces(), observations(), scores(), events(), sessions()}
}

// Named is the view of that name.
func Named(name string) (View, bool) {
	all := Views()
	i := slices.IndexFunc(all, func(v View) bool { return v.Name == name })
	if i < 0 {
		return View{}, false
	}
	return all[i], true
}

// inner are columns that only the fold and our own questions understand.
var inner = []string{"prompt_key", "twin", "newest", "newness", "floating", "counts_tokens", "counts_cost", "counted", "duplicate_of", "duplicate_of_trace"}

// kept are the columns that rows of a kind have, the id first.
func kept(kind entity.Kind) []Column {
	columns := []Column{{Name: "id", From: "id", Always: true}}
	for _, c := range entity.Columns(kind) {
		if c.Name != "id" && !slices.Contains(inner, c.Name) {
			columns = append(columns, Column{Name: c.Name, From: c.Name, Type: typeOf(c.Type), Says: says[c.Name], Always: always[kind][c.Name]})
		}
	}
	return columns
}

// always are the columns that every row of a kind has a value of.
var always = map[entity.Kind]map[string]bool{
	entity.TraceKind:       {"start_time": true, "environment": true, "observation_count": true, "error_count": true, "inner_errors": true, "unpriced_count": true},
	entity.ObservationKind: {"start_time": true, "environment": true, "type": true, "level": true, "start_time_inferred": true},
	entity.ScoreKind:       {"timestamp": true, "environment": true},
}

func traces() View {
	return View{Name: "traces", Says: "a row for each trace", Columns: kept(entity.TraceKind), Day: "start_time", Tie: []string{"id"}}
}

func observations() View {
	return View{
		Name: "observations", Says: "a row for each observation; one that came twice, by two ways, is here once", Day: "start_time", Tie: []string{"id", "trace_id"},
		Columns: append(kept(entity.ObservationKind),
			Column{Name: "counted_tokens", Type: Integer, Says: "total_tokens where they count in a sum; NULL where an observation around or within it has said the same tokens"},
			Column{Name: "counted_cost", Type: Number, Says: "total_cost where it counts in a sum; NULL where an observation around or within it has said the same cost"}),
	}
}

func scores() View {
	return View{Name: "scores", Says: "a row for each score", Columns: kept(entity.ScoreKind), Day: "timestamp", Tie: []string{"id"}}
}

func events() View {
	columns := []Column{
		{Name: "seq", From: "seq", Type: Integer, Says: "where it is in the log: rises in the order in which a node accepted events", Always: true},
		{Name: "event_type", From: "event_type", Always: true},
		{Name: "timestamp", Type: Time, Says: "when it happened, as its sender says", Always: true},
		{Name: "received_at", Type: Time, Says: "when it was accepted", Always: true},
		{Name: "environment", Says: "its own, else that of its batch", Always: true},
	}
	for _, c := range entity.EventColumns() {
		if !slices.Contains(inner, c.Name) && c.Field != entity.Clear && c.Field != entity.Environment {
			columns = append(columns, Column{Name: c.Name, From: c.Name, Type: typeOf(c.Type), Says: says[c.Name]})
		}
	}
	return View{Name: "events", Says: "a row for each event, with what it says itself", Columns: columns, Day: "received_at", Tie: []string{"seq"}}
}

func sessions() View {
	return View{
		Name: "sessions", Says: "a row for each session_id that traces name: what they add up to", Day: "first_seen", Tie: []string{"id"},
		Columns: []Column{
			{Name: "id", Always: true},
			{Name: "user_ids", Type: List}, {Name: "environments", Type: List},
			{Name: "trace_count", Type: Integer, Always: true}, {Name: "observation_count", Type: Integer, Always: true}, {Name: "error_count", Type: Integer, Always: true},
			{Name: "total_tokens", Type: Integer}, {Name: "total_cost", Type: Number}, {Name: "unpriced_count", Type: Integer, Says: says["unpriced_count"], Always: true},
			{Name: "has_error", Type: Flag, Says: "a trace of it has the status error", Always: true},
			{Name: "first_seen", Type: Time, Says: "the start of its first trace", Always: true},
			{Name: "last_seen", Type: Time, Says: "the end of its last one", Always: true},
		},
	}
}

// says is what a name alone does not say.
var says = map[string]string{
	"user_id": "of an observation: only what it says itself; join with traces for the others", "session_id": "the same",
	"start_time_inferred": "no event said when it started", "latency_ms": "milliseconds", "time_to_first_token_ms": "milliseconds after the start",
	"total_cost": "US dollars, as are the other costs", "cost_source": "reported or computed", "cost_reason": "why there is no cost",
	"cache_read_tokens": "part of prompt_tokens", "cache_write_tokens": "part of prompt_tokens", "cache_write_1h_tokens": "part of cache_write_tokens", "reasoning_tokens": "part of completion_tokens",
	"cache_read_cost": "part of input_cost", "cache_write_cost": "part of input_cost", "unpriced_count": "calls whose cost is not known", "inner_errors": "errors of observations that others mended",
	"status": "ok, error or aborted", "level": "DEFAULT, DEBUG, WARNING or ERROR", "type": "of observation: generation, span, tool, …", "value": "of a numeric or boolean (0 or 1) score",
	"string_value": "of a categorical score", "data_type": "NUMERIC, BOOLEAN or CATEGORICAL", "source": "API, EVAL or ANNOTATION", "key_id": "of the key that brought it first",
	"models": "those of its observations", "token_source": "reported, estimated or none", "door": "brokle, otlp or langfuse", "timestamp": "when it was given",
}
