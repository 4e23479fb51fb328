package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spanSides are the servers side by side. VictoriaTraces is measured where a binary of it is given: no
// module proxy that we know has its module, so that none can be built here.
func spanSides(ctx context.Context, o options, sink *sink) ([]*spanSide, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var ops string // where brokle says how far its index is
	sides := []*spanSide{
		{name: "floor", bin: self, path: "/v1/traces", promise: "decodes, looks ids up in a map, appends the body to a file, one fsync for all that wait. No limits, no queries. " + pinnedSpans,
			command: func(addr, dir string) ([]string, error) {
				return []string{"-floor", filepath.Join(dir, "log"), "-floor-addr", addr}, nil
			}},
		{name: "brokle", bin: o.bin, path: "/v1/traces", env: []string{"BROKLE_BOOTSTRAP_API_KEY=" + benchKey},
			promise: "as shipped: 200 means deduplicated and synced. Its processor time is what it takes until each span can be queried.",
			command: func(addr, dir string) ([]string, error) {
				var err error
				ops, err = freeAddress()
				return []string{"serve", "--listen", addr, "--data", dir, "--ops-listen", ops}, err
			},
			drained: func(ctx context.Context, url string, spans int) error { return brokleDrained(ctx, url, ops, spans) }, has: brokleHas},
	}
	if !o.peers {
		return sides, nil
	}
	for _, p := range peers() {
		if p.name != "Collector" {
			continue
		}
		bin, err := p.make(ctx)
		if err != nil {
			return nil, err
		}
		sides = append(sides, collectorSide(bin, p.version, sink))
	}
	if o.victoriaTraces != "" {
		sides = append(sides, victoriaTracesSide(ctx, o.victoriaTraces))
	}
	return sides, nil
}

func collectorSide(bin, version string, sink *sink) *spanSide {
	return &spanSide{name: "Collector", version: version, bin: bin, path: "/v1/traces",
		promise: "its receiver before a sending queue in file_storage with fsync: 200 means on disk in the queue. From there it sends to a sink in the load's process that throws away, whose processor time nobody pays. It keeps nothing that was sent on, and answers no queries.",
		command: func(addr, dir string) ([]string, error) {
			config, queue := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "queue")
			text := fmt.Sprintf(`receivers:
  otlp:
    protocols:
      http:
        endpoint: %s
extensions:
  file_storage:
    directory: %s
    create_directory: true
    fsync: true
exporters:
  otlphttp:
    endpoint: http://%s
    compression: none
    sending_queue:
      storage: file_storage
      sizer: requests
      queue_size: 100000
      block_on_overflow: true
service:
  extensions: [file_storage]
  telemetry:
    logs: {level: error}
    metrics: {level: none}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlphttp]}
`, addr, queue, sink.addr)
			return []string{"--config", "file:" + config}, os.WriteFile(config, []byte(text), 0o600)
		},
		drained: sink.drained, has: sink.has}
}

func victoriaTracesSide(ctx context.Context, bin string) *spanSide {
	version := "unknown"
	if out, err := exec.CommandContext(ctx, bin, "-version").Output(); err == nil && len(bytes.TrimSpace(out)) > 0 {
		version = string(bytes.TrimSpace(out))
	}
	return &spanSide{name: "VictoriaTraces", version: version, bin: bin, path: "/insert/opentelemetry/v1/traces",
		promise: "200 comes before anything is on disk: a crash loses some seconds; no deduplication; queryable.",
		command: func(addr, dir string) ([]string, error) {
			return []string{"-httpListenAddr=" + addr, "-storageDataPath=" + dir, "-retentionPeriod=100y", "-loggerLevel=ERROR"}, nil
		},
		has: victoriaTracesHas}
}

// brokleDrained waits until all of the Log is indexed and the query API counts as many spans.
func brokleDrained(ctx context.Context, url, ops string, spans int) error {
	return until(ctx, pollEvery, func() error {
		m, err := metrics(ops)
		if err != nil {
			return errors.Join(err, errNotYet) // it may not answer there yet
		}
		n, err := countEvents(url)
		if err == nil && (n < spans || n == 0 || m["brokle_indexer_lag_seqs"] > 0) {
			err = errNotYet
		}
		return err
	})
}

func brokleHas(url, trace string) (int, error) {
	b, err := get(url + "/v1/observations?limit=100&trace_id=" + trace)
	if err != nil {
		return 0, err
	}
	var page struct{ Data []struct{} }
	err = json.Unmarshal(b, &page)
	return len(page.Data), err
}

func victoriaTracesHas(url, trace string) (int, error) {
	b, err := get(url + "/select/logsql/query?limit=1000&query=" + `_time:1d%20trace_id:` + trace)
	return strings.Count(string(b), `"span_id":`), err
}

// sink is where the Collector sends to: it counts, and throws away.
type sink struct {
	addr string
	srv  *http.Server
	mu   sync.Mutex                 // guards what follows
	seen map[string]map[string]bool // by trace: its spans
	got  time.Time                  // when the last came
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{addr: l.Addr().String(), seen: map[string]map[string]bool{}}
	s.srv = &http.Server{Handler: s}
	go func() { _ = s.srv.Serve(l) }() // ends with close
	return s, nil
}

func (s *sink) close() { _ = s.srv.Close() }

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var data trace.TracesData
	if err == nil {
		err = proto.Unmarshal(body, &data)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = time.Now()
	for _, rs := range data.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, span := range ss.Spans {
				id := hex.EncodeToString(span.TraceId)
				if s.seen[id] == nil {
					s.seen[id] = map[string]bool{}
				}
				s.seen[id][string(span.SpanId)] = true
			}
		}
	}
}

// drained waits until nothing has come for two seconds, and until as many spans came as were sent.
func (s *sink) drained(ctx context.Context, _ string, spans int) error {
	return until(ctx, pollEvery, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for _, of := range s.seen {
			n += len(of)
		}
		if n < spans || spans == 0 && time.Since(s.got) < 2*time.Second {
			return errNotYet
		}
		if spans > 0 {
			s.seen = map[string]map[string]bool{} // of the next round
		}
		return nil
	})
}

func (s *sink) has(_, trace string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen[trace]), nil
}
