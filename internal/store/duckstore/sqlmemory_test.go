package duckstore

import (
	"fmt"
	"path/filepath"
	"testing"
)

// A question in SQL has more memory than the warehouse, which has its own again behind it, and behind one that fails.
func TestSQLMemory(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 100, Options{MemoryLimit: 96 << 20})
	limit := func() (limit string) {
		if err := w.read.Load().QueryRowContext(t.Context(), "SELECT current_setting('memory_limit')").Scan(&limit); err != nil {
			t.Fatal(err)
		}
		return limit
	}
	before := limit()
	if got := answerOf(t, w, "select len(list(x)) from (select hash(x) as x from range(7000000) t(x))"); got != "[[7000000]]" {
		t.Errorf("a list of 7 million: %s", got)
	}
	if after := limit(); after != before {
		t.Errorf("the warehouse has %s, then %s", before, after)
	}
	if _, err := askSQL(t.Context(), w, "select cast(name as integer) from traces"); err == nil || limit() != before {
		t.Errorf("a statement that fails: %v; the warehouse has %s, then %s", err, before, limit())
	}
	leave := w.enterSQL()
	answerOf(t, w, "select 1") // beside another one
	if limit() == before {
		t.Error("one that leaves takes the memory from the others")
	}
	leave()
	if after := limit(); after != before {
		t.Errorf("behind two, the warehouse has %s, then %s", before, after)
	}
}

// A file is written by dictionaries that have NULL in them; one that was there before stays as it was, and takes what comes.
func TestWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	older, err := connectWith(filepath.Join(dir, "older.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range append(newLayout().ddl(), fmt.Sprintf("INSERT INTO meta VALUES (%d, 0)", SchemaVersion), "CHECKPOINT") {
		if err := older.exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	older.close()
	for name, want := range map[string]string{"older.db": "Dictionary", "new.db": "DICT_FSST"} {
		w, err := Open(filepath.Join(dir, name), Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		recs := newGenerator(7).next(1000)
		if err := w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
			t.Fatal(err)
		}
		if err := w.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		var by string
		var rows int
		err = w.read.Load().QueryRowContext(t.Context(), "SELECT (SELECT string_agg(DISTINCT compression, ' ') FROM pragma_storage_info('observations') WHERE column_name = 'model' AND segment_type = 'VARCHAR'), (SELECT count(model) FROM observations)").Scan(&by, &rows)
		if err != nil || by != want || rows == 0 {
			t.Errorf("%s: %d models are kept by %q, want %s; %v", name, rows, by, want, err)
		}
	}
}
