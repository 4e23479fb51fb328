package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Backend sends requests to the HTTP API with the key of the caller. Its methods may be called concurrently.
type Backend interface {
	// Do sends one request and returns the whole answer, whatever its status. The error is that no answer came; ErrTooLarge when it has more than
	// MaxAnswer bytes.
	Do(ctx context.Context, q Request) (*Reply, error)
}

// Request is one request to the API.
type Request struct {
	Method string
	Path   string
	Query  url.Values // nil for none
	Body   []byte     // JSON; nil for none
}

// Target is the path with the query.
func (q Request) Target() string {
	if len(q.Query) == 0 {
		return q.Path
	}
	return q.Path + "?" + q.Query.Encode()
}

// Reply is an answer of the API.
type Reply struct {
	Status int
	Allow  string // the header of that name: what methods the path takes
	Body   []byte
}

// MaxAnswer is how many bytes an answer of the API may have, for a tool to make its own of it.
const MaxAnswer = 16 << 20

// ErrTooLarge says that an answer has more than MaxAnswer bytes.
var ErrTooLarge = errors.New("the answer is larger than a tool can read: ask for less")

// apiError is an answer of the API that is no 2xx. What it says may quote what was recorded.
type apiError struct {
	status  int
	code    string
	message string
	details json.RawMessage
}

func (e *apiError) Error() string { return fmt.Sprintf("the server answered %d %s", e.status, e.code) }

// ask sends a request and reads a 2xx into out, which may be nil.
func ask(ctx context.Context, b Backend, q Request, out any) error {
	reply, err := b.Do(ctx, q)
	if err != nil {
		return err
	}
	if reply.Status/100 != 2 {
		return errorOf(reply)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(reply.Body, out); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", q.Method, q.Path, err)
	}
	return nil
}

func errorOf(reply *Reply) error {
	e := &apiError{status: reply.Status, code: http.StatusText(reply.Status)}
	var body struct {
		Error struct {
			Code    string          `json:"code"`
			Message string          `json:"message"`
			Details json.RawMessage `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(reply.Body, &body) == nil && body.Error.Code != "" {
		e.code, e.message = body.Error.Code, body.Error.Message
		if d := body.Error.Details; len(d) > 0 && string(d) != "null" {
			e.details = d
		}
	}
	return e
}

// get asks for something by GET; what is empty in values is left out.
func get(ctx context.Context, b Backend, path string, values url.Values, out any) error {
	for name, all := range values {
		if len(all) == 1 && all[0] == "" {
			delete(values, name)
		}
	}
	return ask(ctx, b, Request{Method: http.MethodGet, Path: path, Query: values}, out)
}
