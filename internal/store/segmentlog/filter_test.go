package segmentlog

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// filterOf is the filter of n words, word-0 … in raw bytes of payload.
func filterOf(n int, raw int64) (filter []byte, lines int) {
	var set hashSet
	for i := range n {
		set.add(textsearch.WordHash(fmt.Appendf(nil, "word-%d", i)))
	}
	filter = set.appendFilter(nil, raw)
	return filter, len(filter) / bloom.LineBytes
}

func mayHold(filter []byte, word string) bool {
	h := textsearch.WordHash([]byte(word))
	return bloom.LineHas(filter[bloom.LineOf(h, len(filter)/bloom.LineBytes)*bloom.LineBytes:][:bloom.LineBytes], probes, h)
}

// A filter has all of its words, and few others.
func TestFilter(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 10, 1000, 20_000} {
		filter, lines := filterOf(n, 1<<20)
		if most := n*bitsPerWord/(8*bloom.LineBytes) + 1; lines > most || lines < 1 {
			t.Errorf("%d words take %d lines", n, lines)
		}
		for i := range n {
			if !mayHold(filter, fmt.Sprintf("word-%d", i)) {
				t.Fatalf("the filter of %d words has lost one", n)
			}
		}
		wrong := 0
		const asked = 20_000
		for i := range asked {
			if mayHold(filter, fmt.Sprintf("other-%d", i)) {
				wrong++
			}
		}
		if wrong > asked*3/100 {
			t.Errorf("%d words: %d of %d other words pass", n, wrong, asked)
		}
	}
	// Words that are all different do not make the filter larger than its part of the payload.
	filter, _ := filterOf(100_000, 1<<20)
	if len(filter) > 1<<20/32 || !mayHold(filter, "word-99999") {
		t.Errorf("%d bytes", len(filter))
	}
}

// Filter files on disk outlive a program: what a word is, its hash and its bits
// may only change together with FilterVersion.
func TestFilterGolden(t *testing.T) {
	t.Parallel()
	filter, _ := filterOf(1000, 1<<20)
	b := appendFilters(nil, filterHeader{salt: 7, base: 41, end: 9000}, []stretch{
		{first: 41, last: 60, off: headerLen, end: 9000, raw: 1 << 20, events: 20, lines: uint32(len(filter) / bloom.LineBytes), mem: filter},
	})
	var words []byte
	w := textsearch.Words{Found: func(word []byte) { words = append(append(words, word...), '|') }}
	w.Plain([]byte("Don't STOP: 日本語 ſtraße 4711 हिन्दी"))
	if h, sum, cut := textsearch.WordHash([]byte("refund")), crc32.ChecksumIEEE(b), crc32.ChecksumIEEE(words); h != 0xb6b82ed945ea3082 || sum != 0xc9fcbf58 || cut != 0x83712b39 {
		t.Errorf("hash %#x, file %#x, words %#x", h, sum, cut)
	}
}

func TestHashSet(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var set hashSet
	for range 2 {
		want := map[uint64]bool{}
		for range 5000 {
			h := 1 + rng.Uint64N(3000)
			set.add(h)
			want[h] = true
		}
		if set.n != len(want) {
			t.Errorf("%d, want %d", set.n, len(want))
		}
		set.reset()
	}
}

// FuzzFilters reads filter files that are not what was written, with checksums
// that are right and wrong: what is accepted is in order and inside the file.
func FuzzFilters(f *testing.F) {
	filter, lines := filterOf(100, 1<<20)
	whole := appendFilters(nil, filterHeader{salt: 1, base: 1, end: 5000}, []stretch{
		{first: 1, last: 9, off: headerLen, end: 900, raw: 5, events: 9, lines: uint32(lines), mem: filter},
		{first: 12, last: 40, off: 1000, end: 5000, raw: 5, events: 20, lines: uint32(lines), mem: filter},
	})
	f.Add(whole, false)
	f.Add(whole[:len(whole)-1], false)
	f.Add(whole[:headerLen], true)
	f.Add(append(bytes.Clone(whole[:headerLen+stretchLen]), whole[headerLen:]...), true)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, b []byte, sums bool) {
		if sums {
			b = summed(b)
		}
		h, list, err := readFilters(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatal(err)
			}
			return
		}
		var before stretch
		for i, s := range list {
			if s.last < s.first || s.off >= s.end || s.end > h.end || s.lines == 0 || s.at+int64(s.lines)*bloom.LineBytes > int64(len(b)) ||
				i > 0 && (s.first <= before.last || s.off < before.end) {
				t.Fatalf("stretch %d is %+v", i, s)
			}
			before = s
		}
	})
}

// summed makes the checksums of header and directory right.
func summed(b []byte) []byte {
	if len(b) < headerLen {
		return b
	}
	h := filterHeader{salt: 1, base: 1, end: 5000, stretches: uint32((len(b) - headerLen) / stretchLen % 8)}
	directory := b[headerLen:][:int(h.stretches)*stretchLen]
	h.sum = checksum(directory)
	return append(h.append(nil), b[headerLen:]...)
}
