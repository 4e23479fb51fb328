package idindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/varint"
)

// splitKey takes the key of an id apart; only tests need to.
func splitKey(k []byte) (kind byte, project, id string, ok bool) {
	if len(k) < 2 || k[0] != format {
		return 0, "", "", false
	}
	r := varint.Reader{B: k[2:]}
	project = string(r.Bytes())
	return k[1], project, string(r.B), !r.Bad
}

func FuzzKey(f *testing.F) {
	seeds := []string{
		"", "a", "ab", "default", "\x00", "\x01a", "\xff\xff", "01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "FFFFFFFFFFFFFFFFFFFFFFFFFF",
		"550e8400e29b41d4a716446655440000", "evt_550e8400", string(bytes.Repeat([]byte("x"), 128)), string(bytes.Repeat([]byte("p"), 64)),
	}
	for i, s := range seeds {
		f.Add(s, seeds[(i+1)%len(seeds)], seeds[(i+2)%len(seeds)], seeds[(i+3)%len(seeds)])
	}
	f.Add("a", "bc", "ab", "c")
	f.Fuzz(func(t *testing.T, p1, id1, p2, id2 string) {
		k1, k2 := appendKey(nil, kindMark, p1, id1), appendKey(nil, kindMark, p2, id2)
		if kind, p, id, ok := splitKey(k1); !ok || kind != kindMark || p != p1 || id != id1 {
			t.Fatalf("%q %q comes back as %d %q %q %v", p1, id1, kind, p, id, ok)
		}
		if same := p1 == p2 && id1 == id2; same != bytes.Equal(k1, k2) {
			t.Fatalf("(%q,%q) and (%q,%q): same key %v", p1, id1, p2, id2, !same)
		}
		if bytes.Equal(k1, appendKey(nil, kindFailed, p1, id1)) {
			t.Fatal("two kinds share a key")
		}
		if p1 != p2 && bytes.HasPrefix(k2, appendPrefix(nil, kindMark, p1)) {
			t.Fatalf("a key of project %q lies among those of %q", p2, p1)
		}
	})
}

// FuzzValue gives the parsers anything: they report it or read it, and never panic.
func FuzzValue(f *testing.F) {
	f.Add(appendMark(nil, 1, 2))
	f.Add(appendMark(nil, -1, 1<<63))
	f.Add(jobValue{request: 7, status: JobAdded, created: 1, batchID: "b"}.append(nil))
	f.Add(jobValue{expires: 9, request: 7, result: 8, status: JobFailed, completed: 2}.append(nil))
	f.Add(bytes.Repeat([]byte{0xff}, 11))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, v []byte) {
		if e, seq, err := parseMark(v); err == nil {
			if e2, seq2, err := parseMark(appendMark(nil, e, seq)); e2 != e || seq2 != seq || err != nil {
				t.Fatalf("mark %d %d comes back as %d %d %v", e, seq, e2, seq2, err)
			}
		} else if !errors.Is(err, errCorrupt) {
			t.Fatal(err)
		}
		if j, err := parseJob(v); err == nil {
			if j2, err := parseJob(j.append(nil)); j2 != j || err != nil {
				t.Fatalf("job %+v comes back as %+v %v", j, j2, err)
			}
		} else if !errors.Is(err, errCorrupt) {
			t.Fatal(err)
		}
	})
}

func TestDueKeysSortByTime(t *testing.T) {
	t.Parallel()
	var last []byte
	for _, minute := range []int64{0, 1, 255, 256, 29_000_000, 1 << 40} {
		for _, block := range []entity.Seq{1, 255, 256, 1 << 33} {
			k := appendDueKey(nil, kindMarkDue, minute, block)
			if len(k) != dueKeyLen || dueKeyMinute(k) != minute || binary.BigEndian.Uint64(k[10:]) != uint64(block) {
				t.Fatalf("due key %x", k)
			}
			if bytes.Compare(last, k) >= 0 {
				t.Fatalf("%x does not lie behind %x", k, last)
			}
			last = k
		}
	}
}

func TestDueMinute(t *testing.T) {
	t.Parallel()
	for micros, want := range map[int64]int64{
		-5 * minuteMicros: 0, 0: 0, 1: 1, minuteMicros - 1: 1, minuteMicros: 1, minuteMicros + 1: 2,
	} {
		if got := dueMinute(micros); got != want {
			t.Errorf("what expires at %d µs is due in minute %d, want %d", micros, got, want)
		}
	}
}

func TestUvarintLen(t *testing.T) {
	t.Parallel()
	for shift := range 64 {
		for _, u := range []uint64{1<<shift - 1, 1 << shift} {
			if got, want := uvarintLen(u), len(binary.AppendUvarint(nil, u)); got != want {
				t.Errorf("%d takes %d bytes, want %d", u, got, want)
			}
		}
	}
}
