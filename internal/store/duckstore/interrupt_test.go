package duckstore

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Clients hang up in the middle of questions; questions of others, on the same
// pooled connections, are answered all the same.
func TestInterruptOfAnother(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	recs := newGenerator(1).next(5000)
	if err := w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context) error {
		_, err := query.ListTraces(ctx, w, recs[0].Project, store.Query{Order: store.Order{Limit: 5}})
		return err
	}
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			for n := range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(n*7+i*3)%20)*time.Millisecond)
				_ = ask(ctx) // answered or hung up
				cancel()
				if err := ask(t.Context()); err != nil {
					t.Errorf("a question that nobody interrupted: %v", err)
				}
			}
		})
	}
	clients.Wait()
}

// A question that its own asker gave up is not a fault of the warehouse.
func TestInterruptedByItsContext(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	err = w.ask(ctx, "p", "ask", func(context.Context, *view) error {
		cancel()
		return errors.New("INTERRUPT Error: Interrupted!")
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
