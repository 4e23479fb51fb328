package lean_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	_ "github.com/brokle-ai/brokle-go/internal/store/duckstore/lean"
)

func TestWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("duckdb", "?autoinstall_known_extensions=false&autoload_known_extensions=false")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, want := range map[string]bool{"icu": true, "autocomplete": true, "json": false, "parquet": false, "core_functions": false} {
		var loaded bool
		var version string
		if err := db.QueryRow("SELECT loaded, extension_version FROM duckdb_extensions() WHERE extension_name = ?", name).Scan(&loaded, &version); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !loaded || (version == "left out") != want {
			t.Errorf("%s: loaded %t, version %q; left out must be %t", name, loaded, version, want)
		}
	}
	if _, err := db.Exec("SELECT icu_sort_key('a', 'de')"); err == nil {
		t.Error("a function of icu is there: its code was linked in")
	}
	for _, all := range []string{"SELECT quantile_cont(range, 0.95) FROM range(100)", `SELECT '{"a":[1]}'::JSON ->> '$.a[0]'`, "SELECT date_trunc('hour', TIMESTAMP '2026-01-01 10:11:12')"} {
		if _, err := db.Exec(all); err != nil {
			t.Errorf("%s: %v", all, err)
		}
	}
	if _, err := db.Exec("COPY (SELECT 1 AS a) TO '" + filepath.Join(t.TempDir(), "x.parquet") + "'"); err != nil {
		t.Error(err)
	}
}
