package sdk

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// mark occurs once in every event, whatever envelope a client puts around it.
var mark = []byte(`small-1`)

// whole occurs once in every recorded call of a model.
var whole = []byte(`"observation_complete"`)

// sink counts the events that arrive, by any client's protocol, and answers
// what all of them take for success. It does the same work for each: inflate, count.
type sink struct {
	events atomic.Int64
	calls  atomic.Int64
	gate   chan struct{} // closed: answers; nil: always
	// recorded: events are those of recorded calls, which are counted, too.
	recorded bool
}

func newSink(tb testing.TB, s *sink) string {
	srv := httptest.NewServer(s)
	tb.Cleanup(srv.Close)
	return srv.URL
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-r.Context().Done():
			return
		}
	}
	body, err := inflate(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n := bytes.Count(body, mark)
	s.events.Add(int64(n))
	if s.recorded {
		s.calls.Add(int64(bytes.Count(body, whole)))
	}
	if r.URL.Path == "/v1/traces" {
		w.Header().Set("Content-Type", "application/x-protobuf") // an answer without a word is success
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/v1/telemetry/batch" || r.URL.Path == "/batch/" {
		io.WriteString(w, `{"batch_id":"b","status":1}`)
		return
	}
	// libhoney wants a status for each event.
	w.Write([]byte{'['})
	for i := range n {
		if i > 0 {
			w.Write([]byte{','})
		}
		io.WriteString(w, `{"status":202}`)
	}
	w.Write([]byte{']'})
}

func inflate(r *http.Request) ([]byte, error) {
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	case "zstd":
		z, err := zstd.NewReader(r.Body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		return io.ReadAll(z)
	}
	return io.ReadAll(r.Body)
}
