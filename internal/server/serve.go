package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// serve runs a route's handler and does, in this one place, what every answer
// needs: the key, the parameters, status, headers, body, metrics and log.
func (s *Server) serve(rt route) http.Handler {
	seen := s.metrics.route(rt)
	if rt.raw != nil {
		h := rt.raw(s)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			(&call{r: r}).dropRest(http.NewResponseController(w))
			h.ServeHTTP(w, r)
			seen.done(http.StatusOK, 0)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.o.Now()
		s.metrics.inProgress.Inc()
		defer s.metrics.inProgress.Dec()
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{}) // one may be left of the connection's last answer
		c := &call{w: w, r: r, incoming: wireformat.Incoming{Path: rt.path, Header: r.Header}}
		defer c.end()
		ans, err := s.run(rt, c)
		c.dropRest(control)
		out := &answerWriter{s: s, c: c, rt: rt, ans: ans}
		if err == nil {
			err = out.send()
		}
		if err != nil {
			out = &answerWriter{s: s, c: c, rt: rt, ans: s.refusal(rt, c, err)}
			if err := out.send(); err != nil {
				s.o.Logger.Error("encode an error", "route", rt.path, "error", err)
			}
		}
		seen.done(out.ans.status, s.o.Now().Sub(start))
		if out.broken != nil {
			s.logProblem(rt, c, s.problemOf(out.broken))
		}
		if out.err != nil {
			// The client left, or does not read: what it sent is stored all the same.
			panic(http.ErrAbortHandler)
		}
		if out.ans.stream != nil && r.Method != http.MethodHead {
			out.ans.stream()
		}
	})
}

// refusal is the answer that an error gets.
func (s *Server) refusal(rt route, c *call, err error) *answer {
	p := s.problemOf(err)
	s.logProblem(rt, c, p)
	s.noteRefusal(rt, c, p)
	if p.retryAfter > 0 {
		c.w.Header().Set("Retry-After", retryAfter(rt, p.retryAfter))
	}
	for name, values := range p.header {
		c.w.Header()[name] = values
	}
	ans := &answer{status: p.status, body: envelope{p.body()}}
	switch {
	case rt.format != nil:
		ans, err = formatted(rt.format.Refuse(&c.incoming, &wireformat.Refusal{Status: p.status, ErrorBody: p.body(), Batch: p.batch}))
		if err != nil {
			s.o.Logger.Error("encode an error", "route", rt.path, "error", err)
			return &answer{status: p.status}
		}
	case rt.problem != nil:
		ans.body = rt.problem(p)
	}
	return ans
}

// run checks the key and the parameters, then calls the handler. A panic
// becomes an error: it costs its own request and nothing else.
func (s *Server) run(rt route, c *call) (ans *answer, err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v)
		}
		// The value may hold a piece of a payload (a slice's bounds do not); the stack does not.
		s.o.Logger.Error("a handler panicked", "route", rt.path, "type", panicType(v), "stack", string(debug.Stack()))
		err = problemf(http.StatusInternalServerError, codeInternal, "the server failed to answer; its log says why")
	}()
	if rt.scope != "" {
		if err = s.authenticate(c, rt.scope); err != nil {
			return nil, err
		}
	}
	if c.params, err = parameters(c.r.URL.RawQuery, rt); err != nil {
		return nil, err
	}
	if rt.asks() {
		return s.answerQuery(c.r.Context(), rt, c)
	}
	return rt.handle(c.r.Context(), s, c)
}

func panicType(v any) string {
	if err, ok := v.(interface{ RuntimeError() }); ok {
		return err.(error).Error()
	}
	return "of a value that is not shown"
}

// authenticate finds the caller before anything of the body is read.
func (s *Server) authenticate(c *call, scope keyring.Scope) (err error) {
	if c.caller, err = s.desk.Caller(c.r); err != nil {
		return err
	}
	if scope != anyScope && !c.caller.Has(scope) {
		return problemf(http.StatusForbidden, codeForbidden, "the key lacks the scope %q", scope)
	}
	return nil
}

// anyScope is the scope of routes that take every key.
const anyScope keyring.Scope = "any"

// parameters parses a query string and refuses what the route does not know.
func parameters(raw string, rt route) (url.Values, error) {
	if rt.anyParam {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter, "the query string cannot be read: percent-encode it, and separate with &")
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !query.Known(rt.params, name) {
			p := problemf(http.StatusBadRequest, codeUnknownParameter, "unknown parameter %q; %s", name, known(rt.params))
			p.details = map[string]string{"parameter": name}
			return nil, p
		}
		// Of a question an empty value is as none at all. What changes something must not be wider than was meant.
		if rt.method != http.MethodGet && slices.Contains(values[name], "") {
			return nil, badParameter(name, "is empty: leave it out, or give it a value")
		}
	}
	return values, nil
}

func known(params []string) string {
	if len(params) == 0 {
		return "this path takes none"
	}
	return "known are " + strings.Join(params, ", ")
}

// hangsUp says whether the client is the published Python SDK, which opens a new
// event loop per batch over one connection pool: on a connection that is kept,
// every second batch is lost or its close hangs. It needs Connection: close.
func hangsUp(userAgent string) bool {
	return strings.HasPrefix(userAgent, "brokle-python/0.1.")
}

// logProblem says what an operator should know. What a client did wrong, or no longer
// waited for, is for debugging only; neither parameters nor ids are logged.
func (s *Server) logProblem(rt route, c *call, p *problem) {
	level := slog.LevelDebug
	switch {
	case errors.Is(p.cause, context.Canceled) && c.r.Context().Err() != nil && s.stopping.Err() == nil:
	case p.status == http.StatusServiceUnavailable && p.cause != nil:
		level = slog.LevelWarn
	case p.status >= 500 && p.status != http.StatusServiceUnavailable && p.status != http.StatusNotImplemented:
		level = slog.LevelError
	}
	attrs := []any{"route", rt.path, "status", p.status, "code", p.code}
	if c.caller.Project != "" {
		attrs = append(attrs, "project", c.caller.Project, "key_id", c.caller.KeyID)
	}
	if p.cause != nil {
		attrs = append(attrs, "error", errors.Unwrap(p))
	}
	s.o.Logger.Log(c.r.Context(), level, "request refused", attrs...)
}
