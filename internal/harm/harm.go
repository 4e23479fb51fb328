// Package harm is for tests only: it damages files, as disks do.
package harm

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// File puts what harm makes of a file's content in its place.
func File(t testing.TB, path string, harm func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, harm(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Any does that to one of the files of a pattern.
func Any(t testing.TB, rng *rand.Rand, pattern string, harm func([]byte) []byte) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file is %s: %v", pattern, err)
	}
	File(t, files[rng.IntN(len(files))], harm)
}

// Flip turns the lowest bit of the byte at a place, from the end when that is negative.
func Flip(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 1
		return b
	}
}

// FlipAny turns one bit somewhere.
func FlipAny(rng *rand.Rand) func([]byte) []byte {
	return func(b []byte) []byte {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		return b
	}
}

// Cut leaves n bytes, or all but so many when n is negative.
func Cut(n int) func([]byte) []byte {
	return func(b []byte) []byte {
		if n < 0 {
			n += len(b)
		}
		return b[:n]
	}
}

// Edit puts to in the place of the first from, which is there.
func Edit(t testing.TB, from, to string) func([]byte) []byte {
	return func(b []byte) []byte {
		t.Helper()
		if !bytes.Contains(b, []byte(from)) {
			t.Fatalf("%q is not in %s", from, b)
		}
		return bytes.Replace(b, []byte(from), []byte(to), 1)
	}
}
