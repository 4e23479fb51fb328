package duckstore

import (
	"path/filepath"
	"syscall"
	"testing"
)

// The thread that inserts gives way to those that accept events; the thread of
// the caller keeps its priority.
func TestInsertGivesWay(t *testing.T) {
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	mine, err := syscall.Getpriority(syscall.PRIO_PROCESS, syscall.Gettid())
	if err != nil {
		t.Fatal(err)
	}
	var writers int
	err = w.thread.do(func() (err error) {
		writers, err = syscall.Getpriority(syscall.PRIO_PROCESS, syscall.Gettid())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if writers >= max(mine, 2) { // 20 − nice: smaller gives way
		t.Errorf("priority %d of the writer's thread beside %d of others", writers, mine)
	}
}
