package brokletest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/brokle-ai/brokle-go"
)

func (s *Server) postBatch(w http.ResponseWriter, r *http.Request) {
	wire, err := io.ReadAll(io.LimitReader(r.Body, MaxBodyBytes+1))
	seen := Request{Header: r.Header.Clone(), Bytes: len(wire)}
	req, p := decode(r.Header.Get("Content-Encoding"), wire, err)
	if p == nil {
		seen.Body = *req
	}
	fault, at := s.arrive(seen)
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	if fault.HangUp == BeforeStore {
		panic(http.ErrAbortHandler)
	}
	switch {
	case fault.Status != 0:
		p = fault.problem()
	case p == nil:
		var ans *brokle.BatchResponse
		ans, p = s.store(req, fault.FailEvents)
		if fault.HangUp == AfterStore {
			panic(http.ErrAbortHandler)
		}
		if p == nil {
			status := http.StatusOK
			if ans.JobID != "" {
				status = http.StatusAccepted
				w.Header().Set("Location", "/v1/telemetry/jobs/"+ans.JobID)
			}
			s.answered(at, status)
			writeJSON(w, status, ans)
			return
		}
	}
	s.answered(at, p.status)
	p.write(w)
}

// arrive keeps a request and finds its fault. Its place in requests comes back too.
func (s *Server) arrive(r Request) (Fault, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	n := len(s.requests)
	switch {
	case len(s.script) > 0:
		f := s.script[0]
		s.script = s.script[1:]
		return f, n - 1
	case s.rule != nil:
		return s.rule(n, &r.Body), n - 1
	}
	return Fault{}, n - 1
}

func (s *Server) answered(at, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[at].Status = status
}

// decode reads a body as the real server does, with the same limits.
func decode(encoding string, wire []byte, err error) (*brokle.BatchRequest, *problem) {
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "incomplete_body", "the body ended early")
	}
	if len(wire) > MaxBodyBytes {
		return nil, problemf(http.StatusRequestEntityTooLarge, "body_too_large", "the body is larger than %d bytes", MaxBodyBytes)
	}
	var plain io.Reader = bytes.NewReader(wire)
	switch encoding {
	case "", "identity":
	case "gzip":
		plain, err = gzip.NewReader(plain)
	case "deflate":
		plain = flate.NewReader(plain)
	case "zstd":
		var dec *zstd.Decoder
		if dec, err = zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxDecodedBytes)); err == nil {
			defer dec.Close()
			plain = dec
		}
	default:
		return nil, problemf(http.StatusUnsupportedMediaType, "unsupported_content_encoding", "Content-Encoding must be identity, gzip, zstd or deflate")
	}
	if err == nil {
		wire, err = io.ReadAll(io.LimitReader(plain, MaxDecodedBytes+1))
	}
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "invalid_content_encoding", "the body cannot be decoded")
	}
	if len(wire) > MaxDecodedBytes {
		return nil, problemf(http.StatusRequestEntityTooLarge, "decoded_body_too_large", "the decoded body is larger than %d bytes", MaxDecodedBytes)
	}
	return parse(wire)
}

func parse(body []byte) (*brokle.BatchRequest, *problem) {
	var req struct {
		brokle.BatchRequest
		Async         bool            `json:"async"`
		Deduplication json.RawMessage `json:"deduplication"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, problemf(http.StatusBadRequest, "invalid_json", "the body is not valid JSON")
	}
	out := req.BatchRequest
	out.AsyncMode = out.AsyncMode || req.Async
	d := brokle.DefaultDeduplication()
	if len(req.Deduplication) > 0 {
		if err := json.Unmarshal(req.Deduplication, &d); err != nil || d.TTL < brokle.MinDedupTTL || d.TTL > brokle.MaxDedupTTL {
			return nil, problemf(http.StatusBadRequest, "invalid_deduplication", "deduplication.ttl must be %d to %d seconds", brokle.MinDedupTTL, brokle.MaxDedupTTL)
		}
	}
	out.Deduplication = &d
	switch n := len(out.Events); {
	case n == 0:
		return nil, problemf(http.StatusBadRequest, "empty_batch", "events is empty; a batch holds at least one event")
	case n > MaxEvents:
		return nil, problemf(http.StatusRequestEntityTooLarge, "batch_too_large", "the batch holds more than %d events, the most for one request", MaxEvents)
	}
	return &out, nil
}
