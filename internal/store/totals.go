package store

import "github.com/brokle-ai/brokle-go/internal/wire"

// Totaled is what traces are added up by.
type Totaled string

// What has totals. An observation or score counts in the environment that it is in itself.
const (
	Sessions     Totaled = "sessions"
	Users        Totaled = "users"
	Environments Totaled = "environments"
)

// Total is a session, a user or an environment, and what its traces add up to.
type Total struct {
	ID           string   // of an environment its name
	UserIDs      []string // of a session: distinct, sorted
	Environments []string // of a session: distinct, sorted
	SessionCount int64    // of a user
	wire.Totals
}
