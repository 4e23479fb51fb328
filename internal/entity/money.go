package entity

import (
	"math"
	"math/bits"
	"slices"
)

// Money adds amounts exactly, in units of 1e-12: the sum does not depend on the order,
// and 0.036 + 0.012 + 0.024 is 0.072. It is the only way in which costs are added; a
// Warehouse that adds in SQL does the same. One amount counts for at most 1e15 (and at
// least −1e15), so that no sum overflows. The zero value is 0.
type Money struct {
	high int64 // 128 bits, two's complement
	low  uint64
}

const (
	moneyUnits  = 1e12
	largestCost = 1e15
	twoTo63     = 1 << 63
	twoTo64     = 1 << 64
)

// Add takes in one amount, rounded to units. What is no number is passed over.
func (m *Money) Add(amount float64) {
	if math.IsNaN(amount) {
		return
	}
	units := math.RoundToEven(max(-largestCost, min(largestCost, amount)) * moneyUnits)
	var high, low, carry uint64
	if math.Abs(units) < twoTo63 {
		low = uint64(int64(units))
		high = uint64(int64(units) >> 63) // its sign
	} else {
		high, low = wide(units)
	}
	m.low, carry = bits.Add64(m.low, low, 0)
	sum, _ := bits.Add64(uint64(m.high), high, carry)
	m.high = int64(sum)
}

// Join takes in what another has added.
func (m *Money) Join(o Money) {
	var carry uint64
	m.low, carry = bits.Add64(m.low, o.low, 0)
	sum, _ := bits.Add64(uint64(m.high), uint64(o.high), carry)
	m.high = int64(sum)
}

// wide is a whole number in 128 bits, two's complement.
func wide(units float64) (high, low uint64) {
	high = uint64(math.Abs(units) / twoTo64)
	low = uint64(math.Abs(units) - float64(high)*twoTo64)
	if units < 0 {
		var borrow uint64
		low, borrow = bits.Sub64(0, low, 0)
		high, _ = bits.Sub64(0, high, borrow)
	}
	return high, low
}

// Sum is what was added.
func (m Money) Sum() float64 {
	if m.high == -1 { // small negative numbers keep their digits
		return (-float64(math.MaxUint64-m.low) - 1) / moneyUnits
	}
	return (float64(m.low) + float64(m.high)*twoTo64) / moneyUnits
}

// addCosts adds two amounts exactly when Money can hold them.
func addCosts(a, b float64) float64 {
	if math.Abs(a) > largestCost || math.Abs(b) > largestCost {
		return a + b
	}
	var m Money
	m.Add(a)
	m.Add(b)
	return m.Sum()
}

// addTokens stops at the largest number instead of wrapping around.
func addTokens(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Mean is the mean of a trace's scores of one name, the same in whatever order they
// come; false when there are none, or when no JSON number can say it. It sorts numbers.
func Mean(numbers []float64) (float64, bool) {
	slices.Sort(numbers)
	sum := 0.0
	for _, n := range numbers {
		sum += n
	}
	if len(numbers) == 0 || math.IsInf(sum, 0) {
		return 0, false
	}
	return sum / float64(len(numbers)), true
}
