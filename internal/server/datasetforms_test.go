package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/linestest"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// engine is the ClickHouse of the tests of datasets that nodes share.
var engine linestest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

// inBothForms runs a test with datasets in files, and with such as nodes share.
func inBothForms(t *testing.T, test func(t *testing.T, place store.DatasetLines)) {
	t.Parallel()
	t.Run("files", func(t *testing.T) { test(t, nil) })
	t.Run("shared", func(t *testing.T) { test(t, engine.Place(t, t.Name())) })
}

// itemsEraser is what an Eraser erases items of datasets with.
type itemsEraser interface {
	Erase(ctx context.Context, project string, traces []string) (int, error)
}

// interrupted is one that dies before it begins, as long as it is told to.
type interrupted struct {
	itemsEraser
	dies atomic.Bool
}

func (i *interrupted) Erase(ctx context.Context, project string, traces []string) (int, error) {
	if i.dies.Load() {
		return 0, errors.New("killed")
	}
	return i.itemsEraser.Erase(ctx, project, traces)
}

// An erasure that ends between the traces of a user and the items that were made of these is ended by the next start.
func TestAnErasedUserTakesItems(t *testing.T) { inBothForms(t, testAnErasedUserTakesItems) }

func testAnErasedUserTakesItems(t *testing.T, place store.DatasetLines) {
	t.Parallel()
	var items *interrupted
	h := open(t, setup{datasets: place, items: func(is itemsEraser) itemsEraser {
		items = &interrupted{itemsEraser: is}
		return items
	}})
	h.accept(append(userEvents(), others()...)...)
	h.settle()
	id := h.dataset("d")
	data[imported](h, h.send("POST", "/v1/datasets/"+id+"/items/from-traces", []byte(`{"trace_ids":["t1"]}`)))
	data[imported](h, h.send("POST", "/v1/datasets/"+id+"/items", []byte(`{"items":[{"input":"of somebody else","source_trace_id":"keep"}]}`)))
	items.dies.Store(true)
	if rep := h.send("DELETE", "/v1/users/Mneme77%2Fa%20b", nil); rep.status != 503 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if got := h.get("/v1/datasets/" + id + "/items"); !bytes.Contains(got.body, []byte(secret)) {
		t.Fatalf("nothing was left to do: %s", got.body)
	}
	journal := filepath.Join(h.dir, "erasing.json")
	if raw, err := os.ReadFile(journal); err != nil || bytes.Contains(raw, []byte(secret)) || !bytes.Contains(raw, fmt.Appendf(nil, "%q", store.TraceKey("t1"))) {
		t.Errorf("the journal: %s, %v", raw, err)
	}
	items.dies.Store(false)
	if err := h.srv.o.Eraser.Resume(t.Context()); err != nil { // as a start does
		t.Fatal(err)
	}
	for _, version := range []string{"1", "2"} {
		if got := h.get("/v1/datasets/" + id + "/items?version=" + version); bytes.Contains(got.body, []byte(secret)) || version == "2" && !bytes.Contains(got.body, []byte("of somebody else")) {
			t.Errorf("version %s: %s", version, got.body)
		}
	}
	if _, err := os.Stat(journal); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the journal is still there: %v", err)
	}
}

// While the place that nodes share cannot be asked there is no answer about datasets, and nothing is changed.
func TestSharedDatasetsAreAway(t *testing.T) {
	t.Parallel()
	place := &away{DatasetLines: engine.Place(t, t.Name())}
	h := open(t, setup{datasets: place})
	h.dataset("d")
	place.is.Store(true)
	for _, path := range []string{"/v1/datasets", "/v1/datasets/d", "/v1/datasets/d/items", "/v1/experiments", "/v1/experiments/x", "/v1/experiments/compare?a=1&b=2"} {
		if rep := h.get(path); rep.status != 503 || rep.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	for path, body := range map[string]string{"/v1/datasets": `{"name":"e"}`, "/v1/datasets/d/items": `{"items":[{"input":1}]}`, "/v1/experiments": `{"name":"x"}`} {
		if rep := h.send("POST", path, []byte(body)); rep.status != 503 {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	if rep := h.send("DELETE", "/v1/traces/t", nil); rep.status != 503 {
		t.Errorf("erase: %d %s", rep.status, rep.body)
	}
	place.is.Store(false)
	if got := h.get("/v1/datasets"); !bytes.Contains(got.body, []byte(`"total":1`)) || !bytes.Contains(got.body, []byte(`"latest_version":0`)) {
		t.Errorf("%s", got.body)
	}
}

// away is a place that may not be reached.
type away struct {
	store.DatasetLines
	is atomic.Bool
}

func (a *away) ReadDatasets(ctx context.Context, project string, from uint64, each func(*store.DatasetLine) error) error {
	if a.is.Load() {
		return fmt.Errorf("%w: away", store.ErrUnavailable)
	}
	return a.DatasetLines.ReadDatasets(ctx, project, from, each)
}

func (a *away) EraseDatasets(ctx context.Context, project string, traces []string) (n, all int, err error) {
	if a.is.Load() {
		return 0, 0, fmt.Errorf("%w: away", store.ErrUnavailable)
	}
	return a.DatasetLines.EraseDatasets(ctx, project, traces)
}
