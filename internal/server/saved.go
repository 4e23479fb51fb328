package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// SavedList keeps what people make of a project, of one kind, by name.
type SavedList[T any] interface {
	All(project string) ([]T, error)
	Put(project, name, by string, text []byte) (T, error)
	Delete(project, name string) error
}

// maxSaved bounds one thing that is saved, in bytes.
const maxSaved = 64 << 10

// savedRoutes are those of one kind; scope may change it.
func savedRoutes[T any](path, what string, scope keyring.Scope, of func(*Server) SavedList[T]) []route {
	list := func(_ context.Context, s *Server, c *call) (*answer, error) {
		all, err := of(s).All(c.caller.Project)
		if err != nil {
			return nil, err
		}
		return ok(&wire.Page[T]{Data: append([]T{}, all...)}, nil)
	}
	put := func(_ context.Context, s *Server, c *call) (*answer, error) {
		name, err := pathID(c)
		if err != nil {
			return nil, err
		}
		text, err := s.readText(c, maxSaved, what)
		if err != nil {
			return nil, err
		}
		x, err := of(s).Put(c.caller.Project, name, c.caller.KeyID, text)
		if errors.Is(err, saved.ErrInvalid) {
			return nil, wrongLines(codeInvalidBody, err, saved.ErrInvalid)
		}
		if err != nil {
			return nil, err
		}
		s.o.Logger.Info("saved", "what", what, "name", name, "project", c.caller.Project, "by", c.caller.KeyID)
		return ok(&x, nil)
	}
	remove := func(_ context.Context, s *Server, c *call) (*answer, error) {
		name, err := pathID(c)
		if err != nil {
			return nil, err
		}
		err = of(s).Delete(c.caller.Project, name)
		if errors.Is(err, saved.ErrUnknown) {
			return nil, problemf(http.StatusNotFound, codeNotFound, "there are no %s of this name in the project of this key", what)
		}
		if err != nil {
			return nil, err
		}
		s.o.Logger.Info("removed", "what", what, "name", name, "project", c.caller.Project, "by", c.caller.KeyID)
		return &answer{status: http.StatusNoContent}, nil
	}
	return []route{
		{method: http.MethodGet, path: path, scope: keyring.ScopeRead, light: true, handle: list},
		{method: http.MethodPut, path: path + "/{id}", scope: scope, params: []string{"id"}, handle: put},
		{method: http.MethodDelete, path: path + "/{id}", scope: scope, params: []string{"id"}, handle: remove},
	}
}
