package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
)

func asJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Two nodes change one dataset at the same time: every change is there, the versions follow one another, no item is there twice, and both say the same. Of two that make a dataset of one name one does.
func TestNodesChangeOneDataset(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	nodes := []*house{openShared(t, place), openShared(t, place)}
	name, each := "d", 12
	var work sync.WaitGroup
	made := make([]error, len(nodes))
	for i, h := range nodes {
		work.Go(func() { _, made[i] = h.Create("one", "key", Named{Name: &name}) })
	}
	work.Wait()
	if (made[0] == nil) == (made[1] == nil) || !errors.Is(errors.Join(made...), ErrExists) {
		t.Fatalf("of two that make it: %v", made)
	}
	versions := make([][]int, len(nodes))
	for i, h := range nodes {
		set, err := h.Find("one", name)
		if err != nil {
			t.Fatal(err)
		}
		work.Go(func() {
			for k := range each {
				out, err := set.Put([]Item{{ID: fmt.Sprintf("%d-%d", i, k), Input: []byte("1")}, {ID: "both", Input: fmt.Appendf(nil, "%d", 100*i+k)}}, Putting{By: "key"})
				if err != nil {
					t.Error(err)
					return
				}
				versions[i] = append(versions[i], out.Version)
			}
		})
	}
	work.Wait()
	of := map[int]int{}
	for i := range nodes {
		for k, v := range versions[i] {
			if of[v]++; of[v] > 1 || k > 0 && v <= versions[i][k-1] {
				t.Errorf("version %d of %v and %v", v, versions[0], versions[1])
			}
		}
	}
	if len(of) != 2*each || of[1] != 1 || of[2*each] != 1 {
		t.Errorf("versions %v and %v", versions[0], versions[1])
	}
	if a, b := nodes[0].answers("one"), nodes[1].answers("one"); a != b || strings.Count(a, `"latest_version":24`) != 1 || !strings.Contains(a, `"item_count":25`) {
		t.Errorf("one node says %s, the other %s", a, b)
	}
}

// A node that is killed between what it has kept and the answer: who sends it again, to another one, is told that it is there, and it is there once.
func TestTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	killed, other := engine.Place(t, place), openShared(t, place)
	h := openOn(t, filepath.Join(place, "none"), killed)
	gone := errors.New("killed")
	killed.After = func(string) error { return gone }
	name := "d"
	if _, err := h.Create("one", "key", Named{Name: &name}); !errors.Is(err, ErrWrite) {
		t.Fatal(err)
	}
	if _, err := other.Create("one", "key", Named{Name: &name}); !errors.Is(err, ErrExists) {
		t.Errorf("made again: %v", err)
	}
	set, err := h.Find("one", name) // it goes on, and finds what it has kept
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Put([]Item{item(t, `{"id":"a","input":1}`)}, Putting{}); !errors.Is(err, ErrWrite) {
		t.Fatal(err)
	}
	there, err := other.Find("one", name)
	if err != nil {
		t.Fatal(err)
	}
	if got := put(t, there, false, `{"id":"a","input":1}`); got != (Put{Skipped: 1, Version: 1}) {
		t.Errorf("sent again: %+v", got)
	}
	if a, b := h.answers("one"), other.answers("one"); a != b || strings.Count(a, `"id":"a"`) != 2 { // of version 1, and of the current one
		t.Errorf("%s and %s", a, b)
	}
}

// What is erased by one node is gone on the other, whenever the first one dies; asked again it ends what it had begun.
func TestErasureAmongNodes(t *testing.T) {
	t.Parallel()
	for _, dies := range []string{"never", "before the tables", "behind the tables", "behind the word"} {
		t.Run(dies, func(t *testing.T) {
			t.Parallel()
			place := t.TempDir()
			failing := engine.Place(t, place)
			h, other := openOn(t, filepath.Join(place, "none"), failing), openShared(t, place)
			set := h.create("one", "d")
			put(t, set, false, `{"id":"a","input":"secret","source_trace_id":"t1"}`, `{"id":"b","input":"kept","source_trace_id":"t2"}`)
			put(t, set, false, `{"id":"c","input":"secret too","source_trace_id":"t1"}`)
			there, err := other.Find("one", "d")
			if err != nil {
				t.Fatal(err)
			}
			died := errors.New("killed")
			at := func(want string) func(string) error {
				return func(what string) error {
					if what == want {
						return died
					}
					return nil
				}
			}
			switch dies {
			case "before the tables":
				failing.Before = at("erase")
			case "behind the tables":
				failing.After = at("erase")
			case "behind the word":
				failing.After = at("append")
			}
			if n, err := h.Erase(t.Context(), "one", keys("t1")); (err == nil) != (dies == "never") || err == nil && n != 2 {
				t.Fatalf("%d, %v", n, err)
			}
			if dies != "before the tables" {
				if got := inputs(t, there, Latest); got != `"kept"` { // as it was found before the erasure
					t.Errorf("the other node still has %s", got)
				}
			}
			again := openShared(t, place) // the node that was started again
			if _, err := again.Erase(t.Context(), "one", keys("t1")); err != nil {
				t.Fatal(err)
			}
			for _, node := range []*house{other, again} {
				if got := node.answers("one"); strings.Contains(got, "secret") || !strings.Contains(got, `"item_count":1,`) || !strings.Contains(got, `"latest_version":2`) {
					t.Errorf("%s", got)
				}
			}
			if raw := again.everything("one"); strings.Contains(raw, "secret") || strings.Contains(raw, store.TraceKey("t1")) {
				t.Errorf("it is still in the tables: %s", raw)
			}
		})
	}
}

// A dataset that another node deletes is gone here, for who has found it, too, and out of the tables. So is what is missing in tables that are others by now.
func TestWhatIsNotThereAnyMore(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	h, other := openShared(t, place), openShared(t, place)
	set := h.create("one", "d")
	put(t, set, false, `{"id":"a","input":"of what is deleted"}`)
	there, err := other.Find("one", "d")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(set, "key"); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Put([]Item{item(t, `{"input":2}`)}, Putting{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("an item of what is deleted: %v", err)
	}
	if _, _, _, err := there.Items(Latest, 0, 10); !errors.Is(err, ErrUnknown) {
		t.Errorf("items of what is deleted: %v", err)
	}
	if raw := h.everything("one"); strings.Contains(raw, "of what is deleted") {
		t.Errorf("the tables still have %s", raw)
	}
	kept := h.create("one", "kept")
	put(t, kept, false, `{"id":"a","input":1}`)
	if got := other.answers("one"); got != h.answers("one") || !strings.Contains(got, `"latest_version":1`) {
		t.Errorf("%s", got)
	}
	engine.Do(t, fmt.Sprintf("ALTER TABLE d.datasets DELETE WHERE project = '%sone' AND entry > 4 SETTINGS mutations_sync = 2", engine.Place(t, place).Prefix))
	if got := other.answers("one"); !strings.Contains(got, `"latest_version":0`) {
		t.Errorf("of restored tables: %s", got)
	}
}

// act does something at random, and says what came of it.
func act(t *testing.T, r *rand.Rand, h *house) string {
	t.Helper()
	h.fresh("one")
	name := fmt.Sprint("d", r.IntN(3))
	set, err := h.Datasets.Find("one", name)
	if err != nil {
		_, err := h.Create("one", "key", Named{Name: &name})
		return fmt.Sprint("create ", err)
	}
	id := fmt.Sprint("i", r.IntN(6))
	switch r.IntN(9) {
	case 0:
		v, err := set.Remove([]string{id}, "key")
		return fmt.Sprintf("%d %d %v", v.Version, v.ItemCount, err)
	case 1:
		return fmt.Sprint("pin ", set.Pin("key", r.IntN(4)))
	case 2:
		v, err := set.Snapshot("key", "s", nil)
		return fmt.Sprintf("%d %d %v", v.Version, v.ItemCount, err)
	case 3:
		other := fmt.Sprint("d", r.IntN(3))
		info, err := h.Update(set, "key", Named{Name: &other})
		return fmt.Sprint(info.Name, err)
	case 4:
		if r.IntN(3) == 0 {
			return fmt.Sprint("delete ", h.Delete(set, "key"))
		}
		n, err := h.Erase(t.Context(), "one", keys(fmt.Sprint("t", r.IntN(8))))
		return fmt.Sprint("erase ", n, err)
	}
	var items []Item
	for range 1 + r.IntN(3) {
		items = append(items, item(t, fmt.Sprintf(`{"id":"i%d","input":{"q":"<é>",%s"n":%d},"source_trace_id":"t%d"}`, r.IntN(6), strings.Repeat(" ", r.IntN(2)), r.IntN(3), r.IntN(8))))
	}
	out, err := set.Put(items, Putting{By: "key", Deduplicate: r.IntN(2) == 0})
	return fmt.Sprintf("%+v %v", out, err)
}

// Whatever is done, by whichever of two nodes: the answers are those of a node alone, with its files. And files that are made of what nodes share have the same answers.
func TestTheFormsAgree(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	for round := range chance.Rounds(1) {
		place := t.TempDir()
		one, two := chance.From(seed, uint64(round)), chance.From(seed, uint64(round))
		turns := chance.From(seed, uint64(1000+round))
		alone, nodes := open(t, filepath.Join(place, "alone")), []*house{openShared(t, place), openShared(t, place)}
		at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for step := range 40 {
			at = at.Add(time.Second)
			h := nodes[turns.IntN(2)]
			alone.now, h.now = func() time.Time { return at }, func() time.Time { return at }
			if a, b := act(t, one, alone), act(t, two, h); a != b {
				t.Fatalf("step %d: files say %s, nodes %s", step, a, b)
			}
		}
		want := alone.answers("one")
		for _, h := range nodes {
			if got := h.answers("one"); got != want {
				t.Fatalf("files say %s\nnodes %s", want, got)
			}
		}
		back := filepath.Join(place, "back", "datasets")
		if err := nodes[0].WriteFiles(t.Context(), back); err != nil {
			t.Fatal(err)
		}
		if got := open(t, back).answers("one"); got != want {
			t.Fatalf("files say %s\nand those that were made of what nodes share %s", want, got)
		}
	}
}
