package brokle_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// Every form that clients send for one instant, and every form that is none.
func TestTimestampReads(t *testing.T) {
	t.Parallel()
	const want = 1677610602_123456 // µs
	for name, c := range map[string]struct {
		in   string
		want int64 // µs, −1: ErrTimestamp
	}{
		"seconds":                   {`1677610602`, 1677610602e6},
		"zero":                      {`0`, 0},
		"seconds with fraction":     {`1677610602.123456`, want},
		"seconds as a float":        {`1.677610602123456e9`, want},
		"milliseconds":              {`1677610602123`, want - 456},
		"fraction of milliseconds":  {`1677610602123.456`, want},
		"microseconds":              {`1677610602123456`, want},
		"nanoseconds":               {`1677610602123456789`, want},
		"number in a string":        {`"1677610602.123456"`, want},
		"RFC 3339":                  {`"2023-02-28T18:56:42.123456Z"`, want},
		"RFC 3339, nanoseconds":     {`"2023-02-28T18:56:42.123456789Z"`, want},
		"RFC 3339, offset":          {`"2023-02-28T20:26:42.123456+01:30"`, want},
		"RFC 3339, escaped":         {`"2023-02-28T18:56:42.123456\u005a"`, want},
		"RFC 3339, lower case":      {`"2023-02-28t18:56:42.123456z"`, want},
		"RFC 3339, a space for T":   {`"2023-02-28 18:56:42.123456Z"`, want},
		"no zone":                   {`"2023-02-28T18:56:42.123456"`, want},
		"no zone, a space for T":    {`"2023-02-28 18:56:42.123456"`, want},
		"spaces around":             {" 1677610602 ", 1677610602e6},
		"last second as a number":   {`99999999999`, 99999999999e6},
		"then milliseconds":         {`100000000000`, 100000000e6},
		"last microsecond":          {`"9999-12-31T23:59:59.999999Z"`, 253402300799_999999},
		"after the last":            {`"10000-01-01T00:00:00Z"`, -1},
		"before 1970":               {`"1969-12-31T23:59:59.9999999Z"`, -1},
		"negative":                  {`-1`, -1},
		"negative fraction":         {`-0.5`, -1},
		"too many nanoseconds":      {`9e99`, -1},
		"infinite":                  {`1e999`, -1},
		"NaN":                       {`"NaN"`, -1},
		"Inf":                       {`"Inf"`, -1},
		"hexadecimal":               {`"0x10"`, -1},
		"empty":                     {`""`, -1},
		"a date":                    {`"2023-02-28"`, -1},
		"another separator":         {`"2023-02-28_18:56:42Z"`, -1},
		"a day that does not exist": {`"2023-02-30T00:00:00Z"`, -1},
		"words":                     {`"now"`, -1},
		"a boolean":                 {`true`, -1},
		"an object":                 {`{}`, -1},
		"a list":                    {`[1]`, -1},
		"nothing":                   {``, -1},
		"half a string":             {`"`, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ts brokle.Timestamp
			err := ts.UnmarshalJSON([]byte(c.in))
			switch {
			case c.want < 0:
				if !errors.Is(err, brokle.ErrTimestamp) {
					t.Errorf("%s read as %v, %v; want ErrTimestamp", c.in, ts, err)
				}
			case err != nil || ts.UnixMicro() != c.want:
				t.Errorf("%s read as %v (%d µs), %v; want %d µs", c.in, ts, ts.UnixMicro(), err, c.want)
			case ts.Location() != time.UTC:
				t.Errorf("%s is not in UTC", c.in)
			}
		})
	}
	var ts brokle.Timestamp
	if err := ts.UnmarshalJSON([]byte("null")); err != nil || !ts.IsZero() {
		t.Errorf("null read as %v, %v", ts, err)
	}
}

func TestTimestampWrites(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		`0`:                         time.Unix(0, 0),
		`1677610602`:                time.Unix(1677610602, 999),
		`1677610602.5`:              time.Unix(1677610602, 5e8),
		`1677610602.000001`:         time.Unix(1677610602, 1999),
		`99999999999.999999`:        time.UnixMicro(99999999999_999999),
		`"5138-11-16T09:46:40Z"`:    time.Unix(1e11, 0), // as a number it would be read as 1973
		`"6000-01-01T00:00:00.25Z"`: time.Date(6000, 1, 1, 0, 0, 0, 25e7, time.UTC),
		`null`:                      {},
	} {
		if got, err := (brokle.Timestamp{Time: at}).MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%v written as %s, %v; want %s", at, got, err, want)
		}
	}
	for _, outside := range []time.Time{time.Unix(-1, 0), time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := brokle.At(outside).AppendJSON(nil); string(got) != "null" {
			t.Errorf("%v written as %s", outside, got)
		}
	}
}

// What is written is read back as the same instant, over the whole range.
func FuzzTimestampRoundTrip(f *testing.F) {
	for _, us := range []int64{0, 1, 999_999, 1677610602_123456, 1e17 - 1, 1e17, 253402300799_999999} {
		f.Add(us)
	}
	f.Fuzz(func(t *testing.T, us int64) {
		if us < 0 || us > 253402300799_999999 {
			t.Skip()
		}
		want := brokle.At(time.UnixMicro(us))
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got brokle.Timestamp
		if err := json.Unmarshal(b, &got); err != nil || !got.Equal(want.Time) {
			t.Errorf("%d µs written as %s, read as %v, %v", us, b, got, err)
		}
	})
}

func FuzzTimestampRead(f *testing.F) {
	for _, s := range []string{`1677610602`, `"2023-02-28T18:56:42Z"`, `1e9`, `"x"`, `null`, `"\u0031"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var ts brokle.Timestamp
		err := ts.UnmarshalJSON(b)
		if err != nil && !errors.Is(err, brokle.ErrTimestamp) {
			t.Errorf("%q: %v", b, err)
		}
		if err == nil && !ts.IsZero() && (ts.UnixMicro() < 0 || ts.Year() > 9999) {
			t.Errorf("%q read as %v, outside the range", b, ts)
		}
	})
}
