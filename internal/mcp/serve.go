package mcp

import (
	"context"
	"errors"
	"io"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Handler answers one request of the protocol's streamable HTTP for a caller with these scopes. It keeps nothing between requests, so that each may go to
// another node, and answers with JSON, never with a stream that lasts. Whoever is before it reads the key, bounds the body and looks at Origin.
func (c *Catalog) Handler(b Backend, scopes []string) http.Handler {
	s := c.Server(b, scopes)
	return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s }, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, PropagateRequestCancellation: true,
		// A proxy on the same machine has another name in Host; who may come is decided by the key.
		DisableLocalhostProtection: true,
	})
}

// ServeLines speaks the protocol over in and out, a message a line, until in ends or ctx does.
func (c *Catalog) ServeLines(ctx context.Context, b Backend, scopes []string, in io.Reader, out io.Writer) error {
	err := c.Server(b, scopes).Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(in), Writer: leftOpen{out}})
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// leftOpen is a writer that others close.
type leftOpen struct{ io.Writer }

func (leftOpen) Close() error { return nil }
