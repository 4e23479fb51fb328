package store

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// Days begin at midnight and hours at full hours of the zone's clock, also where it is changed.
func TestBucketsOfZones(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone     string
		interval time.Duration
		at, want string // of the zone's clock; want is the beginning
	}{
		{"", 24 * time.Hour, "2026-11-28T10:00:00Z", "2026-11-28T00:00:00Z"},
		{"Asia/Tokyo", 24 * time.Hour, "2026-11-28T03:00:00+09:00", "2026-11-28T00:00:00+09:00"},
		{"Asia/Kathmandu", time.Hour, "2026-11-28T03:50:00+05:45", "2026-11-28T03:00:00+05:45"},
		// Berlin, 25 October 2026: 03:00 was 02:00 again. A day of 25 hours.
		{"Europe/Berlin", 24 * time.Hour, "2026-10-25T01:00:00+02:00", "2026-10-25T00:00:00+02:00"},
		{"Europe/Berlin", 24 * time.Hour, "2026-10-25T23:59:59+01:00", "2026-10-25T00:00:00+02:00"},
		{"Europe/Berlin", 24 * time.Hour, "2026-10-26T00:00:00+01:00", "2026-10-26T00:00:00+01:00"},
		{"Europe/Berlin", time.Hour, "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+02:00"},
		{"Europe/Berlin", time.Hour, "2026-10-25T02:30:00+01:00", "2026-10-25T02:00:00+01:00"},
		{"Europe/Berlin", 6 * time.Hour, "2026-10-25T05:00:00+01:00", "2026-10-25T00:00:00+02:00"},
		{"Europe/Berlin", 6 * time.Hour, "2026-10-25T06:00:00+01:00", "2026-10-25T06:00:00+01:00"},
		// 29 March 2026: 02:00 was 03:00. A day of 23 hours.
		{"Europe/Berlin", 24 * time.Hour, "2026-03-29T23:00:00+02:00", "2026-03-29T00:00:00+01:00"},
		{"Europe/Berlin", 24 * time.Hour, "2026-03-30T00:00:00+02:00", "2026-03-30T00:00:00+02:00"},
		{"Europe/Berlin", 2 * time.Hour, "2026-03-29T03:30:00+02:00", "2026-03-29T03:00:00+02:00"},
		{"Europe/Berlin", 2 * time.Hour, "2026-03-29T04:00:00+02:00", "2026-03-29T04:00:00+02:00"},
		// Lord Howe Island changes by half an hour; Samoa had no 30 December 2011.
		{"Australia/Lord_Howe", 24 * time.Hour, "2026-04-05T23:00:00+10:30", "2026-04-05T00:00:00+11:00"},
		{"Australia/Lord_Howe", time.Hour, "2026-04-05T01:45:00+10:30", "2026-04-05T01:00:00+11:00"},
		{"Pacific/Apia", 24 * time.Hour, "2011-12-31T05:00:00+14:00", "2011-12-31T00:00:00+14:00"},
		// Midnight itself does not exist in Beirut on 29 March 2026.
		{"Asia/Beirut", 24 * time.Hour, "2026-03-29T05:00:00+03:00", "2026-03-29T01:00:00+03:00"},
		{"Asia/Tokyo", 24 * time.Hour, "1969-07-20T03:00:00+09:00", "1969-07-20T00:00:00+09:00"},
	} {
		zone, err := Zone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, want := moment(t, c.at), moment(t, c.want)
		for name, bounds := range map[string][2]time.Time{"all time": {}, "one day": {at, at.Add(24 * time.Hour)}} {
			b, err := NewBuckets(c.interval, zone, bounds[0], bounds[1])
			if err != nil {
				t.Fatal(err)
			}
			if got := time.UnixMicro(b.Start(at.UnixMicro())).In(zone); !got.Equal(want) {
				t.Errorf("%s, %v, %s, asked for %s: %s, want %s", c.zone, c.interval, c.at, name, got.Format(time.RFC3339), c.want)
			}
		}
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// In any zone and at any time buckets do not overlap, are in order, and last as
// long as their interval, but for the change of the clock.
func TestBucketsAreInOrder(t *testing.T) {
	t.Parallel()
	names := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "Asia/Beirut", "America/St_Johns"}
	chance.Check(t, 100, func(t *rapid.T) {
		zone, err := Zone(rapid.SampledFrom(names).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		width := time.Duration(rapid.IntRange(1, 24*60).Draw(t, "minutes")) * time.Minute
		b, err := NewBuckets(width, zone, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.Int64Range(0, 4_000_000_000_000_000).Draw(t, "at")
		begin := b.Start(at)
		if begin > at || at-begin >= width.Microseconds()+int64(25*time.Hour/time.Microsecond) || b.Start(begin) != begin {
			t.Fatalf("the bucket of %d begins at %d, that of its beginning at %d", at, begin, b.Start(begin))
		}
		if later := at + rapid.Int64Range(0, int64(48*time.Hour/time.Microsecond)).Draw(t, "later"); b.Start(later) < begin {
			t.Fatalf("%d is of the bucket %d, and %d of one before it, %d", at, begin, later, b.Start(later))
		}
	})
}

func TestZoneNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Mars/Base", "Local", "../etc/passwd", "/etc/localtime", "+09:00", "europe", "UTC\x00"} {
		var q *QueryError
		if _, err := Zone(name); !errors.As(err, &q) || q.Param != "tz" {
			t.Errorf("%q: %v", name, err)
		}
	}
}
