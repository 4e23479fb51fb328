package segmentlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A start with thousands of blocks reads headers, not payloads, and only those the
// index has not seen; files stay bounded.
func TestOpenManyBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := Options{SegmentBytes: 256 << 10, MaxOpenFiles: 3}
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	const n = 1000
	for i := range n {
		if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), 4, 300)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	l = openTest(t, nil, dir, o)
	t.Logf("opened %d blocks in %d segments in %s", n, l.Stats().Segments, time.Since(began))
	for seq := entity.Seq(1); seq <= 4*n; seq += 97 {
		if recs, err := l.Get(context.Background(), []entity.Seq{seq}); err != nil || len(recs) != 1 {
			t.Fatalf("get %d: %v", seq, err)
		}
	}
	l.handles.mu.Lock()
	defer l.handles.mu.Unlock()
	if len(l.handles.open) > o.MaxOpenFiles {
		t.Errorf("%d files open", len(l.handles.open))
	}
}

// A file of a later version, or under another's name, is refused, not read wrongly.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	mem := written(t, Options{}, 1, 1)
	b := readFile(t, mem, segmentFiles(t, mem)[0])
	later := bytes.Clone(b)
	later[8] = FormatVersion + 1
	sum := checksum(later[:60])
	later[60], later[61], later[62], later[63] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
	for name, content := range map[string][]byte{
		segmentName(1):  later,
		segmentName(77): b,
	} {
		fs := mem.CrashClone(vfs.CrashCloneCfg{})
		writeFile(t, fs, "log/"+name, content, true)
		l, err := Open("log", Options{FS: fs})
		if err == nil {
			t.Errorf("%s was opened", name)
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A damaged segment header costs no event.
func TestDamagedHeader(t *testing.T) {
	t.Parallel()
	mem := written(t, Options{}, 3, 2)
	path := segmentFiles(t, mem)[0]
	b := readFile(t, mem, path)
	clear(b[:headerLen])
	writeFile(t, mem, path, b, true)
	l := openTest(t, mem, "log", Options{})
	if recs, err := storetest.ReadAll(l); err != nil || len(recs) != 6 {
		t.Errorf("%d records, %v", len(recs), err)
	}
}

// Someone's payload that is a block, byte for byte but for the salt, is never
// taken for one, even when the block around it is damaged.
func TestForgedBlock(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mem := vfs.NewCrashableMem()
	l, err := Open("log", Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(ctx, testBatch("a", 1, 10)); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 16<<10) // does not compress, so the block keeps it as it is
	rng := rand.NewChaCha8([32]byte{1})
	if _, err := rng.Read(noise); err != nil {
		t.Fatal(err)
	}
	e := testBatch("planted", 1, 1).Events[0]
	e.Payload = noise
	forged := goldenBlock(kindEvents, 3, []batch{{project: "p1"}}, []wire.Event{e}, nil, nil, nil)
	inner := append(append(forged.h.append(nil), forged.meta...), forged.body...)
	b := testBatch("evil", 1, 10)
	b.Events[0].Payload = inner
	if _, err := l.Append(ctx, b); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	path := segmentFiles(t, mem)[0]
	file := readFile(t, mem, path)
	planted := bytes.Index(file, inner)
	if planted < 0 {
		t.Fatal("the payload was compressed")
	}
	at := bytes.LastIndex(file[:planted], []byte(blockMagic))
	file[at+20] ^= 1
	writeFile(t, mem, path, file, true)
	l = openTest(t, mem, "log", Options{})
	recs, err := storetest.ReadAll(l)
	if err != nil || len(recs) != 1 || recs[0].Event.ID != "a-0" {
		t.Errorf("%d records, %v", len(recs), err)
	}
}

// What an operator reads names the file and the bytes, and no payload or id.
func TestTornTailIsReported(t *testing.T) {
	t.Parallel()
	mem := written(t, Options{}, 3, 2)
	path := segmentFiles(t, mem)[0]
	b := readFile(t, mem, path)
	writeFile(t, mem, path, b[:len(b)-5], true)
	var out bytes.Buffer
	l := openTest(t, mem, "log", Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	st := l.Stats()
	if st.TornBytes == 0 || !strings.Contains(out.String(), fmt.Sprintf("torn_bytes=%d", st.TornBytes)) || !strings.Contains(out.String(), path) {
		t.Errorf("%d torn bytes, log:\n%s", st.TornBytes, out.String())
	}
	if st.Head < 6 {
		t.Errorf("head %d: a lost seq would be given out again", st.Head)
	}
}

// A batch that no block can hold is refused for good, not as unavailable.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	l := openTest(t, vfs.NewMem(), "log", Options{})
	b := testBatch("a", 0, 0)
	big := make([]byte, 64<<20)
	for range maxBody/len(big) + 1 {
		e := testBatch("a", 1, 1).Events[0]
		e.Payload = big
		b.Events = append(b.Events, e)
	}
	if _, err := l.Append(context.Background(), b); err == nil || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
