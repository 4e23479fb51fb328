package server

import (
	"encoding/json"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The rows of Langfuse's API, as far as our fields go. Times of theirs that say how long something took are in
// seconds.
type (
	theirTraceRow struct {
		ID           string              `json:"id"`
		Timestamp    time.Time           `json:"timestamp"`
		Name         *string             `json:"name"`
		Input        json.RawMessage     `json:"input"`
		Output       json.RawMessage     `json:"output"`
		SessionID    *string             `json:"sessionId"`
		UserID       *string             `json:"userId"`
		Release      *string             `json:"release"`
		Version      *string             `json:"version"`
		Metadata     json.RawMessage     `json:"metadata"`
		Tags         []string            `json:"tags"`
		Public       bool                `json:"public"`
		Environment  string              `json:"environment"`
		ProjectID    string              `json:"projectId"`
		HTMLPath     string              `json:"htmlPath"`
		Latency      float64             `json:"latency"`
		TotalCost    float64             `json:"totalCost"`
		Observations []*theirObservation `json:"observations"`
		Scores       []theirScore        `json:"scores"`
	}
	theirObservation struct {
		ID                  string             `json:"id"`
		TraceID             string             `json:"traceId"`
		ProjectID           string             `json:"projectId"`
		Type                string             `json:"type"`
		Name                *string            `json:"name"`
		StartTime           time.Time          `json:"startTime"`
		EndTime             *time.Time         `json:"endTime"`
		CompletionStartTime *time.Time         `json:"completionStartTime"`
		ParentObservationID *string            `json:"parentObservationId"`
		IsRoot              bool               `json:"isRootObservation"`
		Level               string             `json:"level"`
		StatusMessage       *string            `json:"statusMessage"`
		Version             *string            `json:"version"`
		Environment         string             `json:"environment"`
		Model               *string            `json:"model"`
		ModelParameters     json.RawMessage    `json:"modelParameters"`
		Input               json.RawMessage    `json:"input"`
		Output              json.RawMessage    `json:"output"`
		Metadata            json.RawMessage    `json:"metadata"`
		UsageDetails        map[string]int64   `json:"usageDetails"`
		CostDetails         map[string]float64 `json:"costDetails"`
		TotalCost           *float64           `json:"totalCost"`
		Latency             *float64           `json:"latency"`
		TimeToFirstToken    *float64           `json:"timeToFirstToken"`
	}
	theirScore struct {
		ID            string          `json:"id"`
		ProjectID     string          `json:"projectId"`
		TraceID       string          `json:"traceId,omitempty"`
		ObservationID *string         `json:"observationId,omitempty"`
		Name          string          `json:"name"`
		Value         any             `json:"value"`
		StringValue   *string         `json:"stringValue,omitempty"`
		DataType      string          `json:"dataType"`
		Source        string          `json:"source"`
		Comment       *string         `json:"comment"`
		Metadata      json.RawMessage `json:"metadata"`
		AuthorUserID  *string         `json:"authorUserId"`
		Environment   string          `json:"environment"`
		Timestamp     time.Time       `json:"timestamp"`
		CreatedAt     time.Time       `json:"createdAt"`
		UpdatedAt     time.Time       `json:"updatedAt"`
		Subject       *theirSubject   `json:"subject,omitempty"`
	}
	theirSubject struct {
		Kind    string  `json:"kind"` // trace or observation
		ID      string  `json:"id"`
		TraceID *string `json:"traceId,omitempty"` // of an observation
	}
)

// theirTrace is a trace without its observations.
func theirTrace(t *wire.Trace, project string) *theirTraceRow {
	row := &theirTraceRow{
		ID: t.ID, Timestamp: t.StartTime, Name: given(t.Name), Input: t.Input, Output: t.Output, SessionID: given(t.SessionID), UserID: given(t.UserID),
		Release: given(t.Release), Version: given(t.Version), Metadata: t.Metadata, Tags: t.Tags, Environment: t.Environment, ProjectID: project,
		HTMLPath: "/traces/" + t.ID, Observations: []*theirObservation{}, Scores: []theirScore{},
	}
	if t.TotalCost != nil {
		row.TotalCost = *t.TotalCost
	}
	if t.LatencyMS != nil {
		row.Latency = *t.LatencyMS / 1000
	}
	for i := range t.ScoreList {
		row.Scores = append(row.Scores, theirTraceScore(&t.ScoreList[i], project))
	}
	return row
}

func theirObservationOf(o *wire.Observation, project string) theirObservation {
	row := theirObservation{
		ID: o.ID, TraceID: o.TraceID, ProjectID: project, Type: theirType(o.Type), Name: given(o.Name), StartTime: o.StartTime, EndTime: o.EndTime,
		ParentObservationID: given(o.ParentObservationID), IsRoot: o.ParentObservationID == "", Level: theirLevel(o.Level), StatusMessage: given(o.StatusMessage),
		Version: given(o.Version), Environment: o.Environment, Model: given(o.Model), ModelParameters: o.ModelParameters, Input: o.Input, Output: o.Output,
		Metadata: orEmpty(o.Metadata), UsageDetails: theirUsage(o), CostDetails: theirCosts(o), TotalCost: o.TotalCost,
		Latency: seconds64(o.LatencyMS), TimeToFirstToken: seconds64(o.TimeToFirstTokenMS),
	}
	if first := o.TimeToFirstTokenMS; first != nil {
		at := o.StartTime.Add(time.Duration(*first * float64(time.Millisecond)))
		row.CompletionStartTime = &at
	}
	return row
}

func seconds64(ms *float64) *float64 {
	if ms == nil {
		return nil
	}
	s := *ms / 1000
	return &s
}

// parts are amounts by their names, each without what stands beside it.
type parts[N int64 | float64] map[string]N

func (p parts[N]) set(name string, n *N, less ...*N) {
	if n == nil {
		return
	}
	left := *n
	for _, part := range less {
		if part != nil {
			left -= *part
		}
	}
	if len(less) > 0 {
		left = max(left, 0)
	}
	p[name] = left
}

// theirUsage counts what the cache gave and the reasoning beside the input and the output, as they do.
func theirUsage(o *wire.Observation) parts[int64] {
	usage := parts[int64]{}
	usage.set("input", o.PromptTokens, o.CacheReadTokens, o.CacheWriteTokens)
	usage.set("output", o.CompletionTokens, o.ReasoningTokens)
	usage.set("total", o.TotalTokens)
	usage.set("cache_read_input_tokens", o.CacheReadTokens)
	usage.set("cache_creation_input_tokens", o.CacheWriteTokens, o.CacheWrite1hTokens)
	usage.set("input_cache_creation_1h", o.CacheWrite1hTokens)
	usage.set("output_reasoning_tokens", o.ReasoningTokens)
	return usage
}

func theirCosts(o *wire.Observation) parts[float64] {
	costs := parts[float64]{}
	costs.set("input", o.InputCost, o.CacheReadCost, o.CacheWriteCost)
	costs.set("output", o.OutputCost)
	costs.set("total", o.TotalCost)
	costs.set("cache_read_input_tokens", o.CacheReadCost)
	costs.set("cache_creation_input_tokens", o.CacheWriteCost)
	return costs
}

// theirScoreOf is a score of GET /api/public/v3/scores, whose value is of its data type.
func theirScoreOf(c *wire.Score, project string) theirScore {
	row := theirScore{
		ID: c.ID, ProjectID: project, Name: c.Name, DataType: c.DataType, Source: theirSource(c.Source), Comment: given(c.Comment), Metadata: orEmpty(c.Metadata),
		AuthorUserID: given(c.AuthorUserID), Environment: c.Environment, Timestamp: c.Timestamp, CreatedAt: c.Timestamp, UpdatedAt: c.Timestamp,
		Subject: &theirSubject{"trace", c.TraceID, nil},
	}
	if c.ObservationID != "" {
		row.Subject = &theirSubject{"observation", c.ObservationID, given(c.TraceID)}
	}
	switch {
	case c.DataType == entity.Categorical:
		row.Value = c.StringValue
	case c.DataType == entity.Boolean && c.Value != nil:
		row.Value = *c.Value != 0
	case c.Value != nil:
		row.Value = *c.Value
	}
	return row
}

// theirTraceScore is a score of GET /api/public/traces/{id}, whose value is a number, with a text beside it.
func theirTraceScore(c *wire.Score, project string) theirScore {
	row := theirScoreOf(c, project)
	row.Subject, row.TraceID, row.ObservationID = nil, c.TraceID, given(c.ObservationID)
	switch c.DataType {
	case entity.Categorical:
		row.Value, row.StringValue = nil, &c.StringValue
	case entity.Boolean:
		text := "False"
		if c.Value != nil && *c.Value != 0 {
			text = "True"
		}
		row.Value, row.StringValue = c.Value, &text
	}
	return row
}

// theirSource is one of API, ANNOTATION and EVAL.
func theirSource(source string) string {
	switch source {
	case "HUMAN":
		return "ANNOTATION"
	case "EVAL", "AUTO":
		return "EVAL"
	}
	return "API"
}
