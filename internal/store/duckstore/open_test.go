package duckstore

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// filled creates a warehouse file with n events and closes it.
func filled(t *testing.T, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "w.db")
	w, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	g := newGenerator(1)
	if err := w.Insert(t.Context(), g.next(n), entity.Seq(n)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Property 8: a damaged file is put aside and kept, and an empty one takes its place.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"garbage":       func(b []byte) []byte { return bytes.Repeat([]byte("no database "), 1000) },
		"zeroed header": func(b []byte) []byte { clear(b[:4096]); return b },
		"cut":           func(b []byte) []byte { return b[:len(b)/2] },
		"flipped blocks": func(b []byte) []byte {
			for i := 3 * 4096; i < len(b); i += 1000 {
				b[i] ^= 0x55
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filled(t, 3000)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b = damage(b)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			var told bytes.Buffer
			w, err := Open(path, Options{Logger: slog.New(slog.NewTextHandler(&told, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if c, err := w.Cursor(t.Context()); c != 0 || err != nil {
				t.Errorf("cursor %d, %v", c, err)
			}
			if err := w.Insert(t.Context(), newGenerator(1).next(10), 10); err != nil {
				t.Error(err)
			}
			aside, err := filepath.Glob(path + ".damaged-*")
			if err != nil || len(aside) != 1 {
				t.Fatalf("put aside: %v, %v", aside, err)
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, b) {
				t.Errorf("the file put aside changed: %v", err)
			}
			if !strings.Contains(told.String(), "put aside") {
				t.Errorf("log: %q", told.String())
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change string
		newer  bool
	}{
		{"UPDATE meta SET schema_version = 99", true}, {"UPDATE meta SET schema_version = 0", false},
		{"ALTER TABLE traces ADD COLUMN more VARCHAR", false}, {"ALTER TABLE events DROP COLUMN name", false},
	} {
		path := filled(t, 10)
		raw, err := connect(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.exec(c.change); err != nil {
			t.Fatal(err)
		}
		raw.close()
		w, err := Open(path, Options{})
		aside, _ := filepath.Glob(path + ".older-*")
		if c.newer {
			if !errors.Is(err, errNewer) || len(aside) != 0 {
				t.Errorf("%s: %v, %v", c.change, err, aside)
			}
			continue
		}
		if err != nil || len(aside) != 1 {
			t.Fatalf("%s: %v, %v", c.change, err, aside)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	if _, err := Open(filepath.Join(t.TempDir(), "none", "w.db"), Options{}); err == nil {
		t.Error("opened in a directory that does not exist")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "a?b"), Options{}); err == nil {
		t.Error("opened a path that the driver would cut")
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	_, cursorErr := w.Cursor(ctx)
	_, queryErr := query.ListTraces(ctx, w, "p", store.Query{})
	for _, err := range []error{cursorErr, queryErr, w.Insert(ctx, nil, 1), w.Checkpoint(ctx)} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("error %v", err)
		}
	}
}

// Texts of every length around the inline limit, with NUL and beyond ASCII,
// come back as they were, across full chunks and several slabs.
func TestTexts(t *testing.T) {
	t.Parallel()
	g := newGenerator(1)
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), g)
	defer w.Close()
	recs := g.next(3 * chunkRows)
	want := make(map[string]string)
	for i := range recs {
		r := &recs[i]
		r.Fields.Kind, r.Fields.EntityID = entity.ObservationKind, r.Event.ID
		s := strings.Repeat("ü\x00x"[:1+i%4], i%9) + strings.Repeat("z", i%23)
		s = strings.ToValidUTF8(s, "?")
		if i%1000 == 7 {
			s = strings.Repeat("long ", 300_000)
		}
		r.Fields.Values = []entity.FieldValue{txt(entity.StatusMessage, s), {Field: entity.Tags, List: []string{s, "tag"}[:i%3%2+i%2]}}
		r.Row = r.Fields.AppendRow(nil)
		want[r.Event.ID] = s
	}
	if err := w.Insert(t.Context(), recs, g.seq); err != nil {
		t.Fatal(err)
	}
	cursor, n := "", 0
	for {
		page, err := query.ListObservations(t.Context(), w, "default", store.Query{Order: store.Order{Limit: 1000, Cursor: cursor}})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Data {
			if n++; o.StatusMessage != want[o.ID] {
				t.Fatalf("%s: %.40q, want %.40q", o.ID, o.StatusMessage, want[o.ID])
			}
			for _, tag := range o.Tags {
				if tag != "tag" && tag != want[o.ID] {
					t.Fatalf("%s: tag %.40q", o.ID, tag)
				}
			}
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	if n != len(recs) {
		t.Errorf("%d rows of %d", n, len(recs))
	}
}

// The filter never forgets a key, and its bound only makes it less sure.
func TestSeen(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{64 << 20, 1} {
		s := newSeen(limit)
		const n = 300_000
		wrong := 0
		for i := range uint64(n) {
			if s.add(mix(i, 1)) {
				wrong++
			}
		}
		for i := range uint64(n) {
			if !s.add(mix(i, 1)) {
				t.Fatalf("bound %d: key %d was forgotten", limit, i)
			}
		}
		if limit > 1 && wrong > n/1000 {
			t.Errorf("%d of %d new keys seemed old", wrong, n)
		}
		if limit == 1 && s.lines != firstLines {
			t.Errorf("%d lines", s.lines)
		}
	}
}

// With a filter that is full, inserts are still exact.
func TestFullFilter(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{IDMemory: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	full := bloom.New(1, bitsPerKey)
	for h := range uint64(1 << 16) {
		full.Add(mix(h, 1))
	}
	w.seen.filters[0].Filter = full // every key seems old
	g := newGenerator(1)
	first := g.next(3000)
	for _, recs := range [][]entity.Record{first, first, g.next(1000)} {
		if err := insertNow(t.Context(), w, recs); err != nil {
			t.Fatal(err)
		}
	}
	page, err := query.ListStats(t.Context(), w, "default", store.StatsQuery{Of: "events"})
	if err != nil || page.Data[0]["count"] != int64(4000) {
		t.Errorf("%+v, %v", page, err)
	}
}

// A database that refuses all work after a fatal error is opened again by the
// next insert, checkpoint or question.
func TestRevived(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	g := newGenerator(1)
	count := func() any {
		page, err := query.ListStats(t.Context(), w, "default", store.StatsQuery{Of: "events"})
		if err != nil {
			t.Fatal(err)
		}
		return page.Data[0]["count"]
	}
	for i, again := range []func() error{
		func() error { return nil }, // the question itself
		func() error { return w.Checkpoint(t.Context()) },
		func() error { return w.Flush(t.Context()) },
		func() error { return w.revive(w.read.Load()) },
	} {
		recs := g.next(16)
		if err := w.Insert(t.Context(), recs, recs[15].Seq); err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.detach() // as after a fatal error
		w.mu.Unlock()
		if err := again(); err != nil {
			t.Error(err)
		}
		if n := count(); n != int64(16*(i+1)) {
			t.Errorf("%v events after %d", n, i)
		}
		if err := w.Insert(t.Context(), recs, recs[15].Seq); err != nil { // still exact
			t.Error(err)
		}
	}
	if n := count(); n != int64(64) {
		t.Errorf("%v events", n)
	}
}
