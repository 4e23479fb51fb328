package store

import (
	"time"

	"github.com/brokle-ai/brokle-go"
)

// Pages of the lists that traces add up to.
type (
	SessionPage     = brokle.Page[brokle.SessionSummary]
	UserPage        = brokle.Page[brokle.UserSummary]
	EnvironmentPage = brokle.Page[brokle.EnvironmentSummary]
)

// SessionQuery asks for GET /v1/sessions. The filter says what traces count, but
// for HasError, which says what sessions are wanted. Order.By is a column of
// brokle.Totals; empty: last_seen.
type SessionQuery struct {
	Filter
	Order
}

// UserQuery asks for GET /v1/users, in the same way; it has the column session_count too.
type UserQuery struct {
	Filter
	Order
}

// EnvironmentQuery asks for GET /v1/environments. Order is as in SessionQuery.
type EnvironmentQuery struct {
	From, To time.Time // From ≤ start_time < To (a score: its timestamp)
	Order
}
