package daemon

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// picture is a medium that the seed says, and its hash.
func picture(seed byte) (b []byte, hash string) {
	b = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{seed, 1, 2, 3, 5, 8, 13}, 3000)...)
	sum := sha256.Sum256(b)
	return b, hex.EncodeToString(sum[:])
}

// show posts a trace with a picture in it, which happened so long ago.
func (n *testNode) show(t *testing.T, id string, b []byte, age time.Duration) {
	t.Helper()
	body := fmt.Sprintf(`{"events":[{"event_id":%q,"event_type":"trace_create","timestamp":%d,"payload":{"id":%[1]q,"name":"n","input":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":%[3]q}}]}}]}`,
		id, time.Now().Add(-age).Unix(), base64.StdEncoding.EncodeToString(b))
	if status, raw, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch", body); err != nil || status != http.StatusOK || !bytes.Contains(raw, []byte(`"processed_events":1`)) {
		t.Fatalf("%d %s %v", status, raw, err)
	}
}

// has says whether the node answers with a medium.
func (n *testNode) has(t *testing.T, hash string, want []byte) bool {
	t.Helper()
	status, raw, err := n.request(t.Context(), http.MethodGet, "/v1/media/"+hash, "")
	if err != nil || status != http.StatusOK && status != http.StatusNotFound {
		t.Fatalf("%d %s %v", status, raw, err)
	}
	if status == http.StatusOK && !bytes.Equal(raw, want) {
		t.Fatalf("%s: other bytes", hash)
	}
	return status == http.StatusOK
}

// mediaIn are the files of media in a data directory.
func mediaIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, datadir.MediaDir), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

// A backup has the media of its events; verify misses each that is lost or changed.
func TestBackupHasMedia(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir, backups, restored := filepath.Join(root, "data"), filepath.Join(root, "backup"), filepath.Join(root, "restored")
	a, hashA := picture(1)
	b, hashB := picture(2)
	n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	n.show(t, "t1", a, 0)
	n.show(t, "t2", b, 0)
	n.show(t, "t3", b, 0)
	if _, err := n.takeBackup(t, backups, nil); err != nil {
		t.Fatal(err)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, backups} {
		if v := whole(t, d); !strings.Contains(fmt.Sprint(v.Parts), "2 media, ") {
			t.Errorf("%+v", v.Parts)
		}
	}
	if _, err := Restore(t.Context(), Config{DataDir: restored}, backups, slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	whole(t, restored)
	n = start(t, Config{DataDir: restored})
	if !n.has(t, hashA, a) || !n.has(t, hashB, b) {
		t.Error("the restored node lacks media")
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	for _, file := range mediaIn(t, restored) {
		if strings.HasPrefix(filepath.Base(file), hashB) {
			remove(t, filepath.Dir(file), filepath.Base(file))
		} else if err := os.WriteFile(file, append(a[:len(a)-1:len(a)-1], 0xff), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v, err := Verify(t.Context(), Config{DataDir: restored, WarehouseMemory: 96 << 20}, nil)
	if err != nil || v.State != verify.Damaged || !strings.Contains(fmt.Sprint(v.Parts), "events refer 2 times to media that are not there") ||
		!strings.Contains(fmt.Sprint(v.Parts), "its bytes are not those of its name") {
		t.Errorf("%+v %v", v, err)
	}
}

// A medium expires with the newest event that refers to it.
func TestMediaExpire(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	a, hashA := picture(1)
	b, hashB := picture(2)
	n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	n.show(t, "old", a, 3*time.Hour)
	n.show(t, "older", b, 4*time.Hour)
	n.show(t, "new", b, 0)
	if !n.has(t, hashA, a) || !n.has(t, hashB, b) {
		t.Fatal("media are missing")
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	n = start(t, Config{DataDir: dir, Retention: Age(2 * time.Hour)})
	if n.has(t, hashA, a) {
		t.Error("it is shown, and its event has expired")
	}
	watch.Until(t, "one medium is left", func() bool { return len(mediaIn(t, dir)) == 1 })
	if !n.has(t, hashB, b) {
		t.Error("an event that has not expired refers to it")
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, dir)
}

// What is sent on to another server has its media in it, and is taken out there again.
func TestMediaAreForwarded(t *testing.T) {
	t.Parallel()
	a, hash := picture(1)
	target := start(t, Config{DataDir: filepath.Join(t.TempDir(), "target"), BootstrapAPIKey: testKey})
	n := start(t, Config{DataDir: filepath.Join(t.TempDir(), "data"), BootstrapAPIKey: testKey, ForwardOTLP: target.url, ForwardOTLPHeader: Lines{"X-API-Key=" + testKey}})
	n.show(t, "t1", a, 0)
	watch.Until(t, "the other server has the medium", func() bool { return target.has(t, hash, a) })
}
