package varint

import (
	"encoding/binary"
	"testing"
)

// What was written comes back; cut anywhere it is bad, and gives no more than zeros from there on.
func TestReader(t *testing.T) {
	t.Parallel()
	b := binary.AppendUvarint(nil, 1<<40)
	b = binary.AppendVarint(b, -3)
	b = append(b, 7)
	b = AppendString(b, "text")
	b = append(binary.AppendUvarint(b, 2), 8, 9)
	type values struct {
		u      uint64
		i      int64
		c      string
		s      string
		n      int
		behind string
	}
	read := func(r *Reader) values {
		v := values{r.Uvarint(), r.Varint(), string(r.Take(1)), string(r.Bytes()), r.Count(1), ""}
		v.behind = string(r.Take(uint64(v.n)))
		return v
	}
	want := values{1 << 40, -3, "\x07", "text", 2, "\x08\x09"}
	r := &Reader{B: b}
	if got := read(r); got != want || r.Bad || len(r.B) != 0 {
		t.Errorf("%+v, %+v", got, r)
	}
	for n := range len(b) {
		r := &Reader{B: b[:n]}
		if read(r); !r.Bad || r.Uvarint() != 0 || r.Take(1) != nil || r.Count(1) != 0 {
			t.Errorf("cut after %d bytes: %+v", n, r)
		}
	}
}
