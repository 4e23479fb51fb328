package duckstore

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The entity tables keep what the Go fold made of the events, one row an entity, so
// that a question is a plain SELECT. Each transaction folds the entities that it touches
// and puts their new rows in the place of the old ones, so that rows and events never
// differ.
//
// After the project each row has:
//
//	written    the cursor of the transaction that wrote it. Rows are in its order, so a
//	           range of it lets DuckDB pass over the rest of the table.
//	first_seq  the first and the last of the events that its entity was folded from: of a
//	last_seq   trace, of its observations too; of an observation, of all with its id.
//
// For an observation or trace, written is not less than last_seq, and a trace's is not less than
// its observations', because they are rolled up in the transaction that writes them.

// member is one column of an entity table: field gives a pointer to the Go field that it
// holds, for writing and reading alike. A text that is "" is NULL in the table, and so
// is a number that JSON cannot say.
type member[R any] struct {
	column
	field func(*R) any
}

// entityTable is the table of one kind of entity.
type entityTable[R any] struct {
	name    string
	members []member[R]
}

// The columns before the members.
const (
	atProject = iota
	atWritten
	atFirst
	atLast
	numPlaced
)

var placedColumns = [numPlaced]column{{"project", "VARCHAR"}, {"written", "BIGINT"}, {"first_seq", "BIGINT"}, {"last_seq", "BIGINT"}}

func (t *entityTable[R]) all() []column {
	all := append([]column(nil), placedColumns[:]...)
	for _, m := range t.members {
		all = append(all, m.column)
	}
	return all
}

// list is the members' columns, for a SELECT.
func (t *entityTable[R]) list() string {
	names := make([]string, len(t.members))
	for i, m := range t.members {
		names[i] = `"` + m.name + `"`
	}
	return strings.Join(names, ", ")
}

// put writes the row into the chunk's next row.
func (t *entityTable[R]) put(c *chunk, project string, written int64, at span, row *R) {
	c.setText(atProject, project)
	c.setInt(atWritten, written)
	c.setInt(atFirst, at.first)
	c.setInt(atLast, at.last)
	for i, m := range t.members {
		putField(c, numPlaced+i, m.field(row))
	}
}

func putField(c *chunk, col int, field any) {
	switch p := field.(type) {
	case *string:
		if *p != "" {
			c.setText(col, *p)
		}
	case *bool:
		c.setByte(col, 0)
		if *p {
			c.setByte(col, 1)
		}
	case *int64:
		c.setInt(col, *p)
	case **int64:
		if *p != nil {
			c.setInt(col, **p)
		}
	case *float64:
		putFloat(c, col, p)
	case **float64:
		putFloat(c, col, *p)
	case *time.Time:
		c.setInt(col, p.UnixMicro())
	case **time.Time:
		if *p != nil {
			c.setInt(col, (*p).UnixMicro())
		}
	case *[]string:
		c.setList(col, *p)
	default:
		panic(fmt.Sprintf("duckstore: no column can hold a %T", field))
	}
}

func putFloat(c *chunk, col int, f *float64) {
	if f != nil && !math.IsNaN(*f) && !math.IsInf(*f, 0) {
		c.setFloat(col, *f)
	}
}

// targets are what a row of list is scanned into.
func (t *entityTable[R]) targets(row *R) []any {
	targets := make([]any, len(t.members))
	for i, m := range t.members {
		targets[i] = fieldScanner{m.field(row)}
	}
	return targets
}

// fieldScanner is the reverse of putField.
type fieldScanner struct{ field any }

var _ sql.Scanner = fieldScanner{}

func (s fieldScanner) Scan(v any) error {
	if list, ok := s.field.(*[]string); ok {
		*list = texts(v)
		return nil
	}
	if v == nil {
		return nil // the field is as it was made
	}
	ok := false
	switch p := s.field.(type) {
	case *string:
		*p, ok = v.(string)
	case *bool:
		*p, ok = v.(bool)
	case *int64:
		*p, ok = v.(int64)
	case **int64:
		var n int64
		n, ok = v.(int64)
		*p = &n
	case *float64:
		*p, ok = v.(float64)
	case **float64:
		var f float64
		f, ok = v.(float64)
		*p = &f
	case *time.Time:
		var us int64
		us, ok = v.(int64)
		*p = microTime(us)
	case **time.Time:
		var us int64
		us, ok = v.(int64)
		at := microTime(us)
		*p = &at
	}
	if !ok {
		return fmt.Errorf("a %T does not go into a %T", v, s.field)
	}
	return nil
}

type observationRow = entity.ObservationRow

// The previews are only in events: see previews.go.
var observationTable = entityTable[observationRow]{"observations", []member[observationRow]{
	{column{"id", "VARCHAR"}, func(o *observationRow) any { return &o.ID }},
	{column{"trace_id", "VARCHAR"}, func(o *observationRow) any { return &o.TraceID }},
	{column{"newest", "BOOLEAN"}, func(o *observationRow) any { return &o.Newest }},
	{column{"parent_observation_id", "VARCHAR"}, func(o *observationRow) any { return &o.ParentObservationID }},
	{column{"type", "VARCHAR"}, func(o *observationRow) any { return &o.Type }},
	{column{"name", "VARCHAR"}, func(o *observationRow) any { return &o.Name }},
	{column{"environment", "VARCHAR"}, func(o *observationRow) any { return &o.Environment }},
	{column{"start_time", "BIGINT"}, func(o *observationRow) any { return &o.StartTime }},
	{column{"start_time_inferred", "BOOLEAN"}, func(o *observationRow) any { return &o.StartTimeInferred }},
	{column{"end_time", "BIGINT"}, func(o *observationRow) any { return &o.EndTime }},
	{column{"latency_ms", "DOUBLE"}, func(o *observationRow) any { return &o.LatencyMS }},
	{column{"latency_reason", "VARCHAR"}, func(o *observationRow) any { return &o.LatencyReason }},
	{column{"level", "VARCHAR"}, func(o *observationRow) any { return &o.Level }},
	{column{"status_message", "VARCHAR"}, func(o *observationRow) any { return &o.StatusMessage }},
	{column{"version", "VARCHAR"}, func(o *observationRow) any { return &o.Version }},
	{column{"release", "VARCHAR"}, func(o *observationRow) any { return &o.Release }},
	{column{"user_id", "VARCHAR"}, func(o *observationRow) any { return &o.UserID }},
	{column{"session_id", "VARCHAR"}, func(o *observationRow) any { return &o.SessionID }},
	{column{"model", "VARCHAR"}, func(o *observationRow) any { return &o.Model }},
	{column{"requested_model", "VARCHAR"}, func(o *observationRow) any { return &o.RequestedModel }},
	{column{"provider", "VARCHAR"}, func(o *observationRow) any { return &o.Provider }},
	{column{"finish_reason", "VARCHAR"}, func(o *observationRow) any { return &o.FinishReason }},
	{column{"prompt_tokens", "BIGINT"}, func(o *observationRow) any { return &o.PromptTokens }},
	{column{"completion_tokens", "BIGINT"}, func(o *observationRow) any { return &o.CompletionTokens }},
	{column{"total_tokens", "BIGINT"}, func(o *observationRow) any { return &o.TotalTokens }},
	{column{"cache_read_tokens", "BIGINT"}, func(o *observationRow) any { return &o.CacheReadTokens }},
	{column{"cache_write_tokens", "BIGINT"}, func(o *observationRow) any { return &o.CacheWriteTokens }},
	{column{"reasoning_tokens", "BIGINT"}, func(o *observationRow) any { return &o.ReasoningTokens }},
	{column{"audio_input_tokens", "BIGINT"}, func(o *observationRow) any { return &o.AudioInputTokens }},
	{column{"audio_output_tokens", "BIGINT"}, func(o *observationRow) any { return &o.AudioOutputTokens }},
	{column{"input_cost", "DOUBLE"}, func(o *observationRow) any { return &o.InputCost }},
	{column{"output_cost", "DOUBLE"}, func(o *observationRow) any { return &o.OutputCost }},
	{column{"total_cost", "DOUBLE"}, func(o *observationRow) any { return &o.TotalCost }},
	{column{"quality_score", "DOUBLE"}, func(o *observationRow) any { return &o.QualityScore }},
	{column{"counts_tokens", "BOOLEAN"}, func(o *observationRow) any { return &o.CountsTokens }},
	{column{"counts_cost", "BOOLEAN"}, func(o *observationRow) any { return &o.CountsCost }},
	{column{"counted", "BOOLEAN"}, func(o *observationRow) any { return &o.Counted }},
	{column{"tags", "VARCHAR[]"}, func(o *observationRow) any { return &o.Tags }},
}}

var scoreTable = entityTable[wire.Score]{"scores", []member[wire.Score]{
	{column{"id", "VARCHAR"}, func(s *wire.Score) any { return &s.ID }},
	{column{"trace_id", "VARCHAR"}, func(s *wire.Score) any { return &s.TraceID }},
	{column{"observation_id", "VARCHAR"}, func(s *wire.Score) any { return &s.ObservationID }},
	{column{"name", "VARCHAR"}, func(s *wire.Score) any { return &s.Name }},
	{column{"value", "DOUBLE"}, func(s *wire.Score) any { return &s.Value }},
	{column{"string_value", "VARCHAR"}, func(s *wire.Score) any { return &s.StringValue }},
	{column{"data_type", "VARCHAR"}, func(s *wire.Score) any { return &s.DataType }},
	{column{"source", "VARCHAR"}, func(s *wire.Score) any { return &s.Source }},
	{column{"evaluator_name", "VARCHAR"}, func(s *wire.Score) any { return &s.EvaluatorName }},
	{column{"evaluator_version", "VARCHAR"}, func(s *wire.Score) any { return &s.EvaluatorVersion }},
	{column{"comment", "VARCHAR"}, func(s *wire.Score) any { return &s.Comment }},
	{column{"author_user_id", "VARCHAR"}, func(s *wire.Score) any { return &s.AuthorUserID }},
	{column{"environment", "VARCHAR"}, func(s *wire.Score) any { return &s.Environment }},
	{column{"timestamp", "BIGINT"}, func(s *wire.Score) any { return &s.Timestamp }},
}}

var traceTable = entityTable[wire.Trace]{"traces", []member[wire.Trace]{
	{column{"id", "VARCHAR"}, func(t *wire.Trace) any { return &t.ID }},
	{column{"name", "VARCHAR"}, func(t *wire.Trace) any { return &t.Name }},
	{column{"user_id", "VARCHAR"}, func(t *wire.Trace) any { return &t.UserID }},
	{column{"session_id", "VARCHAR"}, func(t *wire.Trace) any { return &t.SessionID }},
	{column{"environment", "VARCHAR"}, func(t *wire.Trace) any { return &t.Environment }},
	{column{"version", "VARCHAR"}, func(t *wire.Trace) any { return &t.Version }},
	{column{"release", "VARCHAR"}, func(t *wire.Trace) any { return &t.Release }},
	{column{"tags", "VARCHAR[]"}, func(t *wire.Trace) any { return &t.Tags }},
	{column{"start_time", "BIGINT"}, func(t *wire.Trace) any { return &t.StartTime }},
	{column{"end_time", "BIGINT"}, func(t *wire.Trace) any { return &t.EndTime }},
	{column{"latency_ms", "DOUBLE"}, func(t *wire.Trace) any { return &t.LatencyMS }},
	{column{"latency_reason", "VARCHAR"}, func(t *wire.Trace) any { return &t.LatencyReason }},
	{column{"observation_count", "BIGINT"}, func(t *wire.Trace) any { return &t.ObservationCount }},
	{column{"error_count", "BIGINT"}, func(t *wire.Trace) any { return &t.ErrorCount }},
	{column{"total_tokens", "BIGINT"}, func(t *wire.Trace) any { return &t.TotalTokens }},
	{column{"total_cost", "DOUBLE"}, func(t *wire.Trace) any { return &t.TotalCost }},
	{column{"models", "VARCHAR[]"}, func(t *wire.Trace) any { return &t.Models }},
}}
