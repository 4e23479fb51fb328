package segmentlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// exported copies the Log as a backup does; between two segments it calls meanwhile.
func exported(t *testing.T, l *Log, meanwhile func()) (fs *vfs.MemFS, head entity.Seq) {
	t.Helper()
	got := map[string][]byte{}
	head, err := l.Export(context.Background(), func(c SegmentCopy) error {
		half := make([]byte, c.Size/2)
		if _, err := io.ReadFull(c.Data, half); err != nil {
			return err
		}
		meanwhile() // in the middle of a file, too
		rest, err := io.ReadAll(c.Data)
		if err != nil {
			return err
		}
		if n := int64(len(half) + len(rest)); n != c.Size {
			t.Errorf("%d bytes instead of %d", n, c.Size)
		}
		for name := range got {
			if name >= c.Name {
				delete(got, name)
			}
		}
		got[c.Name] = append(half, rest...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fs = vfs.NewMem()
	if err := fs.MkdirAll("log", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range got {
		writeFile(t, fs, "log/"+name, b, true)
	}
	return fs, head
}

// Whatever is appended, recompressed, erased and trimmed while it is copied: the copy is a Log that
// has every event of before the copy once, but for those that were erased, and Check finds it whole.
func TestExportWhileItChanges(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	for range chance.Rounds(7) {
		l := openTest(t, vfs.NewMem(), "log", Options{SegmentBytes: 8 << 10, TailBytes: 1, IdleAfter: time.Nanosecond})
		n := 0
		appendSome := func() {
			for range 1 + rng.IntN(6) {
				n++
				if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", n, "-"), 1+rng.IntN(5), 400)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 8 {
			appendSome()
		}
		want := map[string]bool{}
		all := records(t, l)
		for _, r := range all {
			want[r.Event.ID] = true
		}
		fs, head := exported(t, l, func() {
			switch rng.IntN(4) {
			case 0:
				appendSome()
			case 1:
				sealNow(t, l)
				packAll(t, l)
			case 2:
				r := all[rng.IntN(len(all))]
				delete(want, r.Event.ID) // it may be there, or not
				if err := l.Erase(context.Background(), []entity.Seq{r.Seq}); err != nil {
					t.Fatal(err)
				}
			}
		})
		report, err := Check(context.Background(), "log", CheckOptions{FS: fs, Filters: true})
		if err != nil || len(report.Findings)+len(report.Gaps) > 0 || report.Last != head || head < all[len(all)-1].Seq {
			t.Fatalf("head %d, %+v, %v", head, report, err)
		}
		seen := map[string]int{}
		for _, r := range records(t, openTest(t, fs, "log", Options{})) {
			seen[r.Event.ID]++
		}
		for id := range want {
			if seen[id] != 1 {
				t.Fatalf("%s is there %d times", id, seen[id])
			}
		}
		for id, times := range seen {
			if times != 1 {
				t.Fatalf("%s is there %d times", id, times)
			}
		}
	}
}

func records(t *testing.T, l *Log) (all []entity.Record) {
	t.Helper()
	for at, head := entity.Seq(0), l.Head(); at < head; {
		recs, upto, err := l.Read(context.Background(), at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, recs...)
		at = upto
	}
	return all
}

// Check names what is wrong with a file, and lets a torn tail pass as what a crash leaves.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	build := func() (*vfs.MemFS, []string) {
		mem := vfs.NewMem()
		l := openTest(t, mem, "log", Options{SegmentBytes: 2 << 10, TailBytes: 1})
		for i := range 12 {
			if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i, "-"), 4, 400)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		files := segmentFiles(t, mem)
		slices.Sort(files)
		if len(files) < 3 {
			t.Fatalf("only %v", files)
		}
		return mem, files
	}
	change := func(mem *vfs.MemFS, file string, f func([]byte) []byte) {
		writeFile(t, mem, file, f(readFile(t, mem, file)), true)
	}
	for _, c := range []struct {
		name   string
		damage func(mem *vfs.MemFS, files []string)
		says   string // of a finding of the middle file; "" for none
		normal bool
		gaps   int
	}{
		{"whole", func(*vfs.MemFS, []string) {}, "", false, 0},
		{"a byte of a body", func(mem *vfs.MemFS, files []string) {
			change(mem, files[1], func(b []byte) []byte { b[headerLen+400] ^= 1; return b })
		}, "are lost", false, 0},
		{"a byte of a header", func(mem *vfs.MemFS, files []string) {
			change(mem, files[1], func(b []byte) []byte { b[headerLen+13] ^= 1; return b })
		}, "are lost", false, 0},
		{"a byte of the segment's header", func(mem *vfs.MemFS, files []string) {
			change(mem, files[1], func(b []byte) []byte { b[20] ^= 1; return b })
		}, "checksum of segment header", false, 0},
		{"the end of a file", func(mem *vfs.MemFS, files []string) {
			change(mem, files[1], func(b []byte) []byte { return b[:len(b)-100] })
		}, "not whole blocks", false, 1},
		{"a whole file", func(mem *vfs.MemFS, files []string) {
			if err := mem.Remove(files[1]); err != nil {
				t.Fatal(err)
			}
		}, "is missing: put it back", false, 1},
		{"the first file", func(mem *vfs.MemFS, files []string) {
			if err := mem.Remove(files[0]); err != nil {
				t.Fatal(err)
			}
		}, "is missing: put it back", false, 0},
		{"the list of segments", func(mem *vfs.MemFS, _ []string) {
			change(mem, "log/"+listFile, func(b []byte) []byte { return b[1:] })
		}, "the list of segments", false, 0},
		{"the end of the last file", func(mem *vfs.MemFS, files []string) {
			last := files[len(files)-1]
			change(mem, last, func(b []byte) []byte { return b[:len(b)-100] })
		}, "as a crash leaves them", true, 0},
	} {
		mem, files := build()
		c.damage(mem, files)
		report, err := Check(ctx, "log", CheckOptions{FS: mem})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(report.Gaps) != c.gaps {
			t.Errorf("%s: gaps %v", c.name, report.Gaps)
		}
		switch {
		case c.says == "" && len(report.Findings) > 0, c.says != "" && len(report.Findings) == 0:
			t.Errorf("%s: %+v", c.name, report.Findings)
		case c.says != "" && (!strings.Contains(report.Findings[0].What, c.says) || report.Findings[0].Normal != c.normal):
			t.Errorf("%s: %+v", c.name, report.Findings)
		}
	}
	mem, files := build()
	change(mem, files[1], func(b []byte) []byte {
		b[8] = FormatVersion + 1
		binary.LittleEndian.PutUint32(b[60:], checksum(b[:60]))
		return b
	})
	if err := CheckFormat(mem, "log"); err == nil || !strings.Contains(err.Error(), "format version 3 and this program reads up to 2") {
		t.Errorf("a later version: %v", err)
	}
	if _, err := Check(ctx, "log", CheckOptions{FS: mem}); err == nil || errors.Is(err, errDamaged) {
		t.Errorf("a later version: %v", err)
	}
}

// A filter file that is damaged, or another segment's, is named as what may be deleted.
func TestCheckFilters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := Open(dir, Options{SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if _, err := l.Append(context.Background(), realistic(i, 100)); err != nil {
			t.Fatal(err)
		}
	}
	sealNow(t, l)
	runTidy(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	check := func() []Finding {
		t.Helper()
		report, err := Check(context.Background(), dir, CheckOptions{Filters: true})
		if err != nil {
			t.Fatal(err)
		}
		return report.Findings
	}
	if f := check(); len(f) > 0 {
		t.Fatalf("%+v", f)
	}
	name := filterFiles(t, dir)[0]
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := check(); len(f) != 1 || !f[0].Filter || !strings.Contains(f[0].What, "checksum") {
		t.Errorf("%+v", f)
	}
}
