package interval

import (
	"math"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

func TestWilson(t *testing.T) {
	// 8 of 10: the interval that the literature gives for it.
	values := []float64{1, 1, 1, 1, 1, 1, 1, 1, 0, 0}
	m := Of(values)
	if m.N != 10 || m.Mean != 0.8 || math.Abs(m.Low-0.4902) > 1e-4 || math.Abs(m.High-0.9433) > 1e-4 {
		t.Errorf("8 of 10: %+v", m)
	}
	if m := Of([]float64{1, 1, 1}); m.High != 1 || m.Low >= 1 || m.Low < 0.4 {
		t.Errorf("3 of 3 are not certain: %+v", m)
	}
	if m := Of(nil); m != (Mean{}) {
		t.Errorf("of nothing: %+v", m)
	}
	if m := Of([]float64{0.4}); m.Low != 0.4 || m.High != 0.4 {
		t.Errorf("of one: %+v", m)
	}
}

// The interval of a mean holds the true one in about 95 of 100 samples.
func TestCoverage(t *testing.T) {
	r := chance.Of(t)
	const samples = 300
	held := 0
	for range samples {
		values := make([]float64, 60)
		for i := range values {
			values[i] = (r.Float64() + r.Float64() + r.Float64()) / 3 // its mean is 0.5
		}
		if m := Of(values); m.Low <= 0.5 && 0.5 <= m.High {
			held++
		}
	}
	if held < samples*88/100 {
		t.Errorf("%d of %d intervals hold the mean", held, samples)
	}
}

// Two runs that differ by chance alone are rarely told apart, two that differ are.
func TestPaired(t *testing.T) {
	r := chance.Of(t)
	const n = 400
	run := func(p float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			if r.Float64() < p {
				values[i] = 1
			}
		}
		return values
	}
	wrong := 0
	for range 60 {
		if Paired(run(0.6), run(0.6)).Significant {
			wrong++
		}
	}
	if wrong > 12 {
		t.Errorf("%d of 60 pairs without a difference are told apart", wrong)
	}
	if d := Paired(run(0.4), run(0.6)); !d.Significant || d.Low <= 0 || d.P > 0.01 || d.N != n {
		t.Errorf("40 %% and 60 %%: %+v", d)
	}
}

func TestPairedIsTheSameEachTime(t *testing.T) {
	a, b := []float64{0, 1, 0, 1, 0.5}, []float64{1, 1, 0.2, 1, 1}
	first := Paired(a, b)
	if again := Paired(a, b); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	if turned := Paired(b, a); turned.Difference != -first.Difference {
		t.Errorf("%+v the other way round is %+v", first, turned)
	}
	if same := Paired(a, a); same.Significant || same.P != 1 || same.Difference != 0 {
		t.Errorf("the same run: %+v", same)
	}
	if none := Paired(nil, nil); none.N != 0 || none.P != 1 {
		t.Errorf("no items: %+v", none)
	}
}
