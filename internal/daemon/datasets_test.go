package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/dataset"
)

// A copy back keeps the datasets that the node had before it shared its Warehouse; a node that had none has none.
func TestCopyDatasets(t *testing.T) {
	t.Parallel()
	from, to := filepath.Join(t.TempDir(), "datasets"), filepath.Join(t.TempDir(), "datasets")
	if err := copyDatasets(from, to); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a directory of nothing")
	}
	d, err := dataset.Open(dataset.Options{Dir: from})
	if err != nil {
		t.Fatal(err)
	}
	name := "d"
	info, err := d.Create("one", "key", dataset.Named{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Begin("one", "key", dataset.Recorded{Name: &name, DatasetID: &info.ID}); err != nil {
		t.Fatal(err)
	}
	if err := copyDatasets(from, to); err != nil {
		t.Fatal(err)
	}
	if says, err := dataset.Read(to); err != nil || says != "1 datasets of 0 items, and 1 experiments" {
		t.Errorf("%q, %v", says, err)
	}
}
