package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go"
)

// floorServer is the least that an honest ingest server does.
type floorServer struct {
	mu    sync.Mutex // guards seen
	seen  map[string]struct{}
	work  chan floorWrite
	syncs atomic.Int64
}

// fsyncsPath answers with how often the floor has synced.
const fsyncsPath = "/fsyncs"

type floorWrite struct {
	body []byte
	done chan error
}

// serveFloor prints its address and serves until ctx ends.
func serveFloor(ctx context.Context, path, addr string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	s := &floorServer{seen: map[string]struct{}{}, work: make(chan floorWrite, 1024)}
	go s.commit(f) // ends with the process
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	srv := &http.Server{Handler: s}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// commit writes all bodies that wait and syncs once for them.
func (s *floorServer) commit(f *os.File) {
	for first := range s.work {
		group := []floorWrite{first}
		for more := true; more; {
			select {
			case w := <-s.work:
				group = append(group, w)
			default:
				more = false
			}
		}
		var err error
		for _, w := range group {
			if _, werr := f.Write(w.body); werr != nil {
				err = werr
			}
		}
		if serr := f.Sync(); serr != nil {
			err = serr
		}
		s.syncs.Add(1)
		for _, w := range group {
			w.done <- err
		}
	}
}

func (s *floorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == fsyncsPath {
		_, _ = fmt.Fprintln(w, s.syncs.Load())
		return
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	decode := decodeBatch
	if r.URL.Path == "/v1/traces" {
		decode = decodeSpans
	}
	events, err := decode(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := brokle.BatchResponse{BatchID: brokle.NewID(), Errors: []brokle.BatchEventError{}, DuplicateEventIDs: []string{}}
	s.mu.Lock()
	for i := range events {
		id := events[i].id
		if _, dup := s.seen[string(id)]; dup {
			answer.DuplicateEvents++
			continue
		}
		s.seen[string(id)] = struct{}{}
		answer.ProcessedEvents++
	}
	s.mu.Unlock()
	done := make(chan error, 1)
	s.work <- floorWrite{body, done}
	if err := <-done; err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if r.URL.Path == "/v1/traces" {
		return // an empty answer takes all
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}
