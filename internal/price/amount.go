package price

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

// Amount is money, in units of 1e-12 USD: at most 9,223,372.036854775807 USD. Sums of them are exact.
type Amount int64

// USD is one dollar.
const USD Amount = 1e12

const (
	amountDigits = 12
	million      = 1_000_000
	mostAmount   = 1<<63 - 1
	endOfParsed  = 9_000_000 * USD // ParseAmount takes what is below it
)

var errAmount = errors.New("want a decimal number of US dollars, 0 or more, below 9,000,000 and with at most 12 decimals")

// ParseAmount reads dollars as people write them: "2.5", "0.0000005". There is no sign and no exponent, and no digit is lost.
func ParseAmount(s string) (Amount, error) {
	whole, part, dot := strings.Cut(s, ".")
	if whole == "" || dot && part == "" || len(whole) > 7 || len(part) > amountDigits {
		return 0, errAmount
	}
	units := int64(0)
	for i := range len(whole) + amountDigits {
		digit := byte('0')
		switch {
		case i < len(whole):
			digit = whole[i]
		case i-len(whole) < len(part):
			digit = part[i-len(whole)]
		}
		if digit < '0' || digit > '9' {
			return 0, errAmount
		}
		if units > (mostAmount-9)/10 {
			return 0, errAmount
		}
		units = units*10 + int64(digit-'0')
	}
	if Amount(units) >= endOfParsed {
		return 0, errAmount
	}
	return Amount(units), nil
}

// String writes dollars without an exponent and without zeros at the end: "2.5", "0.0000005". ParseAmount reads it back.
func (a Amount) String() string {
	sign, units := "", uint64(a)
	if a < 0 {
		sign, units = "-", -units
	}
	whole := strconv.FormatUint(units/uint64(USD), 10)
	part := strconv.FormatUint(units%uint64(USD), 10)
	part = strings.TrimRight(strings.Repeat("0", amountDigits-len(part))+part, "0")
	if part == "" {
		return sign + whole
	}
	return sign + whole + "." + part
}

// Dollars is the nearest float64, as events and answers have costs. Below 8,192 USD these lie less than 1e-12 apart, so that no unit is lost; over
// all Amounts less than a millionth.
func (a Amount) Dollars() float64 {
	const exact = 1 << 53 // units that a float64 has all of
	if -exact <= a && a <= exact {
		return float64(a) / float64(USD) // one rounding
	}
	nearest, err := strconv.ParseFloat(a.String(), 64)
	if err != nil { // of no Amount
		return float64(a) / float64(USD)
	}
	return nearest
}

// times is what so many tokens cost when a million cost a, rounded half to even; false when no Amount can say it.
func (a Amount) times(tokens int64) (Amount, bool) {
	high, low := bits.Mul64(uint64(a), uint64(tokens))
	if a < 0 || tokens < 0 || high >= million {
		return 0, false
	}
	quotient, rest := low/million, low%million
	if high > 0 {
		quotient, rest = bits.Div64(high, low, million)
	}
	if rest > million/2 || rest == million/2 && quotient&1 == 1 {
		quotient++
	}
	return Amount(quotient), quotient <= mostAmount
}
