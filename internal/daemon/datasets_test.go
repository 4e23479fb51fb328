package daemon

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A restore ends an erasure that was under way during the backup for items of datasets, too: the datasets may have been read before it.
func TestARestoreErasesItems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := filepath.Join(dir, datadir.DatasetsDir)
	d, err := dataset.Open(dataset.Options{Dir: files})
	if err != nil {
		t.Fatal(err)
	}
	name := "d"
	info, err := d.Create("one", "key", dataset.Named{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	set, err := d.Find("one", info.ID)
	if err != nil {
		t.Fatal(err)
	}
	items := []dataset.Item{{ID: "a", Input: []byte(`"of the trace"`), SourceTraceID: "t"}, {ID: "b", Input: []byte(`"of another"`), SourceTraceID: "u"}}
	if _, err := set.Put(items, dataset.Putting{}); err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(dir, datadir.JournalFile)
	if err := os.WriteFile(journal, []byte(`{"version":1,"erasures":[{"project":"one","seqs":[],"traces":["`+store.TraceKey("t")+`"]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := endErasures(t.Context(), dir, Config{}.withDefaults(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(files, "project-one", info.ID+".jsonl"))
	if err != nil || strings.Contains(string(raw), "of the trace") || !strings.Contains(string(raw), "of another") {
		t.Errorf("%s %v", raw, err)
	}
	if _, err := os.Stat(journal); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal is still there: %v", err)
	}
}
