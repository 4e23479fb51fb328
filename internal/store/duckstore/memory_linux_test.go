package duckstore

import (
	"path/filepath"
	"testing"
)

// DuckDB's allocator is told to give memory back soon; a release of DuckDB that
// knows neither the function nor the names turns this red.
func TestFreedMemoryLeavesSoon(t *testing.T) {
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if !decaysAlone() {
		t.Error("what is free does not leave by itself")
	}
	for name, want := range map[string]int{
		"arenas.dirty_decay_ms": keptDirty, "arenas.muzzy_decay_ms": 0, // of arenas to come
		"arena.0.dirty_decay_ms": keptDirty, "arena.0.muzzy_decay_ms": 0,
	} {
		if got := decayOf(name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
}
