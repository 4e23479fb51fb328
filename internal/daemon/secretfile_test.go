package daemon

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cursor.key")
	made, err := secretFile(path, 32)
	if err != nil || len(made) != 32 || bytes.Equal(made, make([]byte, 32)) {
		t.Fatalf("%x, %v", made, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if again, err := secretFile(path, 32); err != nil || !bytes.Equal(again, made) {
		t.Errorf("%x became %x, %v", made, again, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
	for _, content := range []string{"", "no hex of 32 bytes", "00ff"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secretFile(path, 32); err == nil || !strings.Contains(err.Error(), path) || content != "" && strings.Contains(err.Error(), content) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, err := secretFile(filepath.Join(path, "below"), 32); err == nil {
		t.Error("made below a file")
	}
}

// The cursors of the events are good after a restart of the node.
func TestCursorsOutliveARestart(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	for _, id := range []string{"a", "b"} {
		if status, _, _ := n.post(t, testKey, id); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	_, body := n.get(t, testKey, "/v1/telemetry/events?limit=1")
	_, cursor, _ := strings.Cut(body, `"next_cursor":"`)
	cursor, _, _ = strings.Cut(cursor, `"`)
	if err := n.stop(); err != nil || cursor == "" {
		t.Fatal(err, body)
	}
	n = start(t, cfg)
	if status, body := n.get(t, testKey, "/v1/telemetry/events?limit=1&cursor="+cursor); status != http.StatusOK || !strings.Contains(body, `"event_id":"b"`) {
		t.Errorf("%d %s", status, body)
	}
}
