package segmentlog

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/harm"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A byte of an index file that turned over is found by the start, or by a look-up: then
// Run ends, and the next start builds the index again. Nobody has to delete anything,
// and what was stored is a duplicate as before.
func TestDamagedIndexIsBuiltAgain(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	dir := t.TempDir()
	const batches, each = 20, 500
	again := func(l *Log) error {
		for i := range batches {
			outs, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), each, 10))
			if err != nil {
				return err
			}
			for k, o := range outs {
				if o != store.Duplicate {
					t.Fatalf("event %d of batch %d was stored twice", k, i)
				}
			}
		}
		return nil
	}
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range batches {
		if _, err := l.Append(t.Context(), testBatch(fmt.Sprint("b", i), each, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	late := 0
	for round := range 12 {
		harm.Any(t, rng, filepath.Join(dir, "index", "*"), harm.FlipAny(rng))
		if l, err = Open(dir, Options{}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if again(l) != nil {
			late++
			if err := l.Run(t.Context()); err == nil {
				t.Fatalf("round %d: Run ended without an error", round)
			}
			_ = l.Close() // what is damaged cannot be written down
			if l, err = Open(dir, Options{}); err != nil {
				t.Fatalf("round %d: the start after: %v", round, err)
			}
			if err := again(l); err != nil {
				t.Fatalf("round %d: after the start: %v", round, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	t.Logf("of 12, %d were found by a look-up", late)
}
