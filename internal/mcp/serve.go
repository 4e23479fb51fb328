package mcp

import (
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
