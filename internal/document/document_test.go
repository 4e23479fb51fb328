package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// table is a Store in memory, which may be away.
type table struct {
	mu   sync.Mutex // guards what follows
	all  map[string][]string
	away error
	asks int
}

func (s *table) DocumentVersions(context.Context) (map[string]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := map[string]uint64{}
	for name, texts := range s.all {
		versions[name] = uint64(len(texts))
	}
	return versions, s.away
}

func (s *table) Document(_ context.Context, name string, _ uint64) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks++
	texts := s.all[name]
	if len(texts) == 0 || s.away != nil {
		return nil, 0, s.away
	}
	return []byte(texts[len(texts)-1]), uint64(len(texts)), nil
}

func (s *table) PutDocument(_ context.Context, name string, version uint64, text []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil || version != uint64(len(s.all[name]))+1 {
		return false, s.away
	}
	s.all[name] = append(s.all[name], string(text))
	return true, nil
}

func (s *table) set(away error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *table) text(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if texts := s.all[name]; len(texts) > 0 {
		return texts[len(texts)-1]
	}
	return ""
}

// union joins the lines of two texts.
func union(own, shared []byte) ([]byte, error) {
	lines := map[string]bool{}
	for line := range strings.Lines(string(own) + string(shared)) {
		lines[line] = true
	}
	return []byte(strings.Join(slices.Sorted(maps.Keys(lines)), "")), nil
}

// add is an edit that adds a line.
func add(line string) func([]byte) ([]byte, error) {
	return func(old []byte) ([]byte, error) { return union(old, []byte(line+"\n")) }
}

// node shares the document "d" in a directory until its test ends.
type node struct {
	Place
	shared *Shared
	path   string
}

func open(t *testing.T, dir string) *node {
	t.Helper()
	s, err := NewShared(dir, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "d")
	return &node{s.Place("d", File{Path: path, Others: true}, union), s, path}
}

func (n *node) run(t *testing.T, store Store) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.shared.Run(ctx, store); err != nil {
			t.Error(err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func (n *node) has(t *testing.T, want string) {
	t.Helper()
	got, err := n.Read()
	if err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if raw, err := os.ReadFile(n.path); err != nil || string(raw) != want {
		t.Errorf("the copy: %q, %v, want %q", raw, err, want)
	}
}

// What two nodes had in their files is of both; what one changes the other knows within Every, or at once when it asks; what was copied is not brought in again.
func TestNodesShare(t *testing.T) {
	t.Parallel()
	dirs := []string{t.TempDir(), t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		store := &table{all: map[string][]string{}}
		a, b := open(t, dirs[0]), open(t, dirs[1])
		for n, line := range map[*node]string{a: "a", b: "b"} {
			if _, err := n.Change(add(line)); err != nil { // as at a start, before anybody is asked
				t.Fatal(err)
			}
			n.has(t, line+"\n")
		}
		stopA, stopB := a.run(t, store), b.run(t, store)
		time.Sleep(2*Every + time.Millisecond)
		a.has(t, "a\nb\n")
		b.has(t, "a\nb\n")

		if _, err := a.Change(add("c")); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Fresh(); err != nil || string(got) != "a\nb\nc\n" {
			t.Errorf("fresh: %q, %v", got, err)
		}
		if _, err := b.Change(add("e")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(Every + time.Millisecond)
		a.has(t, "a\nb\nc\ne\n")
		select {
		case <-a.Changed():
		default:
			t.Error("nobody was told")
		}

		// Another process changes the file of a node.
		if _, err := (&File{Path: a.path, Others: true}).Change(add("d")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*Every + time.Millisecond)
		a.has(t, "a\nb\nc\nd\ne\n")
		b.has(t, "a\nb\nc\nd\ne\n")

		// A node that was away has a copy: it brings nothing in, whatever was taken out meanwhile.
		stopB()
		if _, err := a.Change(func([]byte) ([]byte, error) { return []byte("c\n"), nil }); err != nil {
			t.Fatal(err)
		}
		b = open(t, dirs[1])
		b.has(t, "a\nb\nc\nd\ne\n")
		stopB = b.run(t, store)
		time.Sleep(2*Every + time.Millisecond)
		b.has(t, "c\n")
		// One that was alone meanwhile brings in what it changed.
		stopB()
		b = open(t, dirs[1])
		if _, err := b.Change(add("z")); err != nil {
			t.Fatal(err)
		}
		stopB = b.run(t, store)
		time.Sleep(2*Every + time.Millisecond)
		b.has(t, "c\nz\n")
		a.has(t, "c\nz\n")

		// Tables that were made anew get what the nodes know.
		store.mu.Lock()
		store.all = map[string][]string{}
		store.mu.Unlock()
		time.Sleep(2*Every + time.Millisecond)
		if got := store.text("d"); got != "c\nz\n" {
			t.Errorf("new tables have %q", got)
		}
		stopA()
		stopB()
	})
}

// While the shared place is away a node knows what it knew, also after a start; changes are refused, but for those of its file, which are brought in afterwards.
func TestAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store := &table{all: map[string][]string{"d": {"x\n"}}}
		n := open(t, dir)
		stop := n.run(t, store)
		time.Sleep(2*Every + time.Millisecond)
		n.has(t, "x\n")
		gone := errors.New("gone")
		for range 2 {
			store.set(gone)
			time.Sleep(2*Every + time.Millisecond)
			if at, fault := n.shared.State(); !errors.Is(fault, gone) || at.After(time.Now().Add(-Every)) {
				t.Errorf("state: %v, %v", at, fault)
			}
			n.has(t, "x\n")
			if got, err := n.Fresh(); err == nil || string(got) != "x\n" {
				t.Errorf("fresh: %q, %v", got, err)
			}
			if _, err := n.Change(add("y")); !errors.Is(err, ErrUnavailable) || !errors.Is(err, gone) {
				t.Errorf("change: %v", err)
			}
			n.has(t, "x\n")
			stop()
			n = open(t, dir) // started while it is away
			stop = n.run(t, store)
		}
		if _, err := (&File{Path: n.path, Others: true}).Change(add("by-hand")); err != nil {
			t.Fatal(err)
		}
		store.set(nil)
		time.Sleep(2*Every + time.Millisecond)
		n.has(t, "by-hand\nx\n")
		if got := store.text("d"); got != "by-hand\nx\n" {
			t.Errorf("shared: %q", got)
		}
		if _, fault := n.shared.State(); fault != nil {
			t.Error(fault)
		}

		// Cut off, it knows at once what is changed by hand, on which who revokes a key there relies; and others when it is back.
		store.set(gone)
		if _, err := (&File{Path: n.path, Others: true}).Change(add("cut-off")); err != nil {
			t.Fatal(err)
		}
		n.has(t, "by-hand\ncut-off\nx\n")
		store.set(nil)
		time.Sleep(2*Every + time.Millisecond)
		n.has(t, "by-hand\ncut-off\nx\n")
		if got := store.text("d"); got != "by-hand\ncut-off\nx\n" {
			t.Errorf("shared: %q", got)
		}
	})
}

// Of many changes at once on several nodes none is lost, and who asks for what is fresh shares the question.
func TestNoChangeIsLost(t *testing.T) {
	t.Parallel()
	store := &table{all: map[string][]string{}}
	const nodes, each = 3, 10
	var work sync.WaitGroup
	var want []byte
	for i := range nodes {
		n := open(t, t.TempDir())
		n.run(t, store)
		for range 2 {
			work.Go(func() {
				for k := range each {
					for {
						_, err := n.Change(add(fmt.Sprintf("%d-%d", i, k)))
						if err == nil {
							break
						}
						if n.shared.shares() != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		for k := range each {
			want, _ = union(want, fmt.Appendf(nil, "%d-%d\n", i, k))
		}
	}
	work.Wait()
	n := open(t, t.TempDir())
	n.run(t, store)
	deadline := time.After(time.Minute)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if got, _ := n.Read(); bytes.Equal(got, want) && store.text("d") == string(want) {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%q", store.text("d"))
		}
	}
}
