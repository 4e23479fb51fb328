package daemon

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// A file of an older layout goes when the one in its place has all that the log had, not before; a damaged one after its time; both
// with their write-ahead logs. What only looks like one stays.
func TestFilesPutAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(names ...string) {
		for _, name := range names {
			writeNew(t, filepath.Join(dir, name), []byte("of people"))
		}
	}
	left := func() (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	const older, damaged = "warehouse.duckdb.older-20260301T120000.000000", "warehouse.duckdb.damaged-20260301T120000.000000"
	stays := []string{"keys.json", "warehouse.duckdb", "warehouse.duckdb.damaged-by-hand", "warehouse.duckdb.wal"}
	write(stays...)
	write(older, older+".wal", damaged, damaged+".wal")
	cursor, now := entity.Seq(9), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := &asides{path: filepath.Join(dir, "warehouse.duckdb"), kept: time.Hour, head: 10, now: func() time.Time { return now },
		cursor: func(context.Context) (entity.Seq, error) { return cursor, nil }, logger: slog.New(slog.DiscardHandler)}
	look := func(what string, waits bool, files int) {
		t.Helper()
		got, err := a.look(t.Context())
		if names := left(); err != nil || got != waits || len(names) != files {
			t.Errorf("%s: it waits %v, %v; there are %v", what, got, err, names)
		}
	}
	look("one event is not in the warehouse yet", true, 8)
	cursor = 10
	look("the warehouse is complete", false, 6)
	now = now.Add(time.Hour - time.Microsecond)
	look("the damaged file has not been there for long", false, 6)
	now = now.Add(time.Microsecond)
	look("the damaged file was there for long enough", false, 4)
	write(older, damaged, damaged+".wal")
	if err := a.all(); err != nil || len(left()) != 4 {
		t.Errorf("of an erasure: %v, %v", left(), err)
	}
}

// After an upgrade the file of the layout before goes by itself, a damaged file goes with the first erasure, and a data directory says
// nothing of what was erased.
func TestErasureReachesFilesPutAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	older, damaged := filepath.Join(dir, "warehouse.duckdb.older-20260301T120000.000000"), filepath.Join(dir, "warehouse.duckdb.damaged-"+time.Now().UTC().Format("20060102T150405.000000"))
	for _, name := range []string{older, damaged} {
		writeNew(t, name, []byte("Mneme77"))
	}
	n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	status, raw, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch",
		`{"events":[{"event_id":"e","event_type":"trace_create","payload":{"id":"t","name":"Mneme77"},"timestamp":1772366400}]}`)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, raw, err)
	}
	there := func(name string) bool { _, err := os.Stat(name); return err == nil }
	watch.Until(t, "the older file is removed", func() bool { return !there(older) })
	if !there(damaged) {
		t.Error("the damaged file is not kept")
	}
	if status, raw, err := n.request(t.Context(), http.MethodDelete, "/v1/traces/t", ""); err != nil || status/100 != 2 {
		t.Fatalf("%d %s %v", status, raw, err)
	}
	if there(damaged) {
		t.Error("the erasure did not reach the damaged file")
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
}
