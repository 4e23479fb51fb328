package brokletest

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// Key is the API key that a Server takes.
const Key = "bk_brokletest_0123456789"

// Limits of the real server's defaults.
const (
	MaxEvents       = 1000
	MaxBodyBytes    = 10 << 20 // as sent
	MaxDecodedBytes = 64 << 20
	MaxPayloadBytes = 1 << 20
)

// Server is the fake. All methods are safe for concurrent use.
type Server struct {
	// URL is the base URL: of a real socket after NewServer, a name that only Client reaches after New.
	URL string

	client *http.Client // nil: any will do
	t      testing.TB   // of NewServer; nil after New

	mu       sync.Mutex // guards all below
	rule     func(n int, req *brokle.BatchRequest) Fault
	script   []Fault
	requests []Request
	events   []brokle.Event
	where    map[string]stored
	failed   map[string]brokle.EventReceipt
	jobs     map[string]*brokle.Job
	batches  map[string]*brokle.Job
	change   chan struct{} // closed and replaced whenever something was stored
}

type stored struct {
	until   time.Time
	receipt brokle.EventReceipt
}

// Request is one POST of a batch as it arrived.
type Request struct {
	Header http.Header
	Body   brokle.BatchRequest // decoded; empty when it could not be
	Status int                 // answered; 0 when the connection was cut instead
	Bytes  int                 // of the body as sent
}

// New makes a Server without a socket: it is reached through Config or Client
// only, and works inside a testing/synctest bubble.
func New() *Server {
	s := &Server{
		URL: "http://brokletest.invalid", where: make(map[string]stored), failed: make(map[string]brokle.EventReceipt),
		jobs: make(map[string]*brokle.Job), batches: make(map[string]*brokle.Job), change: make(chan struct{}),
	}
	s.client = &http.Client{Transport: transport{s}}
	return s
}

// NewServer makes a Server on a free port of 127.0.0.1. It ends with the test.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s := New()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL, s.client, s.t = srv.URL, nil, t
	return s
}

// Config is a client's configuration for this server, with a short flush interval.
func (s *Server) Config() brokle.Config {
	return brokle.Config{APIKey: Key, Host: s.URL, HTTPClient: s.client, BatchFlushInterval: 100 * time.Millisecond,
		Retry: brokle.ExponentialBackoff{Base: time.Millisecond, Max: 10 * time.Millisecond}}
}

// Script makes the next batches meet these faults, one each, in order.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, faults...)
}

// Rule decides the fault of every batch that the script leaves over. n counts
// batch requests from 1. Nil ends it.
func (s *Server) Rule(rule func(n int, req *brokle.BatchRequest) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rule = rule
}

// Events returns what was stored, each event once, in the order of its first acceptance.
func (s *Server) Events() []brokle.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]brokle.Event(nil), s.events...)
}

// Requests returns every batch request that arrived, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Accept-Encoding", "zstd, gzip")
	if p := authorize(r); p != nil {
		p.write(w)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/telemetry/batch", s.postBatch)
	mux.HandleFunc("POST /v1/ingest/batch", s.postBatch)
	mux.HandleFunc("GET /v1/telemetry/jobs/{id}", s.getJob)
	mux.HandleFunc("GET /v1/telemetry/batch/{id}", s.getBatch)
	mux.HandleFunc("GET /v1/telemetry/events/{id}", s.getReceipt)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { notFound().write(w) })
	mux.ServeHTTP(w, r)
}
