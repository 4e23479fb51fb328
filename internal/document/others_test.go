package document

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// shareAlone shares the document "d" of a directory, whose file nobody else changes.
func shareAlone(t *testing.T, dir string, store Store, replace func(string, []byte) error) (place Place, stop func()) {
	t.Helper()
	return shareFile(t, dir, store, File{Replace: replace})
}

// shareFile shares the document "d" of a directory.
func shareFile(t *testing.T, dir string, store Store, file File) (place Place, stop func()) {
	t.Helper()
	file.Path = filepath.Join(dir, "d")
	s, err := NewShared(dir, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	place = s.Place("d", file, union)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx, store) }) // it ends with ctx
	time.Sleep(2*Every + time.Millisecond)
	return place, func() { cancel(); running.Wait() }
}

// Tables that are others, empty or restored from an older backup, get what a node knew, in a file that only nodes change, too.
func TestTablesThatAreOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store := &table{all: map[string][]string{"d": {"a\n"}}}
		place, stop := shareAlone(t, dir, store, nil)
		defer stop()
		for _, c := range []struct {
			tables []string
			want   string
		}{{nil, "a\nb\n"}, {[]string{"x\n"}, "a\nb\nc\nd\nx\n"}} {
			for _, line := range strings.Fields(strings.ReplaceAll(c.want, "x\n", "")) {
				if _, err := place.Change(add(line)); err != nil {
					t.Fatal(err)
				}
			}
			store.mu.Lock()
			store.all = map[string][]string{"d": c.tables}
			store.mu.Unlock()
			time.Sleep(2*Every + time.Millisecond)
			if got := store.text("d"); got != c.want {
				t.Errorf("the tables have %q, want %q", got, c.want)
			}
			if got, err := place.Read(); err != nil || string(got) != c.want {
				t.Errorf("the node knows %q, %v, want %q", got, err, c.want)
			}
		}
	})
}

// What is left while the tables are away holds here at once and behind a restart, and is brought in when they are back, with what others made meanwhile.
func TestWhatIsLeftIsBroughtIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store := &table{all: map[string][]string{"d": {"a\n"}}}
		says := func(place Place, want string) {
			t.Helper()
			if got, err := place.Read(); err != nil || string(got) != want {
				t.Errorf("the node knows %q, %v, want %q", got, err, want)
			}
		}
		place, stop := shareFile(t, dir, store, File{Others: true})
		store.set(errors.New("away"))
		if err := place.Leave(add("b")); err != nil {
			t.Fatal(err)
		}
		says(place, "a\nb\n")
		stop()
		place, stop = shareFile(t, dir, store, File{Others: true})
		defer stop()
		says(place, "a\nb\n")
		store.mu.Lock()
		store.away, store.all["d"] = nil, []string{"a\n", "a\nc\n"}
		store.mu.Unlock()
		time.Sleep(2*Every + time.Millisecond)
		says(place, "a\nb\nc\n")
		if got := store.text("d"); got != "a\nb\nc\n" {
			t.Errorf("the tables have %q", got)
		}
	})
}

// A file that was about to be replaced by a newer copy when the process ended is a copy still: what others took out meanwhile does not come back with it.
func TestACopyThatWasNotReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store := &table{all: map[string][]string{"d": {"x\n"}}}
		var full atomic.Bool
		_, stop := shareAlone(t, dir, store, func(path string, text []byte) error {
			if full.Load() {
				return errors.New("no space")
			}
			return durable.Replace(path, text)
		})
		full.Store(true)
		if won, err := store.PutDocument(t.Context(), "d", 2, []byte("y\n")); err != nil || !won {
			t.Fatal(won, err)
		}
		time.Sleep(2*Every + time.Millisecond)
		stop()
		if raw, err := os.ReadFile(filepath.Join(dir, "d")); err != nil || string(raw) != "x\n" {
			t.Fatalf("the file has %q, %v", raw, err)
		}
		_, stop = shareAlone(t, dir, store, nil)
		defer stop()
		if got := store.text("d"); got != "y\n" {
			t.Errorf("the tables have %q", got)
		}
	})
}

// Of changes of a file by several at once none is lost; one that is too large is not read.
func TestAFileOfSeveral(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "d")
	var work sync.WaitGroup
	want := ""
	for i := range 4 {
		for k := range 10 {
			want += fmt.Sprintf("%d-%d\n", i, k)
		}
		work.Go(func() {
			f := &File{Path: path, Others: true}
			for k := range 10 {
				if _, err := f.Change(add(fmt.Sprintf("%d-%d", i, k))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	f := &File{Path: path, Others: true}
	if got, err := f.Read(); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Truncate(path, maxText+1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("one that is too large: %v", err)
	}
}

// Who follows a document is told of what another wrote whoever learned it here: also when that was somebody who wanted to change it and was refused, or asked for what is fresh.
func TestWhatIsLearnedIsTold(t *testing.T) {
	t.Parallel()
	for name, learn := range map[string]func(Place) error{
		"a change that is refused": func(p Place) error {
			refused := errors.New("no")
			if _, err := p.Change(func([]byte) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
				return fmt.Errorf("it was not refused: %w", err)
			}
			return nil
		},
		"what is fresh": func(p Place) error { _, err := p.Fresh(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				store := &table{all: map[string][]string{"d": {"x\n"}}}
				place, stop := shareAlone(t, dir, store, nil)
				defer stop()
				<-place.Changed() // of x
				if won, err := store.PutDocument(t.Context(), "d", 2, []byte("y\n")); err != nil || !won {
					t.Fatal(won, err)
				}
				if err := learn(place); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2*Every + time.Millisecond)
				select {
				case <-place.Changed():
				default:
					text, err := place.Read()
					t.Errorf("nobody was told, and the document is %q, %v", text, err)
				}
			})
		})
	}
}

// A change of a file that was begun before it is shared is what the node knows when it is done, though somebody has read the file meanwhile.
func TestChangedWhileItBeginsToBeShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store := &table{all: map[string][]string{}, away: errors.New("gone")}
		n := open(t, dir)
		var stop func()
		if _, err := n.Change(func([]byte) ([]byte, error) {
			stop = n.run(t, store)
			synctest.Wait() // until it shares
			if text, err := n.Read(); text != nil || err != nil {
				t.Errorf("before: %q, %v", text, err)
			}
			return []byte("x\n"), nil
		}); err != nil {
			t.Fatal(err)
		}
		n.has(t, "x\n")
		stop()
	})
}
