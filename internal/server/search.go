package server

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// searchReads is about how many events a search reads before it knows whether
// the words are rare: about 0.3 s of work.
const searchReads = 200_000

// search restricts f to the events that hold the words of f.Text and have f.Attributes. Rare ones
// become a list of events, which the Warehouse folds alone; others are looked for while it
// pages through everything, where they turn up soon. The caller calls done when
// it has its answer.
func (s *Server) search(ctx context.Context, project string, f *store.Filter, q *textsearch.Query) (done func(), err error) {
	if q == nil {
		return func() {}, nil
	}
	search, err := s.o.Search.Search(project, q)
	if err != nil {
		return nil, err
	}
	seqs, ok, err := search.Seqs(ctx, searchReads)
	if err != nil {
		search.Close()
		return nil, err
	}
	if ok {
		f.Seqs = seqs
		search.Close()
		return func() {}, nil
	}
	f.Match = search.Match
	return search.Close, nil
}

// searchStats is search for an aggregate, which needs every event that matches.
func (s *Server) searchStats(ctx context.Context, project string, f *store.Filter, q *textsearch.Query) error {
	done, err := s.search(ctx, project, f, q)
	if err != nil {
		return err
	}
	defer done()
	if f.Match != nil {
		return badParameter(query.Searched(f), "what it asks for may be in more than %d events, which is too many for statistics; ask for what is rarer", searchReads)
	}
	return nil
}
