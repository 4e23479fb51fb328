package query

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
)

// FuzzCursor: a cursor that somebody changed, with the hash that it needs, gives rows or
// a QueryError: never an error of the database.
func FuzzCursor(f *testing.F) {
	w, err := duckstore.Open(filepath.Join(f.TempDir(), "w.db"), duckstore.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := w.Close(); err != nil {
			f.Error(err)
		}
	})
	for _, v := range []string{"", "0", "-1", "1e308", "NaN", "Inf", "9223372036854775807", "9223372036854775808", "x", "'; DROP TABLE events; --", "0x1p-3", "=a", "=\x00", "\xff"} {
		f.Add(v, "id", v, "=1")
	}
	traces := store.Query{Order: store.Order{By: "total_cost", Limit: 2}}
	times := store.Query{Order: store.Order{Limit: 2, Asc: true}}
	stats := store.StatsQuery{Of: "scores", Metrics: []string{"count"}, GroupBy: []string{"name", "value_bucket"}, Limit: 2}
	f.Fuzz(func(t *testing.T, value, id, key1, key2 string) {
		check := func(err error) {
			t.Helper()
			var qe *store.QueryError
			if err != nil && !errors.As(err, &qe) {
				t.Fatalf("%q %q %q %q: %v", value, id, key1, key2, err)
			}
		}
		for _, q := range []store.Query{traces, times} {
			by := q.Order.By
			if by == "" {
				by = "start_time"
			}
			hash, err := hashOf("p", "traces", []any{q.Filter, by, q.Order.Asc})
			if err != nil {
				t.Fatal(err)
			}
			cursor, err := encodeCursor(position{Query: hash, Value: value, ID: id})
			if err != nil {
				t.Fatal(err)
			}
			q.Order.Cursor = *cursor
			page, err := ListTraces(t.Context(), w, "p", q)
			check(err)
			if err == nil && (len(page.Data) != 0 || page.NextCursor != nil) {
				t.Fatalf("rows of an empty warehouse: %+v", page)
			}
			if _, err := decodeCursor(*cursor, "another"); err == nil {
				t.Fatal("a cursor of another query was taken")
			}
		}
		sq := stats
		keyed := sq
		keyed.Limit, keyed.Cursor = 0, ""
		hash, err := hashOf("p", "stats", keyed)
		if err != nil {
			t.Fatal(err)
		}
		cursor, err := encodeCursor(position{Query: hash, Keys: []string{key1, key2, key1, key2}})
		if err != nil {
			t.Fatal(err)
		}
		sq.Cursor = *cursor
		_, err = ListStats(t.Context(), w, "p", sq)
		check(err)
		_, err = decodeCursor(value, hash)
		check(err)
	})
}
