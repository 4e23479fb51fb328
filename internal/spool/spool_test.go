package spool

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T, dir, owner string) (*Dir, []*File) {
	t.Helper()
	d, left, err := Open(dir, owner, 64)
	if err != nil {
		t.Fatal(err)
	}
	return d, left
}

func TestWhatAProcessLeftGoesToTheNextOneOfItsOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dead, _ := open(t, dir, "a")
	for _, body := range []string{"first", "second"} {
		if _, err := dead.Write([]byte(body), 3); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dead.path, "half.tmp"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	other, left := open(t, dir, "b")
	if len(left) != 0 {
		t.Errorf("another owner got %d files", len(left))
	}
	next, left := open(t, dir, "a")
	if len(left) != 2 || left[0].Events != 3 {
		t.Fatalf("took over %+v", left)
	}
	for i, want := range []string{"first", "second"} {
		body, err := next.Read(left[i])
		if err != nil || string(body) != want {
			t.Errorf("file %d holds %q, %v; want %q", i, body, err, want)
		}
		if err := next.Remove(left[i]); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(next.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	if homes, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || len(homes) != 0 {
		t.Errorf("left behind %v, %v", homes, err)
	}
}

func TestFilesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	d, _ := open(t, t.TempDir(), "a")
	f, err := d.Write(make([]byte, 60), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(make([]byte, 5), 1); err != ErrFull {
		t.Errorf("beyond the bound: %v", err)
	}
	if err := d.Remove(f); err != nil {
		t.Fatal(err)
	}
	if f, err = d.Write(make([]byte, 64), 1); err != nil {
		t.Errorf("there is room again: %v", err)
	}
	if err := errors.Join(d.Remove(f), d.Close()); err != nil {
		t.Error(err)
	}
}
