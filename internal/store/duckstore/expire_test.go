package duckstore

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// While more comes than one step removes, Expire removes as many as come: it is not behind for longer and longer.
func TestExpireKeepsUp(t *testing.T) {
	t.Parallel()
	const old, atOnce, many = 6000, 200, 700
	g := newGenerator(3)
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{Records: g.Records})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // it is only read from here on
	w.expireAtOnce = atOnce
	insert := func(n int) {
		recs := g.next(n)
		if err := w.Insert(t.Context(), recs, recs[n-1].Seq); err != nil {
			t.Error(err)
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	insert(old)
	g.at = g.at.Add(24 * time.Hour)
	c := store.Cutoffs{Now: g.at, Retention: store.Retention{Default: time.Hour}}
	g.at = g.at.Add(time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	came := 0
	var others sync.WaitGroup
	others.Go(func() {
		for ; ctx.Err() == nil; came += many {
			insert(many)
		}
	})
	removed, err := w.Expire(t.Context(), c)
	stop()
	others.Wait()
	if err != nil || removed != old {
		t.Fatalf("%d removed, %v", removed, err)
	}
	// A batch before the first turn and one behind the last, and some while steps are looked for. With one step a turn it were 22 400.
	if came > 2*old+4*many {
		t.Errorf("%d came while %d were removed", came, removed)
	}
}
