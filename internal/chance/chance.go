// Package chance is for tests only: what a random test chooses comes from one seed, which
// the test logs and the flag -seed gives back:
//
//	go test ./internal/entity -run TestFoldOfRandomHistories -seed 42
//
// A seed repeats the choices, not the timing. The tests that rapid drives have its own -rapid.seed.
package chance

import (
	"flag"
	"math/rand/v2"
	"testing"
)

var seed = flag.Uint64("seed", 0, "seed of the random tests; 0 draws one")

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
