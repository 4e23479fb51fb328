package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Prompts keeps the prompts of projects.
type Prompts interface {
	List(project string) ([]wire.PromptSummary, error)
	Get(project, name string, version int, label string) (wire.PromptVersion, error)
	Versions(project, name string) ([]wire.PromptVersion, error)
	Put(project, by string, text []byte) (wire.PromptVersion, error)
	Move(project, name, label string, version int) (wire.PromptVersion, error)
	Unlabel(project, name, label string) error
	Delete(project, name string, version int) error
}

// maxPromptBody bounds the body of a version, in bytes: more than its parts may have, escaped.
const maxPromptBody = 1 << 20

// promptRoutes answer in the form that Brokle's clients read: {"success": …, "data": …}.
func promptRoutes() []route {
	of := func(method, path string, scope keyring.Scope, handle handler, params ...string) route {
		return route{method: method, path: "/v1/prompts" + path, scope: scope, params: params, light: true, problem: notSuccess, handle: handle}
	}
	return []route{
		of(http.MethodGet, "", keyring.ScopeRead, listPrompts, "type", "tag", "limit", "page", "cursor"),
		of(http.MethodPost, "", keyring.ScopeAdmin, postPrompt),
		of(http.MethodGet, "/{id}", keyring.ScopeRead, getPrompt, "version", "label"),
		of(http.MethodDelete, "/{id}", keyring.ScopeAdmin, deletePrompt, "version"),
		of(http.MethodGet, "/{id}/versions", keyring.ScopeRead, listPromptVersions),
		of(http.MethodPut, "/{id}/labels", keyring.ScopeAdmin, putPromptLabel),
		of(http.MethodDelete, "/{id}/labels", keyring.ScopeAdmin, deletePromptLabel, "label"),
	}
}

// promptPage is a list of prompts, with the pages that clients count.
type promptPage struct {
	Success    bool                 `json:"success"` // true
	Data       []wire.PromptSummary `json:"data"`
	NextCursor *string              `json:"next_cursor"` // null on the last page
	Meta       promptMeta           `json:"meta"`
}

type promptMeta struct {
	Pagination promptPagination `json:"pagination"`
}

type promptPagination struct {
	Page       int `json:"page"`  // from 1
	Limit      int `json:"limit"` // rows of a page
	Total      int `json:"total"` // rows of all pages
	TotalPages int `json:"total_pages"`
}

// versionsPage is the versions of a prompt.
type versionsPage struct {
	Success    bool                 `json:"success"` // true
	Data       []wire.PromptVersion `json:"data"`
	NextCursor *string              `json:"next_cursor"` // null: these are all
}

// labelMove is the body of a label's move.
type labelMove struct {
	Label   string `json:"label"`   // 1 to 50 lower-case letters, digits, "-", "_" and "."; not latest
	Version int    `json:"version"` // that has it from now on
}

// promptProblem is the answer to what went wrong with a prompt. Clients look for "not found" in the message.
func promptProblem(err error) error {
	switch {
	case errors.Is(err, prompt.ErrUnknown):
		return problemf(http.StatusNotFound, codeNotFound, "%s in the project of this key", err)
	case errors.Is(err, prompt.ErrInvalid):
		return wrongLines(codeInvalidBody, err, prompt.ErrInvalid)
	}
	return err
}

func listPrompts(_ context.Context, s *Server, c *call) (*answer, error) {
	q := query.Reader{Values: c.params}
	typ, tag := q.Text("type"), q.Text("tag")
	limit, page := q.Whole("limit", query.MaxLimit, query.MaxLimit), q.Whole("page", 1, 1e6)
	page = q.Whole("cursor", page, 1e6)
	if typ != "" && typ != wire.PromptText && typ != wire.PromptChat {
		q.Fail("type", "must be %s or %s", wire.PromptText, wire.PromptChat)
	}
	if q.Err != nil {
		return nil, q.Err
	}
	all, err := s.o.Prompts.List(c.caller.Project)
	if err != nil {
		return nil, err
	}
	chosen := []wire.PromptSummary{}
	for i := range all {
		if p := &all[i]; (typ == "" || p.Type == typ) && (tag == "" || slices.Contains(p.Tags, tag)) {
			chosen = append(chosen, *p)
		}
	}
	total := len(chosen)
	out := &promptPage{Success: true, Meta: promptMeta{promptPagination{page, limit, total, max(1, (total+limit-1)/limit)}}}
	from := min((page-1)*limit, total)
	out.Data = chosen[from:min(from+limit, total)]
	if from+limit < total {
		next := strconv.Itoa(page + 1)
		out.NextCursor = &next
	}
	return ok(out, nil)
}

func getPrompt(_ context.Context, s *Server, c *call) (*answer, error) {
	p, err := s.askedPrompt(c, wire.PromptLatest)
	return ok(&success[wire.PromptVersion]{Success: true, Data: p}, err)
}

// askedPrompt is the version that the path and the parameters name; otherwise is the label where they name none.
func (s *Server) askedPrompt(c *call, otherwise string) (wire.PromptVersion, error) {
	q := query.Reader{Values: c.params}
	number, label := q.Whole("version", 0, 1e9), q.Text("label")
	if number != 0 && label != "" {
		q.Fail("label", "is no parameter beside version")
	}
	if number == 0 && label == "" {
		label = otherwise
	}
	if q.Err != nil {
		return wire.PromptVersion{}, q.Err
	}
	name, err := pathID(c)
	if err != nil {
		return wire.PromptVersion{}, err
	}
	p, err := s.o.Prompts.Get(c.caller.Project, name, number, label)
	return p, promptProblem(err)
}

func listPromptVersions(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	all, err := s.o.Prompts.Versions(c.caller.Project, name)
	return ok(&versionsPage{Success: true, Data: all}, promptProblem(err))
}

func postPrompt(_ context.Context, s *Server, c *call) (*answer, error) {
	text, err := s.readText(c, maxPromptBody, "prompts")
	if err != nil {
		return nil, err
	}
	p, err := s.madePrompt(c, text)
	return ok(&success[*wire.PromptVersion]{Success: true, Data: p}, err)
}

func (s *Server) madePrompt(c *call, text []byte) (*wire.PromptVersion, error) {
	p, err := s.o.Prompts.Put(c.caller.Project, c.caller.KeyID, text)
	if err != nil {
		return nil, promptProblem(err)
	}
	s.o.Logger.Info("saved", "what", "prompts", "name", p.Name, "version", p.Version, "labels", strings.Join(p.Labels, " "), "project", c.caller.Project, "by", c.caller.KeyID)
	return &p, nil
}

func putPromptLabel(_ context.Context, s *Server, c *call) (*answer, error) {
	name, err := pathID(c)
	if err != nil {
		return nil, err
	}
	text, err := s.readText(c, maxSaved, "labels")
	if err != nil {
		return nil, err
	}
	var l labelMove
	if err := json.Unmarshal(text, &l); err != nil || l.Version < 1 {
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, `the body must be {"label": "production", "version": 3}, with a version from 1`)
	}
	p, err := s.o.Prompts.Move(c.caller.Project, name, l.Label, l.Version)
	if err != nil {
		return nil, promptProblem(err)
	}
	s.o.Logger.Info("a label of a prompt was moved", "name", name, "label", l.Label, "version", l.Version, "project", c.caller.Project, "by", c.caller.KeyID)
	return ok(&success[wire.PromptVersion]{Success: true, Data: p}, nil)
}

func deletePromptLabel(_ context.Context, s *Server, c *call) (*answer, error) {
	q := query.Reader{Values: c.params}
	label := q.Text("label")
	name, err := pathID(c)
	if err = errors.Join(q.Err, err); err != nil {
		return nil, err
	}
	if err := s.o.Prompts.Unlabel(c.caller.Project, name, label); err != nil {
		return nil, promptProblem(err)
	}
	s.o.Logger.Info("a label of a prompt was removed", "name", name, "label", label, "project", c.caller.Project, "by", c.caller.KeyID)
	return &answer{status: http.StatusNoContent}, nil
}

func deletePrompt(_ context.Context, s *Server, c *call) (*answer, error) {
	q := query.Reader{Values: c.params}
	number := q.Whole("version", 0, 1e9)
	name, err := pathID(c)
	if err = errors.Join(q.Err, err); err != nil {
		return nil, err
	}
	if err := s.o.Prompts.Delete(c.caller.Project, name, number); err != nil {
		return nil, promptProblem(err)
	}
	s.o.Logger.Info("removed", "what", "prompts", "name", name, "version", number, "project", c.caller.Project, "by", c.caller.KeyID)
	return &answer{status: http.StatusNoContent}, nil
}
