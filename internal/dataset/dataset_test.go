package dataset

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
)

var update = flag.Bool("update", false, "write the directory in testdata anew: a change of its form is another version")

// house is datasets in a directory, with a clock that a second passes on at each look.
type house struct {
	t   *testing.T
	dir string
	*Datasets
}

func open(t *testing.T, dir string) *house {
	t.Helper()
	return openWith(t, Options{Dir: dir})
}

func openWith(t *testing.T, o Options) *house {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	o.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
	d, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return &house{t, o.Dir, d}
}

func (h *house) create(project, name string) *Dataset {
	h.t.Helper()
	info, err := h.Create(project, "key", Named{Name: &name})
	if err != nil {
		h.t.Fatal(err)
	}
	set, err := h.Find(project, info.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return set
}

func item(t *testing.T, raw string) Item {
	t.Helper()
	it, err := ParseItem([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// journalOf is the file of a dataset.
func journalOf(set *Dataset) *journal { return set.project.keep.(*files).get(set.id) }

// keys stand for traces.
func keys(traceIDs ...string) (all []string) {
	for _, id := range traceIDs {
		all = append(all, store.TraceKey(id))
	}
	return all
}

func put(t *testing.T, set *Dataset, deduplicate bool, raws ...string) Put {
	t.Helper()
	var items []Item
	for _, raw := range raws {
		items = append(items, item(t, raw))
	}
	out, err := set.Put(items, Putting{By: "key", Deduplicate: deduplicate})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// inputs are those of a version, with their ids where they were given.
func inputs(t *testing.T, set *Dataset, version int) string {
	t.Helper()
	items, total, _, err := set.Items(version, 0, MaxItems)
	if err != nil {
		t.Fatal(err)
	}
	if total != len(items) {
		t.Errorf("%d items of %d", len(items), total)
	}
	var all []string
	for i := range items {
		all = append(all, string(items[i].Input))
	}
	return strings.Join(all, " ")
}

func TestVersions(t *testing.T) { inBothForms(t, testVersions) }

func testVersions(t *testing.T, open opener) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "datasets")
	h := open(t, dir)
	set := h.create("one", "questions")
	if info, _ := set.Info(); info.LatestVersion != 0 || info.ItemCount != 0 || inputs(t, set, Current) != "" {
		t.Errorf("a new dataset: %+v", info)
	}
	if got := put(t, set, false, `{"id":"a","input":1,"expected":"x"}`, `{"id":"b","input":2}`); got != (Put{Created: 2, Version: 1}) {
		t.Errorf("two items: %+v", got)
	}
	if got := put(t, set, false, `{"id":"a","input":1.0,"expected":"x"}`, `{"id":"b", "input": 2}`, `{"id":"c","input":3}`); got != (Put{Created: 1, Updated: 1, Skipped: 1, Version: 2}) {
		t.Errorf("one as it is, one new, one changed: %+v", got)
	}
	if got := put(t, set, false, `{"id":"b","input":2}`); got != (Put{Skipped: 1, Version: 2}) {
		t.Errorf("sent again: %+v", got)
	}
	if v, err := set.Remove([]string{"b"}, "key"); err != nil || v.Version != 3 || v.ItemCount != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := set.Remove([]string{"a", "b"}, "key"); !errors.Is(err, ErrUnknown) {
		t.Errorf("removed twice: %v", err)
	}
	if got := put(t, set, false, `{"id":"b","input":22}`); got.Version != 4 || got.Created != 1 {
		t.Errorf("%+v", got)
	}
	check := func(set *Dataset) {
		t.Helper()
		for version, want := range map[int]string{1: "1 2", 2: "1.0 2 3", 3: "1.0 3", 4: "1.0 3 22", Current: "1.0 3 22"} {
			if got := inputs(t, set, version); got != want {
				t.Errorf("version %d has %q, not %q", version, got, want)
			}
		}
		if _, _, _, err := set.Items(5, 0, 1); !errors.Is(err, ErrUnknown) {
			t.Errorf("version 5: %v", err)
		}
	}
	check(set)
	if err := set.Pin("key", 1); err != nil || inputs(t, set, Current) != "1 2" || inputs(t, set, Latest) != "1.0 3 22" {
		t.Errorf("pinned: %v", err)
	}
	if err := set.Pin("key", 9); !errors.Is(err, ErrUnknown) {
		t.Errorf("a version that is not there is pinned: %v", err)
	}
	if err := set.Pin("key", 0); err != nil {
		t.Error(err)
	}
	if v, err := set.Snapshot("key", "the baseline", []byte(`{"a":1}`)); err != nil || v.Version != 5 || v.ItemCount != 3 || v.Description != "the baseline" {
		t.Errorf("%+v, %v", v, err)
	}
	again, err := open(t, dir).Find("one", "questions")
	if err != nil {
		t.Fatal(err)
	}
	if got := inputs(t, again, 5); got != "1.0 3 22" {
		t.Errorf("after a start: %q", got)
	}
	for version, want := range map[int]string{1: "1 2", 4: "1.0 3 22"} {
		if got := inputs(t, again, version); got != want {
			t.Errorf("after a start version %d has %q, not %q", version, got, want)
		}
	}
	before, _ := set.Info()
	if after, _ := again.Info(); fmt.Sprintf("%+v", after) != fmt.Sprintf("%+v", before) {
		t.Errorf("%+v became %+v", before, after)
	}
	if it, _, err := again.Item(1, "b"); err != nil || string(it.Input) != "2" || it.CreatedAt.IsZero() {
		t.Errorf("%+v, %v", it, err)
	}
}

func TestDuplicates(t *testing.T) { inBothForms(t, testDuplicates) }

func testDuplicates(t *testing.T, open opener) {
	t.Parallel()
	set := open(t, t.TempDir()).create("one", "d")
	put(t, set, true, `{"input":{"q":"x","n":1},"expected":"y"}`)
	if got := put(t, set, true, `{"input":{"n":1,"q":"x"},"expected":"y","metadata":{"other":true}}`, `{"input":"new"}`, `{"input":"new"}`, `{"input":{"n":1,"q":"x"}}`); got != (Put{Created: 2, Skipped: 2, Version: 2}) {
		t.Errorf("%+v", got)
	}
	if got := put(t, set, false, `{"input":"new"}`); got.Created != 1 {
		t.Errorf("duplicates are kept where they are wanted: %+v", got)
	}
	if got := put(t, set, true, `{"id":"x","input":"1"}`, `{"id":"x","input":"2"}`, `{"id":"x","input":"2"}`); got != (Put{Created: 1, Updated: 1, Skipped: 1, Version: 4}) {
		t.Errorf("one id three times: %+v", got)
	}
	if it, _, err := set.Item(Current, "x"); err != nil || string(it.Input) != `"2"` {
		t.Errorf("the last counts: %+v, %v", it, err)
	}
}

// Whatever of a file is on the disk: what was acknowledged before is all there, and what was not is not.
func TestEveryPrefix(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	set := h.create("one", "d")
	type state struct {
		size int64
		want string
	}
	states := []state{{journalOf(set).size, ""}}
	note := func() { states = append(states, state{journalOf(set).size, inputs(t, set, Latest)}) }
	put(t, set, false, `{"id":"a","input":"first"}`, `{"id":"b","input":"sécond"}`)
	note()
	put(t, set, false, `{"id":"a","input":"changed"}`, `{"id":"c","input":3}`)
	note()
	if _, err := set.Remove([]string{"b"}, "key"); err != nil {
		t.Fatal(err)
	}
	note()
	whole, err := os.ReadFile(journalOf(set).path)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(journalOf(set).path)
	copies := t.TempDir()
	r := chance.Of(t)
	for size := states[0].size; size <= int64(len(whole)); size++ {
		tail := whole[size:]
		for _, more := range [][]byte{nil, make([]byte, len(tail))} { // nothing behind it, or what was not written as zeros
			if len(more) > 0 && r.IntN(4) > 0 {
				continue
			}
			in := filepath.Join(copies, "datasets")
			path := filepath.Join(in, "project-one", name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(slices.Clone(whole[:size]), more...), 0o600); err != nil {
				t.Fatal(err)
			}
			again, err := Open(Options{Dir: in})
			if err != nil {
				t.Fatalf("%d bytes and %d zeros: %v", size, len(more), err)
			}
			set, err := again.Find("one", "d")
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			for _, s := range states {
				if s.size <= size {
					want = s.want
				}
			}
			if got := inputs(t, set, Latest); got != want {
				t.Fatalf("%d bytes and %d zeros: %q, not %q", size, len(more), got, want)
			}
			if len(more) == 0 && r.IntN(8) > 0 {
				continue
			}
			put(t, set, false, `{"id":"z","input":"goes on"}`)
			if got := inputs(t, reopenedIn(t, in), Latest); got != strings.TrimSpace(want+` "goes on"`) {
				t.Fatalf("%d bytes and %d zeros, gone on with: %q", size, len(more), got)
			}
		}
	}
}

// A byte that is another is found, and nothing is cut.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	set := h.create("one", "d")
	put(t, set, false, `{"id":"a","input":"first"}`, `{"id":"b","input":"second"}`)
	put(t, set, false, `{"id":"c","input":"third"}`)
	whole, err := os.ReadFile(journalOf(set).path)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.LastIndexByte(strings.TrimSuffix(string(whole), "\n"), '\n') // from here on it is a change that may be cut
	r := chance.Of(t)
	for range chance.Rounds(200) {
		at := r.IntN(last)
		harmed := slices.Clone(whole)
		harmed[at] ^= byte(1 + r.IntN(255))
		if err := os.WriteFile(journalOf(set).path, harmed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: dir}); err == nil {
			t.Fatalf("byte %d is another, and nobody sees it", at)
		}
		if _, err := Read(dir); err == nil {
			t.Fatalf("byte %d is another, and verify does not see it", at)
		}
		if now, _ := os.ReadFile(journalOf(set).path); string(now) != string(harmed) {
			t.Fatalf("byte %d: the file was changed", at)
		}
	}
	newer := strings.Replace(string(whole), `{"form":1}`, `{"form":2}`, 1)
	l := &line{Form: 2}
	raw, _ := l.encode()
	newer = string(raw) + newer[strings.IndexByte(newer, '\n')+1:]
	if err := os.WriteFile(journalOf(set).path, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrNewer) {
		t.Errorf("a later form: %v", err)
	}
}

func TestErase(t *testing.T) { inBothForms(t, testErase) }

func testErase(t *testing.T, open opener) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	set := h.create("one", "d")
	put(t, set, false, `{"id":"a","input":"secret words","source_trace_id":"t1"}`, `{"id":"b","input":"kept","source_trace_id":"t2"}`)
	put(t, set, false, `{"id":"a","input":"without them now"}`)
	other := h.create("two", "d")
	put(t, other, false, `{"id":"a","input":"another project's","source_trace_id":"t1"}`)
	if n, err := h.Erase(t.Context(), "one", keys("t1", "nothing")); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	for _, set := range []*Dataset{set, reopened(t, open, dir, "one")} {
		if a, b := inputs(t, set, 1), inputs(t, set, 2); a != `"kept"` || b != `"without them now" "kept"` && b != `"kept" "without them now"` {
			t.Errorf("version 1 has %s, version 2 %s", a, b)
		}
	}
	if raw := h.everything("one"); strings.Contains(raw, "secret") || !strings.Contains(raw, "kept") {
		t.Errorf("what was erased is still kept: %s", raw)
	}
	if inputs(t, other, 1) != `"another project's"` {
		t.Error("an item of another project is gone")
	}
	put(t, set, false, `{"id":"c","input":"goes on"}`)
	if got := inputs(t, reopened(t, open, dir, "one"), 3); !strings.Contains(got, "goes on") {
		t.Error(got)
	}
}

func reopenedIn(t *testing.T, dir string) *Dataset { return reopened(t, open, dir, "one") }

func reopened(t *testing.T, open opener, dir, project string) *Dataset {
	t.Helper()
	set, err := open(t, dir).Find(project, "d")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestNamesAndBounds(t *testing.T) { inBothForms(t, testNamesAndBounds) }

func testNamesAndBounds(t *testing.T, open opener) {
	t.Parallel()
	h := open(t, t.TempDir())
	set := h.create("one", "d")
	name := "d"
	if _, err := h.Create("one", "key", Named{Name: &name}); !errors.Is(err, ErrExists) {
		t.Errorf("a name twice: %v", err)
	}
	if _, err := h.Create("two", "key", Named{Name: &name}); err != nil {
		t.Errorf("the name in another project: %v", err)
	}
	for _, bad := range []string{"", " d", "a\nb", strings.Repeat("x", 201), "\xff"} {
		if _, err := h.Create("one", "key", Named{Name: &bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("the name %q: %v", bad, err)
		}
	}
	if _, err := h.Find("three", "d"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a project without datasets: %v", err)
	}
	other := "other"
	if info, err := h.Update(set, "key", Named{Name: &other}); err != nil || info.Name != "other" {
		t.Errorf("%+v, %v", info, err)
	}
	if err := h.Delete(set, "key"); err != nil {
		t.Error(err)
	}
	if _, err := set.Put([]Item{item(t, `{"input":1}`)}, Putting{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("an item of a deleted dataset: %v", err)
	}
	if _, err := h.Find("one", "other"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a deleted dataset: %v", err)
	}
}

func TestExperiments(t *testing.T) { inBothForms(t, testExperiments) }

func testExperiments(t *testing.T, open opener) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	set := h.create("one", "d")
	put(t, set, false, `{"id":"a","input":1}`)
	put(t, set, false, `{"id":"b","input":2}`)
	name, of := "first", "d"
	x, err := h.Begin("one", "key", Recorded{Name: &name, DatasetID: &of, Metadata: []byte(`{"commit":"abc"}`)})
	if err != nil || x.Status != Running || x.DatasetVersion != 2 || x.StartedAt == nil || x.EndedAt != nil {
		t.Fatalf("%+v, %v", x, err)
	}
	done := Completed
	if x, err = h.Record("one", x.ID, Recorded{Status: &done}); err != nil || x.EndedAt == nil || string(x.Metadata) != `{"commit":"abc"}` {
		t.Errorf("%+v, %v", x, err)
	}
	if _, err := h.Record("two", x.ID, Recorded{Status: &done}); !errors.Is(err, ErrUnknown) {
		t.Errorf("of another project: %v", err)
	}
	bad := "asleep"
	if _, err := h.Record("one", x.ID, Recorded{Status: &bad}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a status that there is not: %v", err)
	}
	nine := 9
	if _, err := h.Begin("one", "key", Recorded{Name: &name, DatasetID: &of, DatasetVersion: &nine}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a version that there is not: %v", err)
	}
	second, err := h.Begin("one", "key", Recorded{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	all := again.Experiments("one", "")
	if len(all) != 2 || all[0].ID != second.ID || all[1].EndedAt == nil || !all[1].EndedAt.Equal(*x.EndedAt) {
		t.Errorf("after a start: %+v", all)
	}
	if got, err := again.Experiment("one", "first"); err != nil || got.ID != second.ID {
		t.Errorf("by name it is the newest: %+v, %v", got, err)
	}
	if got := again.Experiments("one", x.DatasetID); len(got) != 1 {
		t.Errorf("of a dataset: %+v", got)
	}
	if err := again.Forget("one", second.ID, "key"); err != nil {
		t.Error(err)
	}
	if got := open(t, dir).Experiments("one", ""); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if says, err := Read(dir); h.store == nil && (err != nil || says != "1 datasets of 2 items, and 1 experiments") {
		t.Errorf("%q, %v", says, err)
	}
}

// Many write at once: each change is a version of its own, and none is lost.
func TestAtOnce(t *testing.T) { inBothForms(t, testAtOnce) }

func testAtOnce(t *testing.T, open opener) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	set := h.create("one", "d")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 10 {
				id := fmt.Sprintf("%d-%d", i, n)
				if _, err := set.Put([]Item{{ID: id, Input: []byte(`"` + id + `"`)}}, Putting{}); err != nil {
					t.Error(err)
				}
				if _, _, _, err := set.Items(Current, 0, 5); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if info, _ := reopened(t, open, dir, "one").Info(); info.LatestVersion != 80 || info.ItemCount != 80 {
		t.Errorf("%+v", info)
	}
}

// What cannot be written is an error, and changes nothing.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("skipped: this system has no /dev/full (%v)", err)
	}
	set := open(t, t.TempDir()).create("one", "d")
	put(t, set, false, `{"id":"a","input":"first"}`)
	path, size := journalOf(set).path, journalOf(set).size
	journalOf(set).path = "/dev/full"
	if _, err := set.Put([]Item{item(t, `{"id":"b","input":2}`)}, Putting{}); !errors.Is(err, ErrWrite) {
		t.Errorf("a full disk: %v", err)
	}
	if _, err := set.Remove([]string{"a"}, "key"); !errors.Is(err, ErrWrite) {
		t.Errorf("after it could not be mended: %v", err)
	}
	if err := set.Pin("key", 1); !errors.Is(err, ErrWrite) {
		t.Errorf("after it could not be mended: %v", err)
	}
	journalOf(set).path = path
	if info, _ := set.Info(); info.LatestVersion != 1 || info.CurrentVersion != nil || journalOf(set).size != size || inputs(t, set, Latest) != `"first"` {
		t.Errorf("%+v", info)
	}
}

// A directory that this release's form 1 wrote: it opens, as it must for good, and says what it said.
func TestGolden(t *testing.T) {
	t.Parallel()
	if *update {
		writeGolden(t)
	}
	dir := filepath.Join(t.TempDir(), "datasets")
	if err := os.CopyFS(dir, os.DirFS("testdata/v1")); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir)
	set, err := h.Find("one", "golden")
	if err != nil {
		t.Fatal(err)
	}
	info, err := set.Info()
	if err != nil || info.Description != "after" || info.LatestVersion != 4 || *info.CurrentVersion != 2 || info.ItemCount != 2 {
		t.Errorf("%+v, %v", info, err)
	}
	for version, want := range map[int]string{1: `{"q":"<é>"} 2`, 2: `"changed" 2`, 3: "2", 4: "2", Current: `"changed" 2`} {
		if got := inputs(t, set, version); got != want {
			t.Errorf("version %d has %q, not %q", version, got, want)
		}
	}
	it, _, err := set.Item(1, "a")
	if err != nil || string(it.Expected) != `[1.0]` || string(it.Metadata) != `{"m":null}` || it.SourceTraceID != "t" || it.SourceSpanID != "s" || it.Source != SourceSpan {
		t.Errorf("%+v, %v", it, err)
	}
	if all := h.Experiments("one", ""); len(all) != 1 || all[0].Name != "run" || all[0].Status != Completed || all[0].DatasetID != info.ID || all[0].DatasetVersion != 2 || all[0].EndedAt == nil {
		t.Errorf("%+v", all)
	}
}

func writeGolden(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll("testdata/v1"); err != nil {
		t.Fatal(err)
	}
	h := open(t, "testdata/v1")
	set := h.create("one", "golden")
	put(t, set, false, `{"id":"a","input":{"q":"<é>"},"expected":[1.0],"metadata":{"m":null},"source":"span","source_trace_id":"t","source_span_id":"s"}`, `{"id":"b","input":2}`)
	put(t, set, false, `{"id":"a","input":"changed"}`)
	after := "after"
	if _, err := h.Update(set, "key", Named{Description: &after}); err != nil {
		t.Fatal(err)
	}
	if err := set.Pin("key", 2); err != nil {
		t.Fatal(err)
	}
	name, of, done := "run", "golden", Completed
	x, err := h.Begin("one", "key", Recorded{Name: &name, DatasetID: &of})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := h.Begin("one", "key", Recorded{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Forget("one", gone.ID, "key"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Record("one", x.ID, Recorded{Status: &done}); err != nil {
		t.Fatal(err)
	}
	if _, err := set.Remove([]string{"a"}, "key"); err != nil {
		t.Fatal(err)
	}
	if _, err := set.Snapshot("key", "as it is", nil); err != nil {
		t.Fatal(err)
	}
}
