//go:build unix

package spool

import (
	"errors"
	"testing"
)

func TestTheLivingKeepWhatIsTheirs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	living, _ := open(t, dir, "a")
	f, err := living.Write([]byte("x"), 1)
	if err != nil {
		t.Fatal(err)
	}
	second, left := open(t, dir, "a")
	if len(left) != 0 {
		t.Errorf("took %d files of a process that lives", len(left))
	}
	if err := errors.Join(living.Remove(f), living.Close(), second.Close()); err != nil {
		t.Error(err)
	}
}
