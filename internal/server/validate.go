package server

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// The forms in which Brokle's clients of 2025 know an answer: what there is, or why not.
type (
	success[T any] struct {
		Success bool `json:"success"` // true
		Data    T    `json:"data"`
	}
	failure struct {
		Success bool           `json:"success"` // false
		Error   wire.ErrorBody `json:"error"`
	}
)

func notSuccess(p *problem) any {
	return failure{Error: p.body()}
}

// keyInfo is what a key stands for, in the words of those clients.
type keyInfo struct {
	Environment    string          `json:"environment"`     // of the header X-Environment, else the default one
	OrganizationID string          `json:"organization_id"` // the project
	UserID         string          `json:"user_id"`         // the key's id
	Tier           string          `json:"tier"`            // always selfHosted
	Permissions    map[string]bool `json:"permissions"`     // a true for each scope
}

const selfHosted = "self_hosted"

// validateKey is POST /v1/auth/validate-key: whoever comes to here has a valid key. The
// body says nothing, and is not read.
func validateKey(_ context.Context, _ *Server, c *call) (*answer, error) {
	environment, err := wireformat.Environment("", c.r.Header.Get("X-Environment"))
	if err != nil {
		environment = wireformat.DefaultEnvironment // the key is valid all the same
	}
	info := keyInfo{
		Environment: environment, OrganizationID: c.caller.Project, UserID: c.caller.KeyID,
		Tier: selfHosted, Permissions: map[string]bool{},
	}
	for _, scope := range c.caller.Scopes {
		info.Permissions[string(scope)] = true
	}
	return ok(&success[keyInfo]{Success: true, Data: info}, nil)
}
