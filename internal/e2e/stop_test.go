package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// smallDisk mounts a file system of so many MiB, where this user may.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mib), "brokle-test", dir).CombinedOutput()
	if err != nil {
		t.Skipf("skipped: a small disk cannot be mounted here (root can): %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// fill takes all room of the disk of dir and returns the file that has it.
func fill(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// postNoise sends n traces with a payload that does not compress, one by one.
func postNoise(t *testing.T, n *rig.Node, name string, count int) {
	t.Helper()
	for i := range count {
		noise := make([]byte, 2000)
		_, _ = rand.Read(noise)
		id := fmt.Sprintf("%s-%d", name, i)
		payload, err := json.Marshal(map[string]string{"id": id, "name": "n", "input": hex.EncodeToString(noise)})
		if err != nil {
			t.Fatal(err)
		}
		answer, status, err := n.Post(t.Context(), http.DefaultClient, &brokle.BatchRequest{Events: []brokle.Event{
			{ID: id, Type: brokle.TraceCreate, Payload: payload},
		}})
		if err != nil || status != 200 || answer.ProcessedEvents != 1 {
			t.Fatalf("post: %d %v", status, err)
		}
	}
}

// A stop ends within its time whatever has failed, says what it left, and with an exit code of its own; an error that
// repeats does not fill the log. What was acknowledged is there when the disk is well again.
func TestStopEndsWhateverFailed(t *testing.T) {
	t.Parallel()
	const sent = 60
	for name, do := range map[string]struct {
		breaks func(t *testing.T, disk, data string) (mend func())
		mended bool // then everything is there again
	}{
		"disk full": {func(t *testing.T, disk, _ string) func() {
			other := fill(t, disk)
			return func() { _ = os.Remove(other) }
		}, true},
		"index gone":          {remove("log/index"), true},
		"log gone":            {remove("log"), false},
		"data directory gone": {remove("."), false},
	} {
		t.Run(name, func(t *testing.T) {
			disk := t.TempDir()
			if name == "disk full" {
				disk = smallDisk(t, 64)
			}
			data := filepath.Join(disk, "data")
			n := startNode(t, data, "--drain-timeout", "2s", "--min-free-disk", "1MiB")
			postNoise(t, n, "t", sent)
			mend := do.breaks(t, disk, data)
			began := time.Now()
			code := terminate(t, n)
			if took := time.Since(began); took > 12*time.Second {
				t.Errorf("the stop took %s", took)
			}
			says := "something is left for the next start"
			if !do.mended {
				says = "stopped, and files are missing"
			}
			if code != 3 || !strings.Contains(n.LogEnd(), says) {
				t.Errorf("exit code %d, and the end of the log does not say %q", code, says)
			}
			if lines := strings.Count(n.Log(), "\n"); lines > 60 {
				t.Errorf("%d lines were logged", lines)
			}
			if !do.mended {
				return
			}
			mend()
			n = startNode(t, data, "--min-free-disk", "1MiB")
			waitEvents(t, n, sent)
			if code := terminate(t, n); code != 0 {
				t.Errorf("exit code %d of a stop in order", code)
			}
		})
	}
}

func remove(path string) func(*testing.T, string, string) func() {
	return func(t *testing.T, _, data string) func() {
		if err := os.RemoveAll(filepath.Join(data, path)); err != nil {
			t.Fatal(err)
		}
		return func() {}
	}
}

// A start on a disk that is full, or cannot be written to, is one sentence and exit code 1.
func TestStartOnABadDisk(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]struct {
		prepare func(t *testing.T, disk, data string) string // returns the data directory
		says    string
	}{
		"full": {func(t *testing.T, disk, data string) string {
			fill(t, disk)
			return data
		}, "is full: a start needs 4 MiB. Nothing is lost; make room and start again"},
		"read-only": {func(t *testing.T, disk, data string) string {
			if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
			return data
		}, "is mounted read-only"},
		"a file": {func(t *testing.T, _, data string) string {
			return filepath.Join(data, "keys.json")
		}, "is a file, not a directory"},
		"its log a file": {func(t *testing.T, _, data string) string {
			if err := os.Rename(filepath.Join(data, "log"), filepath.Join(data, "other")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(data, "log"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return data
		}, "log is a file, and has to be a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := smallDisk(t, 64)
			data := filepath.Join(disk, "data")
			n := startNode(t, data, "--min-free-disk", "1MiB")
			postNoise(t, n, "t", 3)
			n.Kill()
			var said bytes.Buffer
			cmd := serveCommand(do.prepare(t, disk, data), "--min-free-disk", "1MiB")
			cmd.Stderr = &said
			err := cmd.Run()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Fatalf("it ended with %v", err)
			}
			if text := said.String(); !strings.Contains(text, do.says) || strings.Count(text, "\n") > 1 {
				t.Errorf("it said:\n%s", text)
			}
		})
	}
}
