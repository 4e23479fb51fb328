package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/mcp"
)

// mcpCommand serves the Model Context Protocol on standard input and output: what a coding agent starts that cannot reach a server's POST /mcp.
func mcpCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "mcp",
		Usage: "serve the tools of a server to a coding agent, by the Model Context Protocol on standard input and output",
		Flags: clientFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			return serveMCP(ctx, c, std)
		},
	}
}

func serveMCP(ctx context.Context, c *cli.Command, std streams) error {
	api, err := newDistantAPI(c)
	if err != nil {
		return err
	}
	found, err := mcp.Discover(ctx, api)
	if err != nil {
		if status, code, message, ok := mcp.Refused(err); ok {
			err = &brokle.RequestError{Method: http.MethodPost, Path: "/v1/auth/validate-key", StatusCode: status, Code: code, Message: message}
		}
		return explain(err, c)
	}
	tools := mcp.New(mcp.Options{Offers: found.Offers, Version: brokle.Version})
	return tools.ServeLines(ctx, api, found.Scopes, std.in, std.out)
}

// distantAPI is the API of a server over the network.
type distantAPI struct {
	client    *http.Client
	host, key string
}

func newDistantAPI(c *cli.Command) (*distantAPI, error) {
	if c.String("api-key") == "" {
		_, err := newClient(c) // says what to do
		return nil, err
	}
	client, err := httpClientOf(c)
	if err != nil {
		return nil, err
	}
	if client == nil {
		client = &http.Client{}
	}
	client.Timeout = callTimeout
	// A redirect would carry the key to wherever it points.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &distantAPI{client, strings.TrimRight(c.String("host"), "/"), c.String("api-key")}, nil
}

// Do implements mcp.Backend.
func (d *distantAPI) Do(ctx context.Context, q mcp.Request) (*mcp.Reply, error) {
	failed := func(err error) error {
		var ue *url.Error // its text repeats method and URL
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return &brokle.RequestError{Method: q.Method, Path: q.Path, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, d.host+q.Target(), bytes.NewReader(q.Body))
	if err != nil {
		return nil, failed(err)
	}
	req.Header.Set("X-API-Key", d.key)
	if q.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, failed(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mcp.MaxAnswer+1))
	switch {
	case err != nil:
		return nil, failed(err)
	case len(body) > mcp.MaxAnswer:
		return nil, fmt.Errorf("%s %s: %w", q.Method, q.Path, mcp.ErrTooLarge)
	}
	return &mcp.Reply{Status: resp.StatusCode, Allow: resp.Header.Get("Allow"), Body: body}, nil
}
