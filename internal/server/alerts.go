package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Alerts keeps the alerts of projects, and says how they stand.
type Alerts interface {
	List(project string) []alert.Row
	Get(project, name string) (alert.Row, error)
	Put(project, name, by string, text []byte) (alert.Row, error)
	Delete(project, name string) error
	Deliveries(project, name string) ([]alert.Delivery, error)
	Test(ctx context.Context, project, name string, send bool) (*alert.Trial, error)
	Stats() alert.Stats
}

func alertRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/v1/alerts", scope: keyring.ScopeRead, light: true, handle: listAlerts},
		{method: http.MethodGet, path: "/v1/alerts/{id}", scope: keyring.ScopeRead, light: true, handle: getAlert},
		{method: http.MethodGet, path: "/v1/alerts/{id}/deliveries", scope: keyring.ScopeRead, light: true, handle: listDeliveries},
		{method: http.MethodPost, path: "/v1/alerts/{id}/test", scope: keyring.ScopeAdmin, params: []string{"send"}, handle: testAlert},
		{method: http.MethodPut, path: "/v1/alerts/{id}", scope: keyring.ScopeAdmin, handle: putAlert},
		{method: http.MethodDelete, path: "/v1/alerts/{id}", scope: keyring.ScopeAdmin, handle: deleteAlert},
	}
}

// alertProblem is the answer to what went wrong with an alert.
func alertProblem(err error) error {
	switch {
	case errors.Is(err, alert.ErrUnknown):
		return problemf(http.StatusNotFound, codeNotFound, "the project of this key has no alert of this name")
	case errors.Is(err, alert.ErrInvalid):
		return wrongLines(codeInvalidBody, err, alert.ErrInvalid)
	}
	return err
}

func listAlerts(_ context.Context, s *Server, c *call) (*answer, error) {
	return ok(&wire.Page[alert.Row]{Data: s.o.Alerts.List(c.caller.Project)}, nil)
}

func getAlert(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	row, err := s.o.Alerts.Get(c.caller.Project, name)
	return ok(&row, alertProblem(err))
}

func putAlert(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	text, err := s.readText(c, maxSaved, "alerts")
	if err != nil {
		return nil, err
	}
	row, err := s.o.Alerts.Put(c.caller.Project, name, c.caller.KeyID, text)
	if err != nil {
		return nil, alertProblem(err)
	}
	s.o.Logger.Info("saved", "what", "alerts", "name", name, "project", c.caller.Project, "by", c.caller.KeyID)
	return ok(&row, nil)
}

func deleteAlert(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	if err := s.o.Alerts.Delete(c.caller.Project, name); err != nil {
		return nil, alertProblem(err)
	}
	s.o.Logger.Info("removed", "what", "alerts", "name", name, "project", c.caller.Project, "by", c.caller.KeyID)
	return &answer{status: http.StatusNoContent}, nil
}

func listDeliveries(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	all, err := s.o.Alerts.Deliveries(c.caller.Project, name)
	return ok(&wire.Page[alert.Delivery]{Data: all}, alertProblem(err))
}

// testAlert is POST /v1/alerts/{id}/test. It asks a question as an alert's look does, beside those that take turns: one at a time.
func testAlert(ctx context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query.Reader{Values: c.params}
	send := q.Is("send")
	if q.Err != nil {
		return nil, q.Err
	}
	trial, err := s.o.Alerts.Test(ctx, c.caller.Project, name, send)
	if err != nil {
		return nil, alertProblem(err)
	}
	s.o.Logger.Info("an alert was tried out", "alert", name, "project", c.caller.Project, "by", c.caller.KeyID, "sent", len(trial.Sent))
	return ok(trial, nil)
}

// Stats answers as GET /v1/stats does.
func (s *Server) Stats(ctx context.Context, project string, values url.Values) (*wire.Page[wire.StatRow], error) {
	q, searches, err := query.ParseStats(values)
	if err != nil {
		return nil, err
	}
	if err := s.searchStats(ctx, project, &q.Filter, searches); err != nil {
		return nil, err
	}
	return query.ListStats(ctx, s.o.Warehouse, project, q)
}
