package price

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

func TestAmounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Amount{
		"0": 0, "2.5": 2_500_000_000_000, "0.0000005": 500_000, "0.000000000001": 1, "600": 600 * USD, "8999999.999999999999": 8999999999999999999,
	} {
		a, err := ParseAmount(text)
		if err != nil || a != want || a.String() != text {
			t.Errorf("%s: %d %v, written as %s", text, a, err, a)
		}
	}
	for _, text := range []string{"", ".5", "5.", "-1", "+1", "1e-6", "0.0000000000001", "1,5", "10000000", "9999999", "9000000", "9000000.000001", "9223372.036854775807", "1.2.3", "NaN", " 1", "0x1"} {
		if a, err := ParseAmount(text); err == nil {
			t.Errorf("%q is %s", text, a)
		}
	}
	if a := Amount(-1_500_000_000_000); a.String() != "-1.5" {
		t.Errorf("%s", a)
	}
	if d := Amount(500_000).Dollars(); d != 0.0000005 {
		t.Errorf("%v", d)
	}
}

// An amount as a float64 is the nearest there is, so that it is written as it was read: with 12 decimals below 8,192 USD, with 6 up to 9 million.
func TestDollarsAreTheNearest(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	for range 20_000 {
		whole, part, decimals := rng.Int64N(9_000_000), rng.Int64N(1e6), 6
		if rng.IntN(2) == 0 {
			whole, part, decimals = rng.Int64N(8_192), rng.Int64N(1e12), 12
		}
		text := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%0*d", whole, decimals, part), "0"), ".")
		if text == "" || strings.HasSuffix(fmt.Sprintf("%d", whole), "0") && part == 0 {
			continue // the zeros that were cut were not decimals
		}
		a, err := ParseAmount(text)
		if got := strconv.FormatFloat(a.Dollars(), 'f', -1, 64); err != nil || got != text {
			t.Fatalf("%s: %v, written as %s", text, err, got)
		}
	}
}

// Ten million calls of 0.0000005 USD are 5 USD: nothing drifts.
func TestSumsAreExact(t *testing.T) {
	t.Parallel()
	book := Builtin()
	one := &Call{Provider: "openai", Answered: "gpt-4.1-nano", Start: moment(t, someDay), Usage: Usage{Input: 5}}
	sum, drifts := Amount(0), 0.0
	for range 10_000_000 {
		cost, reason := book.Price(one)
		if reason != Priced {
			t.Fatal(reason)
		}
		sum += cost.Total
		drifts += cost.Total.Dollars()
	}
	if sum.String() != "5" {
		t.Errorf("%s", sum)
	}
	if drifts == 5 {
		t.Error("a sum of float64 is 5, too: this test shows nothing")
	}
}

// A part is the product rounded once, half to even, whatever its size.
func TestRounding(t *testing.T) {
	t.Parallel()
	random := chance.Of(t)
	check := func(rate Amount, tokens int64) {
		product := new(big.Int).Mul(big.NewInt(int64(rate)), big.NewInt(tokens))
		want, rest := new(big.Int).DivMod(product, big.NewInt(million), new(big.Int))
		if half := rest.Cmp(big.NewInt(million / 2)); half > 0 || half == 0 && want.Bit(0) == 1 {
			want.Add(want, big.NewInt(1))
		}
		got, ok := rate.times(tokens)
		if ok != want.IsInt64() || ok && int64(got) != want.Int64() {
			t.Fatalf("%d times %d: %d %v, want %s", rate, tokens, got, ok, want)
		}
	}
	for _, c := range [][2]int64{{500_000, 1}, {500_000, 3}, {500_001, 1}, {499_999, 1}, {1, 1}, {0, 5}, {mostAmount, 1_000_000}, {mostAmount, 1_000_001}, {mostAmount, mostAmount}} {
		check(Amount(c[0]), c[1])
	}
	for range chance.Rounds(100_000) {
		check(Amount(random.Int64()>>random.IntN(60)), random.Int64()>>random.IntN(60))
	}
}
