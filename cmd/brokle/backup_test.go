package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/harm"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// There and back: a backup of a running server, restored, answers as the server did.
func TestBackupRestoreVerify(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	data, dir, again := filepath.Join(top, "data"), filepath.Join(top, "backup"), filepath.Join(top, "again")
	vars, stop := serve(t, data)
	events := `{"event_id":"e1","event_type":"trace_create","payload":{"id":"t1","name":"kept"},"timestamp":1770000000}` + "\n" +
		`{"event_id":"e2","event_type":"observation_create","payload":{"id":"o1","trace_id":"t1","type":"span","name":"o"},"timestamp":1770000001}` + "\n"
	command(t, events, vars, "send").want(t, 0, "2 processed")
	before := ""
	watch.Until(t, "the trace is listed", func() bool {
		r := command(t, "", vars, "query", "traces", "--json")
		before = r.out
		return strings.Contains(r.out, "kept") && strings.Contains(r.out, `"observation_count": 1`)
	})
	command(t, "", vars, "verify", "--data", data).want(t, 2, "is a server running on", "Hint: stop the server")

	r := command(t, "", vars, "backup", "--to", dir, "--json").want(t, 0)
	var sum backupSummary
	if err := json.Unmarshal([]byte(r.out), &sum); err != nil || sum.Head != 2 || sum.Files != 5 || sum.Bytes == 0 {
		t.Errorf("%s %v", r.out, err)
	}
	command(t, "", vars, "backup", "--to", dir).want(t, 1, "is not empty")
	command(t, "", vars, "backup").want(t, 2, "needs --to")
	command(t, "", nil, "backup", "--to", filepath.Join(top, "x")).want(t, 1, "no API key")
	other := command(t, "", nil, "keys", "create", "--data", data, "--project", "shop", "--scope", "admin").want(t, 0)
	key := "bk_" + strings.Fields(strings.SplitN(other.out, "bk_", 2)[1])[0]
	watch.Until(t, "the key is known, and may not", func() bool {
		r := command(t, "", append(vars, "BROKLE_API_KEY="+key), "backup", "--to", filepath.Join(top, "x"))
		return r.code == 1 && strings.Contains(r.err, `an admin key of the project "default"`)
	})
	if _, err := os.Stat(filepath.Join(top, "x")); err == nil {
		t.Error("a refused backup made its directory")
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	command(t, "", nil, "verify", "--from", dir).want(t, 0, "manifest", "segments", "backup: whole")
	command(t, "", nil, "verify", "--data", data).want(t, 0, "warehouse", "data: whole")
	command(t, "", nil, "restore", "--data", again).want(t, 2, "needs --from")
	command(t, "", nil, "restore", "--from", dir, "--data", data).want(t, 1, "is not empty")
	command(t, "", nil, "restore", "--from", dir, "--data", again).want(t, 0, "5 files", "up to Seq 2")
	command(t, "", nil, "verify", "--data", again, "--json").want(t, 0, `"state": "whole"`, "the next start makes it")
	back, stopAgain := serve(t, again)
	vars = append(vars, back...) // the host; the key is the same
	watch.Until(t, "it answers as before", func() bool { return command(t, "", vars, "query", "traces", "--json").out == before })
	command(t, events, vars, "send").want(t, 0, "2 duplicate")
	if code := stopAgain(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	segment := filepath.Join(dir, "log", "00000000000000000001.seg")
	harm.File(t, segment, harm.Flip(-1))
	command(t, "", nil, "verify", "--from", dir).want(t, 1, "log/00000000000000000001.seg: is damaged: its SHA-256", "make another backup", "backup: damaged")
	command(t, "", nil, "restore", "--from", dir, "--data", filepath.Join(top, "y")).want(t, 1, "00000000000000000001.seg of the backup is damaged", "nothing was restored")
	command(t, "", nil, "verify", "--data", filepath.Join(top, "none")).want(t, 2, "no such file")
}

// A connection that is cut, or that flips a byte, leaves no backup and says so.
func TestBackupOverABadConnection(t *testing.T) {
	t.Parallel()
	vars, stop := serve(t, filepath.Join(t.TempDir(), "data"))
	defer stop()
	command(t, `{"event_type":"trace_create","payload":{"id":"t1","name":"n","input":"`+strings.Repeat("long ", 2000)+`"}}`+"\n", vars, "send").want(t, 0, "1 processed")
	host, key := "", ""
	for _, v := range vars {
		if url, ok := strings.CutPrefix(v, "BROKLE_HOST="); ok {
			host = url
		}
		if k, ok := strings.CutPrefix(v, "BROKLE_API_KEY="); ok {
			key = k
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, host+"/v1/backup", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	for _, c := range []struct {
		name string
		send func(w http.ResponseWriter)
		says string
	}{
		{"cut", func(w http.ResponseWriter) {
			_, _ = w.Write(archive[:len(archive)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "cut off"},
		{"ended early, as if it were all", func(w http.ResponseWriter) { _, _ = w.Write(archive[:len(archive)/2]) }, "cut off"},
		{"ended between two files", func(w http.ResponseWriter) { _, _ = w.Write(archive[:1024]) }, "cut off"},
		{"flipped", func(w http.ResponseWriter) {
			bad := []byte(strings.Clone(string(archive)))
			bad[strings.Index(string(bad), "BROKLOG")+70] ^= 8
			_, _ = w.Write(bad)
		}, "log/00000000000000000001.seg was damaged on its way"},
	} {
		bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.send(w) }))
		top := t.TempDir()
		r := command(t, "", []string{"BROKLE_HOST=" + bad.URL, "BROKLE_API_KEY=" + key}, "backup", "--to", filepath.Join(top, "b"))
		bad.Close()
		if r.code != 1 || !strings.Contains(r.err, c.says) || !strings.Contains(r.err, "nothing was kept") {
			t.Errorf("%s: %d %s", c.name, r.code, r.err)
		}
		if left, _ := os.ReadDir(top); len(left) > 0 {
			t.Errorf("%s: %v is left", c.name, left)
		}
	}
}
