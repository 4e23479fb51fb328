package duckstore

import (
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Warehouse(t, func(t testing.TB, dir string) store.Warehouse {
		w, err := Open(filepath.Join(dir, "warehouse.db"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return w
	})
}
