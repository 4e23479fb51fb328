package entity_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

func sumOf(amounts ...float64) float64 {
	var m entity.Money
	for _, a := range amounts {
		m.Add(a)
	}
	return m.Sum()
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amounts []float64
		want    float64
	}{
		{nil, 0},
		{[]float64{0.036, 0.012, 0.012, 0.012}, 0.072},
		{[]float64{0.1, 0.2}, 0.3},
		{[]float64{0.3, -0.1, -0.2}, 0},
		{[]float64{-0.1, -0.2}, -0.3},
		{[]float64{-1e-12}, -1e-12},
		{[]float64{1e-12, -3e-12}, -2e-12},
		{[]float64{3.8e-7}, 3.8e-7},
		{[]float64{math.NaN(), 1}, 1},
		{[]float64{1e300, 1e15}, 2e15},
		{[]float64{-1e300, 1e15}, 0},
		{[]float64{1e15, 0.5, -1e15}, 0.5},
		{[]float64{9.2e6, 9.3e6, -18.5e6, 1e-12}, 1e-12}, // on both sides of 64 bits
		{[]float64{-9.3e6, 9.2e6}, -1e5},
	} {
		if got := sumOf(c.amounts...); got != c.want {
			t.Errorf("%v add up to %v, want %v", c.amounts, got, c.want)
		}
	}
}

// A sum is that of the amounts' units as whole numbers, in whatever order.
func TestMoneyIsExact(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	for range 300 {
		amounts := make([]float64, rng.IntN(50))
		var units big.Int
		for i := range amounts {
			n := rng.Int64N(1<<40) - 1<<39
			amounts[i] = float64(n) / 1e12
			units.Add(&units, big.NewInt(n))
		}
		want := float64(units.Int64()) / 1e12
		rng.Shuffle(len(amounts), func(i, j int) { amounts[i], amounts[j] = amounts[j], amounts[i] })
		if got := sumOf(amounts...); got != want {
			t.Fatalf("%v add up to %v, want %v", amounts, got, want)
		}
	}
}
