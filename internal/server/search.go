package server

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// searchReads is about how many events a search reads before it knows whether
// the words are rare: about 0.3 s of work.
const searchReads = 200_000

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
		seqs, ok, err := search.Seqs(ctx, searchReads)
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
		if searches[i].Param == query.FilterParam {
			f.Found = append(f.Found, found)
		} else {
			f.Seqs, f.Match = found.Seqs, found.Match
		}
	}
	return all, done, nil
}

// searchStats is search for an aggregate, which needs every event that matches.
func (s *Server) searchStats(ctx context.Context, project string, f *store.Filter, searches []query.Search) error {
	for i := range searches {
		_, done, err := s.search(ctx, project, f, searches[i:i+1])
		if err != nil {
			return err
		}
		done()
		if (&store.Where{Match: f.Match, Found: f.Found}).Asks() {
			return &store.QueryError{Param: searches[i].Param, Message: fmt.Sprintf("what it asks for may be in more than %d events, which is too many for statistics; ask for what is rarer", searchReads)}
		}
	}
	return nil
}
