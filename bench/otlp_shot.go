package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// spanShot sends spans, and keeps what was answered.
type spanShot struct {
	load  *spanLoad
	url   string
	spans int // at least so many
	rate  int // spans per second; 0 is as fast as they are taken

	taken int // spans that were acknowledged
	took  time.Duration
	done  []acknowledged
}

// acknowledged is a request that was answered with 200.
type acknowledged struct {
	trace string // its last
	at    time.Time
	wait  time.Duration // since it was sent, or at a fixed rate was to be sent
}

// fire sends until all spans are sent, or until a request fails.
func (s *spanShot) fire(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	defer client.CloseIdleConnections()
	conns := spanConns
	if s.rate > 0 {
		conns = 64 // who waits for an answer must not keep others from being sent
	}
	var mu sync.Mutex // guards what follows
	var next, sent int
	take := func() (n, before int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if sent >= s.spans {
			return 0, 0, false
		}
		n, before = next, sent
		next, sent = next+1, sent+s.load.bodies[next%len(s.load.bodies)].spans
		return n, before, true
	}
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	begin := time.Now()
	for range conns {
		wg.Go(func() {
			var body []byte
			for failed.Load() == nil {
				n, before, ok := take()
				if !ok {
					return
				}
				var spans int
				var last string
				body, spans, last = s.load.request(n, body)
				due, err := time.Now(), error(nil)
				if s.rate > 0 {
					due = begin.Add(time.Duration(before) * time.Second / time.Duration(s.rate))
					err = clock.Sleep(ctx, time.Until(due))
				}
				if err == nil {
					err = postSpans(client, s.url, body)
				}
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				mu.Lock()
				s.taken += spans
				s.done = append(s.done, acknowledged{last, time.Now(), time.Since(due)})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	s.took = time.Since(begin)
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// waits are the times of the answers.
func (s *spanShot) waits() []time.Duration {
	waits := make([]time.Duration, len(s.done))
	for i := range s.done {
		waits[i] = s.done[i].wait
	}
	return waits
}

// postSpans sends a request, of which all must be taken.
func postSpans(client *http.Client, url string, body []byte) error {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("X-API-Key", benchKey)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || partial(answer)) {
		err = fmt.Errorf("answer %d: %.300q", resp.StatusCode, answer)
	}
	return err
}

// partial says whether an ExportTraceServiceResponse says that something was refused. An empty
// partial_success says that nothing was.
func partial(answer []byte) bool {
	num, typ, n := protowire.ConsumeTag(answer)
	if n < 0 || num != 1 || typ != protowire.BytesType {
		return false
	}
	inner, n := protowire.ConsumeBytes(answer[n:])
	return n > 0 && len(inner) > 0
}
