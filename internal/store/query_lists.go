package store

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Pages of the lists that traces add up to.
type (
	SessionPage     = wire.Page[wire.SessionSummary]
	UserPage        = wire.Page[wire.UserSummary]
	EnvironmentPage = wire.Page[wire.EnvironmentSummary]
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
