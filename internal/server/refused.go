package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/recent"
	"github.com/brokle-ai/brokle-go/internal/signin"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const (
	// mostRefused bounds the rows of one project, and those of callers that are not known.
	mostRefused = 200
	// mostRefusedProjects bounds the projects that have rows.
	mostRefusedProjects = 500
)

// refusedRow counts requests that were refused, of one kind. It holds nothing that a client
// made up: no key, no id, no part of a path or of a name that the server does not know.
type refusedRow struct {
	Method string    `json:"method"`
	Path   string    `json:"path"` // a route of the API, or known words and "…" for all others
	Status int       `json:"status"`
	Code   string    `json:"code"`
	Client string    `json:"client"` // by its User-Agent, without the version
	Caller string    `json:"caller"` // "project", or "unknown" without a valid key
	Count  int64     `json:"count"`
	Last   time.Time `json:"last"`
}

const (
	callerProject = "project" // a key of the project that asks
	callerUnknown = "unknown" // no key, or a wrong one
)

type refusedKind struct {
	method, path, code, client string
	status                     int
}

type refusedRows = recent.Map[refusedKind, *refusedRow]

// refusals remembers requests that were refused where telemetry comes in, since the start: a
// client whose path or key is wrong often says nothing of it.
type refusals struct {
	mu      sync.Mutex // guards what follows
	unknown *refusedRows
	known   recent.Map[string, *refusedRows] // by project
	counts  map[[2]string]int64              // by client and code, for metrics: both are bounded
}

func newRefusals() *refusals {
	unknown := recent.New[refusedKind, *refusedRow](mostRefused)
	return &refusals{unknown: &unknown, known: recent.New[string, *refusedRows](mostRefusedProjects), counts: map[[2]string]int64{}}
}

// note counts a refusal. project is "" when the caller is not known.
func (f *refusals) note(project string, kind refusedKind, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[[2]string{clientFamily(kind.client), kind.code}]++
	rows, caller := f.unknown, callerUnknown
	if project != "" {
		caller = callerProject
		var ok bool
		if rows, ok = f.known.Get(project); !ok {
			made := recent.New[refusedKind, *refusedRow](mostRefused)
			rows = &made
			f.known.Put(project, rows)
		}
	}
	row, ok := rows.Get(kind)
	if !ok {
		row = &refusedRow{Method: kind.method, Path: kind.path, Status: kind.status, Code: kind.code, Client: kind.client, Caller: caller}
		rows.Put(kind, row)
	}
	row.Count++
	row.Last = now
}

// list returns the rows of a project, and those of unknown callers if they are asked for, the latest first.
func (f *refusals) list(project string, unknown bool) []refusedRow {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []refusedRow{}
	add := func(rows *refusedRows) {
		for _, row := range rows.Values() {
			out = append(out, *row)
		}
	}
	if rows, ok := f.known.Get(project); ok {
		add(rows)
	}
	if unknown {
		add(f.unknown)
	}
	slices.SortStableFunc(out, func(a, b refusedRow) int { return b.Last.Compare(a.Last) })
	return out
}

// samples are the counts for metrics.
func (f *refusals) samples() []sample {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []sample
	for k, n := range f.counts {
		out = append(out, counter("refused_requests_total", "Requests refused where telemetry comes in, by client and code.", n, "client", k[0], "code", k[1]))
	}
	return out
}

// noteRefusal remembers the refusal when it is one of a client that sends telemetry, or tries to.
func (s *Server) noteRefusal(rt route, c *call, p *problem) {
	sends := rt.format != nil || rt.scope == anyScope
	if rt.scope == "" && (rt.path == unknownPath || rt.otherMethod) { // nothing was authenticated
		secret := signin.Secret(c.r)
		read := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
		sends = !read || secret != "" || c.r.Header.Get("Authorization") != ""
		if caller, ok := s.o.Keys.Lookup(secret); ok {
			c.caller.Caller = caller
		}
	}
	if !sends {
		return
	}
	path := rt.path
	if path == unknownPath {
		path = knownWords(c.r.URL.Path)
	}
	s.refusals.note(c.caller.Project, refusedKind{
		method: knownMethod(c.r.Method), path: path, status: p.status, code: p.code, client: clientName(c.r.UserAgent()),
	}, s.o.Now())
}

func knownMethod(m string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, m) {
		return m
	}
	return "other"
}

// pathWords are the words of our paths, of OTLP's, and of those that clients of this field know.
var pathWords = strings.Fields("api v1 v2 v3 telemetry ingest ingestion batch bulk events stream jobs audit traces logs metrics spans " +
	"observations generations scores sessions users stats environments otlp otel opentelemetry public langfuse brokle auth validate-key health " +
	"projects keys media datasets prompts sdk collector trace event")

// knownWords is a path without what a client made up: neither a key, nor an id, nor a name is left in it. A slash
// too many stays: it may be all that is wrong.
func knownWords(path string) string {
	const most = 6
	var b strings.Builder
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		switch {
		case i == most:
			b.WriteString("/…")
			return b.String()
		case part == "" || slices.Contains(pathWords, part):
			b.WriteString("/" + part)
		case !strings.HasSuffix(b.String(), "…"):
			b.WriteString("/…")
		}
	}
	return b.String()
}

// clientNames are the beginnings of User-Agents that are shown, and the family of each.
var clientNames = [][2]string{
	{"brokle-python", "brokle"}, {"brokle-js", "brokle"}, {"brokle-node", "brokle"}, {"brokle-go", "brokle"}, {"brokle", "brokle"},
	{"langfuse", "langfuse"}, {"OTel-OTLP-Exporter-", "opentelemetry"}, {"OTel OTLP Exporter", "opentelemetry"}, {"OpenTelemetry", "opentelemetry"},
	{"opentelemetry", "opentelemetry"}, {"python-requests", "python"}, {"python-httpx", "python"}, {"Python-urllib", "python"}, {"aiohttp", "python"}, {"Python", "python"},
	{"Go-http-client", "go"}, {"node", "node"}, {"undici", "node"}, {"axios", "node"}, {"okhttp", "java"}, {"Java", "java"}, {"Apache-HttpClient", "java"},
	{"curl", "curl"}, {"Wget", "curl"}, {"Mozilla", "browser"}, {"Vector", "collector"}, {"fluent", "collector"},
}

const otherClient = "other"

// clientName is the name in a User-Agent when it is one of those that are known, with the
// language behind OpenTelemetry's; a name that a client made up is otherClient.
func clientName(userAgent string) string {
	if userAgent == "" {
		return "none"
	}
	for _, known := range clientNames {
		if len(userAgent) < len(known[0]) || !strings.EqualFold(userAgent[:len(known[0])], known[0]) {
			continue
		}
		if strings.HasSuffix(known[0], "-") {
			rest, _, _ := strings.Cut(userAgent[len(known[0]):], "/")
			if slices.Contains([]string{"Python", "JavaScript", "Java", "Go", "Ruby", "Rust", "Dotnet", "PHP", "Cpp", "Swift", "Erlang"}, rest) {
				return known[0] + rest
			}
			return strings.TrimSuffix(known[0], "-")
		}
		return known[0]
	}
	return otherClient
}

// clientFamily is the label of metrics for a clientName.
func clientFamily(name string) string {
	for _, known := range clientNames {
		if strings.HasPrefix(name, strings.TrimSuffix(known[0], "-")) {
			return known[1]
		}
	}
	return cmp.Or(name, otherClient)
}

// getRefused is GET /v1/ingest/refused: the requests of the project's keys that were refused,
// and for an admin of the operator's project those of unknown callers: they belong to no project.
func getRefused(_ context.Context, s *Server, c *call) (*answer, error) {
	operator := c.caller.Project == operatorProject && c.caller.Has(keyring.ScopeAdmin)
	return ok(&wire.Page[refusedRow]{Data: s.refusals.list(c.caller.Project, operator)}, nil)
}
