package store

import (
	"context"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// Filter restricts a query. Zero values do not restrict. Every part given must hold.
type Filter struct {
	From, To     time.Time // From ≤ start_time < To (a score: its timestamp)
	Name         string
	UserID       string
	SessionID    string
	Environment  string
	KeyID        string // of the key that brought it
	Tag          string
	Model        string
	Type         string // observation type
	Level        string // upper case
	TraceID      string
	MinLatencyMS *float64
	MaxLatencyMS *float64
	MinCost      *float64
	HasError     *bool // the trace has the status error, the observation or event the level ERROR
	// Duplicates: observations that another one stands for are among the answers; else they are not, unless ID is given.
	Duplicates *bool
	Scores     []ScoreCondition
	// ID asks for the observations of one id: one in each trace that has it.
	ID string `json:"-"`
	// The observation, data type and source of a score; the last two in upper case.
	ObservationID string `json:"-"`
	DataType      string `json:"-"`
	Source        string `json:"-"`
	// Text and Attributes are what Seqs or Match stand for, so that a cursor belongs to them; they
	// restrict nothing by themselves.
	Text       string
	Attributes []textsearch.Attribute `json:",omitempty"`
	// Said is the text of a filter in the grammar of docs/api.md, which Terms and Found stand for, so that a cursor belongs to it; it
	// restricts nothing by itself.
	Said  string      `json:",omitempty"`
	Terms []Condition `json:"-"`
	Found []Found     `json:"-"`
	// Seqs, when it is not nil, are the events to restrict to: an observation
	// passes when it was folded from one of them, a trace when it or an
	// observation of it was. Scores have no such filter.
	Seqs []entity.Seq `json:"-"`
	// Match restricts to the same way, where Seqs would be too many: it is asked of the
	// events of what would be on the page, of many rows at a time. Statistics do not know it.
	Match func(ctx context.Context, seqs []entity.Seq) ([]bool, error) `json:"-"`
}

// Found is what a search found: the events, or, where they would be too many, a way to ask about some. A row passes when it has one of them, as
// with Filter.Seqs and Filter.Match; with Not, when it has none.
type Found struct {
	Seqs  []entity.Seq // when it is not nil
	Match func(ctx context.Context, seqs []entity.Seq) ([]bool, error)
	Not   bool
}

// ScoreCondition is one `score=NAME OP NUMBER` filter: a trace passes when the mean of its
// numeric scores of that name compares so; an observation when that of its own does.
type ScoreCondition struct {
	Name  string
	Op    string // one of = != < <= > >=
	Value float64
}

// Order is a sort column and a place to continue from.
type Order struct {
	// By is a column that the list can be sorted by. Empty: its first time.
	By string
	// Asc is false for the default, newest or largest first.
	Asc bool
	// Limit is 1 to 1000 rows; 0: 50.
	Limit int
	// Cursor is a NextCursor of the same query, or "".
	Cursor string
}

// Query asks for a list.
type Query struct {
	Filter
	Order
	// Bare: observations have no previews, so that no payload is read.
	Bare bool
}

// StatsQuery asks for GET /v1/stats.
type StatsQuery struct {
	Filter
	Of string // observations (default), traces, scores, events
	// Metrics are names; tokens and cost are over the observations that are counted (Count).
	Metrics []string // count, error_rate, latency_p50, latency_p95, latency_p99, tokens, cost, cost_input, cost_cached, cost_output, unpriced_count, score_avg:NAME, score_count:NAME
	GroupBy []string
	// Interval groups by time too; 0 does not. 1 minute to 1 day.
	Interval time.Duration
	Zone     string // IANA name of the zone by whose clock intervals begin; "" is UTC
	Limit    int
	Cursor   string
}

// QueryError is a query that cannot be answered because of what was asked:
// an unknown column, metric or group, a cursor of another query.
type QueryError struct {
	Param   string // the request parameter at fault
	Message string
}

func (e *QueryError) Error() string { return fmt.Sprintf("%s: %s", e.Param, e.Message) }
