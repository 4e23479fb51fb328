package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/harm"
)

const segment = "log/00000000000000000001.seg"

// archive is a backup of three files, of which one was sent twice and one replaced.
func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	add := func(name, content string) {
		t.Helper()
		if err := w.Add(name, int64(len(content)), strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	add("keys.json", `{"version":1}`)
	add("log/00000000000000000005.seg", "merged into the first")
	add(segment, "old")
	w.Drop("log/00000000000000000005.seg")
	add(segment, strings.Repeat("segment ", 1000))
	add("log/00000000000000000009.seg", "tail")
	m := Manifest{Created: time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC), Node: "1", Head: 12, Formats: map[string]int{"segments": 1}}
	if err := w.Finish(m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestReceiveAndRestore(t *testing.T) {
	t.Parallel()
	raw, top := archive(t), t.TempDir()
	dir := filepath.Join(top, "b")
	m, err := Receive(bytes.NewReader(raw), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "[keys.json log/00000000000000000001.seg log/00000000000000000009.seg manifest.json]"
	if got := fmt.Sprint(files(t, dir)); got != want || m.Head != 12 {
		t.Errorf("%s, head %d", got, m.Head)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, segment)); len(b) != 8000 {
		t.Errorf("the segment has %d bytes: the earlier member won", len(b))
	}
	if _, err := Receive(bytes.NewReader(raw), dir, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a second backup into it: %v", err)
	}
	data := filepath.Join(top, "d")
	staged := false
	_, err = Restore(dir, data, nil, func(staging string) error {
		_, err := os.Stat(filepath.Join(staging, segment))
		staged = err == nil
		return nil
	})
	if err != nil || !staged {
		t.Fatalf("staged %t, %v", staged, err)
	}
	if got := fmt.Sprint(files(t, data)); got != "[keys.json log/00000000000000000001.seg log/00000000000000000009.seg]" {
		t.Errorf("restored %s", got)
	}
	if _, err := Restore(dir, data, nil, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a second restore into it: %v", err)
	}
}

// Cut anywhere, an archive is no backup, and nothing of it is left.
func TestReceiveCutOff(t *testing.T) {
	t.Parallel()
	raw := archive(t)
	for n := 0; n <= bytes.LastIndexByte(raw, '}'); n += 97 {
		top := t.TempDir()
		_, err := Receive(bytes.NewReader(raw[:n]), filepath.Join(top, "b"), nil)
		if err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Fatalf("cut at %d of %d: %v", n, len(raw), err)
		}
		if left := files(t, top); len(left) > 0 {
			t.Fatalf("cut at %d: %v are left", n, left)
		}
		if entries, _ := os.ReadDir(top); len(entries) > 0 {
			t.Fatalf("cut at %d: %v is left", n, entries)
		}
	}
}

// A byte that changed on its way is found, and the file is named.
func TestReceiveFlippedByte(t *testing.T) {
	t.Parallel()
	raw := archive(t)
	at := bytes.Index(raw, []byte("segment segment")) + 700
	raw[at] ^= 4
	top := t.TempDir()
	_, err := Receive(bytes.NewReader(raw), filepath.Join(top, "b"), nil)
	if err == nil || !strings.Contains(err.Error(), segment) || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("%v", err)
	}
	if entries, _ := os.ReadDir(top); len(entries) > 0 {
		t.Errorf("%v is left", entries)
	}
}

// A member may not be called anything else than the files of a backup are.
func TestReceiveRefusesNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../../evil", "/etc/passwd", "log/../keys.json", "log/1.seg", "warehouse.duckdb", "log/00000000000000000001.seg/x"} {
		if err := NewWriter(&bytes.Buffer{}).Add(name, 1, strings.NewReader("x")); err == nil {
			t.Errorf("a writer takes %q", name)
		}
		raw := bytes.ReplaceAll(archive(t), []byte("keys.json"), []byte("keys.jsoX"))
		if _, err := Receive(bytes.NewReader(raw), filepath.Join(t.TempDir(), "b"), nil); err == nil {
			t.Error("a member keys.jsoX was taken")
		}
	}
}

// At rest: what changed is named by Check, and Restore leaves the target alone.
func TestDamageAtRest(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(dir string){
		segment + " of the backup is damaged": func(dir string) { harm.File(t, filepath.Join(dir, segment), harm.Flip(4000)) },
		segment + " of the backup has 100":    func(dir string) { harm.File(t, filepath.Join(dir, segment), harm.Cut(100)) },
		"keys.json of the backup is missing":  func(dir string) { remove(t, filepath.Join(dir, "keys.json")) },
		"manifest.json is damaged: its checksum": func(dir string) {
			harm.File(t, filepath.Join(dir, ManifestName), harm.Edit(t, `"head": 12`, `"head": 13`))
		},
		"no manifest.json": func(dir string) { remove(t, filepath.Join(dir, ManifestName)) },
		"format version 2 and this program reads up to 1: use the release": func(dir string) {
			harm.File(t, filepath.Join(dir, ManifestName), harm.Edit(t, `"version": 1`, `"version": 2`))
		},
	} {
		top := t.TempDir()
		dir := filepath.Join(top, "b")
		if _, err := Receive(bytes.NewReader(archive(t)), dir, nil); err != nil {
			t.Fatal(err)
		}
		damage(dir)
		_, err := Restore(dir, filepath.Join(top, "d"), nil, nil)
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: restore says %v", what, err)
		}
		if _, err := os.Stat(filepath.Join(top, "d")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: restore made the directory", what)
		}
	}
}

// A restore that fails on its way leaves nothing that looks whole.
func TestRestoreFailsHalfWay(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "b")
	if _, err := Receive(bytes.NewReader(archive(t)), dir, nil); err != nil {
		t.Fatal(err)
	}
	_, err := Restore(dir, filepath.Join(top, "d"), nil, func(string) error { return errors.New("injected") })
	if err == nil || !strings.Contains(err.Error(), "injected") {
		t.Errorf("%v", err)
	}
	if left := files(t, filepath.Join(top, "d")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// A manifest is the same whenever it is encoded again.
func FuzzManifest(f *testing.F) {
	m := Manifest{Version: 1, Created: time.Unix(1, 5).UTC(), Files: []File{{Name: "keys.json", Size: 3}}}
	raw, err := m.seal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseManifest(raw)
		if err != nil {
			return
		}
		var v map[string]any
		if json.Unmarshal(raw, &v) != nil || m.Version > Version {
			t.Errorf("taken: %q", raw)
		}
	})
}
