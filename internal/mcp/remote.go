package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Found is what a server says of itself and of a key.
type Found struct {
	Scopes []string
	Offers func(method, path string) bool
}

// Discover asks a server, through a Backend, what the key may, and which of the endpoints it has that tools are made of. The error is that of the first
// request that fails; Refused tells one that the server refused.
func Discover(ctx context.Context, b Backend) (*Found, error) {
	var key struct {
		Data struct {
			Permissions map[string]bool `json:"permissions"`
		} `json:"data"`
	}
	if err := ask(ctx, b, Request{Method: http.MethodPost, Path: "/v1/auth/validate-key", Body: []byte("{}")}, &key); err != nil {
		return nil, err
	}
	f := &Found{}
	for scope, may := range key.Data.Permissions {
		if may {
			f.Scopes = append(f.Scopes, scope)
		}
	}
	allowed := map[string]string{}
	for _, path := range Paths() {
		reply, err := b.Do(ctx, Request{Method: http.MethodOptions, Path: filled(path)})
		if err != nil {
			return nil, fmt.Errorf("ask for %s: %w", path, err)
		}
		if reply.Status/100 == 2 {
			allowed[path] = reply.Allow
		}
	}
	f.Offers = func(method, path string) bool {
		for m := range strings.SplitSeq(allowed[path], ",") {
			if strings.TrimSpace(m) == method {
				return true
			}
		}
		return false
	}
	return f, nil
}

// Paths are those of all endpoints that tools are made of, each once; names in braces stand for any.
func Paths() []string {
	var paths []string
	seen := map[string]bool{}
	for _, t := range allTools() {
		for _, need := range t.needs {
			if _, path, _ := strings.Cut(need, " "); !seen[path] {
				seen[path] = true
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// filled is a path with something in the place of its names.
func filled(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "-"
		}
	}
	return strings.Join(parts, "/")
}

// Refused says with which status and words the server refused the request that err is of; ok is false for other errors.
func Refused(err error) (status int, code, message string, ok bool) {
	var e *apiError
	if errors.As(err, &e) {
		return e.status, e.code, e.message, true
	}
	return 0, "", "", false
}
