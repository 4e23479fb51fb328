package wire_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Every form that clients send for one instant, and every form that is none.
func TestTimestampReads(t *testing.T) {
	t.Parallel()
	const want = 1677610602_123456 // µs
	for name, c := range map[string]struct {
		in   string
		want int64 // µs, −1: ErrTimestamp
	}{
		"seconds":                        {`1677610602`, 1677610602e6},
		"zero":                           {`0`, 0},
		"seconds with fraction":          {`1677610602.123456`, want},
		"seconds as a float":             {`1.677610602123456e9`, want},
		"milliseconds":                   {`1677610602123`, want - 456},
		"fraction of milliseconds":       {`1677610602123.456`, want},
		"microseconds":                   {`1677610602123456`, want},
		"nanoseconds":                    {`1677610602123456789`, want},
		"number in a string":             {`"1677610602.123456"`, want},
		"RFC 3339":                       {`"2023-02-28T18:56:42.123456Z"`, want},
		"RFC 3339, nanoseconds":          {`"2023-02-28T18:56:42.123456789Z"`, want},
		"RFC 3339, offset":               {`"2023-02-28T20:26:42.123456+01:30"`, want},
		"RFC 3339, escaped":              {`"2023-02-28T18:56:42.123456\u005a"`, want},
		"RFC 3339, lower case":           {`"2023-02-28t18:56:42.123456z"`, want},
		"RFC 3339, a space for T":        {`"2023-02-28 18:56:42.123456Z"`, want},
		"no zone":                        {`"2023-02-28T18:56:42.123456"`, want},
		"no zone, a space for T":         {`"2023-02-28 18:56:42.123456"`, want},
		"spaces around":                  {" 1677610602 ", 1677610602e6},
		"last second as a number":        {`99999999999`, 99999999999e6},
		"then milliseconds":              {`100000000000`, 100000000e6},
		"last microsecond":               {`"9999-12-31T23:59:59.999999Z"`, 253402300799_999999},
		"after the last":                 {`"10000-01-01T00:00:00Z"`, -1},
		"before 1970":                    {`"1969-12-31T23:59:59.9999999Z"`, -1},
		"negative":                       {`-1`, -1},
		"negative fraction":              {`-0.5`, -1},
		"too many nanoseconds":           {`9e99`, -1},
		"infinite":                       {`1e999`, -1},
		"NaN":                            {`"NaN"`, -1},
		"Inf":                            {`"Inf"`, -1},
		"hexadecimal":                    {`"0x10"`, -1},
		"empty":                          {`""`, -1},
		"a date":                         {`"2023-02-28"`, -1},
		"offset without a colon":         {`"2023-03-01T00:26:42.123456+0530"`, want},
		"offset of hours":                {`"2023-02-28 19:56:42.123456+01"`, want},
		"offset behind a space":          {`"2023-02-28 13:56:42.123456 -05:00"`, want},
		"Go's String":                    {`"2023-02-28 18:56:42.123456789 +0000 UTC"`, want},
		"Go's String, another zone":      {`"2023-02-28 19:56:42.123456 +0100 CET"`, want},
		"Go's String, a zone of no name": {`"2023-02-28 21:56:42.123456 +0300 +03"`, want},
		"Go's String, monotonic":         {`"2023-02-28 18:56:42.123456 +0000 UTC m=+0.000123"`, want},
		"Go's String, local, monotonic":  {`"2023-02-28 20:26:42.123456 +0130 XYZ m=-3.5"`, want},
		"Go's log":                       {`"2023/02/28 18:56:42.123456"`, want},
		"Python's logging":               {`"2023-02-28 18:56:42,123456"`, want},
		"Java's ZonedDateTime":           {`"2023-02-28T19:56:42.123456+01:00[Europe/Paris]"`, want},
		"UTC by name":                    {`"2023-02-28 18:56:42.123456 UTC"`, want},
		"basic form":                     {`"20230228T185642Z"`, 1677610602e6},
		"no seconds":                     {`"2023-02-28T18:56Z"`, 1677610560e6},
		"no seconds, an offset":          {`"2023-02-28 19:56+01"`, 1677610560e6},
		"no seconds, no zone":            {`"2023-02-28T18:56"`, 1677610560e6},
		"leap second":                    {`"2016-12-31T23:59:60Z"`, 1483228800e6},
		"leap second, a fraction":        {`"2016-12-31T23:59:60.5Z"`, 1483228800_500000},
		"leap second, east":              {`"2017-01-01T05:29:60+0530"`, 1483228800e6},
		"leap second, RFC 1123":          {`"Sat, 31 Dec 2016 23:59:60 GMT"`, 1483228800e6},
		"24:00":                          {`"2023-02-28T24:00:00Z"`, 1677628800e6},
		"RFC 1123":                       {`"Tue, 28 Feb 2023 18:56:42 GMT"`, 1677610602e6},
		"RFC 1123, an offset":            {`"Tue, 28 Feb 2023 19:56:42 +0100"`, 1677610602e6},
		"RFC 5322, one digit":            {`"1 Mar 2023 00:00:00 UTC"`, 1677628800e6},
		"RFC 850":                        {`"Tuesday, 28-Feb-23 18:56:42 GMT"`, 1677610602e6},
		"ANSI C":                         {`"Tue Feb 28 18:56:42 2023"`, 1677610602e6},
		"ANSI C, one digit":              {`"Wed Mar  1 00:00:00 2023"`, 1677628800e6},
		"Unix's date":                    {`"Tue Feb 28 18:56:42 UTC 2023"`, 1677610602e6},
		"Ruby":                           {`"Tue Feb 28 19:56:42 +0100 2023"`, 1677610602e6},
		"JavaScript's Date":              {`"Tue Feb 28 2023 19:56:42 GMT+0100 (Central European Standard Time)"`, 1677610602e6},
		"a zone that means several":      {`"Tue, 28 Feb 2023 18:56:42 CST"`, -1},
		"the same behind a date":         {`"2023-02-28 18:56:42 CST"`, -1},
		"day or month first":             {`"02/03/2023 18:56:42"`, -1},
		"two separators":                 {`"2023-02/28T18:56:42Z"`, -1},
		"second 61":                      {`"2023-02-28T18:56:61Z"`, -1},
		"minute 60":                      {`"2023-02-28T18:60:00Z"`, -1},
		"hour 25":                        {`"2023-02-28T25:00:00Z"`, -1},
		"24:01":                          {`"2023-02-28T24:01:00Z"`, -1},
		"offset of a day":                {`"2023-02-28T18:56:42 +2400"`, -1},
		"half an offset":                 {`"2023-02-28T18:56:42+1"`, -1},
		"a point, no digits":             {`"2023-02-28T18:56:42.Z"`, -1},
		"more behind":                    {`"2023-02-28T18:56:42Z and so on"`, -1},
		"year 1":                         {`"0001-01-01T00:00:00Z"`, -1},
		"year 1, Go's String":            {`"0001-01-01 00:00:00 +0000 UTC"`, -1},
		"another separator":              {`"2023-02-28_18:56:42Z"`, -1},
		"a day that does not exist":      {`"2023-02-30T00:00:00Z"`, -1},
		"words":                          {`"now"`, -1},
		"a boolean":                      {`true`, -1},
		"an object":                      {`{}`, -1},
		"a list":                         {`[1]`, -1},
		"nothing":                        {``, -1},
		"half a string":                  {`"`, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ts wire.Timestamp
			err := ts.UnmarshalJSON([]byte(c.in))
			switch {
			case c.want < 0:
				if !errors.Is(err, wire.ErrTimestamp) {
					t.Errorf("%s read as %v, %v; want ErrTimestamp", c.in, ts, err)
				}
			case err != nil || ts.UnixMicro() != c.want:
				t.Errorf("%s read as %v (%d µs), %v; want %d µs", c.in, ts, ts.UnixMicro(), err, c.want)
			case ts.Location() != time.UTC:
				t.Errorf("%s is not in UTC", c.in)
			}
		})
	}
	var ts wire.Timestamp
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
		if got, err := (wire.Timestamp{Time: at}).MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%v written as %s, %v; want %s", at, got, err, want)
		}
	}
	for _, outside := range []time.Time{time.Unix(-1, 0), time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := wire.At(outside).AppendJSON(nil); string(got) != "null" {
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
		want := wire.At(time.UnixMicro(us))
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got wire.Timestamp
		if err := json.Unmarshal(b, &got); err != nil || !got.Equal(want.Time) {
			t.Errorf("%d µs written as %s, read as %v, %v", us, b, got, err)
		}
	})
}

func FuzzTimestampRead(f *testing.F) {
	for _, s := range []string{`1677610602`, `"2023-02-28T18:56:42Z"`, `1e9`, `"x"`, `null`, `"\u0031"`, `"2023-02-28 18:56 +0530"`,
		`"2023/02/28 18:56:60,5 +0100 CET m=+1"`, `"20230228T1856Z"`, `"Tue, 28 Feb 2023 18:56:42 GMT"`, `"Tue Feb 28 2023 19:56:42 GMT+0100 (x)"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var ts wire.Timestamp
		err := ts.UnmarshalJSON(b)
		if err != nil && !errors.Is(err, wire.ErrTimestamp) {
			t.Errorf("%q: %v", b, err)
		}
		if err == nil && !ts.IsZero() && (ts.UnixMicro() < 0 || ts.Year() > 9999) {
			t.Errorf("%q read as %v, outside the range", b, ts)
		}
	})
}
