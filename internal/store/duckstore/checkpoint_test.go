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
	groups := func() (n int64) {
		got, err := w.write.int64s("SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('big')")
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	all := func(statements ...string) {
		for _, s := range statements {
			if err := w.write.exec(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = w.locked(t.Context(), func() error {
		all("CREATE TABLE big AS SELECT range AS i FROM range(614400)") // five row groups
		if err := w.checkpoint(); err != nil || groups() != 5 {
			t.Errorf("%d row groups, %v", groups(), err)
		}
		all("DELETE FROM big WHERE i < 122880 OR i % 2 = 0")
		if _, err := w.checkpointOrCompact(); err != nil || groups() != 4 {
			t.Errorf("%d row groups after a checkpoint, %v: one is empty, of the others half is left", groups(), err)
		}
		w.dead = compactAfter
		if _, err := w.checkpointOrCompact(); err != nil || groups() != 2 || w.dead != 0 {
			t.Errorf("%d row groups when much was deleted, %v: two are left, joined", groups(), err)
		}
		all("DELETE FROM big WHERE i % 3 <> 0")
		if _, err := w.checkpointOrCompact(); err != nil || groups() != 2 {
			t.Errorf("%d row groups after the next checkpoint, %v: as they were", groups(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if at, err := w.write.int64s("SELECT cursor FROM meta"); err != nil || at[0] != int64(w.cursor) {
		t.Errorf("the cursor is %d in the file, %d in memory, %v", at, w.cursor, err)
	}
	w.dead = 1
	if err := w.Checkpoint(t.Context()); err != nil || groups() != 1 {
		t.Errorf("%d row groups after an idle moment, %v", groups(), err)
	}
}
