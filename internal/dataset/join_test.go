package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// filled is a directory of a node alone in which something was done.
func filled(t *testing.T) (dir string, h *house) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "datasets")
	h = open(t, dir)
	set := h.create("one", "questions")
	put(t, set, false, `{"id":"a","input":1,"source_trace_id":"t1"}`, `{"id":"b","input":2}`)
	put(t, set, false, `{"id":"a","input":"changed"}`)
	if _, err := h.Erase(t.Context(), "one", keys("t1")); err != nil {
		t.Fatal(err)
	}
	if err := set.Pin("key", 1); err != nil {
		t.Fatal(err)
	}
	name, of := "run", "questions"
	for range 2 {
		if _, err := h.Begin("one", "key", Recorded{Name: &name, DatasetID: &of}); err != nil {
			t.Fatal(err)
		}
	}
	put(t, h.create("two", "d"), false, `{"id":"x","input":"of another project"}`)
	return dir, h
}

// A node that begins to share brings in what it had in files, however often it is killed meanwhile: the answers of all are as its own were, nobody is answered before, and the files are gone.
func TestJoin(t *testing.T) {
	t.Parallel()
	dir, alone := filled(t)
	want := alone.answers("one") + alone.answers("two")
	place := t.TempDir()
	failing := engine.Place(t, place)
	r := chance.Of(t)
	died, left := errors.New("killed"), 0
	failing.Before = func(string) error {
		if left--; left < 0 {
			return died
		}
		return nil
	}
	failing.After = func(string) error {
		if left == 0 && r.IntN(2) == 0 {
			return died
		}
		return nil
	}
	for most := range 20 {
		left = r.IntN(2 + most)
		h := openOn(t, dir, failing)
		if err := h.Fresh(t.Context(), "one"); err == nil || !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("answered before it was brought in: %v", err)
		}
		if _, err := h.Erase(t.Context(), "one", keys("t9")); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("erased before it was brought in: %v", err)
		}
		err := h.Join(t.Context(), "node")
		if err == nil {
			break
		}
		if !errors.Is(err, died) {
			t.Fatal(err)
		}
	}
	failing.Before, failing.After = nil, nil
	h, other := openOn(t, dir, failing), openShared(t, place)
	if err := h.Join(t.Context(), "node"); err != nil {
		t.Fatal(err)
	}
	for _, node := range []*house{h, other} {
		if got := node.answers("one") + node.answers("two"); got != want {
			t.Errorf("it was %s\nand is %s", want, got)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*", "*.jsonl")); len(names) > 0 {
		t.Errorf("there are still %q", names)
	}
}

// What two nodes had stays: a name that is taken gets another one, a dataset that was changed in two places is two, one that was deleted stays deleted.
func TestJoinOfTwo(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	copies := filepath.Join(t.TempDir(), "datasets")
	for _, to := range []string{copies, copies + "-later"} {
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	changed := open(t, copies)
	changed.now = func() time.Time { return time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC) }
	set, err := changed.Find("one", "questions")
	if err != nil {
		t.Fatal(err)
	}
	put(t, set, false, `{"id":"new","input":"only in the copy"}`)
	stranger := open(t, filepath.Join(t.TempDir(), "datasets"))
	put(t, stranger.create("one", "questions"), false, `{"id":"s","input":"of a stranger"}`)

	place := t.TempDir()
	join := func(dir, node string) *house {
		h := openOn(t, dir, engine.Place(t, place))
		if err := h.Join(t.Context(), node); err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := join(dir, "first")
	put(t, mustFind(t, h, "questions"), false, `{"id":"later","input":"among nodes"}`)
	if err := h.Delete(mustFindIn(t, h, "two", "d"), "key"); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "datasets")
	if err := os.CopyFS(again, os.DirFS(copies)); err != nil {
		t.Fatal(err)
	}
	join(copies, "second")
	join(again, "third") // the same copy once more
	join(stranger.dir, "fourth")
	join(copies+"-later", "fifth") // within what is there
	var names []string
	h.fresh("one")
	for _, info := range h.List("one") {
		names = append(names, info.Name)
	}
	if len(names) != 3 || names[0] != "questions" || !strings.HasPrefix(names[1], "questions (") || !strings.HasPrefix(names[2], "questions (") {
		t.Fatalf("%q", names)
	}
	all := h.answers("one")
	for _, said := range []string{"only in the copy", "of a stranger", "among nodes"} {
		if !strings.Contains(all, said) {
			t.Errorf("%q is lost: %s", said, all)
		}
	}
	if h.fresh("two"); len(h.List("two")) != 0 {
		t.Error("what was deleted is back")
	}
	if runs := h.Experiments("one", ""); len(runs) != 2 {
		t.Errorf("%d experiments", len(runs))
	}
}

func mustFind(t *testing.T, h *house, name string) *Dataset { return mustFindIn(t, h, "one", name) }

func mustFindIn(t *testing.T, h *house, project, name string) *Dataset {
	t.Helper()
	set, err := h.Find(project, name)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
