package duckstore

import (
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A question is answered when much waits for a checkpoint and memory is short.
func TestQuestionShortOfMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("inserts much")
	}
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.duckdb"), Options{MemoryLimit: 64 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	g := newGenerator(1)
	for range 5 {
		recs := g.next(20_000)
		if err := w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
			t.Fatal(err)
		}
	}
	page, err := query.ListTraces(t.Context(), w, "default", store.Query{Order: store.Order{Limit: 10}})
	if err != nil || len(page.Data) != 10 {
		t.Fatalf("%v, %v", page, err)
	}
}
