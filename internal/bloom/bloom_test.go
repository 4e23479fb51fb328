package bloom

import (
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// What was added is there, in memory and in the form of a file; of the rest, little seems to be.
func TestFilter(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	for _, c := range []struct{ lines, probes, bitsPerHash, oneIn int }{{1, 6, 10, 20}, {2000, 6, 10, 40}, {2000, 7, 32, 10_000}} {
		f := New(c.lines, c.probes)
		hashes := make([]uint64, f.Bytes()*8/c.bitsPerHash)
		seemed := 0
		for i := range hashes {
			hashes[i] = rng.Uint64()
			if f.Add(hashes[i]) {
				seemed++
			}
			if !f.Add(hashes[i]) {
				t.Errorf("%+v: a hash that was just added is new", c)
			}
		}
		if seemed > 1+len(hashes)/c.oneIn {
			t.Errorf("%+v: %d of %d new hashes seemed to be old", c, seemed, len(hashes))
		}
		file := f.Append([]byte("before"))[len("before"):]
		if len(file) != f.Bytes() {
			t.Fatalf("%+v: %d bytes in a file, %d in memory", c, len(file), f.Bytes())
		}
		inFile := func(h uint64) bool {
			return LineHas(file[LineOf(h, c.lines)*LineBytes:][:LineBytes], c.probes, h)
		}
		back, half := From(file, c.probes), f
		if f.Lines()%4 == 0 {
			half = f.Half().Half()
		}
		for _, h := range hashes {
			if !f.Has(h) || !inFile(h) || !back.Has(h) || !half.Has(h) {
				t.Fatalf("%+v: %#x is lost: %t %t %t %t", c, h, f.Has(h), inFile(h), back.Has(h), half.Has(h))
			}
		}
		wrong := 0
		const asked = 100_000
		for range asked {
			h := rng.Uint64()
			if f.Has(h) != inFile(h) || f.Has(h) != back.Has(h) {
				t.Fatalf("%+v: file and memory do not agree about %#x", c, h)
			}
			if f.Has(h) {
				wrong++
			}
		}
		if wrong > asked/c.oneIn {
			t.Errorf("%+v: %d of %d wrong answers", c, wrong, asked)
		}
	}
}

// The form in a file is what files of earlier releases have.
func TestForm(t *testing.T) {
	t.Parallel()
	f := New(3, 6)
	f.Add(0x0123456789abcdef)
	f.Add(0xfedcba9876543210)
	var set []int
	for i, b := range f.Append(nil) {
		for bit := range 8 {
			if b>>bit&1 != 0 {
				set = append(set, 8*i+bit)
			}
		}
	}
	want := []int{123, 157, 242, 263, 300, 415, 1084, 1410, 1446, 1494, 1502, 1512}
	if !slices.Equal(set, want) {
		t.Errorf("set bits are %v, want %v", set, want)
	}
}
