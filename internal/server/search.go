package server

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// searchReads is about how many events a search reads before it knows whether
// the words are rare: about 0.3 s of work.
const searchReads = 200_000

// searchCounts is of how many events with the words of a search statistics are made at most: their places are in memory, and in the statement that counts.
const searchCounts = 200_000

// search restricts f to what the searches find. Rare events
// become a list of events, which the Warehouse folds alone; others are looked for while it
// pages through everything, where they turn up soon. all are what each search found. The caller calls done when
// it has its answer.
func (s *Server) search(ctx context.Context, project string, f *store.Filter, searches []query.Search) (all []store.Found, done func(), err error) {
	var open []store.TextSearch
	done = func() {
		for _, search := range open {
			search.Close()
		}
	}
	for i := range searches {
		search, err := s.o.Search.Search(project, searches[i].Query)
		if err != nil {
			done()
			return nil, nil, err
		}
		seqs, ok, err := search.Rare(ctx, searchReads)
		found := store.Found{Seqs: seqs, Not: searches[i].Not}
		if ok || err != nil {
			search.Close()
		} else {
			found.Seqs, found.Match = nil, search.Match
			open = append(open, search)
		}
		if err != nil {
			done()
			return nil, nil, err
		}
		all = append(all, found)
		restrict(f, &searches[i], found)
	}
	return all, done, nil
}

// restrict adds what a search found to a filter.
func restrict(f *store.Filter, search *query.Search, found store.Found) {
	if search.Param == query.FilterParam {
		f.Found = append(f.Found, found)
	} else {
		f.Seqs, f.Match = found.Seqs, found.Match
	}
}

// searchStats is search for an aggregate, which needs every event that matches.
func (s *Server) searchStats(ctx context.Context, project string, f *store.Filter, searches []query.Search) error {
	for i := range searches {
		seqs, err := s.searchAll(ctx, project, &searches[i])
		if err != nil {
			return err
		}
		restrict(f, &searches[i], store.Found{Seqs: seqs, Not: searches[i].Not})
	}
	return nil
}

// searchAll is every event that a search finds.
func (s *Server) searchAll(ctx context.Context, project string, q *query.Search) ([]entity.Seq, error) {
	search, err := s.o.Search.Search(project, q.Query)
	if err != nil {
		return nil, err
	}
	defer search.Close()
	seqs, ok, err := search.All(ctx, searchCounts)
	if err == nil && !ok {
		err = &store.QueryError{Param: q.Param, Message: fmt.Sprintf("what it asks for is in more than %d events, which is too many for statistics; ask for what is rarer", searchCounts)}
	}
	return seqs, err
}
