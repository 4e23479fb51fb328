package duckstore

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

func TestConformance(t *testing.T) { conformance(t, Options{}) }

// The same when the writer remembers nothing and reads again what it touches. What only asks is
// the same either way: it is left to `make rounds`.
func TestConformanceForgetful(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: the conformance suite once more")
	}
	names := []string{"Cursor", "Repeated", "Poison", "Permutations", "Updates", "Ties", "SameID", "Clear", "RolledUp", "Root", "Projects",
		"Membership", "Histories", "TwinHistories", "SharedIDs", "Floating", "Erase", "EraseHistory", "ExpireHistory", "ExpireProjects", "Late", "ReadsBesideWrites", "Reprice", "RepriceHistories"}
	if chance.Rounds(1) > 1 {
		names = nil
	}
	conformance(t, Options{CacheMemory: 1}, names...)
}

func conformance(t *testing.T, o Options, names ...string) {
	storetest.Warehouse(t, func(t testing.TB, dir string, log *storetest.Ledger) store.Warehouse {
		o := o // the tests run side by side
		o.Records, o.Prices = log.Records, log.Prices()
		o.Logger = slog.New(slog.NewTextHandler(complaints{t}, nil))
		w, err := Open(filepath.Join(dir, "warehouse.db"), o)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}, names...)
}

// complaints fails the test for what a warehouse logs: in a healthy file nothing
// goes wrong, and a failed checkpoint is told in no other way.
type complaints struct{ testing.TB }

func (c complaints) Write(line []byte) (int, error) {
	c.Errorf("logged: %s", line)
	return len(line), nil
}
