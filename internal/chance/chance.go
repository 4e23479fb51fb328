// Package chance is for tests only: what a random test chooses comes from one seed, which
// the test logs and the flag -seed gives back:
//
//	go test ./internal/entity -run TestFoldOfRandomHistories -seed 42
//
// A seed repeats the choices, not the timing. A test has as many rounds as a commit can
// wait for; -times 10 makes them ten times as many.
package chance

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var (
	seed  = flag.Uint64("seed", 0, "seed of the random tests; 0 draws one")
	times = flag.Int("times", 1, "how many times as many rounds the random tests make")
)

// Seed is the flag's, or a new one. The test logs it.
func Seed(t testing.TB) uint64 {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-seed=%d", s)
	return s
}

// Of is a source of choices for the test, whose seed it logs.
func Of(t testing.TB) *rand.Rand {
	t.Helper()
	return From(Seed(t), 0)
}

// From is a source of choices with this seed. Streams of one seed differ: a goroutine or
// a part of a test each takes its own.
func From(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// Rounds is how many rounds a test makes that makes n in the run before a commit.
func Rounds(n int) int { return n * *times }

var checking sync.Mutex // held while rapid's flags are those of one test

// Check has rapid try a property n times, fewer with -short, with the seed that the test
// logs. What rapid finds it shrinks, and leaves in testdata/rapid, where it is run again first.
func Check(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	checking.Lock()
	defer checking.Unlock()
	for name, value := range map[string]any{"rapid.seed": Seed(t), "rapid.checks": Rounds(n)} {
		f := flag.Lookup(name)
		if f.Value.String() != f.DefValue {
			continue // given by hand
		}
		if err := f.Value.Set(fmt.Sprint(value)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	rapid.Check(t, property)
}
