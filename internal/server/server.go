package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go/internal/live"
	"github.com/brokle-ai/brokle-go/internal/mcp"
	"github.com/brokle-ai/brokle-go/internal/page"
	"github.com/brokle-ai/brokle-go/internal/signin"
	"github.com/go-json-experiment/json"
)

// Server answers the HTTP API. Make one with New; Run must run for streams to get their events.
type Server struct {
	o         Options
	encoding  json.Options
	scratch   scratch
	decoders  *decoders
	inFlight  *allowance
	rates     *rates
	metrics   *metrics
	desk      *signin.Desk
	turns     *turns
	refusals  *refusals
	answers   *answers
	work      work
	window    int // windowBytes
	live      *live.Hub
	positions *positions
	shared    atomic.Pointer[positions] // of all nodes; nil: there are no others
	backingUp chan struct{}             // has room for one: the backup under way
	copying   chan struct{}             // the same of copies
	sqlTurns  chan struct{}             // the same of questions in SQL
	sql       sqlStats
	catalog   *mcp.Catalog          // the tools of POST /mcp
	page      map[string]*page.File // the web page's files by path; "index.html" is there
	api, ops  http.Handler
	grpc      http.Handler

	// stopping ends when a shutdown begins: nobody is kept waiting for a job then.
	stopping context.Context
	stop     context.CancelFunc
}

// New returns a Server. The error joins everything that is wrong with o.
func New(o Options) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{
		o:         o,
		encoding:  encoding(),
		decoders:  newDecoders(),
		inFlight:  newAllowance(o.MaxInFlightBytes),
		rates:     newRates(o.RatePerKey, o.Limits.MaxEvents),
		desk:      signin.New(signin.Options{Keys: o.Keys, Failures: o.AuthFailures, Now: o.Now, Place: o.SignIns, Logger: o.Logger}),
		backingUp: make(chan struct{}, 1), copying: make(chan struct{}, 1), sqlTurns: make(chan struct{}, 1),
		refusals: newRefusals(),
		turns:    newTurns(o.MaxQueries, o.QueryWait),
		work:     newWork(),
		window:   windowBytes,
		answers:  newAnswers(o.MaxAnswerBytes, o.QueryWait),
	}
	var err error
	if s.positions, err = newPositions(o.PositionKey); err != nil {
		return nil, err
	}
	s.live = live.New(live.Options{
		Log: o.Log, Most: o.MaxStreams, Heartbeat: o.StreamHeartbeat, WriteTimeout: o.WriteTimeout, ID: s.streamID, Encode: s.encode, Logger: o.Logger,
	})
	if s.page, err = page.Load(); err != nil {
		return nil, fmt.Errorf("load the web page: %w", err)
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.metrics = newMetrics(s)
	api := append(apiRoutes(), pageRoutes()...)
	s.catalog = s.newCatalog(api)
	if o.OpsOnMain {
		api = append(api, opsRoutes()...)
	}
	s.api = s.mux(api)
	s.ops = s.mux(append(opsRoutes(), profileRoutes()...))
	s.grpc = s.grpcMux()
	return s, nil
}

// Run hands accepted events to the streams, and keeps sign-ins, until ctx ends; then it ends the streams and returns nil.
func (s *Server) Run(ctx context.Context) error {
	var keeping sync.WaitGroup
	keeping.Go(func() { _ = s.desk.Run(ctx) }) // it has no error
	defer keeping.Wait()
	s.live.Run(ctx)
	return nil
}

// Handler serves the API, and the operations' routes when Options.OpsOnMain is set.
func (s *Server) Handler() http.Handler { return s.api }

// Ops serves /healthz, /readyz, /metrics, /openapi.json and /debug/pprof/, all
// without a key: bind it where only operators come.
func (s *Server) Ops() http.Handler { return s.ops }

// HTTPServer returns a server for h with the timeouts and header limit of the
// options. Who serves the API must use it, with Serve, so that a slow client is bounded.
func (s *Server) HTTPServer(h http.Handler) *http.Server {
	hs := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: s.o.ReadHeaderTimeout,
		IdleTimeout:       s.o.IdleTimeout,
		MaxHeaderBytes:    s.o.MaxHeaderBytes,
		ConnContext:       connContext,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelDebug),
	}
	hs.RegisterOnShutdown(s.stop)
	return hs
}
