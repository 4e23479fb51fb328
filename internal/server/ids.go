package server

import (
	"context"
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Some ids do not survive in a path: ".", ".." and what has a slash are changed by clients
// and proxies on the way, however they are escaped. For these the id stands in the query:
// /v1/traces?id=.. is /v1/traces/{id}, and /v1/traces/-/history?id=.. is its history.

// noID stands in a path for an id that is in the query.
const noID = "-"

// oneOf is the list, or with ?id= the one of that id; also names the parameters that one takes
// beside it.
func oneOf(list, one handler, also ...string) handler {
	return func(ctx context.Context, s *Server, c *call) (*answer, error) {
		id, err := queryID(c)
		if err != nil {
			return nil, err
		}
		if id == "" {
			return list(ctx, s, c)
		}
		for _, name := range slices.Sorted(maps.Keys(c.params)) { // of several the answer names the same one each time
			if name != "id" && c.params.Get(name) != "" && !slices.Contains(also, name) {
				return nil, badParameter(name, "is no parameter beside id")
			}
		}
		c.r.SetPathValue("id", noID)
		return one(ctx, s, c)
	}
}

// onlyOne is one with ?id=, which must be there.
func onlyOne(one handler) handler {
	return oneOf(func(context.Context, *Server, *call) (*answer, error) {
		return nil, badParameter("id", "must say which one")
	}, one)
}

// queryID is the id of the query, or "".
func queryID(c *call) (string, error) {
	q := query.Reader{Values: c.params}
	return q.Text("id"), q.Err
}

// givenID is the id that a request is about: that of the path, or that of the query.
func givenID(c *call) (string, error) {
	id, err := queryID(c)
	switch path := c.r.PathValue("id"); {
	case err != nil:
		return "", err
	case id == "":
		return path, nil
	case path != noID:
		return "", badParameter("id", "needs - in its place in the path")
	}
	return id, nil
}

// pathID returns the id of a request. What no entity can be called is not found.
func pathID(c *call) (string, error) {
	const longestID = 255 // characters, the wire contract's bound for entity ids
	id, err := givenID(c)
	if err != nil {
		return "", err
	}
	if id == "" || len(id) > 4*longestID || !query.Clean(id) {
		return "", store.ErrNotFound
	}
	return id, nil
}
