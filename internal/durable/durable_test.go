package durable

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

func contentIn(t *testing.T, fs vfs.FS, path string) string {
	t.Helper()
	b, err := ReadIn(fs, path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// Power that is lost at any operation leaves the old content or the new one; what Replace has reported is there,
// even when of all that was not synced nothing is.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	mem := vfs.NewCrashableMem()
	if err := mem.MkdirAll("d", 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := mem.OpenDir("")
	if err == nil {
		err = errors.Join(root.Sync(), root.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	contents := []string{"", "first", "the second, which is longer", "3"}
	for i := 1; i < len(contents); i++ {
		crashes := 0
		at := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
				crashes++
				for _, percent := range []int{0, 50, 100} {
					clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
					if got := contentIn(t, clone, "d/f"); got != contents[i-1] && got != contents[i] {
						t.Errorf("lost at %v of content %d with %d %%: %q", op.Kind, i, percent, got)
					}
				}
			}
			return nil
		})
		if err := ReplaceIn(errorfs.Wrap(mem, at), "d/f", []byte(contents[i])); err != nil {
			t.Fatal(err)
		}
		if crashes < 3 {
			t.Errorf("only %d operations were looked at", crashes)
		}
		if got := contentIn(t, mem.CrashClone(vfs.CrashCloneCfg{}), "d/f"); got != contents[i] {
			t.Errorf("content %d was reported, and after power loss it is %q", i, got)
		}
	}
}

// An error at any operation leaves the old content and nothing beside it, and is returned.
func TestFaults(t *testing.T) {
	t.Parallel()
	for n := range 20 {
		mem := vfs.NewMem()
		if err := ReplaceIn(mem, "f", []byte("old")); err != nil {
			t.Fatal(err)
		}
		left, met := n, false
		at := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpRemove || op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
				return nil
			}
			left--
			if left == -1 {
				met = true
				return syscall.ENOSPC
			}
			return nil
		})
		err := ReplaceIn(errorfs.Wrap(mem, at), "f", []byte("new"))
		if !met {
			if err != nil || n < 4 {
				t.Errorf("%d operations, error %v", n, err)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("operation %d fails: %v", n, err)
		}
		if got := contentIn(t, mem, "f"); got != "old" && got != "new" {
			t.Errorf("operation %d fails: the content is %q", n, got)
		}
		if _, err := mem.Stat("f" + tempExt); err == nil {
			t.Errorf("operation %d fails: the temporary file stays", n)
		}
	}
	t.Error("it never ended without a fault")
}

// On the operating system's files: readable by the owner only, and what a crash left beside them does not matter.
func TestReplace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	for i, content := range []string{"a", "bb", ""} {
		if err := os.WriteFile(path+tempExt, []byte("left over"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("content %d: %q %v", i, got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("content %d: %v %v", i, info, err)
		}
		if _, err := os.Stat(path + tempExt); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("content %d: the temporary file stays", i)
		}
	}
	if err := Replace(filepath.Join(path, "below"), nil); err == nil {
		t.Error("below a file: no error")
	}
}
