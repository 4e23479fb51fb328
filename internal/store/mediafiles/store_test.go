package mediafiles_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/mediafiles"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// taken is a medium of bytes that the seed says.
func taken(tb testing.TB, seed byte) *medium.Medium {
	tb.Helper()
	b := bytes.Repeat([]byte{seed, 1, 2, 3}, 2000)
	_, media, err := (&medium.Taker{Most: 1 << 20}).Take([]byte(`{"a":"data:image/png;base64,` + base64.StdEncoding.EncodeToString(b) + `"}`))
	if err != nil || len(media) != 1 {
		tb.Fatal(err)
	}
	return &media[0]
}

func open(tb testing.TB, on vfs.FS, dir string) *mediafiles.Store {
	tb.Helper()
	s, err := mediafiles.Open(on, dir)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func put(tb testing.TB, s *mediafiles.Store, project string, when time.Time, media ...*medium.Medium) (done func()) {
	tb.Helper()
	var all []store.MediumOf
	for _, m := range media {
		all = append(all, store.MediumOf{Medium: m, At: when})
	}
	done, err := s.Put(project, all)
	if err != nil {
		tb.Fatal(err)
	}
	return done
}

// bytesOf is a medium as it is kept, and until when it is needed.
func bytesOf(tb testing.TB, s *mediafiles.Store, project, hash string) ([]byte, time.Time) {
	tb.Helper()
	f, err := s.OpenMedium(project, hash)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
	return b, f.Until
}

func files(tb testing.TB, dir string) (names []string) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return names
}

func none(context.Context, []string) (map[string]bool, error) { return nil, nil }

func TestPut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "media")
	s := open(t, nil, dir)
	a, b := taken(t, 1), taken(t, 2)
	put(t, s, "one", at, a, b, a)()
	put(t, s, "one", at.Add(-time.Hour), a)()
	put(t, s, "..", at, a)() // a project's name, not a directory's
	if got := files(t, dir); len(got) != 3 {
		t.Fatalf("%d files: %v", len(got), got)
	}
	got, until := bytesOf(t, s, "one", a.Hash)
	var want bytes.Buffer
	if _, err := a.WriteTo(&want); err != nil || !bytes.Equal(got, want.Bytes()) || until.Before(at) || until.After(at.Add(store.MediaGrain)) {
		t.Fatalf("%d bytes until %s, %v", len(got), until, err)
	}
	put(t, s, "one", at.Add(time.Hour), a)()
	if _, until = bytesOf(t, s, "one", a.Hash); until.Before(at.Add(time.Hour)) {
		t.Errorf("until %s: a later event refers to it", until)
	}
	for _, hash := range []string{strings.Repeat("0", 64), "", "..", "../../keys.json", strings.ToUpper(a.Hash)} {
		if _, err := s.OpenMedium("one", hash); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", hash, err)
		}
	}
	if _, err := s.OpenMedium("two", a.Hash); !errors.Is(err, fs.ErrNotExist) {
		t.Error("another project has it:", err)
	}
	if st := s.Stats(); st.Stored != 3 || st.Again != 2 || st.Bytes != 3*a.Size {
		t.Errorf("%+v", st)
	}
	again := open(t, nil, dir)
	if got, _ := bytesOf(t, again, "one", a.Hash); !bytes.Equal(got, want.Bytes()) {
		t.Error("another one after it was opened again")
	}
	projects, err := again.Projects()
	if slices.Sort(projects); err != nil || !slices.Equal(projects, []string{"..", "one"}) {
		t.Errorf("%v %v", projects, err)
	}
}

// Nothing is removed that is held, that is referred to, or that is put while somebody looks.
func TestWeed(t *testing.T) {
	t.Parallel()
	s := open(t, nil, t.TempDir())
	a, b, c, d := taken(t, 1), taken(t, 2), taken(t, 3), taken(t, 4)
	put(t, s, "p", at, a, b, d)()
	done := put(t, s, "p", at, c)
	hashes := []string{a.Hash, b.Hash, c.Hash, d.Hash, strings.Repeat("0", 64)}
	n, err := s.Weed(t.Context(), "p", hashes, func(_ context.Context, asked []string) (map[string]bool, error) {
		if slices.Contains(asked, c.Hash) {
			t.Error("asked of one that is held")
		}
		put(t, s, "p", at, d)() // it is stored and let go while this looks
		return map[string]bool{b.Hash: true}, nil
	})
	if err != nil || n != 1 {
		t.Fatalf("%d removed, %v", n, err)
	}
	if _, err := s.OpenMedium("p", a.Hash); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, m := range []*medium.Medium{b, c, d} {
		bytesOf(t, s, "p", m.Hash)
	}
	done()
	done() // more than once is once
	if n, err = s.Weed(t.Context(), "p", hashes, none); err != nil || n != 3 {
		t.Fatalf("%d removed, %v", n, err)
	}
	fails := errors.New("the log cannot be read")
	put(t, s, "p", at, a)()
	if _, err = s.Weed(t.Context(), "p", hashes, func(context.Context, []string) (map[string]bool, error) { return nil, fails }); !errors.Is(err, fails) {
		t.Error(err)
	}
	bytesOf(t, s, "p", a.Hash)
}

// Many put and weed at once: what is put and held is there.
func TestWeedWhilePutting(t *testing.T) {
	t.Parallel()
	s := open(t, nil, t.TempDir())
	media := []*medium.Medium{taken(t, 1), taken(t, 2), taken(t, 3)}
	stop := make(chan struct{})
	var weeding, putting sync.WaitGroup
	for range 2 {
		weeding.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Weed(context.Background(), "p", []string{media[0].Hash, media[1].Hash, media[2].Hash}, none); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 4 {
		putting.Go(func() {
			for n := range 50 {
				m := media[(i+n)%len(media)]
				done, err := s.Put("p", []store.MediumOf{{Medium: m, At: at.Add(time.Duration(n) * time.Hour)}})
				if err != nil {
					t.Error(err)
					return
				}
				f, err := s.OpenMedium("p", m.Hash)
				if err != nil {
					t.Errorf("it was put and is held: %v", err)
				} else if f.Size() != m.Size {
					t.Errorf("%d bytes", f.Size())
				}
				if f != nil {
					_ = f.Close()
				}
				done()
			}
		})
	}
	putting.Wait()
	close(stop)
	weeding.Wait()
}

// TestCrash cuts the power at any moment: what Put has said is there is there, and nothing is half there.
func TestCrash(t *testing.T) {
	t.Parallel()
	random := chance.Of(t)
	for round := range chance.Rounds(30) {
		mem := vfs.NewCrashableMem()
		s := open(t, mem, "media")
		kept := map[string]*medium.Medium{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 4 {
			m := taken(t, byte(10+i/2)) // two of each at once
			wg.Go(func() {
				if done, err := s.Put("p", []store.MediumOf{{Medium: m, At: at.Add(time.Duration(i) * time.Hour)}}); err == nil {
					mu.Lock()
					kept[m.Hash] = m
					mu.Unlock()
					done()
				}
			})
		}
		if round%3 != 0 {
			wg.Wait()
		}
		mu.Lock()
		promised := len(kept)
		hashes := map[string]*medium.Medium{}
		for hash, m := range kept {
			hashes[hash] = m
		}
		clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: rand.New(rand.NewPCG(random.Uint64(), 1))})
		mu.Unlock()
		wg.Wait()
		again := open(t, clone, "media")
		for hash, m := range hashes {
			if got, _ := bytesOf(t, again, "p", hash); int64(len(got)) != m.Size {
				t.Fatalf("round %d: %d bytes of %d; %d were promised", round, len(got), m.Size, promised)
			}
		}
		for n := range store.MediaShards {
			names, err := again.Shard("p", n)
			if err != nil {
				t.Fatal(err)
			}
			for _, is := range names {
				if got, _ := bytesOf(t, again, "p", is.Hash); len(got) != 8000 {
					t.Fatalf("round %d: a medium of %d bytes is there", round, len(got))
				}
			}
		}
		if left, err := clone.List("media/tmp"); err != nil || len(left) > 0 {
			t.Fatalf("%v %v", left, err)
		}
	}
}

func TestCheckAndExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, nil, dir)
	a, b := taken(t, 1), taken(t, 2)
	put(t, s, "p", at, a, b)()
	copied := t.TempDir()
	err := s.Export(func(name string, size int64, r io.Reader) error {
		path := filepath.Join(copied, filepath.FromSlash(name))
		raw, err := io.ReadAll(r)
		if err != nil || int64(len(raw)) != size {
			return fmt.Errorf("%d bytes of %d, %w", len(raw), size, err)
		}
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, raw, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	bytesOf(t, open(t, nil, copied), "p", a.Hash)
	path := filepath.Join(copied, files(t, copied)[0])
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[100]++
	if err := errors.Join(os.WriteFile(path, raw, 0o600), os.WriteFile(filepath.Join(copied, "stray"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	if err := mediafiles.Check(copied, func(f mediafiles.Found) { found[f.Damage]++ }, nil); err != nil {
		t.Fatal(err)
	}
	if found[""] != 1 || found["is damaged: its bytes are not those of its name"] != 1 || found["is no medium: its name is none"] != 1 {
		t.Errorf("%v", found)
	}
	if err := mediafiles.Check(filepath.Join(dir, "nothing"), func(mediafiles.Found) { t.Error("found something") }, nil); err != nil {
		t.Error(err)
	}
}
