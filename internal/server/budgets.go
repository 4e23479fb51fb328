package server

import (
	"context"
	"errors"

	"github.com/brokle-ai/brokle-go/internal/budget"
)

// Budgets says how budgets stand, and takes those of a project.
type Budgets interface {
	Set(project string, text []byte) error
	List(project string) []budget.Budget
	Status(project string) []budget.Status
	Stats() budget.Stats
}

// maxBudgets bounds the budgets of a project, in bytes.
const maxBudgets = 256 << 10

// budgetList is the budgets of a project.
type budgetList struct {
	Budgets []budget.Budget `json:"budgets"` // as they are set
	Status  []budget.Status `json:"status"`  // the same, each with how it stands by the last look
}

// getBudgets is GET /v1/budgets.
func getBudgets(_ context.Context, s *Server, c *call) (*answer, error) {
	return ok(s.budgetList(c.caller.Project), nil)
}

func (s *Server) budgetList(project string) *budgetList {
	return &budgetList{s.o.Budgets.List(project), s.o.Budgets.Status(project)}
}

// putBudgets is PUT /v1/budgets: the body takes the place of all budgets of the project.
func putBudgets(_ context.Context, s *Server, c *call) (*answer, error) {
	text, err := s.readText(c, maxBudgets, "budgets")
	if err != nil {
		return nil, err
	}
	err = s.o.Budgets.Set(c.caller.Project, text)
	if errors.Is(err, budget.ErrInvalid) {
		return nil, wrongLines(codeInvalidBudgets, err, budget.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	list := s.budgetList(c.caller.Project)
	s.o.Logger.Info("budgets were set", "project", c.caller.Project, "by", c.caller.KeyID, "budgets", len(list.Budgets))
	return ok(list, nil)
}
