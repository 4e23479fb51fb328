package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Timestamp is an instant on the wire: Unix seconds as an integer or a decimal
// fraction. Read, it also takes milliseconds, microseconds and nanoseconds by
// magnitude, RFC 3339 strings, and the other forms in which programs write times,
// as far as they leave no doubt about the instant: offsets as +0530 or +05, a time
// without seconds, a leap second, String of Go's time.Time, RFC 1123, RFC 850 and ANSI C.
// Without a zone it is UTC. The precision kept is the microsecond; the range is the years 1970 to 9999.
type Timestamp struct{ time.Time }

// ErrTimestamp reports a timestamp that is neither a number in range nor a text that can mean only one instant of it.
var ErrTimestamp = errors.New("timestamp must be Unix seconds, milliseconds, microseconds or nanoseconds, or a text such as RFC 3339, from 1970 to 9999")

// At is the Timestamp of t, in UTC, cut to the microsecond.
func At(t time.Time) Timestamp { return Timestamp{t.UTC().Truncate(time.Microsecond)} }

// maxUnixMicro is the last microsecond of the year 9999.
const maxUnixMicro = 253402300799_999999

// MarshalJSON writes Unix seconds with as many decimals as the instant has, at most
// six; from the year 5138 on an RFC 3339 string; null for the zero value.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return t.AppendJSON(nil), nil
}

// maxNumberMicro is the first instant (in the year 5138) whose Unix seconds would
// be read as milliseconds; from there on the text form is written.
const maxNumberMicro = 1e11 * 1e6

// AppendJSON appends what MarshalJSON returns, without allocating. An instant
// outside the range is written as null: no reader could take it back.
func (t Timestamp) AppendJSON(b []byte) []byte {
	us := t.UnixMicro()
	switch {
	case us < 0 || us > maxUnixMicro:
		return append(b, "null"...)
	case us >= maxNumberMicro:
		return t.UTC().AppendFormat(b, `"2006-01-02T15:04:05.999999Z"`)
	}
	b = strconv.AppendInt(b, us/1e6, 10)
	frac := us % 1e6
	if frac == 0 {
		return b
	}
	b = append(b, '.')
	for digit := int64(1e5); frac > 0; digit /= 10 {
		b = append(b, byte('0'+frac/digit))
		frac %= digit
	}
	return b
}

// UnmarshalJSON reads any of the forms that Timestamp documents. A JSON null
// leaves the zero value. The error is ErrTimestamp.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if string(b) == "null" {
		*t = Timestamp{}
		return nil
	}
	if len(b) == 0 || b[0] != '"' {
		return t.parseNumber(string(b))
	}
	if len(b) >= 2 && b[len(b)-1] == '"' && bytes.IndexByte(b, '\\') < 0 {
		return t.parseText(string(b[1 : len(b)-1]))
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return ErrTimestamp
	}
	return t.parseText(s)
}

// parseNumber reads seconds below 1e11, milliseconds below 1e14, microseconds
// below 1e17 and nanoseconds above: each range holds the years that the next
// smaller unit cannot mean.
func (t *Timestamp) parseNumber(s string) error {
	if us, ok := decimalSeconds(s); ok {
		return t.setMicro(us)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n < 0:
			return ErrTimestamp
		case n < 1e11:
			return t.setMicro(n * 1e6)
		case n < 1e14:
			return t.setMicro(n * 1e3)
		case n < 1e17:
			return t.setMicro(n)
		}
		return t.setMicro(n / 1e3)
	}
	// ParseFloat also takes Inf, NaN, hexadecimal and underscores, which are no JSON numbers.
	if strings.Trim(s, "0123456789.eE+-") != "" {
		return ErrTimestamp
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0) {
		return ErrTimestamp
	}
	switch {
	case f < 1e11:
		f *= 1e6
	case f < 1e14:
		f *= 1e3
	case f < 1e17:
	default:
		f /= 1e3
	}
	if f > maxUnixMicro {
		return ErrTimestamp
	}
	return t.setMicro(int64(math.Round(f)))
}

// decimalSeconds reads seconds below 1e11 with a fraction, which a float64 would
// not keep to the microsecond everywhere. Digits beyond the sixth are cut off.
func decimalSeconds(s string) (us int64, ok bool) {
	whole, frac, ok := strings.Cut(s, ".")
	if !ok || whole == "" || len(whole) > 11 || frac == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, false
	}
	frac = (frac + "000000")[:6]
	us, err := strconv.ParseInt(whole+frac, 10, 64)
	return us, err == nil
}

func (t *Timestamp) setMicro(us int64) error {
	if us < 0 || us > maxUnixMicro {
		return ErrTimestamp
	}
	t.Time = time.UnixMicro(us).UTC()
	return nil
}
