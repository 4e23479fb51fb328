//go:build unix

package spool

import (
	"errors"
	"syscall"
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

// A child that is being started has a copy of every open file until it executes its program.
func TestAChildBeingStartedDoesNotKeepTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dead, _ := open(t, dir, "a")
	if _, err := dead.Write([]byte("x"), 1); err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(dead.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	next, left := open(t, dir, "a")
	if len(left) != 1 {
		t.Errorf("took %d files of what has ended", len(left))
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}
