package server

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/mcp"
	"github.com/brokle-ai/brokle-go/internal/signin"
)

// maxMCP bounds a message of the Model Context Protocol, in bytes.
const maxMCP = 1 << 20

// newCatalog has the tools for which there are routes.
func (s *Server) newCatalog(routes []route) *mcp.Catalog {
	there := map[string]bool{}
	for i := range routes {
		there[routes[i].method+" "+nameless(routes[i].path)] = true
	}
	return mcp.New(mcp.Options{
		Offers:  func(method, path string) bool { return there[method+" "+nameless(path)] },
		Version: version, Now: s.o.Now, Logger: s.o.Logger,
	})
}

// nameless is a path whose names in braces are alike.
func nameless(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// postMCP is POST /mcp: one message of the Model Context Protocol. What it asks for is asked of this server's own routes, with the caller's key.
func postMCP(ctx context.Context, s *Server, c *call) (*answer, error) {
	if err := agentOnly(c); err != nil {
		return nil, err
	}
	text, err := s.readText(c, maxMCP, "messages of the Model Context Protocol")
	if err != nil {
		return nil, err
	}
	r := c.r.Clone(ctx)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream") // the answer is JSON, whatever else is taken
	scopes := make([]string, len(c.caller.Scopes))
	for i, scope := range c.caller.Scopes {
		scopes[i] = string(scope)
	}
	rec := &recorder{header: http.Header{}, most: 2 * mcp.MaxAnswer}
	s.catalog.Handler(&ownAPI{s, c}, scopes).ServeHTTP(rec, r)
	status := cmp.Or(rec.status, http.StatusOK)
	media := rec.header.Get("Content-Type")
	if status == http.StatusBadRequest && strings.Contains(rec.body.String(), "JSON RPC not handled") { // the library's words: what has an id wants an answer
		if refusal := mcp.Unknown(text); refusal != nil {
			return &answer{status: http.StatusOK, bytes: refusal, media: "application/json"}, nil
		}
		return &answer{status: http.StatusAccepted}, nil
	}
	if status >= http.StatusBadRequest && !strings.HasPrefix(media, "application/json") {
		return nil, mcpProblem(status, strings.TrimSpace(rec.body.String()))
	}
	return &answer{status: status, bytes: rec.body.Bytes(), media: media}, nil
}

// mcpProblem is our error for what the protocol refuses before it reads a message.
func mcpProblem(status int, message string) *problem {
	if status >= http.StatusInternalServerError {
		return problemf(http.StatusInternalServerError, codeInternal, "the server failed to answer; its log says why")
	}
	return problemf(status, codeInvalidBody, "%s", cmp.Or(message, http.StatusText(status)))
}

// agentOnly refuses what a browser was made to send. Agents send no Origin; a page must be of this server, by the name by which it is
// reached: one that gave its own name the address of this machine (DNS rebinding) has another. A sign-in does not stand for the key here.
func agentOnly(c *call) error {
	if c.caller.SignIn != "" {
		return problemf(http.StatusForbidden, codeForbidden, "a sign-in to the page is not for agents: send a key, as Authorization: Bearer or X-API-Key")
	}
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return problemf(http.StatusUnsupportedMediaType, codeUnsupportedCoding, "messages of the Model Context Protocol are sent without Content-Encoding")
	}
	if c.r.Header.Get("Origin") == "" {
		return nil
	}
	local, _ := c.r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if signin.SameOrigin(c.r) != nil || local != nil && loopback(local.String()) && !loopback(c.r.Host) {
		return problemf(http.StatusForbidden, codeForbidden, "the header Origin names another site than this server: browsers may come from its own pages only")
	}
	return nil
}

// loopback says whether a host, with or without a port, is this machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// ownAPI is the server's own API with the key of a call. What it asks ends with the call.
type ownAPI struct {
	s *Server
	c *call
}

// Do implements mcp.Backend.
func (o *ownAPI) Do(ctx context.Context, q mcp.Request) (*mcp.Reply, error) {
	within, cancel := context.WithCancel(o.c.r.Context())
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	var body io.Reader = http.NoBody
	if q.Body != nil {
		body = bytes.NewReader(q.Body)
	}
	r, err := http.NewRequestWithContext(within, q.Method, q.Target(), body)
	if err != nil {
		return nil, err
	}
	r.RemoteAddr, r.Host = o.c.r.RemoteAddr, o.c.r.Host
	r.Header.Set("X-API-Key", signin.Secret(o.c.r))
	if env := o.c.r.Header.Get("X-Environment"); env != "" {
		r.Header.Set("X-Environment", env)
	}
	if q.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	rec := &recorder{header: http.Header{}, most: mcp.MaxAnswer}
	if err := rec.record(o.s.api, r); err != nil {
		return nil, err
	}
	return &mcp.Reply{Status: cmp.Or(rec.status, http.StatusOK), Allow: rec.header.Get("Allow"), Body: rec.body.Bytes()}, nil
}

// recorder keeps an answer of at most so many bytes in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	most   int
	full   bool // there was more
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.body.Len()+len(b) > r.most {
		r.full = true
		return 0, mcp.ErrTooLarge
	}
	return r.body.Write(b)
}

// record has h answer. The error is that it broke off.
func (r *recorder) record(h http.Handler, req *http.Request) (err error) {
	defer func() {
		switch v := recover(); {
		case r.full:
			err = mcp.ErrTooLarge
		case v == http.ErrAbortHandler:
			err = cmp.Or(req.Context().Err(), io.ErrUnexpectedEOF)
		case v != nil:
			panic(v)
		}
	}()
	h.ServeHTTP(r, req)
	return nil
}
