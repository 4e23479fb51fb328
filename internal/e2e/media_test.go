package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// photo is a medium, its hash, and an event that shows it.
func photo(rng *rand.Rand, id string, size int) (b []byte, hash string, ev brokle.Event) {
	b = make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	copy(b, "\xff\xd8\xff\xe0")
	sum := sha256.Sum256(b)
	payload, _ := json.Marshal(map[string]any{"id": id, "name": "look", "input": []any{map[string]any{"type": "image", "source": map[string]any{
		"type": "base64", "media_type": "image/jpeg", "data": base64.StdEncoding.EncodeToString(b)}}}})
	return b, hex.EncodeToString(sum[:]), brokle.Event{ID: id, Type: brokle.TraceCreate, Payload: payload}
}

// media are the names of the media in a data directory.
func media(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "media"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(filepath.Dir(path)) != "tmp" {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

// A node dies between a medium and its event, or behind both. What was not stored leaves nothing behind; the retry brings both, once.
func TestKilledBetweenMediumAndEvent(t *testing.T) {
	t.Parallel()
	mortal, err := rig.Build("faultpoints")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mortal.Remove)
	for _, point := range []string{"media", "appended"} {
		for _, again := range []bool{false, true} {
			dir := t.TempDir()
			b, hash, ev := photo(chance.Of(t), "t1", 300_000)
			req := &brokle.BatchRequest{Events: []brokle.Event{ev}}
			cmd := mortal.Command(dir)
			cmd.Env = append(cmd.Env, "BROKLE_FAULT_POINT="+point)
			victim, err := rig.Launch(cmd)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(victim.Kill)
			if answer, _, err := victim.Post(t.Context(), http.DefaultClient, req); err == nil {
				t.Fatalf("the node answered: %+v", answer)
			}
			<-victim.Exited
			if got := media(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], hash) {
				t.Fatalf("killed at %s: %v", point, got)
			}
			n := startNode(t, dir)
			kept := point == "appended"
			if again {
				answer, _, err := n.Post(t.Context(), http.DefaultClient, req)
				if err != nil || answer.ProcessedEvents+answer.DuplicateEvents != 1 || (answer.DuplicateEvents == 1) != kept {
					t.Fatalf("%+v %v", answer, err)
				}
				kept = true
			}
			if kept {
				waitEvents(t, n, 1)
				if status, raw, err := n.Do(t.Context(), http.DefaultClient, http.MethodGet, "/v1/media/"+hash, nil); err != nil || status != 200 || !bytes.Equal(raw, b) {
					t.Errorf("killed at %s: %d, %d bytes, %v", point, status, len(raw), err)
				}
			} else {
				watch.Until(t, "nothing is left of it", func() bool { return len(media(t, dir)) == 0 })
			}
			terminate(t, n)
		}
	}
}

// An export is whole: imported elsewhere, its media are there.
func TestExportCarriesMedia(t *testing.T) {
	rng := chance.Of(t)
	from, to := startNode(t, t.TempDir()), startNode(t, t.TempDir())
	var events []brokle.Event
	all := map[string][]byte{}
	for _, id := range []string{"t1", "t2", "t3"} {
		b, hash, ev := photo(rng, id, 5<<20)
		all[hash] = b
		events = append(events, ev)
	}
	for _, ev := range events {
		if answer, _, err := from.Post(t.Context(), http.DefaultClient, &brokle.BatchRequest{Events: []brokle.Event{ev}}); err != nil || answer.ProcessedEvents != 1 {
			t.Fatalf("%+v %v", answer, err)
		}
	}
	waitEvents(t, from, 3)
	file := filepath.Join(t.TempDir(), "all.jsonl.zst")
	for _, step := range []struct {
		at   *rig.Node
		args []string
	}{{from, []string{"export"}}, {to, []string{"import"}}} {
		if out, err := exec.CommandContext(t.Context(), bin.Path, append(step.args, "--host", step.at.URL, "--api-key", rig.Key, file)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", step.args, err, out)
		}
	}
	waitEvents(t, to, 3)
	for hash, b := range all {
		if status, raw, err := to.Do(t.Context(), http.DefaultClient, http.MethodGet, "/v1/media/"+hash, nil); err != nil || status != 200 || !bytes.Equal(raw, b) {
			t.Errorf("%s: %d, %d bytes, %v", hash, status, len(raw), err)
		}
	}
}

// A warehouse that nodes share has media in its payloads: a copy puts them there, and so does a node that shares from then on with what it
// had not handed on. There nothing is taken out.
func TestSharedWarehouseHasMediaInPayloads(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: it runs a ClickHouse")
	}
	rng := chance.Of(t)
	server := clickhousetest.Start(t)
	dir, url := t.TempDir(), server.URL("media")
	n := startNode(t, dir)
	var before []string
	show := func(n *rig.Node, id string, size, processed int) {
		t.Helper()
		b, _, ev := photo(rng, id, size)
		if answer, _, err := n.Post(t.Context(), http.DefaultClient, &brokle.BatchRequest{Events: []brokle.Event{ev}}); err != nil || answer.ProcessedEvents != processed {
			t.Fatalf("%+v %v", answer, err)
		}
		if processed > 0 {
			before = append(before, base64.StdEncoding.EncodeToString(b))
		}
	}
	show(n, "t1", 300_000, 1)
	show(n, "t2", 3<<20, 1)
	waitEvents(t, n, 2)
	if out, code := copying(t, 0, "--host", n.URL, "--api-key", rig.Key, "--warehouse-url", url); code != 0 {
		t.Fatalf("copy: %d %s", code, out)
	}
	show(n, "t3", 400_000, 1)
	terminate(t, n)
	n = startNode(t, dir, "--warehouse-url", url)
	waitEvents(t, n, 3)
	show(n, "t4", 500_000, 1)
	show(n, "t5", 3<<20, 0) // as large as a payload may not be
	if out, code := brokleSays(t, "warehouse", "status", "--warehouse-url", url); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	for i, id := range []string{"t1", "t2", "t3", "t4"} {
		if status, raw, err := n.Do(t.Context(), http.DefaultClient, http.MethodGet, "/v1/traces/"+id, nil); err != nil || status != 200 || !bytes.Contains(raw, []byte(before[i])) {
			t.Errorf("%s: %d, %d bytes, %v", id, status, len(raw), err)
		}
	}
	terminate(t, n)
	if out, code := brokleSays(t, "verify", "--warehouse", "--data", dir, "--warehouse-url", url); code != 0 {
		t.Errorf("verify: %d %s", code, out)
	}
	back := filepath.Join(t.TempDir(), "back")
	if out, code := copying(t, 0, "--back", "--data", back, "--from", dir, "--warehouse-url", url); code != 0 {
		t.Fatalf("copy back: %d %s", code, out)
	}
	n = startNode(t, back)
	waitEvents(t, n, 4)
	if status, raw, err := n.Do(t.Context(), http.DefaultClient, http.MethodGet, "/v1/traces/t2", nil); err != nil || status != 200 || !bytes.Contains(raw, []byte(before[1])) {
		t.Errorf("%d, %d bytes, %v", status, len(raw), err)
	}
	terminate(t, n)
}

// The largest picture that a node takes comes through the SDK, when it is told to take as much.
func TestClientSendsTheLargestMedium(t *testing.T) {
	n := startNode(t, t.TempDir())
	client, err := brokle.New(brokle.Config{APIKey: rig.Key, Host: n.URL, EventMaxBytes: 28 << 20, BatchFlushInterval: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	b, hash, ev := photo(chance.Of(t), "t1", 20<<20)
	if _, err := client.SubmitEvent(ev); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitEvents(t, n, 1)
	if status, raw, err := n.Do(t.Context(), http.DefaultClient, http.MethodGet, "/v1/media/"+hash, nil); err != nil || status != 200 || !bytes.Equal(raw, b) {
		t.Errorf("%d, %d bytes, %v", status, len(raw), err)
	}
}
