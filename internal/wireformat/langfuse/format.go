package langfuse

import (
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// Format implements wireformat.Format.
type Format struct{}

// The paths.
const (
	batches = "/api/public/ingestion"
	scores  = "/api/public/scores"
)

// Name implements wireformat.Format. No request of it becomes a job.
func (Format) Name() string { return "langfuse" }

// Paths implements wireformat.Format.
func (Format) Paths() []string { return []string{batches, scores} }

// Accepts implements wireformat.Format.
func (Format) Accepts(h http.Header) string { return jsonbody.Accepts(h) }

// Decode implements wireformat.Format. The limit on the number of events is not for these clients: one
// that is told so drops them all.
func (Format) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	d := &decoder{in: in, sdk: wireformat.LangfuseSDK(in.Header)}
	read := d.batch
	if in.Path == scores {
		read = d.scores
	}
	if err := jsonbody.Any(in.Body, in.Limits.MaxDepth, func(w *jsonbody.Walk) error {
		d.r = &ingest.Request{Environment: environment(in.Header), Dedup: store.Dedup{Enabled: true, TTL: wire.MaxDedupTTL * time.Second}}
		d.events = jsonbody.NewEvents(in, d.r)
		return read(w)
	}); err != nil {
		return nil, err
	}
	return d.r, nil
}

// environment is that of the request's header; a body may name another.
func environment(h http.Header) string {
	if env := extract.Environment(h.Get("X-Environment")); env != "" {
		return env
	}
	return wireformat.DefaultEnvironment
}
