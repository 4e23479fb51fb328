package server

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// lister answers with a page of a list.
type lister[R any] func(context.Context, *Server, *call, store.Query) (*wire.Page[R], error)

// listOf is the handler of a list. What it can be asked is in package query.
func listOf[R any](of query.List, page lister[R]) handler {
	return func(ctx context.Context, s *Server, c *call) (*answer, error) {
		q, words, err := query.Parse(of, c.params)
		if err != nil {
			return nil, err
		}
		done, err := s.search(ctx, c.caller.Project, &q.Filter, words)
		if err != nil {
			return nil, err
		}
		defer done()
		return ok(page(ctx, s, c, q))
	}
}

// asked has the Warehouse answer.
func asked[R any](ask func(context.Context, store.Warehouse, string, store.Query) (*wire.Page[R], error)) lister[R] {
	return func(ctx context.Context, s *Server, c *call, q store.Query) (*wire.Page[R], error) {
		return ask(ctx, s.o.Warehouse, c.caller.Project, q)
	}
}

func getStats(ctx context.Context, s *Server, c *call) (*answer, error) {
	q, words, err := query.ParseStats(c.params)
	if err != nil {
		return nil, err
	}
	if err := s.searchStats(ctx, c.caller.Project, &q.Filter, words); err != nil {
		return nil, err
	}
	return ok(query.ListStats(ctx, s.o.Warehouse, c.caller.Project, q))
}
