package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// send posts a batch of n events with about size bytes each and returns the answer.
func (n *testNode) send(name string, events, size int) (status int, retryAfter string, err error) {
	var b bytes.Buffer
	b.WriteString(`{"events":[`)
	for i := range events {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"event_id":"%s-%d","event_type":"event_create","payload":{"n":%d,"text":"%s"}}`, name, i, i, strings.Repeat("word ", size/5))
	}
	b.WriteString(`]}`)
	req, err := http.NewRequest(http.MethodPost, n.url+"/v1/telemetry/batch", &b)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-API-Key", testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK && !bytes.Contains(answer, fmt.Appendf(nil, `"processed_events":%d,`, events)) {
		err = fmt.Errorf("answer %s", answer)
	}
	return resp.StatusCode, resp.Header.Get("Retry-After"), err
}

// Property 6: while the warehouse takes nothing, batches are accepted up to the
// bound and then refused before acceptance; memory does not grow with the backlog;
// afterwards every accepted event is there once, and batches are accepted again.
func TestBacklogBound(t *testing.T) {
	const (
		senders, each, size = 4, 50, 20_000
		mostHeap            = 160 << 20 // the backlog is 300 MB
	)
	bound := 15_000
	if testing.Short() {
		bound = 3000 // too little to say anything of the heap
	}
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, MaxBacklogEvents: bound})
	n.down.Store(true)
	before := heap()

	var mu sync.Mutex
	accepted := map[string]bool{}
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("s%d-%d", sender, i)
				status, retry, err := n.send(name, each, size)
				switch {
				case err != nil:
					t.Error(err)
					return
				case status == http.StatusServiceUnavailable:
					if retry == "" {
						t.Error("refused without Retry-After")
					}
					return
				case status != http.StatusOK || i > 2*bound/each:
					t.Errorf("status %d after %d requests", status, i)
					return
				}
				mu.Lock()
				accepted[name] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if got := len(accepted) * each; got <= bound || got > bound+senders*each {
		t.Errorf("%d events accepted, the bound is %d and %d were under way", got, bound, senders*each)
	}
	if grown := heap() - before; grown > mostHeap {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	watch.Until(t, "not ready over the backlog", func() bool {
		status, text := n.get(t, testKey, "/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(text, "injected")
	})

	n.down.Store(false)
	watch.Until(t, "ready again", func() bool { status, _ := n.get(t, testKey, "/readyz"); return status == http.StatusOK })
	if status, _, err := n.send("after", each, 10); status != http.StatusOK || err != nil {
		t.Errorf("afterwards: %d, %v", status, err)
	}
	accepted["after"] = true
	watch.Until(t, "all are there", func() bool { return n.count(t) == len(accepted)*each })
	seen := map[string]int{}
	for cursor := ""; ; {
		status, text := n.get(t, testKey, "/v1/telemetry/events?limit=500&cursor="+cursor)
		var page struct {
			Data []struct {
				EventID string `json:"event_id"`
			}
			NextCursor *string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil || status != http.StatusOK {
			t.Fatalf("%d %.200s", status, text)
		}
		for _, e := range page.Data {
			seen[e.EventID]++
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	for name := range accepted {
		for i := range each {
			if id := fmt.Sprintf("%s-%d", name, i); seen[id] != 1 {
				t.Fatalf("%s is there %d times", id, seen[id])
			}
		}
	}
	if len(seen) != len(accepted)*each {
		t.Errorf("%d events, %d were accepted", len(seen), len(accepted)*each)
	}
}

// heap is the memory in use by Go objects that are still needed.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// count is how many events the warehouse has.
func (n *testNode) count(t *testing.T) int {
	t.Helper()
	_, text := n.get(t, testKey, "/v1/stats?of=events&metrics=count")
	var page struct{ Data []struct{ Count int } }
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if len(page.Data) == 0 {
		return 0
	}
	return page.Data[0].Count
}
