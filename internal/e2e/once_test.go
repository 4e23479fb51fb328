package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// Property 10: 200 clients post the same batch at once; each event is processed exactly once in total.
func TestSameBatchAtOnce(t *testing.T) {
	n := startNode(t, t.TempDir())
	rng := chance.Of(t)
	e := newEntry(rng)
	for len(e.events) < 20 {
		more := newEntry(rng)
		e.events = append(e.events, more.events...)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}
	defer client.CloseIdleConnections()
	var processed, duplicates atomic.Int64
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for range 200 {
		wg.Go(func() {
			<-gate
			answer, _, err := n.Post(t.Context(), client, &brokle.BatchRequest{Events: e.events})
			if err != nil {
				t.Error(err)
				return
			}
			processed.Add(int64(answer.ProcessedEvents))
			duplicates.Add(int64(answer.DuplicateEvents))
		})
	}
	close(gate)
	wg.Wait()
	if got, want := processed.Load(), int64(len(e.events)); got != want {
		t.Errorf("%d events processed in total, want %d", got, want)
	}
	if got, want := duplicates.Load(), int64(199*len(e.events)); got != want {
		t.Errorf("%d duplicates in total, want %d", got, want)
	}
	waitEvents(t, n, len(e.events))
}

// Property 8: the id index and the warehouse, deleted outright, are rebuilt from the Log.
func TestDerivedStateDeleted(t *testing.T) {
	rng := chance.Of(t)
	dir := t.TempDir()
	n := startNode(t, dir)
	w := &ledger{}
	for range 30 {
		e := newEntry(rng)
		w.add(e)
		w.send(t.Context(), http.DefaultClient, func() *rig.Node { return n }, e, false)
	}
	w.check(t, n)
	terminate(t, n)
	removed := 0
	for _, derived := range []string{"log/index", "warehouse*"} {
		paths, err := filepath.Glob(filepath.Join(dir, derived))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if err := os.RemoveAll(p); err != nil {
				t.Fatal(err)
			}
			removed++
		}
	}
	if removed < 2 { // the layout changed: this test has to follow
		entries, _ := os.ReadDir(dir)
		t.Fatalf("removed only %d of index and warehouse; the data directory holds %v", removed, entries)
	}
	n = startNode(t, dir)
	w.check(t, n)
	for _, e := range w.batches { // the rebuilt index still knows every id
		answer, _, err := n.Post(t.Context(), http.DefaultClient, &brokle.BatchRequest{Events: e.events})
		if err != nil {
			t.Fatal(err)
		}
		if answer.DuplicateEvents != len(e.events) {
			t.Errorf("after the rebuild %d of %d events are duplicates", answer.DuplicateEvents, len(e.events))
		}
	}
	w.check(t, n)
}
