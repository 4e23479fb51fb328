package duckstore

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Reading the keys of all rows takes memory for a part of them: before, all lay in memory at once, which was 130 MB of 2.4 million.
func TestSeenIsReadInParts(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("skipped: /proc says how much memory was in use at most")
	}
	const rows = 10 * wholeRows
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // the test is over
	// Every third row was deleted, as where events expire.
	for _, statement := range []string{
		"CREATE TEMP TABLE many (project VARCHAR, id VARCHAR)",
		"INSERT INTO many SELECT 'p', printf('observation-%032d', i) FROM range(" + strconv.Itoa(rows) + ") AS r(i)",
		"DELETE FROM many WHERE rowid % 3 = 1",
	} {
		if err := w.write.exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	read := func(scan func(each func(block)) error) (n int, took time.Duration, peak int) {
		t.Helper()
		forgetPeak(t)
		before, began := peakMemory(t), time.Now()
		if err := scan(func(b block) { n += b.rows }); err != nil {
			t.Fatal(err)
		}
		return n, time.Since(began), peakMemory(t) - before
	}
	n, took, peak := read(func(each func(block)) error { return w.write.whole("project, id", "many", "", each) })
	atOnce, tookAtOnce, peakAtOnce := read(func(each func(block)) error { return w.write.scan("SELECT project, id FROM many", nil, each) })
	t.Logf("in parts %d rows in %v with %d MB more at most, at once %v with %d MB", n, took, peak>>20, tookAtOnce, peakAtOnce>>20)
	if n != rows-rows/3 || n != atOnce {
		t.Errorf("%d rows, at once %d, want %d", n, atOnce, rows-rows/3)
	}
	if peak*2 > peakAtOnce {
		t.Errorf("%d MB more were in use at most, and %d MB for all at once", peak>>20, peakAtOnce>>20)
	}
}

// forgetPeak makes the peak that peakMemory tells the one of from now on (proc_pid_clear_refs(5)).
func forgetPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skipf("skipped: %v", err)
	}
}

// peakMemory is the most memory that this process had resident, in bytes.
func peakMemory(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(raw), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
