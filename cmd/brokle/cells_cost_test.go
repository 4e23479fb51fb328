package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// Money has six decimals, and two digits that matter where that takes more: what is not 0 is never written as 0.
func TestCostIsNeverShownAsNothing(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0.000000", 1.5: "1.500000", 0.0149: "0.014900", 0.00001: "0.000010", 0.0000099: "0.0000099", 0.0000075: "0.0000075", 0.0000002: "0.0000002",
		0.00000038: "0.00000038", 0.00000999: "0.000010", 1e-12: "0.000000000001", 1.26e-12: "0.0000000000013", 3e-20: "3.0e-20", -0.0000002: "-0.0000002", -2.5: "-2.500000", 173.0887: "173.088700",
	} {
		if got := cost(&v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	if cost(nil) != "-" {
		t.Error(cost(nil))
	}
	rng := chance.Of(t)
	for range 10_000 {
		v := rng.Float64()
		for range rng.IntN(20) {
			v /= 10
		}
		text := cost(&v)
		read, err := strconv.ParseFloat(text, 64)
		if v > 0 && (err != nil || read < 0.94*v || read > 1.06*v) || strings.HasSuffix(text, ".") {
			t.Fatalf("%v is written as %s", v, text)
		}
	}
}
