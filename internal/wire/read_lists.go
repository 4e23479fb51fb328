package wire

import (
	"encoding/json"
	"time"
)

// Totals is what a number of traces add up to.
type Totals struct {
	TraceCount       int64 `json:"trace_count"`
	ObservationCount int64 `json:"observation_count"`
	ErrorCount       int64 `json:"error_count"` // observations of level ERROR
	TotalTokens      int64 `json:"total_tokens"`
	UnpricedCount    int64 `json:"unpriced_count"` // calls of a model whose cost is not known
	// TotalCost is in the currency the client used, usually USD; nil when no cost in it is known.
	TotalCost *float64 `json:"total_cost"`
	// FirstSeen is the earliest start, LastSeen the latest start or end.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// SessionSummary is one row of GET /v1/sessions: the traces that name the same
// session, such as the turns of one conversation.
type SessionSummary struct {
	ID           string   `json:"id"`
	UserIDs      []string `json:"user_ids"`     // distinct, sorted
	Environments []string `json:"environments"` // distinct, sorted
	Totals
}

// Session is one session with its traces: GET /v1/sessions/{id}. The numbers
// are those of the whole session, on every page of its traces.
type Session struct {
	SessionSummary
	Traces []SessionTrace `json:"traces"` // oldest first
	// NextCursor leads to the traces behind these; nil with the last of them.
	NextCursor *string `json:"next_cursor"`
}

// SessionTrace is a trace of a session, with what went in and what came out.
type SessionTrace struct {
	TraceSummary
	Input  json.RawMessage `json:"input"` // as sent; null when never sent
	Output json.RawMessage `json:"output"`
}

// UserSummary is one row of GET /v1/users: the traces that name the same user.
type UserSummary struct {
	ID           string `json:"id"`
	SessionCount int64  `json:"session_count"` // distinct sessions of the traces
	Totals
}

// EnvironmentSummary is one row of GET /v1/environments: an environment that any
// trace, observation or score is in. Observations, errors, tokens and cost are
// those of the observations that are in it themselves, whatever their trace is in.
type EnvironmentSummary struct {
	Name string `json:"name"`
	Totals
}
