package dataset

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/linestest"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// engine is the ClickHouse of the tests of the package.
var engine linestest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

// opener opens what is in a directory; in the shared form a directory stands for a place that nodes share, and who opens it twice is two nodes.
type opener func(t *testing.T, dir string) *house

func inBothForms(t *testing.T, test func(t *testing.T, open opener)) {
	t.Parallel()
	t.Run("files", func(t *testing.T) { test(t, open) })
	t.Run("shared", func(t *testing.T) { test(t, openShared) })
}

func openShared(t *testing.T, dir string) *house {
	return openOn(t, filepath.Join(dir, "none"), engine.Place(t, dir))
}

// openOn opens a node with files of its own, on a place.
func openOn(t *testing.T, dir string, place store.DatasetLines) *house {
	t.Helper()
	return openWith(t, Options{Dir: dir, Store: place, Logger: slog.New(slog.DiscardHandler)})
}

func (h *house) fresh(project string) {
	h.t.Helper()
	if err := h.Fresh(h.t.Context(), project); err != nil {
		h.t.Fatal(err)
	}
}

// Find is that of Datasets, with what other nodes have done.
func (h *house) Find(project, id string) (*Dataset, error) {
	h.fresh(project)
	return h.Datasets.Find(project, id)
}

// Experiments are those of Datasets, with what other nodes have done.
func (h *house) Experiments(project, dataset string) []Experiment {
	h.fresh(project)
	return h.Datasets.Experiments(project, dataset)
}

// everything is all that is kept of a project, as it is kept.
func (h *house) everything(project string) string {
	h.t.Helper()
	var all strings.Builder
	if h.store != nil {
		err := h.store.ReadDatasets(h.t.Context(), project, 1, func(l *store.DatasetLine) error {
			fmt.Fprintf(&all, "%+v\n", *l)
			return nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
		return all.String()
	}
	names, err := filepath.Glob(filepath.Join(h.dir, projectPrefix+project, "*"))
	for i := 0; err == nil && i < len(names); i++ {
		var raw []byte
		raw, err = os.ReadFile(names[i])
		all.Write(raw)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return all.String()
}

// answers are all that can be asked of a project, but for ids of datasets, which are random.
func (h *house) answers(project string) string {
	h.t.Helper()
	h.fresh(project)
	var all strings.Builder
	names := strings.NewReplacer()
	var ids []string
	for _, info := range h.List(project) {
		ids = append(ids, info.ID, "dataset "+info.Name)
		names = strings.NewReplacer(ids...)
	}
	for _, info := range h.List(project) {
		set, err := h.Datasets.Find(project, info.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		versions, err := set.Versions()
		if err != nil {
			h.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s\n%s\n", asJSON(h.t, info), asJSON(h.t, versions))
		for version := range info.LatestVersion + 1 {
			items, total, of, err := set.Items(version, 0, MaxItems)
			if err != nil {
				h.t.Fatal(err)
			}
			fmt.Fprintf(&all, "%d %d %s\n", total, of, asJSON(h.t, items))
		}
	}
	fmt.Fprintf(&all, "%s\n", asJSON(h.t, h.Datasets.Experiments(project, "")))
	return names.Replace(all.String())
}
