package server

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the counts that the server itself makes, in a registry of its own.
type metrics struct {
	registry     *prometheus.Registry
	requests     *prometheus.CounterVec
	durations    *prometheus.HistogramVec
	inProgress   prometheus.Gauge
	bytesSent    prometheus.Counter
	bytesDecoded prometheus.Counter
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "brokle_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "brokle_http_request_duration_seconds", Help: "From the headers read to the answer written.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		inProgress: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "brokle_http_requests_in_progress", Help: "Requests being answered now, without those for metrics and profiles.",
		}),
		bytesSent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "brokle_body_sent_bytes_total", Help: "Bytes of request bodies as clients sent them.",
		}),
		bytesDecoded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "brokle_body_decoded_bytes_total", Help: "Bytes of whole request bodies after their Content-Encoding was undone.",
		}),
	}
	m.registry.MustRegister(m.requests, m.durations, m.inProgress, m.bytesSent, m.bytesDecoded, newStatsCollector(s),
		&calmed{of: []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})}})
	return m
}

// metricsHandler is GET /metrics. It is not compressed: that took most of the time of a scrape, of some ten kilobytes.
func (s *Server) metricsHandler() http.Handler {
	return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{DisableCompression: true})
}

// calmed are collectors that ask the system, and are asked at most once in calmFor.
type calmed struct {
	of []prometheus.Collector

	mu    sync.Mutex // guards what follows
	at    time.Time
	found []prometheus.Metric
}

// calmFor is how old what calmed tells may be.
const calmFor = time.Second

// Describe implements prometheus.Collector.
func (c *calmed) Describe(out chan<- *prometheus.Desc) {
	for _, of := range c.of {
		of.Describe(out)
	}
}

// Collect implements prometheus.Collector.
func (c *calmed) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.at.IsZero() || now.Sub(c.at) >= calmFor {
		c.at, c.found = now, c.found[:0]
		all := make(chan prometheus.Metric)
		go func() {
			defer close(all)
			for _, of := range c.of {
				of.Collect(all)
			}
		}()
		for m := range all {
			c.found = append(c.found, m)
		}
	}
	for _, m := range c.found {
		out <- m
	}
}

// observed counts the answers of one route.
type observed struct {
	m        *metrics
	method   string
	route    string
	duration func() prometheus.Observer
}

// route returns the counters of rt. Paths that clients make up, and methods that
// a path does not take, share a label each: labels must not grow with input. A route that was never asked has no series: most of a
// scrape would be zeros.
func (m *metrics) route(rt route) observed {
	method := rt.method
	if method == "" {
		method = "other"
	}
	return observed{m: m, method: method, route: rt.path, duration: sync.OnceValue(func() prometheus.Observer { return m.durations.WithLabelValues(method, rt.path) })}
}

func (o observed) done(status int, took time.Duration) {
	o.m.requests.WithLabelValues(o.method, o.route, strconv.Itoa(status)).Inc()
	o.duration().Observe(took.Seconds())
}
