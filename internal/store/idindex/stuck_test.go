package idindex

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// faults lets operations of a file system fail while a test wants it.
type faults struct {
	mu   sync.Mutex
	fail func(op errorfs.Op) error
	met  int // operations that failed
}

func (f *faults) MaybeError(op errorfs.Op) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil {
		return nil
	}
	err := f.fail(op)
	if err != nil {
		f.met++
	}
	return err
}

func (f *faults) String() string { return "faults" }

func (f *faults) set(fail func(op errorfs.Op) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

func (f *faults) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.met
}

// on fails what changes files whose path holds part.
func on(part string, err error) func(errorfs.Op) error {
	return func(op errorfs.Op) error {
		if strings.Contains(op.Path, part) && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return err
		}
		return nil
	}
}

// lines counts what a logger is told.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte{'\n'})
}

// within runs do and fails the test when it does not end.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not end within 20 s", what)
	}
}

func change(i int, ids int) Change {
	c := Change{Project: "p", BatchID: fmt.Sprint("b", i), Block: entity.Seq(1 + i*ids), At: time.Now(), TTL: time.Hour}
	for j := range ids {
		c.IDs = append(c.IDs, fmt.Sprintf("id-%d-%d", i, j))
		c.Seqs = append(c.Seqs, c.Block+entity.Seq(j))
	}
	return c
}

// A disk that takes no table: Close says so and ends, work is not tried again at once,
// and the next Open has what was flushed before.
func TestCloseEndsOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"full": syscall.ENOSPC, "gone": syscall.ENOENT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mem := vfs.NewMem()
			f, log := &faults{}, &lines{}
			x, openErr := Open("index", Options{FS: errorfs.Wrap(mem, f), Logger: slog.New(slog.NewTextHandler(log, nil))})
			if openErr != nil {
				t.Fatal(openErr)
			}
			if err := x.Apply([]Change{change(0, 3)}, 3); err != nil {
				t.Fatal(err)
			}
			if err := x.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := x.Apply([]Change{change(1, 3)}, 6); err != nil {
				t.Fatal(err)
			}
			f.set(on(".sst", err))
			within(t, "Close", func() {
				if err := x.Close(); err == nil || !strings.Contains(err.Error(), "id index") {
					t.Errorf("Close on a disk that takes nothing: %v", err)
				}
			})
			if n := f.count(); n > 20 {
				t.Errorf("%d operations were tried on the failing disk", n)
			}
			if n := log.count(); n > 10 {
				t.Errorf("%d lines were logged", n)
			}
			f.set(nil)
			x, openErr = Open("index", Options{FS: mem})
			if openErr != nil {
				t.Fatal(openErr)
			}
			if c := x.Cursor(); c != 3 {
				t.Errorf("the cursor is %d, flushed was 3", c)
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// While tables cannot be written, Apply refuses before Pebble would make it wait for ever,
// failed work is repeated at growing intervals, and all goes on when the disk has room again.
func TestApplyRefusesInsteadOfWaiting(t *testing.T) {
	t.Parallel()
	f, log := &faults{}, &lines{}
	x, err := Open("index", Options{
		FS: errorfs.Wrap(vfs.NewMem(), f), CacheBytes: minCache, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.set(on(".sst", syscall.ENOSPC))
	applied, upto := 0, entity.Seq(0)
	within(t, "Apply", func() {
		for err == nil && applied < 1000 {
			upto = entity.Seq((applied + 1) * 1000)
			if err = x.Apply([]Change{change(applied, 1000)}, upto); err == nil {
				applied++
			}
		}
	})
	if err == nil || applied == 0 {
		t.Fatalf("%d changes were taken, error %v", applied, err)
	}
	if n := log.count(); n > 30 {
		t.Errorf("%d lines were logged", n)
	}
	f.set(nil)
	within(t, "the index to take changes again", func() {
		for err = x.Apply([]Change{change(applied, 1000)}, upto); err != nil; err = x.Apply([]Change{change(applied, 1000)}, upto) {
			<-time.After(10 * time.Millisecond)
		}
	})
	within(t, "Close", func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Pebble ends the process when its manifest cannot be written. Here it is an error: of Open, or
// of everything that is asked afterwards.
func TestManifestCannotBeWritten(t *testing.T) {
	t.Parallel()
	mem, f := vfs.NewMem(), &faults{}
	for writes := range 4 { // that the disk still takes
		f.set(func(op errorfs.Op) error {
			if op.Kind != errorfs.OpFileWrite || !strings.Contains(op.Path, "MANIFEST") {
				return nil
			}
			if writes--; writes < 0 {
				return syscall.ENOSPC
			}
			return nil
		})
		within(t, "Open, or Close", func() {
			x, err := Open("index", Options{FS: errorfs.Wrap(vfs.NewMem(), f)})
			if err == nil {
				err = x.Close()
			}
			if writes < 0 && err == nil {
				t.Error("neither Open nor Close says that the disk is full")
			}
		})
	}
	f.set(nil)
	x, err := Open("index", Options{FS: errorfs.Wrap(mem, f)})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Apply([]Change{change(0, 3)}, 3); err != nil {
		t.Fatal(err)
	}
	f.set(on("MANIFEST", syscall.ENOSPC))
	within(t, "Flush", func() {
		if err := x.Flush(); err == nil {
			t.Error("Flush without a manifest: no error")
		}
	})
	select {
	case <-x.Stopped():
	case <-time.After(10 * time.Second):
		t.Error("the index does not say that it cannot go on")
	}
	if err := x.Apply([]Change{change(1, 3)}, 6); err == nil {
		t.Error("Apply to a broken index: no error")
	}
	if err := x.Seen("p", []string{"id-0-0"}, time.Now(), make([]Entry, 1)); err == nil {
		t.Error("Seen of a broken index: no error")
	}
	within(t, "Close", func() {
		if err := x.Close(); err == nil {
			t.Error("Close of a broken index: no error")
		}
	})
	f.set(nil)
	if x, err = Open("index", Options{FS: mem}); err != nil {
		t.Fatalf("the next Open recovers it: %v", err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
