package server

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// lister answers with a page of a list.
type lister[R any] func(context.Context, *Server, *call, store.Query) (*wire.Page[R], error)

// shower adds to the rows of a page what is asked for with previews; m marks the words of a search, and is nil without.
type shower[R any] func(ctx context.Context, s *Server, project string, rows []R, m *marking) error

// mostShown is how many rows a page with previews has at most.
const mostShown = 200

// listOf is the handler of a list. What it can be asked is in package query. show is for lists that have previews.
func listOf[R any](of query.List, page lister[R], show ...shower[R]) handler {
	return func(ctx context.Context, s *Server, c *call) (*answer, error) {
		q, searches, err := query.Parse(of, c.params)
		if err != nil {
			return nil, err
		}
		shown := query.Reader{Values: c.params}
		previews := shown.Is("previews")
		switch {
		case shown.Err != nil:
			return nil, shown.Err
		case previews && q.Limit > mostShown:
			return nil, badParameter("limit", "must be at most %d with previews", mostShown)
		}
		found, done, err := s.search(ctx, c.caller.Project, &q.Filter, searches)
		if err != nil {
			return nil, err
		}
		defer done()
		rows, err := page(ctx, s, c, q)
		if err == nil && previews && len(rows.Data) > 0 {
			for _, show := range show {
				if err := show(ctx, s, c.caller.Project, rows.Data, s.marks(c.caller.Project, searches, found)); err != nil {
					return nil, err
				}
			}
		}
		return ok(rows, err)
	}
}

// asked has the Warehouse answer.
func asked[R any](ask func(context.Context, store.Warehouse, string, store.Query) (*wire.Page[R], error)) lister[R] {
	return func(ctx context.Context, s *Server, c *call, q store.Query) (*wire.Page[R], error) {
		return ask(ctx, s.o.Warehouse, c.caller.Project, q)
	}
}

// showTraces and showObservations are the texts beside rows of these.
func showTraces(ctx context.Context, s *Server, project string, rows []wire.TraceSummary, m *marking) error {
	if err := s.previews(ctx, project, rows); err != nil || m == nil {
		return err
	}
	return m.traces(ctx, rows)
}

func showObservations(ctx context.Context, _ *Server, _ string, rows []wire.Observation, m *marking) error {
	if m == nil {
		return nil
	}
	return m.observations(ctx, rows)
}

func getStats(ctx context.Context, s *Server, c *call) (*answer, error) {
	return ok(s.Stats(ctx, c.caller.Project, c.params))
}
