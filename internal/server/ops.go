package server

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/http/pprof"
	"strings"
)

//go:embed openapi.json
var openAPI []byte

func opsRoutes() []route {
	return []route{
		{method: "GET", path: "/healthz", anyParam: true, handle: healthz},
		{method: "GET", path: "/readyz", anyParam: true, handle: readyz},
		{method: "GET", path: "/metrics", anyParam: true, raw: (*Server).metricsHandler},
		{method: "GET", path: "/openapi.json", anyParam: true, handle: getOpenAPI},
	}
}

// profileRoutes are on Ops only: a profile shows names of functions and the
// command line, and costs time.
func profileRoutes() []route {
	pages := []struct {
		path string
		f    http.HandlerFunc
	}{
		{"/debug/pprof/", pprof.Index}, {"/debug/pprof/cmdline", pprof.Cmdline}, {"/debug/pprof/profile", pprof.Profile},
		{"/debug/pprof/symbol", pprof.Symbol}, {"/debug/pprof/trace", pprof.Trace},
	}
	var out []route
	for _, p := range pages {
		out = append(out, route{method: "GET", path: p.path, anyParam: true, raw: func(*Server) http.Handler { return p.f }})
	}
	return out
}

func healthz(context.Context, *Server, *call) (*answer, error) {
	return &answer{status: http.StatusOK, text: "ok\n"}, nil
}

// readyz answers a line per part, and 503 when a part that blocks is down or
// new batches are refused.
func readyz(_ context.Context, s *Server, _ *call) (*answer, error) {
	status := http.StatusOK
	var b strings.Builder
	for _, part := range s.o.Health() {
		state := "ok"
		switch {
		case !part.OK && part.Blocking:
			state = "down"
			status = http.StatusServiceUnavailable
		case !part.OK:
			state = "degraded"
		}
		fmt.Fprintf(&b, "%s: %s", part.Part, state)
		if part.Detail != "" {
			fmt.Fprintf(&b, ": %s", strings.ReplaceAll(part.Detail, "\n", " "))
		}
		b.WriteByte('\n')
	}
	if err := s.o.Admit(); err != nil {
		status = http.StatusServiceUnavailable
		fmt.Fprintf(&b, "admission: down: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
	} else {
		b.WriteString("admission: ok\n")
	}
	return &answer{status: status, text: b.String()}, nil
}

func getOpenAPI(context.Context, *Server, *call) (*answer, error) {
	return &answer{status: http.StatusOK, bytes: openAPI}, nil
}
