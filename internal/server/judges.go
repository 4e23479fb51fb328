package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/signin"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Judges keeps the judges of projects, and says how they stand.
type Judges interface {
	List(project string) []judge.Standing
	Get(project, name string) (judge.Standing, error)
	Put(project, name, by string, text []byte) (judge.Standing, error)
	Delete(project, name string) error
	Stats() judge.Stats
}

func judgeRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/v1/judges", scope: keyring.ScopeRead, light: true, handle: listJudges},
		{method: http.MethodGet, path: "/v1/judges/{id}", scope: keyring.ScopeRead, light: true, handle: getJudge},
		{method: http.MethodPut, path: "/v1/judges/{id}", scope: keyring.ScopeAdmin, handle: putJudge},
		{method: http.MethodDelete, path: "/v1/judges/{id}", scope: keyring.ScopeAdmin, handle: deleteJudge},
	}
}

// judgeProblem is the answer to what went wrong with a judge.
func judgeProblem(err error) error {
	switch {
	case errors.Is(err, judge.ErrUnknown):
		return problemf(http.StatusNotFound, codeNotFound, "the project of this key has no judge of this name")
	case errors.Is(err, judge.ErrInvalid):
		return wrongLines(codeInvalidBody, err, judge.ErrInvalid)
	}
	return err
}

func listJudges(_ context.Context, s *Server, c *call) (*answer, error) {
	return ok(&wire.Page[judge.Standing]{Data: s.o.Judges.List(c.caller.Project)}, nil)
}

func getJudge(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	row, err := s.o.Judges.Get(c.caller.Project, name)
	return ok(&row, judgeProblem(err))
}

func putJudge(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	text, err := s.readText(c, 2*maxSaved, "judges")
	if err != nil {
		return nil, err
	}
	row, err := s.o.Judges.Put(c.caller.Project, name, c.caller.KeyID, text)
	if err != nil {
		return nil, judgeProblem(err)
	}
	s.o.Logger.Info("saved", "what", "judges", "name", name, "project", c.caller.Project, "by", c.caller.KeyID)
	return ok(&row, nil)
}

func deleteJudge(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	if err := s.o.Judges.Delete(c.caller.Project, name); err != nil {
		return nil, judgeProblem(err)
	}
	s.o.Logger.Info("removed", "what", "judges", "name", name, "project", c.caller.Project, "by", c.caller.KeyID)
	return &answer{status: http.StatusNoContent}, nil
}

// Traces answers as GET /v1/traces does, without previews.
func (s *Server) Traces(ctx context.Context, project string, values url.Values) (*wire.Page[wire.TraceSummary], error) {
	q, searches, err := query.Parse(query.Traces, values)
	if err != nil {
		return nil, err
	}
	_, done, err := s.search(ctx, project, &q.Filter, searches)
	if err != nil {
		return nil, err
	}
	defer done()
	return query.ListTraces(ctx, s.o.Warehouse, project, q)
}

// Scores answers as GET /v1/scores does.
func (s *Server) Scores(ctx context.Context, project string, values url.Values) (*wire.Page[wire.Score], error) {
	q, searches, err := query.Parse(query.Scores, values)
	if err != nil {
		return nil, err
	}
	_, done, err := s.search(ctx, project, &q.Filter, searches)
	if err != nil {
		return nil, err
	}
	defer done()
	return query.ListScores(ctx, s.o.Warehouse, project, q)
}

// Trace is a trace with its input, output and metadata, without observations. It takes its turn among the questions of keys, as one of by.
func (s *Server) Trace(ctx context.Context, project, by, id string) (*wire.Trace, error) {
	q, err := s.ask(ctx, by)
	if err != nil {
		return nil, err
	}
	c := &call{caller: signin.Caller{Caller: keyring.Caller{Project: project, KeyID: by}}, params: url.Values{}, question: q}
	defer c.end()
	o, err := s.outline(ctx, c, outlining{id: id, copies: payloadCopies})
	if err != nil {
		return nil, err
	}
	if err := o.fillTrace(ctx); err != nil {
		return nil, err
	}
	t := *o.Trace
	t.Observations, t.ScoreList = nil, nil
	return &t, nil
}
