package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// pageIn is what the tools take that list something page by page.
type pageIn struct {
	Limit  int    `json:"limit,omitempty" jsonschema:"rows, 1 to 100; 20 when absent"`
	Cursor string `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

const pageRows = 20

func (in pageIn) limit() int {
	if in.Limit > 0 {
		return in.Limit
	}
	return pageRows
}

// pages is a list whose rows have numbers: its cursor is the number of the row that comes next.
func (in pageIn) pages(ctx context.Context, b Backend, path, what string) (string, error) {
	at := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil || n < 0 {
			return "", errors.New("cursor: it is none of this tool; begin without one")
		}
		at = n
	}
	limit := in.limit()
	var answer struct {
		Data []map[string]json.RawMessage `json:"data"`
		Meta struct {
			Pagination struct {
				Total int `json:"total"`
			} `json:"pagination"`
		} `json:"meta"`
	}
	values := url.Values{"limit": {strconv.Itoa(limit)}, "page": {strconv.Itoa(at/limit + 1)}}
	if err := get(ctx, b, path, values, &answer); err != nil {
		return "", err
	}
	rows := answer.Data[min(at%limit, len(answer.Data)):]
	if len(rows) == 0 {
		return "There are no " + what + " here.", nil
	}
	l := listing{long: 160}
	text, fit := l.rows(rows, in.tokens()-overhead()-ownTokens)
	own := fmt.Sprintf("%d of %d %s; there are no more.", fit, answer.Meta.Pagination.Total, what)
	if next := at + fit; next < answer.Meta.Pagination.Total {
		own = fmt.Sprintf("%d of %d %s. Ask the same with cursor=%d to go on.", fit, answer.Meta.Pagination.Total, what, next)
	}
	return fenced(own, text), nil
}

// cursored is a list whose cursor is the API's.
func (in pageIn) cursored(ctx context.Context, b Backend, path, what string) (string, error) {
	l := listing{path: path, values: url.Values{"cursor": {in.Cursor}}, limit: in.limit(), tokens: in.tokens(), what: what, long: 160}
	return l.answer(ctx, b)
}
