package daemon

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// move renames, and moves back when called again with the arguments turned.
func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// Property 42: files that vanish under a running node, or are replaced: /readyz says which, batches get 503 and not
// an acknowledgement, and all is well again when the same files are back.
func TestFilesVanishUnderANode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		part  func(dir string) string
		strut bool // another is put in its place
		says  string
	}{
		"data directory":         {func(dir string) string { return dir }, false, "the data directory is gone"},
		"another data directory": {func(dir string) string { return dir }, true, "the data directory is another one"},
		"log directory":          {func(dir string) string { return filepath.Join(dir, datadir.LogDir) }, false, "its directory is gone"},
		"another log directory":  {func(dir string) string { return filepath.Join(dir, datadir.LogDir) }, true, "its directory is another directory"},
		"the segment in use":     {func(dir string) string { return filepath.Join(dir, datadir.LogDir, "00000000000000000001.seg") }, false, "segment 00000000000000000001.seg (events from 1 on) is gone"},
		"another in the log's":   {func(dir string) string { return filepath.Join(dir, datadir.LogDir, "00000000000000000001.seg") }, true, "is another file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
			if status, _, _ := n.post(t, testKey, "t1"); status != http.StatusOK {
				t.Fatalf("post: %d", status)
			}
			path := tc.part(dir)
			move(t, path, path+".away")
			if tc.strut {
				var err error
				if strings.HasSuffix(path, ".seg") {
					err = os.WriteFile(path, nil, 0o600)
				} else {
					err = os.Mkdir(path, 0o700)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			watch.Until(t, "readyz says what is gone", func() bool {
				status, body := n.get(t, "", "/readyz")
				return status == http.StatusServiceUnavailable && strings.Contains(body, "files: down: ") && strings.Contains(body, tc.says)
			})
			if status, retry, _ := n.post(t, testKey, "t2"); status != http.StatusServiceUnavailable || retry == "" {
				t.Errorf("post: %d, Retry-After %q", status, retry)
			}
			if _, body := n.get(t, "", "/readyz"); strings.Contains(body, dir) {
				t.Errorf("readyz names a path of the server: %s", body)
			}
			if tc.strut {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
			move(t, path+".away", path)
			watch.Until(t, "the same batch is taken", func() bool {
				status, _, _ := n.post(t, testKey, "t2")
				return status == http.StatusOK
			})
		})
	}
}

// Nothing is acknowledged into a segment that was deleted, not even before anybody has looked at the files.
func TestNothingIsAcknowledgedIntoADeletedFile(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	n.leaves = true // the index may be gone, too
	if status, _, _ := n.post(t, testKey, "t1"); status != http.StatusOK {
		t.Fatalf("post: %d", status)
	}
	if err := os.RemoveAll(filepath.Join(cfg.DataDir, datadir.LogDir)); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if status, _, _ := n.post(t, testKey, "t2"); status != http.StatusServiceUnavailable {
			t.Fatalf("post: %d", status)
		}
	}
}

// A lost file of keys: /readyz says so, the keys in memory go on, and no new key is made that would
// leave a file with itself alone.
func TestLostKeysFile(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	path := filepath.Join(cfg.DataDir, datadir.KeysFile)
	move(t, path, path+".away")
	watch.Until(t, "readyz says so", func() bool {
		status, body := n.get(t, "", "/readyz")
		return status == http.StatusOK && strings.Contains(body, "keys: degraded: the keys file is gone")
	})
	if status, _, _ := n.post(t, testKey, "t1"); status != http.StatusOK {
		t.Errorf("post with a key in memory: %d", status)
	}
	resp := n.postJSON(t, testKey, "/v1/keys", `{"name":"another","scopes":["read"]}`)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" { // right, and to be asked again
		t.Errorf("a key is asked for: %d", resp.StatusCode)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a file with one key")
	}
	move(t, path+".away", path)
	watch.Until(t, "readyz is content", func() bool {
		_, body := n.get(t, "", "/readyz")
		return strings.Contains(body, "keys: ok")
	})
}

// A start with a hole in the Log is an error that names what is missing; accepted once, the loss is known and the
// next start is clean. The same for a Log whose directory is gone as a whole.
func TestStartWithAHole(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ lose, says string }{
		"a segment": {filepath.Join(datadir.LogDir, "00000000000000000001.seg"), "00000000000000000001.seg, the newest (events from 1 on)"},
		"the log":   {datadir.LogDir, "events up to 1 (so many at most are lost)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, Listen: "127.0.0.1:0"}
			n := start(t, cfg)
			n.post(t, testKey, "t1")
			watch.Until(t, "it is indexed", func() bool { return n.count(t) == 1 })
			if err := n.stop(); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(cfg.DataDir, tc.lose)); err != nil {
				t.Fatal(err)
			}
			for range 2 { // it stays so
				err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), io.Discard)
				if err == nil || !strings.Contains(err.Error(), "--accept-loss") {
					t.Fatalf("start: %v", err)
				}
				if name == "the log" && !strings.Contains(err.Error(), tc.says) {
					t.Errorf("start: %v", err)
				}
				var loss *segmentlog.LossError
				if name == "a segment" && (!errors.As(err, &loss) || loss.Losses[0].First != 1 || loss.Losses[0].Last != 1) {
					t.Errorf("start: %v", err)
				}
			}
			cfg.AcceptLoss = true
			for range 2 {
				n = start(t, cfg)
				if status, _, _ := n.post(t, testKey, "t2"); status != http.StatusOK {
					t.Errorf("post: %d", status)
				}
				watch.Until(t, "it is queryable", func() bool { return n.count(t) == 1 })
				if err := n.stop(); err != nil {
					t.Fatal(err)
				}
				cfg.AcceptLoss = false
			}
		})
	}
}

// What is wrong with the Log's directory is not called a second node.
func TestUnreadableLogIsNotCalledInUse(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	if err := start(t, cfg).stop(); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(cfg.DataDir, datadir.LogDir, "LOCK") // a directory: even root cannot open it for writing
	if err := errors.Join(os.Remove(lock), os.Mkdir(lock, 0o700)); err != nil {
		t.Fatal(err)
	}
	cfg.Listen = "127.0.0.1:0"
	err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), io.Discard)
	if err == nil || strings.Contains(err.Error(), "open elsewhere") || !strings.Contains(err.Error(), "its lock file cannot be opened") {
		t.Errorf("start: %v", err)
	}
}
