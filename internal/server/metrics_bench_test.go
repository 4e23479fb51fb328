package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// What one scrape takes of a server that has answered on a few routes: with and without what Prometheus asks for, gzip.
func BenchmarkScrape(b *testing.B) {
	h := open(b, setup{})
	h.post(event("e", "event_create", `{"name":"n"}`))
	h.settle()
	for _, path := range []string{"/v1/traces", "/v1/observations", "/v1/stats?of=events", "/v1/telemetry/events", "/healthz", "/readyz"} {
		h.get(path)
	}
	for name, accept := range map[string]string{"plain": "", "gzip": "gzip"} {
		b.Run(name, func(b *testing.B) {
			req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			req.Header.Set("Accept-Encoding", accept)
			bytes := 0
			for b.Loop() {
				w := httptest.NewRecorder()
				h.srv.Ops().ServeHTTP(w, req)
				bytes = w.Body.Len()
			}
			b.ReportMetric(float64(bytes), "B/scrape")
		})
	}
}
