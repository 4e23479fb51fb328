package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// A segment file that is gone, wherever it lay, is an error by name that says what was in it. Once the loss is
// accepted the Log opens, now and later, and takes new events.
func TestMissingSegmentIsAnError(t *testing.T) {
	t.Parallel()
	o := Options{SegmentBytes: 4 << 10}
	for name, choose := range map[string]func(files []string) []string{
		"the first":     func(f []string) []string { return f[:1] },
		"one between":   func(f []string) []string { return f[1:2] },
		"the newest":    func(f []string) []string { return f[len(f)-1:] },
		"all":           func(f []string) []string { return f },
		"all but one":   func(f []string) []string { return slices.Concat(f[:1], f[2:]) },
		"the first two": func(f []string) []string { return f[:2] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mem := written(t, o, 30, 3)
			files := segmentFiles(t, mem)
			slices.Sort(files)
			gone := choose(files)
			for _, path := range gone {
				if err := errors.Join(mem.Remove(path), durable.SyncDirIn(mem, "log")); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Open("log", Options{FS: mem, SegmentBytes: o.SegmentBytes})
			var loss *LossError
			if !errors.As(err, &loss) || len(loss.Losses) != len(gone) {
				t.Fatalf("open: %v", err)
			}
			for i, l := range loss.Losses {
				base, _ := parseSegmentName(mem.PathBase(gone[i]))
				if l.First != base || l.Last < base || !strings.Contains(err.Error(), segmentName(base)) {
					t.Errorf("%s is described by %+v in %v", gone[i], l, err)
				}
			}
			if last := loss.Losses[len(gone)-1]; gone[len(gone)-1] == files[len(files)-1] && last.Last != 90 {
				t.Errorf("the newest ended at 90, not at %d", last.Last)
			}
			accepting := Options{FS: mem, SegmentBytes: o.SegmentBytes, AcceptLoss: true}
			for i := range 3 {
				l, err := Open("log", accepting)
				if err != nil {
					t.Fatalf("opening %d: %v", i, err)
				}
				if len(l.lost) != len(gone) {
					t.Errorf("%d losses are written down", len(l.lost))
				}
				id := fmt.Sprint("new", i)
				if _, err := l.Append(context.Background(), testBatch(id, 1, 10)); err != nil {
					t.Error(err)
				}
				recs, err := storetest.ReadAll(l)
				if err != nil || len(recs) == 0 || recs[len(recs)-1].Event.ID != id+"-0" {
					t.Errorf("opening %d: %d records, %v", i, len(recs), err)
				}
				if i == 0 { // what was lost may be sent again, and only that is taken
					if got, want := sentAgain(t, l), 90-len(recs)+1; got != want {
						t.Errorf("%d events were taken again, %d were lost", got, want)
					}
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				accepting.AcceptLoss = false
			}
		})
	}
}

// sentAgain appends all that written made, and counts what is stored.
func sentAgain(t *testing.T, l *Log) (stored int) {
	t.Helper()
	for i := range 30 {
		out, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), 3, 150))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			if o == store.Stored {
				stored++
			}
		}
	}
	return stored
}

// What the Log removes itself is no loss, whenever a crash comes: trimmed, merged and erased segments.
func TestNoLossOfItsOwnMaking(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	ctx := context.Background()
	for range chance.Rounds(4) {
		mem := vfs.NewCrashableMem()
		l := openTest(t, mem, "log", Options{SegmentBytes: 2 << 10, IdleAfter: time.Nanosecond})
		for i := range 40 {
			var err error
			switch rng.IntN(6) {
			case 0:
				err = l.Trim(ctx, entity.Seq(rng.IntN(int(l.Head())+1)))
			case 1:
				err = l.packAll()
			case 2:
				if head := l.Head(); head > 0 {
					err = l.Erase(ctx, []entity.Seq{1 + entity.Seq(rng.IntN(int(head)))})
				}
			default:
				_, err = l.Append(ctx, testBatch(fmt.Sprint("b", i), 1+rng.IntN(3), rng.IntN(600)))
			}
			if err != nil {
				t.Fatal(err)
			}
			clone := mem.CrashClone(crashConfig(rng.IntN(101), rng.Uint64()))
			again, err := Open("log", Options{FS: clone, SegmentBytes: 2 << 10})
			if err != nil {
				t.Fatalf("after a crash: %v", err)
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Files that vanish, or are put in the place of others, while the Log is open: it says which, takes no
// event into a file without a name, and is well again when the same files are back.
func TestFilesAreOurs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	if _, known := linksOf(statOf(t, t.TempDir())); !known {
		t.Skip("skipped: this system does not tell one file from another of its name")
	}
	setUp := func(t *testing.T) (*Log, string) {
		dir := filepath.Join(t.TempDir(), "log")
		l, err := Open(dir, Options{SegmentBytes: 2 << 10})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() }) // the index's files may be gone
		for i := range 10 {
			if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 2, 400)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.CheckFiles(); err != nil {
			t.Fatalf("unharmed: %v", err)
		}
		return l, dir
	}
	refused := func(t *testing.T, l *Log, says string) {
		t.Helper()
		if err := l.CheckFiles(); !errors.Is(err, ErrNotOurs) || !strings.Contains(err.Error(), says) {
			t.Errorf("CheckFiles: %v, want %q", err, says)
		}
	}
	move := func(t *testing.T, from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("a segment", func(t *testing.T) {
		t.Parallel()
		l, dir := setUp(t)
		path := filepath.Join(dir, segmentName(l.segs[1].base))
		move(t, path, path+".away")
		refused(t, l, segmentName(l.segs[1].base)+" (events from")
		move(t, path+".away", path)
		if err := l.CheckFiles(); err != nil {
			t.Errorf("the file is back: %v", err)
		}
	})
	t.Run("another in its place", func(t *testing.T) {
		t.Parallel()
		l, dir := setUp(t)
		path := filepath.Join(dir, segmentName(l.segs[1].base))
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		move(t, path, path+".away")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, l, "another file")
	})
	t.Run("the active segment", func(t *testing.T) {
		t.Parallel()
		l, _ := setUp(t)
		seg := l.segs[len(l.segs)-1]
		if err := os.Remove(seg.path); err != nil {
			t.Fatal(err)
		}
		if out, err := l.Append(ctx, testBatch("late", 1, 10)); !errors.Is(err, store.ErrUnavailable) || out != nil {
			t.Errorf("acknowledged into a deleted file: %v %v", out, err)
		}
		refused(t, l, segmentName(seg.base))
	})
	t.Run("the directory", func(t *testing.T) {
		t.Parallel()
		l, dir := setUp(t)
		move(t, dir, dir+".away")
		refused(t, l, "is gone")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		refused(t, l, "another directory")
		var err error
		for i := 0; err == nil && i < 20; i++ { // until the segment is full and another would begin there
			_, err = l.Append(ctx, testBatch(fmt.Sprint("c", i), 2, 400))
		}
		if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, ErrNotOurs) {
			t.Errorf("a segment was begun in a strange directory: %v", err)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		move(t, dir+".away", dir)
		if err := l.CheckFiles(); err != nil {
			t.Errorf("the directory is back: %v", err)
		}
		if _, err := l.Append(ctx, testBatch("again", 2, 400)); err != nil {
			t.Errorf("the directory is back: %v", err)
		}
	})
	t.Run("what it replaces itself", func(t *testing.T) {
		t.Parallel()
		l, _ := setUp(t)
		if err := l.Erase(ctx, []entity.Seq{3}); err != nil {
			t.Fatal(err)
		}
		packAll(t, l)
		if err := l.Trim(ctx, 9); err != nil {
			t.Fatal(err)
		}
		if err := l.CheckFiles(); err != nil {
			t.Error(err)
		}
	})
}

func statOf(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
