package mcp

import (
	"context"
	"fmt"
	"net/url"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

type sessionIn struct {
	SessionID string `json:"session_id" jsonschema:"the id of the session"`
	Limit     int    `json:"limit,omitempty" jsonschema:"traces, 1 to 100; 20 when absent"`
	Cursor    string `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

// sessionTools list who used an application and in which sessions, and what was said in one.
func sessionTools() []tool {
	sessions := list{path: "/v1/sessions", what: "sessions", known: columnsOf[wire.SessionSummary](), columns: []string{
		"id", "user_ids", "environments", "trace_count", "observation_count", "error_count", "total_tokens", "total_cost", "unpriced_count", "first_seen", "last_seen",
	}}
	users := list{path: "/v1/users", what: "users", known: columnsOf[wire.UserSummary](), columns: []string{
		"id", "session_count", "trace_count", "observation_count", "error_count", "total_tokens", "total_cost", "unpriced_count", "first_seen", "last_seen",
	}}
	return []tool{
		finder("find_sessions", "Find sessions", "Find sessions (traces that belong together, such as the turns of one conversation), the newest first, with what they add up to. get_session reads one.", sessions),
		finder("find_users", "Find users", "Find users of the application, with what their traces add up to. find_traces with the filter user:… has the traces of one.", users),
		typed(tool{
			name: "get_session", title: "Read a session", scope: "read", needs: []string{"GET /v1/sessions", "GET /v1/traces"},
			says: "Read one session: what it adds up to, then its traces, the oldest first, each with what went in and what came out. get_trace reads one of them.",
		}, limited(mostRows), getSession),
	}
}

// sessionTraces are the columns of the traces of a session.
var sessionTraces = []string{"id", "name", "start_time", "status", "latency_ms", "error_count", "total_tokens", "total_cost", "scores", "user_id", "input_preview", "output_preview"}

func getSession(ctx context.Context, a *asking, in sessionIn) (string, error) {
	var found struct {
		Data []wire.SessionSummary `json:"data"`
	}
	if err := get(ctx, a.backend, "/v1/sessions", url.Values{"session_id": {in.SessionID}, "limit": {"1"}}, &found); err != nil {
		return "", err
	}
	if in.SessionID == "" || len(found.Data) == 0 {
		return "", fmt.Errorf("session_id: no trace of the project has this one; find_sessions lists them")
	}
	l := listing{
		path: "/v1/traces", values: url.Values{"session_id": {in.SessionID}, "sort": {"start_time"}, "previews": {"true"}, "cursor": {in.Cursor}},
		limit: pageIn{Limit: in.Limit}.limit(), tokens: in.tokens(), what: "traces", columns: sessionTraces, long: 400, span: span{cursor: in.Cursor},
		before: sums(&found.Data[0].Totals),
	}
	return l.answer(ctx, a.backend)
}

// sums is what traces add up to, in numbers of the server's own.
func sums(t *wire.Totals) string {
	cost := "no known cost"
	if t.TotalCost != nil {
		cost = fmt.Sprintf("%.6g US dollars", *t.TotalCost)
	}
	return fmt.Sprintf("In all: traces %d, errors %d, tokens %d, %s, from %s to %s. ", t.TraceCount, t.ErrorCount, t.TotalTokens, cost,
		t.FirstSeen.UTC().Format("2006-01-02T15:04:05Z"), t.LastSeen.UTC().Format("2006-01-02T15:04:05Z"))
}
