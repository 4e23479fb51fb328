package segmentlog

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Ids of keys of every form come back as they were; those that keys have take 8 bytes.
func TestKeysInMeta(t *testing.T) {
	t.Parallel()
	long := len(appendMeta(nil, 1, 0, []batch{{first: 1}}, nil))
	for _, id := range []string{
		"", "key_0123456789abcdef", "key_0000000000000000", "key_0123456789ABCDEF", "key_0123456789abcde", "key_0123456789abcdef0", "key_", "k", "key_xyz", "0123456789abcdef",
	} {
		meta := appendMeta(nil, 1, 0, []batch{{first: 1, key: id, dedup: true, ttl: time.Hour}, {first: 2, job: "j", format: "otlp"}}, nil)
		h := blockHeader{kind: kindEvents, first: 1, span: 2}
		got, _, err := decodeMeta(&h, meta)
		if err != nil || got[0].key != id || got[1].key != "" || !got[0].dedup || got[0].ttl != time.Hour || got[1].format != "otlp" {
			t.Errorf("%q: %+v, %v", id, got, err)
		}
		if n := len(appendMeta(nil, 1, 0, []batch{{first: 1, key: id}}, nil)) - long; keyBytes(id) != nil && n != 8 {
			t.Errorf("%q takes %d bytes", id, n)
		}
	}
	for _, cut := range []int{1, 7} {
		meta := appendMeta(nil, 1, 0, []batch{{first: 1, key: "key_0123456789abcdef"}}, nil)
		h := blockHeader{kind: kindEvents, first: 1, span: 1}
		if _, _, err := decodeMeta(&h, meta[:len(meta)-cut]); !errors.Is(err, errDamaged) {
			t.Errorf("%d bytes less: %v", cut, err)
		}
	}
}

// The key of a batch and of a job stays with them: in memory, in the file, packed, and when events are erased.
func TestKeysStay(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	open := func() *Log {
		l, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	keys := map[string]string{"a": "key_00000000000000aa", "b": "key_00000000000000bb", "c": ""}
	for _, id := range []string{"a", "b", "c"} {
		e := wire.Event{ID: id, Type: wire.TraceCreate, Payload: []byte(`{"name":"n"}`), Timestamp: wire.At(time.Unix(1, 0))}
		if _, err := l.Append(ctx, &store.Batch{Project: "p", Environment: "default", ID: "batch-" + id, KeyID: keys[id], Events: []wire.Event{e}, Dedup: store.Dedup{Enabled: true, TTL: time.Hour}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AddJob(ctx, store.Job{ID: "job_1", Project: "p", BatchID: "batch-j", KeyID: keys["b"], Body: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	check := func(what string, want int) {
		t.Helper()
		recs, _, err := l.Read(ctx, 0, 100)
		if err != nil || len(recs) != want {
			t.Fatalf("%s: %d records, %v", what, len(recs), err)
		}
		for _, r := range recs {
			if r.KeyID != keys[r.Event.ID] {
				t.Errorf("%s: %s was brought by %q", what, r.Event.ID, r.KeyID)
			}
		}
		jobs, err := l.PendingJobs(ctx)
		if err != nil || len(jobs) != 1 || jobs[0].KeyID != keys["b"] {
			t.Errorf("%s: %+v, %v", what, jobs, err)
		}
	}
	reopen := func() {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = open()
	}
	check("in memory", 3)
	reopen()
	check("opened again", 3)
	if err := l.Erase(ctx, []entity.Seq{1}); err != nil {
		t.Fatal(err)
	}
	reopen()
	check("after an erasure", 2)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A segment of the version before is read, and goes on in a file of this version.
func TestBeforeKeys(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	raw, err := os.ReadFile(filepath.Join("testdata", "v1.seg"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, segmentName(goldenBase)), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := wire.Event{ID: "new", Type: wire.TraceCreate, Payload: []byte(`{"name":"n"}`), Timestamp: wire.At(time.Unix(1, 0))}
	if _, err := l.Append(ctx, &store.Batch{Project: "default", ID: "b", KeyID: "key_00000000000000aa", Events: []wire.Event{e}}); err != nil {
		t.Fatal(err)
	}
	recs, _, err := l.Read(ctx, 0, 100)
	if err != nil || len(recs) != 4 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	for i, r := range recs {
		if want := map[bool]string{true: "key_00000000000000aa"}[i == 3]; r.KeyID != want {
			t.Errorf("%s: %q", r.Event.ID, r.KeyID)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+segmentExt))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for i, name := range files {
		head, err := os.ReadFile(name)
		if err != nil || int(head[8]) != i+1 || !bytes.HasPrefix(head, []byte(segmentMagic)) {
			t.Errorf("%s has version %d: %v", name, head[8], err)
		}
	}
}
