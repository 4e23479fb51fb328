// Package interval says how sure a mean of scores is, and whether two runs over the same items differ by more than chance.
//
// It promises the same answer to the same numbers in every process: what is drawn at random is drawn from a fixed seed.
package interval

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// Confidence is that of all intervals.
	Confidence = 0.95
	// z is the quantile of the normal distribution for Confidence.
	z = 1.959963984540054
	// Draws is how often the items are drawn again for an interval; of very many items fewer times, fewestDraws at least.
	Draws       = 4000
	fewestDraws = 1000
	mostDrawn   = 20_000_000
	seed        = 0x62726f6b6c65
)

// Mean is a mean with the interval in which it is with 95 % confidence.
type Mean struct {
	N    int     `json:"n"` // how many values it is of
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Of is the mean of values; zero of none. Where each value is 0 or 1 the interval is Wilson's (E. B. Wilson, 1927), which holds near 0 and 1, too;
// else it is that of the bootstrap's percentiles (B. Efron, 1979). Values must be finite.
func Of(values []float64) Mean {
	n := len(values)
	if n == 0 {
		return Mean{}
	}
	m := Mean{N: n, Mean: mean(values)}
	if n == 1 && !binary(values) {
		m.Low, m.High = m.Mean, m.Mean
		return m
	}
	if binary(values) {
		m.Low, m.High = wilson(m.Mean, float64(n))
		return m
	}
	drawn := bootstrap(values)
	m.Low, m.High = percentiles(drawn)
	return m
}

// Difference is how much the values of a second run are above those of a first one, over the items that both have.
type Difference struct {
	N          int     `json:"n"`          // items that both have
	MeanA      float64 `json:"mean_a"`     // of these, of the first run
	MeanB      float64 `json:"mean_b"`     // of these, of the second run
	Difference float64 `json:"difference"` // MeanB - MeanA
	Low        float64 `json:"low"`        // of the difference, with 95 % confidence
	High       float64 `json:"high"`
	P          float64 `json:"p"` // two-sided: how often chance alone gives a difference as large; 1 when there is none
	// Significant says that the interval is on one side of zero and P is below 0.05.
	Significant bool `json:"significant"`
}

// Paired compares b with a, which have the same items in the same order. Items are drawn with both of their values (paired bootstrap) for the interval;
// P is that of a test by flipping signs at random.
func Paired(a, b []float64) Difference {
	n := min(len(a), len(b))
	if n == 0 {
		return Difference{P: 1}
	}
	a, b = a[:n], b[:n]
	apart := make([]float64, n)
	for i := range apart {
		apart[i] = b[i] - a[i]
	}
	d := Difference{N: n, MeanA: mean(a), MeanB: mean(b), Difference: mean(apart)}
	if !slices.ContainsFunc(apart, func(x float64) bool { return x != 0 }) {
		d.P = 1
		return d
	}
	d.Low, d.High = percentiles(bootstrap(apart))
	d.P = flipped(apart)
	d.Significant = d.P < 1-Confidence && (d.Low > 0 || d.High < 0)
	return d
}

func mean(values []float64) float64 {
	sum, lost := 0.0, 0.0 // W. Kahan's sum: the order of items is no matter of rounding
	for _, v := range values {
		y := v - lost
		t := sum + y
		lost = (t - sum) - y
		sum = t
	}
	return sum / float64(len(values))
}

func binary(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return v != 0 && v != 1 })
}

func wilson(p, n float64) (low, high float64) {
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, middle-half), min(1, middle+half)
}

func draws(n int) int { return min(Draws, max(fewestDraws, mostDrawn/n)) }

// bootstrap is the means of samples, in order.
func bootstrap(values []float64) []float64 {
	r := rand.New(rand.NewPCG(seed, uint64(len(values))))
	means := make([]float64, draws(len(values)))
	for d := range means {
		sum := 0.0
		for range values {
			sum += values[r.IntN(len(values))]
		}
		means[d] = sum / float64(len(values))
	}
	slices.Sort(means)
	return means
}

func percentiles(sorted []float64) (low, high float64) {
	at := func(q float64) float64 { return sorted[int(math.Round(q*float64(len(sorted)-1)))] }
	return at((1 - Confidence) / 2), at((1 + Confidence) / 2)
}

// flipped is how often the differences are as far from zero when each has a sign by chance.
func flipped(apart []float64) float64 {
	var moved []float64 // zeros have no sign
	sum := 0.0
	for _, x := range apart {
		if x != 0 {
			moved = append(moved, x)
			sum += x
		}
	}
	r := rand.New(rand.NewPCG(seed+1, uint64(len(apart))))
	limit := math.Abs(sum) * (1 - 1e-12)
	as := 1 // what was seen counts
	tries := draws(len(apart))
	for range tries {
		s, bits := 0.0, uint64(0)
		for i, x := range moved {
			if i%64 == 0 {
				bits = r.Uint64()
			}
			if bits>>(i%64)&1 == 1 {
				x = -x
			}
			s += x
		}
		if math.Abs(s) >= limit {
			as++
		}
	}
	return float64(as) / float64(tries+1)
}

// Deviation is the standard deviation of a sample; 0 of fewer than two values.
func Deviation(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}
