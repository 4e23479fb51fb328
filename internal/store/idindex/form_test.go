package idindex

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/durable"
)

// The test vector of the paper's appendix A: the key is 00 … 0f, the message 00 … 0e.
func TestSipHash(t *testing.T) {
	t.Parallel()
	secret := [2]uint64{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	message := make([]byte, 15)
	for i := range message {
		message[i] = byte(i)
	}
	if got := sip(secret, message); got != 0xa129ca6149be45e5 {
		t.Errorf("%#x", got)
	}
}

// No two of project, id and kind have the same message and kind; keys differ with the secret.
func TestKeys(t *testing.T) {
	t.Parallel()
	var buf []byte
	seen := map[uint64]string{}
	for _, secret := range [][2]uint64{{1, 2}, {1, 3}} {
		h := newHasher(secret, 0)
		for _, pair := range [][2]string{{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}, {"a\x00", "bc"}, {"a", "\x00bc"}} {
			for kind := range kinds {
				key, what := h.key(kind, pair[0], pair[1], &buf), fmt.Sprint(secret, kind, pair)
				if old, ok := seen[key]; ok {
					t.Errorf("%s has the key of %s", what, old)
				}
				seen[key] = what
				if Kind(key)%kinds != kind {
					t.Errorf("%s: the key says %v", what, Kind(key)%kinds)
				}
			}
		}
	}
}

// A table holds what was put in, in order, however the keys lie and however many there are.
func TestTable(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	for round := range chance.Rounds(20) {
		x, mask := newTable(1+rng.IntN(200)), ^uint64(0)<<(8*rng.IntN(8))
		var all []entry
		for i := range rng.IntN(1000) {
			e := entry{rng.Uint64() & mask, uint64(i + 1), rng.Int64N(100)}
			x.put(e)
			all = append(all, e)
		}
		slices.SortFunc(all, func(a, b entry) int {
			if a.before(&b) {
				return -1
			}
			return 1
		})
		has := slices.DeleteFunc(slices.Clone(x.slots), func(e entry) bool { return e.seq == 0 })
		if !slices.Equal(has, all) || x.n != len(all) {
			t.Fatalf("round %d: %d entries of %d, or not in order", round, len(has), len(all))
		}
		for _, e := range all {
			var got []entry
			x.get(e.key, func(o entry) bool { got = append(got, o); return true })
			if !slices.Contains(got, e) || slices.ContainsFunc(got, func(o entry) bool { return o.key != e.key }) {
				t.Fatalf("round %d: %v gives %v", round, e, got)
			}
		}
	}
}

// wholeRun is the file of a run of some entries.
func wholeRun(t testing.TB, entries int) []byte {
	t.Helper()
	fs := vfs.NewMem()
	x := &Index{fs: fs, dir: "", next: 1}
	w, err := x.newWriter(entries, 1000)
	for i := 0; i < entries && err == nil; i++ {
		err = w.add(entry{uint64(i) << 50, uint64(i + 1), 1000 + int64(i)})
	}
	r, err := w.end(err)
	if err != nil {
		t.Fatal(err)
	}
	b, err := fs.UnsafeGetFileDataBuffer(r.path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

// A run comes back as it was written: entry by entry, and key by key.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 1000} {
		r := opened(t, wholeRun(t, n))
		m, err := newMerger([]*run{r}, func(int64) bool { return false })
		for i := 0; i < n && err == nil; i++ {
			want := entry{uint64(i) << 50, uint64(i + 1), 1000 + int64(i)}
			if !m.ok || m.e != want {
				t.Fatalf("%d of %d: %v %v", i, n, m.e, m.ok)
			}
			found := false
			var buf []byte
			if err := r.get(want.key, &buf, func(e entry) bool { found = e == want; return !found }); err != nil || !found {
				t.Fatalf("%d of %d: not found, %v", i, n, err)
			}
			err = m.advance()
		}
		if err != nil || m.ok {
			t.Errorf("%d: %v, and more: %v", n, err, m.ok)
		}
	}
}

// opened opens a run that is whole.
func opened(t testing.TB, file []byte) *run {
	t.Helper()
	r, err := openFile(t, file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// openFile opens what may be a run.
func openFile(t testing.TB, file []byte) (*run, error) {
	t.Helper()
	fs := vfs.NewMem()
	if err := durable.ReplaceIn(fs, "r", file); err != nil {
		t.Fatal(err)
	}
	r, err := openRun(fs, "r", 1)
	if err == nil {
		r.filter, err = r.loadFilter()
	}
	return r, err
}

// FuzzRun gives the reader anything, with the checksums put right: it reports it or reads it, and never panics.
func FuzzRun(f *testing.F) {
	f.Add(wholeRun(f, 3), uint64(1)<<50)
	f.Add(wholeRun(f, 300), uint64(7)<<50)
	f.Add([]byte(runMagic), uint64(0))
	f.Fuzz(func(t *testing.T, file []byte, key uint64) {
		if n := len(file) - footerLen; n >= 0 {
			var whole footer
			b := append(file[n:len(file)-4:len(file)-4], 0, 0, 0, 0)
			sum := checksum(b[:footerLen-4])
			for i := range 4 {
				b[footerLen-4+i] = byte(sum >> (8 * i))
			}
			if whole.parse(b, int64(len(file))) == nil && whole.pages < 1<<20 {
				whole.pageSum = checksum(file[whole.pagesAt():whole.filterAt()])
				whole.filterSum = checksum(file[whole.filterAt():n])
				file = whole.append(bytes.Clone(file[:n]))
			}
		}
		r, err := openFile(t, file)
		if err != nil {
			return // it was reported
		}
		var buf []byte
		if err := r.get(key, &buf, func(entry) bool { return true }); err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("a look-up: %v", err)
		}
		m, err := newMerger([]*run{r}, func(int64) bool { return false })
		for err == nil && m.ok {
			err = m.advance()
		}
		if err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("a merge: %v", err)
		}
	})
}

// FuzzManifest gives the reader anything, with the checksum put right.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"cursor":7,"secret":[1,2],"next":3,"runs":[{"number":2,"sum":9}],"pending":[{"project":"p","id":"j","batch":"b","request":5}]}`))
	f.Add([]byte(`{"cursor":-1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, rest []byte) {
		var m manifest
		if m.unmarshal(rest) == nil {
			t.Fatal("there is no first line, and no error")
		}
		b := append(fmt.Appendf(nil, manifestHead, FormatVersion, checksum(rest)), rest...)
		if m.unmarshal(b) != nil {
			return
		}
		again, err := m.marshal()
		var n manifest
		if err != nil || n.unmarshal(again) != nil || n.Cursor != m.Cursor || len(n.Runs) != len(m.Runs) || len(n.Pending) != len(m.Pending) {
			t.Fatalf("%+v comes back as %+v, %v", m, n, err)
		}
	})
}
