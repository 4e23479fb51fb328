package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/page"
	"github.com/brokle-ai/brokle-go/internal/signin"
)

// pageRoutes are the web page and its sign-in. They are no part of the public
// API: the page uses that like any other client.
func pageRoutes() []route {
	routes := []route{
		{method: "POST", path: "/v1/session", anyParam: true, handle: postSession},
		{method: "GET", path: "/v1/session", anyParam: true, handle: getSession},
		{method: "DELETE", path: "/v1/session", anyParam: true, handle: deleteSession},
		{method: "POST", path: "/v1/session/link", scope: keyring.ScopeRead, anyParam: true, handle: postSessionLink},
		{method: "GET", path: "/assets/{file}", anyParam: true, raw: (*Server).assets},
	}
	// Each view of the page has an address, so that it can be kept and passed on.
	for _, view := range []string{"/{$}", "/traces", "/compare", "/observations", "/sessions", "/users", "/scores", "/dashboard", "/sql", "/prompts", "/datasets", "/experiments", "/alerts", "/ingest", "/settings"} {
		routes = append(routes, route{method: "GET", path: view, anyParam: true, raw: pageFile("index.html")})
	}
	for _, view := range []string{"/traces/{id}", "/observations/{id}", "/sessions/{id}", "/users/{id}", "/prompts/{id}", "/datasets/{id}"} {
		routes = append(routes, route{method: "GET", path: view, anyParam: true, raw: pageFile("below.html")})
	}
	return routes
}

func pageFile(name string) func(*Server) http.Handler {
	return func(s *Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveFile(w, r, s.page[name]) })
	}
}

// nothing answers where nothing is: a program with the error envelope, a browser outside of the API with the page.
func (s *Server) nothing() http.Handler {
	program := s.serve(route{path: unknownPath, anyParam: true, handle: noRoute})
	person := s.serve(route{path: unknownPath, anyParam: true, raw: func(s *Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.o.WriteTimeout))
			s.page["index.html"].Nowhere(w, r)
		})
	}})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks := r.Method == http.MethodGet || r.Method == http.MethodHead
		api := strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, langfuseBase) || strings.HasPrefix(r.URL.Path, "/assets/")
		if asks && !api && strings.Contains(r.Header.Get("Accept"), "text/html") {
			person.ServeHTTP(w, r)
			return
		}
		program.ServeHTTP(w, r)
	})
}

func (s *Server) assets() http.Handler {
	missing := s.serve(route{path: unknownPath, anyParam: true, handle: noRoute})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.page["assets/"+r.PathValue("file")]; f != nil {
			s.serveFile(w, r, f)
			return
		}
		missing.ServeHTTP(w, r)
	})
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, f *page.File) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.o.WriteTimeout))
	f.ServeHTTP(w, r)
}

// maxSignIn bounds the body of a sign-in, in bytes.
const maxSignIn = 4 << 10

// sessionInfo says who is signed in. It holds no secret.
type sessionInfo struct {
	Project   string          `json:"project"`
	KeyID     string          `json:"key_id"`
	KeyName   string          `json:"key_name"`
	Scopes    []keyring.Scope `json:"scopes"`
	ExpiresAt time.Time       `json:"expires_at"`
}

// sessionLink is a link that signs in once.
type sessionLink struct {
	Path      string    `json:"path"` // below the server's URL
	ExpiresAt time.Time `json:"expires_at"`
}

// Link returns the path of a link that signs in to the web page as the key,
// once, within ten minutes. ok is false when the key is unknown or revoked.
func (s *Server) Link(secret string) (path string, ok bool) {
	caller, ok := s.o.Keys.Lookup(secret)
	if !ok {
		return "", false
	}
	return s.desk.Link(caller.KeyID), true
}

// postSession signs in with {"key": "bk_…"} or with the {"token": "…"} of a link.
func postSession(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := signin.SameOrigin(c.r); err != nil {
		return nil, err
	}
	var in struct{ Key, Token string }
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(s.o.BodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxSignIn))
	if err != nil {
		return nil, problemf(http.StatusBadRequest, codeIncompleteBody, "the body was not read: it has at most %d bytes", maxSignIn)
	}
	if json.Unmarshal(body, &in) != nil || (in.Key == "") == (in.Token == "") {
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter, `the body is {"key": "bk_…"} or {"token": "…"}`)
	}
	who, header, err := s.desk.SignIn(c.r, in.Key, in.Token)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: infoOf(who), header: header}, nil
}

func infoOf(who signin.SignedIn) *sessionInfo {
	return &sessionInfo{Project: who.Key.Project, KeyID: who.Key.ID, KeyName: who.Key.Name, Scopes: who.Key.Scopes, ExpiresAt: who.Ends}
}

// getSession says who is signed in; nobody is no error.
func getSession(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := signin.SameOrigin(c.r); err != nil {
		return nil, err
	}
	who, ok := s.desk.Who(c.r)
	if !ok {
		return &answer{status: http.StatusNoContent}, nil
	}
	return &answer{status: http.StatusOK, body: infoOf(who)}, nil
}

func deleteSession(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := signin.SameOrigin(c.r); err != nil {
		return nil, err
	}
	return &answer{status: http.StatusNoContent, header: s.desk.SignOut(c.r)}, nil
}

// postSessionLink makes a sign-in link for the holder of a key, such as `brokle open`.
func postSessionLink(_ context.Context, s *Server, c *call) (*answer, error) {
	if c.caller.SignIn != "" {
		return nil, problemf(http.StatusForbidden, codeForbidden, "a session makes no further sessions: send the key")
	}
	link := &sessionLink{Path: s.desk.Link(c.caller.KeyID), ExpiresAt: s.o.Now().Add(signin.LinkLife)}
	return &answer{status: http.StatusCreated, body: link}, nil
}

// notLetIn is the answer to somebody who is not let in.
func notLetIn(r *signin.Refusal) *problem {
	p := &problem{status: http.StatusUnauthorized, code: codeUnauthorized, message: r.Message, retryAfter: r.Wait}
	switch r.Reason {
	case signin.Forbidden:
		p.status, p.code = http.StatusForbidden, codeForbidden
	case signin.TooMany:
		p.status, p.code = http.StatusTooManyRequests, codeTooManyFailures
	}
	if r.Challenge {
		p.header = http.Header{"Www-Authenticate": {`Bearer realm="brokle"`}}
	}
	return p
}
