package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// lastSegment is the newest segment file in dir.
func lastSegment(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, datadir.LogDir, "*.seg"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%v %v", names, err)
	}
	return names[len(names)-1]
}

// After a torn tail the Log passes over as many Seqs as bytes were torn, and the Warehouse's cursor
// follows. The next start finds no torn tail any more and gives these Seqs out: the events there must
// be queryable all the same.
func TestWarehouseAheadAfterTornTail(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	n.post(t, testKey, "first")
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(lastSegment(t, cfg.DataDir), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 50)); err != nil { // as a crash leaves it
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first cuts the tail, the second finds none
		n = start(t, cfg)
		watch.Until(t, "the indexer is at the head", func() bool {
			_, body := n.get(t, testKey, "/metrics")
			return metric(body, "brokle_indexer_lag_seqs") == "0"
		})
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
	n = start(t, cfg)
	n.post(t, testKey, "second")
	watch.Until(t, "the second trace is listed", func() bool {
		status, _ := n.get(t, testKey, "/v1/traces/second")
		return status == 200
	})
}

// A Warehouse that has events which the Log has not is built again: their payloads are gone, and
// new events would take their Seqs.
func TestWarehouseOfALongerLog(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	n.post(t, testKey, "a")
	n.post(t, testKey, "b")
	info, err := os.Stat(lastSegment(t, cfg.DataDir))
	if err != nil {
		t.Fatal(err)
	}
	n.post(t, testKey, "c")
	watch.Until(t, "c is listed", func() bool { status, _ := n.get(t, testKey, "/v1/traces/c"); return status == 200 })
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(lastSegment(t, cfg.DataDir), info.Size()); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(cfg.DataDir, datadir.LogDir, "index")); err != nil {
		t.Fatal(err)
	}
	n = start(t, cfg)
	n.post(t, testKey, "d")
	watch.Until(t, "d is listed", func() bool { status, _ := n.get(t, testKey, "/v1/traces/d"); return status == 200 })
	if status, body := n.get(t, testKey, "/v1/traces/c"); status != 404 {
		t.Errorf("the lost trace is answered with %d %s", status, body)
	}
}

// metric is a sample's value in the text of /metrics.
func metric(body, name string) string {
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
