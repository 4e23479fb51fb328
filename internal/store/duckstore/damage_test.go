package duckstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A damaged block is met by Open, or by a question, or by nobody because nothing is in
// it. A question that meets it is refused for now, and Close puts the file aside, so
// that the next Open begins anew; no question is answered wrongly.
func TestDamagedBlock(t *testing.T) {
	const header, blockSize = 3 * 4096, 256 << 10 // of DuckDB's file
	dir := t.TempDir()
	path := filepath.Join(dir, "w.db")
	g := newGenerator(1)
	w := openAt(t, path, g)
	recs := g.next(60_000)
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
	var harmed [][]byte // files with one block that is damaged
	for at := header + blockSize/2; at < len(whole); at += blockSize {
		b := slices.Clone(whole)
		b[at] ^= 0x10
		harmed = append(harmed, b)
	}
	harmed = append(harmed, whole) // and one that is cut when it is open: Open would see that
	var met, cut int               // by a question
	for i, b := range harmed {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if w = openAt(t, path, g); w.cursor == 0 { // Open met it
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if i == len(harmed)-1 {
			if err := os.Truncate(path, header+2*blockSize); err != nil {
				t.Fatal(err)
			}
		}
		_, asked := query.ListObservations(t.Context(), w, "default", store.Query{})
		damaged := w.isDamaged()
		if damaged != errors.Is(asked, store.ErrUnavailable) || !damaged && asked != nil {
			t.Errorf("file %d: damage seen %v, the question ends with %v", i, damaged, asked)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); damaged != errors.Is(err, os.ErrNotExist) {
			t.Errorf("file %d: damage seen %v, and the file: %v", i, damaged, err)
		}
		if damaged {
			met++
		}
		if damaged && i == len(harmed)-1 {
			cut++
		}
	}
	if t.Logf("of %d blocks, %d were met by a question, and %d cuts", len(harmed)-1, met-cut, cut); met == cut || cut == 0 {
		t.Error("no question met a damaged block, or a missing one")
	}
}

// What a client sent, and DuckDB quotes, is no damage: a node builds its warehouse again for that.
func TestQuotedTextIsNoDamage(t *testing.T) {
	for text, want := range map[string]bool{
		"IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2 in block at location 3":      true,
		"FATAL Error: Failed: database has been invalidated. Original error: \"IO Error: Corrupt database file: computed\"": true,
		"Conversion Error: Could not convert string 'IO Error: Corrupt database file: computed checksum' to INT64":          false,
		"Out of Memory Error: failed to pin block of size 256.0 KiB":                                                        false,
	} {
		if got := Corrupt(fmt.Errorf("query traces: %w", errors.New(text))); got != want {
			t.Errorf("%v for %s", got, text)
		}
	}
}

// insertNow inserts the records in a transaction of their own.
func insertNow(ctx context.Context, w *Warehouse, recs []entity.Record) error {
	if err := w.Insert(ctx, recs, recs[len(recs)-1].Seq); err != nil {
		return err
	}
	return w.Flush(ctx)
}

// openAt opens the file beside a log that has what g made.
func openAt(t *testing.T, path string, g interface {
	Records(context.Context, []entity.Seq) ([]entity.Record, error)
}) *Warehouse {
	t.Helper()
	w, err := Open(path, Options{Records: g.Records})
	if err != nil {
		t.Fatal(err)
	}
	return w
}
