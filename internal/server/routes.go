package server

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/signin"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// route is one endpoint. The tables below are the whole API; openapi.json is made
// from them by a test.
type route struct {
	method, path string
	scope        keyring.Scope // the scope a key needs; "" for no key
	params       []string      // the query parameters; others are refused unless anyParam
	anyParam     bool
	handle       handler
	otherMethod  bool // stands for the methods that the path does not take
	light        bool // answers from memory, or stays open: it does not wait for its turn
	// format is the form of a route where telemetry comes in, of its errors too; nil for others.
	format wireformat.Format
	// problem is the body of an error, for clients that know another form; nil is ours.
	problem func(*problem) any
	// raw, instead of handle, writes its own answer: metrics, profiles.
	raw func(s *Server) http.Handler
}

// asks says whether the route answers a question from what is stored, which takes time and
// memory: such questions take turns. The receipts of jobs and batches and the audit are small, and a stream lasts.
func (rt route) asks() bool {
	return rt.method == http.MethodGet && rt.scope == keyring.ScopeRead && !rt.light
}

// handler answers one request. What it returns is written in one place, Server.serve.
type handler func(ctx context.Context, s *Server, c *call) (*answer, error)

// call is a request on its way through a handler.
type call struct {
	w      http.ResponseWriter // for the deadlines of the body only; answers are returned
	r      *http.Request
	params url.Values // parsed, and checked against the route
	caller signin.Caller
	// incoming is what a format gets of the request.
	incoming wireformat.Incoming
	// question is what a call holds that asks; nil when it does not.
	question *question
	// bodyRead is set when the body was read to its end.
	bodyRead bool
	// bodyFailed is set when it could not be: nothing more of it can come.
	bodyFailed bool
}

// end gives back what the call holds.
func (c *call) end() {
	if c.question != nil {
		c.question.end()
	}
}

// answer is a 2xx on its way out of a handler.
type answer struct {
	status int
	body   any         // encoded as JSON; nil for none
	text   string      // instead of body: plain text
	bytes  []byte      // instead of body: what is ready
	media  string      // the Content-Type of bytes; "" is JSON
	header http.Header // more headers, or nil
	file   fileBytes   // instead of body: what lies in a file
	stream func()      // instead of body: writes until it ends
}

func apiRoutes() []route {
	return slices.Concat(formatRoutes(formats.All()), langfuseRoutes(), langfusePromptRoutes(), promptRoutes(), judgeRoutes(), alertRoutes(), datasetRoutes(), experimentRoutes(),
		savedRoutes("/v1/score-definitions", "score definitions", keyring.ScopeAdmin, func(s *Server) SavedList[saved.Definition] { return s.o.Definitions }),
		savedRoutes("/v1/charts", "charts", keyring.ScopeIngest, func(s *Server) SavedList[saved.Chart] { return s.o.Charts }),
		savedRoutes("/v1/views", "views", keyring.ScopeIngest, func(s *Server) SavedList[saved.View] { return s.o.Views }), []route{
			{method: "POST", path: "/mcp", scope: anyScope, handle: postMCP},
			{method: "GET", path: "/v1/telemetry/jobs/{id}", scope: keyring.ScopeRead, params: []string{"wait"}, light: true, handle: getJob},
			{method: "GET", path: "/v1/telemetry/batch/{id}", scope: keyring.ScopeRead, light: true, handle: getBatch},
			listed("/v1/telemetry/events", query.Events, oneOf(listEvents, getEvent)),
			{method: "GET", path: "/v1/telemetry/events/{id}", scope: keyring.ScopeRead, handle: getEvent},
			{method: "GET", path: "/v1/telemetry/stream", scope: keyring.ScopeRead, params: query.NamesOf(query.Stream), light: true, handle: getStream},
			{method: "GET", path: "/v1/media/{id}", scope: keyring.ScopeRead, light: true, handle: getMedium},
			{method: "GET", path: "/v1/telemetry/audit", scope: keyring.ScopeRead, light: true, handle: getAudit},
			{method: "POST", path: "/v1/auth/validate-key", scope: anyScope, anyParam: true, problem: notSuccess, handle: validateKey},
			{method: "GET", path: "/v1/ingest/refused", scope: keyring.ScopeRead, light: true, handle: getRefused},
			{method: "GET", path: "/v1/keys", scope: keyring.ScopeAdmin, handle: listKeys},
			{method: "POST", path: "/v1/keys", scope: keyring.ScopeAdmin, handle: postKey},
			{method: "DELETE", path: "/v1/keys/{id}", scope: keyring.ScopeAdmin, handle: deleteKey},
			{method: "GET", path: "/v1/prices", scope: keyring.ScopeAdmin, handle: listPrices},
			{method: "PUT", path: "/v1/prices", scope: keyring.ScopeAdmin, params: []string{"from"}, handle: putPrices},
			{method: "GET", path: "/v1/budgets", scope: keyring.ScopeRead, light: true, handle: getBudgets},
			{method: "PUT", path: "/v1/budgets", scope: keyring.ScopeAdmin, handle: putBudgets},
			{method: "GET", path: "/v1/prices/reprice", scope: keyring.ScopeAdmin, params: []string{"wait"}, handle: listRepricings},
			{method: "POST", path: "/v1/prices/reprice", scope: keyring.ScopeAdmin, params: []string{"from", "to", "model", "book", "dry_run"}, handle: postReprice},
			{method: "GET", path: "/v1/backup", scope: keyring.ScopeAdmin, handle: getBackup},
			{method: "POST", path: "/v1/warehouse/copy", scope: keyring.ScopeAdmin, handle: postCopy},
			{method: "GET", path: "/v1/projects", scope: keyring.ScopeAdmin, handle: listProjects},
			listed("/v1/traces", query.Traces, oneOf(listOf(query.Traces, asked(query.ListTraces), showTraces), getTrace)),
			{method: "GET", path: "/v1/traces/{id}", scope: keyring.ScopeRead, params: []string{"id", "format", "full", "fields"}, handle: getTrace},
			{method: "GET", path: "/v1/traces/{id}/history", scope: keyring.ScopeRead, params: []string{"id"}, handle: getHistory(entity.TraceKind)},
			{method: "DELETE", path: "/v1/traces", scope: keyring.ScopeAdmin, params: []string{"id"}, handle: onlyOne(deleteTrace)},
			{method: "DELETE", path: "/v1/traces/{id}", scope: keyring.ScopeAdmin, handle: deleteTrace},
			{method: "DELETE", path: "/v1/users", scope: keyring.ScopeAdmin, params: []string{"id"}, handle: onlyOne(deleteUser)},
			{method: "DELETE", path: "/v1/users/{id}", scope: keyring.ScopeAdmin, handle: deleteUser},
			listed("/v1/observations", query.Observations, oneOf(listOf(query.Observations, asked(query.ListObservations), showObservations), getObservation, "trace_id")),
			{method: "GET", path: "/v1/observations/{id}", scope: keyring.ScopeRead, params: []string{"id", "trace_id"}, handle: getObservation},
			{method: "GET", path: "/v1/observations/{id}/span", scope: keyring.ScopeRead, params: []string{"id", "trace_id"}, handle: getSpan},
			{method: "GET", path: "/v1/observations/{id}/explain", scope: keyring.ScopeRead, params: []string{"id", "trace_id"}, handle: getExplanation},
			{method: "GET", path: "/v1/observations/{id}/cost", scope: keyring.ScopeRead, params: []string{"id", "trace_id"}, handle: getCost},
			{method: "GET", path: "/v1/observations/{id}/history", scope: keyring.ScopeRead, params: []string{"id", "trace_id"}, handle: getHistory(entity.ObservationKind)},
			listed("/v1/scores", query.Scores, listOf(query.Scores, asked(query.ListScores))),
			{method: "GET", path: "/v1/scores/{id}/history", scope: keyring.ScopeRead, params: []string{"id"}, handle: getHistory(entity.ScoreKind)},
			listed("/v1/sessions", query.Sessions, oneOf(listOf(query.Sessions, asked(query.ListSessions)), getTraceSession, "cursor")),
			{method: "GET", path: "/v1/sessions/{id}", scope: keyring.ScopeRead, params: []string{"cursor"}, handle: getTraceSession},
			listed("/v1/users", query.Users, listOf(query.Users, asked(query.ListUsers))),
			listed("/v1/environments", query.Environments, listOf(query.Environments, asked(query.ListEnvironments))),
			listed("/v1/stats", query.Stats, getStats),
			{method: "POST", path: "/v1/sql", scope: keyring.ScopeRead, handle: postSQL},
		})
}

// listed is the route of a list.
func listed(path string, of query.List, handle handler) route {
	return route{method: http.MethodGet, path: path, scope: keyring.ScopeRead, params: query.NamesOf(of), handle: handle}
}

// mux serves the routes, and the error envelope for everything else.
func (s *Server) mux(routes []route) http.Handler {
	byPath := map[string]map[string]http.Handler{}
	for _, rt := range routes {
		if byPath[rt.path] == nil {
			byPath[rt.path] = map[string]http.Handler{}
		}
		byPath[rt.path][rt.method] = s.serve(rt)
	}
	mux := http.NewServeMux()
	for p, methods := range byPath {
		mux.Handle(p, s.byMethod(p, methods))
	}
	nothing := s.nothing()
	mux.Handle("/", nothing)
	mux.Handle(langfuseBase, s.serve(route{path: unknownPath, anyParam: true, problem: withMessage, handle: noRoute}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if begins(r) {
			w.Header().Set("Connection", "close")
		}
		// The mux would redirect an unclean path, and redirected POSTs lose their bodies.
		p := r.URL.EscapedPath()
		cleaned := path.Clean(p)
		clean := strings.HasPrefix(p, "/") && (p == cleaned || cleaned != "/" && p == cleaned+"/")
		if !clean || r.Method == http.MethodConnect {
			nothing.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// byMethod picks the handler of a path's method. HEAD is a GET whose body
// net/http drops.
func (s *Server) byMethod(p string, methods map[string]http.Handler) http.Handler {
	allowed := []string{http.MethodOptions}
	for m := range methods {
		allowed = append(allowed, m)
		if m == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	slices.Sort(allowed)
	allow := http.Header{"Allow": {strings.Join(allowed, ", ")}}
	options := s.serve(route{path: p, anyParam: true, handle: func(context.Context, *Server, *call) (*answer, error) {
		return &answer{status: http.StatusNoContent, header: allow}, nil
	}})
	refuse := s.serve(route{path: p, otherMethod: true, anyParam: true, problem: problemOn(p), handle: func(context.Context, *Server, *call) (*answer, error) {
		e := problemf(http.StatusMethodNotAllowed, codeMethodNotAllowed, "this path takes %s", allow.Get("Allow"))
		e.header = allow
		return nil, e
	}})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := r.Method
		if m == http.MethodHead {
			m = http.MethodGet
		}
		if h := methods[m]; h != nil {
			h.ServeHTTP(w, r)
		} else if m == http.MethodOptions {
			options.ServeHTTP(w, r)
		} else {
			refuse.ServeHTTP(w, r)
		}
	})
}

// unknownPath is the route of every path that is none.
const unknownPath = "unknown"

func noRoute(context.Context, *Server, *call) (*answer, error) {
	return nil, problemf(http.StatusNotFound, codeNotFound, "there is no such path; docs/api.md lists them")
}
