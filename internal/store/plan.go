package store

import (
	"context"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Plan is a list's query as a backend gets it: checked, with nothing left open.
type Plan struct {
	Where
	By     string // the column to sort by
	Number Number // what it holds
	Asc    bool
	Limit  int    // rows of the page
	After  *Place // the last row of the page before; nil on the first
	Bare   bool   // observations have no previews
}

// Where is what a Filter asks for: everything in it must hold.
type Where struct {
	Conditions []Condition
	// Scores are ranges of the mean of what a row was scored with, each name once.
	Scores []ScoreRange
	// Seqs and Match are the Filter's.
	Seqs  []entity.Seq
	Match func(ctx context.Context, seqs []entity.Seq) ([]bool, error)
	Found []Found
}

// Asks says whether the events of a row must be asked to know whether it passes.
func (w *Where) Asks() bool {
	return w.Match != nil || slices.ContainsFunc(w.Found, func(f Found) bool { return f.Match != nil })
}

// Scored says whether scores decide what passes.
func (w *Where) Scored() bool {
	return len(w.Scores) > 0 || slices.ContainsFunc(w.Conditions, func(c Condition) bool { return c.Op == HasScore })
}

// Condition compares a column, as package query names it, with a value: an int64, a
// float64, a string, a bool, of In a []string, or what its Op says.
type Condition struct {
	Column string
	Op     Op
	Value  any
	Not    bool // passes where the rest does not hold, also where there is no value
}

// Op is how a condition compares.
type Op uint8

// The comparisons.
const (
	Equal Op = iota
	In
	AtLeast
	AtMost
	Below
	// OneOf has Texts, or the numbers of a []float64. Of a list, or of what the observations of a trace have, one element must be so, with all that follow, too.
	OneOf
	// Between has a Span.
	Between
	// Present is a text that is not empty, Known a number or a time that there is. They have no value.
	Present
	Known
	// HasScore is of no column: a ScoreRange holds, or there is a score of that name (a string; any, when it is empty).
	HasScore
)

// OfObservations are the columns that a trace has by its observations: it has a value when one of them has it.
func OfObservations() []string {
	return []string{"type", "level", "provider", "error_type", "finish_reason", "status_message", "service_tier", "prompt_name", "prompt_version"}
}

// Texts are what a text may be: one of Equal, or like one of Like. These are patterns of SQL's LIKE, in lower case, of which only % means something, and \ before
// another \, % or _ that means itself. Like them is in whatever case, of ASCII.
type Texts struct{ Equal, Like []string }

// Span is from Least to Most, both in it: each an int64 or a float64, or nil for no bound.
type Span struct{ Least, Most any }

// ScoreRange holds when Least ≤ mean ≤ Most, and the mean is none of Not.
type ScoreRange struct {
	Name        string
	Least, Most float64
	Not         []float64
}

// Number is the form of a column that can be sorted by.
type Number uint8

// Integers are counts, and times in µs since 1970.
const (
	Integer Number = iota
	Float
)

// Place is where a row stands in a list: rows of one value are in the order of their ids, those
// without a value come last.
type Place struct {
	Value any // int64 or float64, as the plan's Number; nil when the row has none
	ID    string
	Tie   string // where the id may stand twice
}

// StatsPlan is a StatsQuery as a backend gets it.
type StatsPlan struct {
	Where
	Of      string
	Groups  []string // each once, GroupTime first
	Metrics []Metric // each once
	Buckets *Buckets // of GroupTime; nil without it
	Limit   int
	After   []any // the groups of the last row of the page before; nil on the first
}

// Groups that are no columns.
const (
	// GroupTime is where the bucket of a time begins, in µs since 1970.
	GroupTime = "time"
	// GroupValue is where the bucket of a score's value begins. GroupValueEnd, where it ends, is
	// the last group then. A bucket is 1, 2 or 5 times a power of 10 wide, so that at most 11 cover all values.
	GroupValue    = "value_bucket"
	GroupValueEnd = "value_bucket_end"
)

// Metric is one that was asked for.
type Metric struct {
	Name string // what the row calls it
	Of   string // what it is: a metric of the subject, or MeanOfScores or NumberOfScores
	// Score is the name of the scores, of these two.
	Score string
}

// The metrics of the scores of one name.
const (
	MeanOfScores   = "score_avg"
	NumberOfScores = "score_count"
)
