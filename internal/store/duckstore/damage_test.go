package duckstore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// A damaged block is met by Open, or by a question, or by nobody because nothing is in
// it. A question that meets it is refused for now, and Close puts the file aside, so
// that the next Open begins anew; no question is answered wrongly.
func TestDamagedBlock(t *testing.T) {
	const header, blockSize = 3 * 4096, 256 << 10 // of DuckDB's file
	dir := t.TempDir()
	path := filepath.Join(dir, "w.db")
	w := openAt(t, path)
	recs := newGenerator(1).next(20_000)
	if err := w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Checkpoint(t.Context()), w.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	for at := header + blockSize/2; at < len(whole); at += blockSize {
		b := append([]byte(nil), whole...)
		b[at] ^= 0x10
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if w = openAt(t, path); w.cursor == 0 { // Open met it
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		_, asked := w.Observations(t.Context(), "default", store.ObservationQuery{})
		damaged := w.isDamaged()
		if damaged != errors.Is(asked, store.ErrUnavailable) || !damaged && asked != nil {
			t.Errorf("block at %d: damage seen %v, the question ends with %v", at, damaged, asked)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); damaged != errors.Is(err, os.ErrNotExist) {
			t.Errorf("block at %d: damage seen %v, and the file: %v", at, damaged, err)
		}
		if damaged {
			met++
		}
	}
	if t.Logf("of %d blocks, %d were met by a question", len(whole)/blockSize, met); met == 0 {
		t.Error("no question met a damaged block")
	}
}

func openAt(t *testing.T, path string) *Warehouse {
	t.Helper()
	w, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}
