package server

import (
	"context"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// maxUserID bounds the user's id of a path, in bytes.
const maxUserID = 4 << 10

// erasure is the answer to a DELETE of telemetry.
type erasure struct {
	Erased   erased   `json:"erased"`
	TraceIDs []string `json:"trace_ids"` // sorted
}

// erased counts what is gone.
type erased struct {
	Traces       int `json:"traces"`
	Observations int `json:"observations"`
	Scores       int `json:"scores"`
	Events       int `json:"events"`
}

// deleteTrace is DELETE /v1/traces/{id}.
func deleteTrace(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	if err := s.eraseItems(ctx, c, id); err != nil { // also those of a trace that has expired
		return nil, err
	}
	return s.erase(ctx, c, s.o.Eraser.Trace, id)
}

// deleteUser is DELETE /v1/users/{id}.
func deleteUser(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := givenID(c)
	if err != nil {
		return nil, err
	}
	if id == "" || len(id) > maxUserID || !query.Clean(id) {
		return nil, store.ErrNotFound
	}
	return s.erase(ctx, c, s.o.Eraser.User, id)
}

// erase waits neither for a client that left nor while the server stops; what has begun ends.
func (s *Server) erase(ctx context.Context, c *call, remove func(ctx context.Context, project, id string) (*removal.Erased, error), id string) (*answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	gone, err := remove(ctx, c.caller.Project, id)
	if err != nil {
		return nil, err
	}
	s.o.Logger.Info("telemetry was erased", "project", c.caller.Project, "by", c.caller.KeyID, "events", gone.Events, "traces", len(gone.TraceIDs))
	return &answer{status: http.StatusOK, body: &erasure{
		Erased:   erased{Traces: len(gone.TraceIDs), Observations: gone.Observations, Scores: gone.Scores, Events: gone.Events},
		TraceIDs: append([]string{}, gone.TraceIDs...),
	}}, nil
}

// eraseItems takes what was made of a trace out of the datasets, in all of their versions. What the trace itself has to do with the Eraser erases, and its items again.
func (s *Server) eraseItems(ctx context.Context, c *call, traceID string) error {
	n, err := s.o.Datasets.Erase(context.WithoutCancel(ctx), c.caller.Project, []string{store.TraceKey(traceID)})
	if n > 0 {
		s.o.Logger.Info("items of datasets were erased with their traces", "project", c.caller.Project, "by", c.caller.KeyID, "items", n)
	}
	return s.datasetProblem(err)
}
