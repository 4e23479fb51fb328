package store

import (
	"time"
	_ "time/tzdata" // machines without zoneinfo know the zones too
)

// Buckets are where the buckets of an interval begin, by the clock of a time zone:
// an hour begins at a full hour there and a day at midnight, though some days have 23 or 25 hours.
type Buckets struct {
	width     int64 // µs
	stretches []BucketStretch
}

// BucketStretch is a stretch of time with one rule for the beginnings of buckets. Times are in µs since 1970.
type BucketStretch struct {
	From   int64 // times before the first stretch are of it, too
	Offset int64 // of the zone's clock from UTC
	// Fixed says that all of the stretch is of the bucket that begins at Begin. Otherwise a time
	// is of the bucket that its full Width of the zone's clock gives, but none begins before Begin.
	Fixed bool
	Begin int64
}

// Zone finds a time zone by its IANA name; "" is UTC. The error is a *QueryError about tz.
func Zone(name string) (*time.Location, error) {
	const longest = 64
	if name == "Local" || len(name) > longest {
		return nil, badZone()
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, badZone()
	}
	return zone, nil
}

func badZone() error {
	return &QueryError{Param: "tz", Message: "must be an IANA name of a time zone, such as Europe/Kyiv"}
}

// Where clocks were, and will be, changed as far as anybody asks.
const (
	firstZoned = 1900
	lastZoned  = 2100
)

// NewBuckets returns the buckets of width in a zone, right for times from from (or 1900 when it is zero)
// to to (or 2100). width is 1 minute to 1 day; the error is a *QueryError about interval.
func NewBuckets(width time.Duration, zone *time.Location, from, to time.Time) (*Buckets, error) {
	if width < time.Minute || width > 24*time.Hour {
		return nil, &QueryError{Param: "interval", Message: "must be 1 minute to 1 day"}
	}
	if from.IsZero() || from.Year() < firstZoned {
		from = time.Date(firstZoned, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if to.IsZero() || to.Year() > lastZoned {
		to = time.Date(lastZoned, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	b := &Buckets{width: width.Microseconds()}
	// What begins a stretch depends on the one before, so begin a while earlier.
	b.add(from.Add(-50*time.Hour), to, zone)
	return b, nil
}

// add appends the stretches between two changes of the zone's clock.
func (b *Buckets) add(from, to time.Time, zone *time.Location) {
	for t := from.In(zone); ; {
		_, seconds := t.Zone()
		offset := int64(seconds) * int64(time.Second/time.Microsecond)
		_, end := t.ZoneBounds()
		b.stretch(t.UnixMicro(), offset)
		if end.IsZero() || end.After(to) {
			return
		}
		if !end.After(t) { // at the turn of some years ZoneBounds stands still; clocks change at quarters
			end = t.Truncate(15 * time.Minute).Add(15 * time.Minute)
		}
		t = end
	}
}

// stretch appends what begins at the instant at, when the clock changed to offset.
func (b *Buckets) stretch(at, offset int64) {
	if len(b.stretches) == 0 {
		b.stretches = append(b.stretches, BucketStretch{From: at, Offset: offset, Begin: -1 << 62})
		return
	}
	before := b.stretches[len(b.stretches)-1]
	if before.Offset == offset { // only the zone's abbreviation changed
		return
	}
	running := b.Start(at - 1)
	if shift := offset - before.Offset; b.width > max(shift, -shift) {
		// The bucket that ran goes on, as long as the clock is in it.
		local := at - 1 + before.Offset
		if end := local - modulo(local, b.width) + b.width - offset; end > at {
			b.stretches = append(b.stretches, BucketStretch{From: at, Offset: offset, Fixed: true, Begin: running})
			at = end
		}
	}
	b.stretches = append(b.stretches, BucketStretch{From: at, Offset: offset, Begin: at})
}

// Width of a bucket in µs of the zone's clock.
func (b *Buckets) Width() int64 { return b.width }

// Stretches are in order of time, at least one.
func (b *Buckets) Stretches() []BucketStretch { return b.stretches }

// Start is where the bucket of a time begins, both in µs since 1970.
func (b *Buckets) Start(us int64) int64 {
	i := len(b.stretches) - 1
	for i > 0 && us < b.stretches[i].From {
		i--
	}
	s := b.stretches[i]
	if s.Fixed {
		return s.Begin
	}
	local := us + s.Offset
	return max(local-modulo(local, b.width)-s.Offset, s.Begin)
}

// modulo is the remainder that is never negative.
func modulo(n, by int64) int64 { return ((n % by) + by) % by }
