package removal

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// readFS notes what is read of segment files.
type readFS struct {
	vfs.FS

	mu    sync.Mutex
	bytes map[string]int // by name of the file
}

type readFile struct {
	vfs.File
	fs   *readFS
	name string
}

func (f *readFS) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.Open(name, o...)
	if err != nil || filepath.Ext(name) != ".seg" {
		return file, err
	}
	return &readFile{file, f, filepath.Base(name)}, nil
}

func (f *readFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(b, off)
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.bytes[f.name] += n
	return n, err
}

// since forgets what was read, and says what that was: how many files, and bytes of them.
func (f *readFS) since() (files, bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.bytes {
		files++
		bytes += n
	}
	clear(f.bytes)
	return files, bytes
}

// count is how many files have this extension, and their bytes.
func (f *readFS) count(t *testing.T, ext string) (files, bytes int) {
	t.Helper()
	names, err := f.List("log")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if filepath.Ext(name) != ext {
			continue
		}
		info, err := f.Stat(f.PathJoin("log", name))
		if err != nil {
			continue // it was replaced just now
		}
		files++
		bytes += int(info.Size())
	}
	return files, bytes
}

// openLog is a Log of small segments whose background work runs.
func openLog(t *testing.T) (*segmentlog.Log, *readFS) {
	t.Helper()
	fs := &readFS{FS: vfs.NewMem(), bytes: map[string]int{}}
	l, err := segmentlog.Open("log", segmentlog.Options{FS: fs, SegmentBytes: 64 << 10, TailBytes: 1, BlockCacheBytes: 1 << 10, IdleAfter: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = l.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, fs
}

// filtered waits until all sealed segments have filters.
func filtered(t *testing.T, fs *readFS) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for same := 0; same < 10; {
		select {
		case <-deadline.C:
			t.Fatal("not all segments have filters")
		case <-tick.C:
		}
		segments, _ := fs.count(t, ".seg")
		filters, _ := fs.count(t, ".flt")
		if same++; filters < segments-1 {
			same = 0
		}
	}
}

func put(t *testing.T, l *segmentlog.Log, project string, events ...wire.Event) {
	t.Helper()
	_, err := l.Append(t.Context(), &store.Batch{Project: project, Environment: "default", ID: fmt.Sprint("b", l.Head()), ReceivedAt: time.Now(), Events: events})
	if err != nil {
		t.Fatal(err)
	}
}

func event(id string, typ wire.EventType, payload string) wire.Event {
	return wire.Event{ID: id, Type: typ, Payload: []byte(payload), Timestamp: wire.At(time.Now())}
}

// nobody is a Warehouse without rows, an indexer that is never behind, and no jobs.
type nobody struct{ store.Warehouse }

func (nobody) Erase(context.Context, string, []entity.Seq) error { return nil }
func (nobody) CatchUp(context.Context) error                     { return nil }
func (nobody) Forget([]entity.Seq) error                         { return nil }
func (nobody) WaitJobs(context.Context, string) error            { return nil }
func (nobody) ForgetFailures(string)                             {}

func noise(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + rng.IntN(26))
	}
	return string(b)
}

// Erasing one small trace, or a user, in a Log of many segments reads the few that name them.
func TestErasureReadsFewSegments(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	l, fs := openLog(t)
	const batches, each = 100, 40
	for b := range batches {
		var events []wire.Event
		for i := range each {
			id := fmt.Sprintf("%d-%d", b, i)
			events = append(events, event("o"+id, wire.ObservationCreate,
				fmt.Sprintf(`{"id":"o-%s","trace_id":"t-%[1]s","name":"n","user_id":"u-%[1]s","input":"%s"}`, id, noise(rng, 1000))))
		}
		switch b {
		case 20:
			events = append(events, event("mine1", wire.TraceCreate, `{"id":"mine","name":"n","user_id":"mneme"}`), event("mine2", wire.ObservationCreate, `{"id":"mine-o","trace_id":"mine","name":"n"}`))
		case 50:
			events = append(events, event("mine3", wire.QualityScoreCreate, `{"id":"mine-s","observation_id":"mine-o","name":"q","value":1}`), event("mine2", wire.ObservationCreate, `{"id":"mine-o","trace_id":"mine","name":"n"}`))
		case 80:
			events = append(events, event("mine4", wire.EventCreate, `{"user_id":"mneme","x":1}`))
		}
		put(t, l, "p", events...)
	}
	e := NewEraser(EraserOptions{Log: l, Mentions: l, Warehouse: nobody{}, Indexer: nobody{}, Ingest: nobody{}, Journal: filepath.Join(t.TempDir(), "erasing.json")})
	for _, c := range []struct {
		what   string
		erase  func() (*Erased, error)
		events int
	}{
		{"a trace", func() (*Erased, error) { return e.Trace(t.Context(), "p", "mine") }, 4},
		{"a user", func() (*Erased, error) { return e.User(t.Context(), "p", "mneme") }, 1},
	} {
		filtered(t, fs)
		segments, size := fs.count(t, ".seg")
		fs.since()
		got, err := c.erase()
		if err != nil || got.Events != c.events {
			t.Fatalf("%s: %+v, %v", c.what, got, err)
		}
		files, bytes := fs.since()
		t.Logf("%s: %d bytes of %d segments were read; there are %d bytes in %d", c.what, bytes, files, size, segments)
		if segments < 40 || files > segments/5 || bytes > size/3 {
			t.Errorf("%s: %d bytes of %d segments were read; there are %d bytes in %d", c.what, bytes, files, size, segments)
		}
	}
}

// all is a Log that knows nothing of who is named: it gives everything.
type all struct{ store.Log }

func (l all) Mentioning(ctx context.Context, project string, _ []entity.Mention, upto entity.Seq, found func(*entity.Record)) error {
	for at := entity.Seq(0); at < upto; {
		recs, next, err := l.Read(ctx, at, 100)
		if err != nil {
			return err
		}
		for i := range recs {
			if recs[i].Project == project && recs[i].Seq <= upto {
				found(&recs[i])
			}
		}
		at = next
	}
	return nil
}

// With filters, without them, and while some are missing: the same is found as in a walk through the whole Log,
// events that were accepted again, generic ones, and what nobody can read included.
func TestFindsWhatAWalkFinds(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	rng := chance.From(seed, 0)
	l, fs := openLog(t)
	content := storetest.History(seed, 600)
	for i := range 30 {
		content = append(content, entity.Record{Event: event(fmt.Sprint("g", i), wire.EventCreate, fmt.Sprintf(`{"trace_id":%q,"user_id":"user-%d"}`, storetest.HistoryTrace(i), i%3))},
			entity.Record{Event: event(fmt.Sprint("bad", i), wire.EventCreate, `{"trace_id":`)})
	}
	names := map[entity.Mention]bool{{Of: entity.TraceKind, ID: "none"}: true, {Of: entity.UserKind, ID: "none"}: true}
	load := func() {
		for range 60 {
			var events []wire.Event
			for range 1 + rng.IntN(40) {
				ev := content[rng.IntN(len(content))].Event
				events = append(events, ev)
				if fields, failure := extract.Extract(&ev); failure == nil {
					m := extract.MentionsOf(&ev, fields)
					m.Each(func(one entity.Mention) { names[one] = true })
				}
			}
			put(t, l, []string{"p", "p", "q"}[rng.IntN(3)], events...)
		}
	}
	check := func(when string) {
		t.Helper()
		for m := range names {
			if rng.IntN(8) > 0 || m.Of != entity.TraceKind && m.Of != entity.UserKind {
				continue
			}
			find := func(log store.Mentions) string {
				f := newFinder("p", "", m.ID)
				if m.Of == entity.UserKind {
					f = newFinder("p", m.ID)
				}
				if err := f.find(t.Context(), log, l.Head()); err != nil {
					t.Fatal(err)
				}
				return strings.Join([]string{fmt.Sprint(*f.erased()), fmt.Sprint(slices.Sorted(maps.Keys(f.seqs)))}, " ")
			}
			if got, want := find(l), find(all{l}); got != want {
				t.Fatalf("%s, %v: %.2000s\nwant %.2000s", when, m, got, want)
			}
		}
	}
	load()
	check("at once")
	filtered(t, fs)
	check("with filters")
	load()
	check("with filters of some")
}
