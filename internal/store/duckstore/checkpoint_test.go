package duckstore

import (
	"path/filepath"
	"testing"
)

// A checkpoint while others wait leaves row groups as they are, of which something was deleted, and drops those of which everything was;
// in an idle moment, or when much was deleted, what is left of them is joined.
func TestCheckpointCompacts(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // nothing is in it
	groups := func() int64 {
		got, err := w.write.int64s("SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('scores')")
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	do := func(statement string) {
		if err := w.write.exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	err = w.locked(t.Context(), func() error {
		do("INSERT INTO scores (project, id, written) SELECT 'p', 'x', range FROM range(2457600)") // twenty row groups
		if err := w.checkpointOrCompact(false); err != nil || groups() != 20 {
			t.Errorf("%d row groups, %v", groups(), err)
		}
		do("DELETE FROM scores WHERE written < 122880 OR written % 3 = 0")
		if err := w.checkpointOrCompact(false); err != nil || groups() != 19 {
			t.Errorf("%d row groups after a checkpoint, %v: one is empty, of the others two thirds are left", groups(), err)
		}
		do("DELETE FROM scores WHERE written % 3 = 1")
		if err := w.checkpointOrCompact(false); err != nil || groups() != 7 {
			t.Errorf("%d row groups when more are dead than live, %v: seven are left, joined", groups(), err)
		}
		if at, err := w.write.int64s("SELECT cursor FROM meta"); err != nil || at[0] != int64(w.cursor) {
			t.Errorf("the cursor is %d in the file, %d in memory, %v", at, w.cursor, err)
		}
		do("DELETE FROM scores WHERE written % 2 = 0")
		if err := w.checkpointOrCompact(false); err != nil || groups() != 7 {
			t.Errorf("%d row groups after the next checkpoint, %v: as they were", groups(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Checkpoint(t.Context()); err != nil || groups() != 4 {
		t.Errorf("%d row groups after an idle moment, %v", groups(), err)
	}
}
