package budget

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// The periods.
const (
	Day   = "day"
	Month = "month"
)

// span is one period: From ≤ start of a call < To.
type span struct{ from, to time.Time }

// spanOf is the period of which t is. Days begin as those of an interval of 1d in statistics, also where the clock is changed at midnight.
func (b *Budget) spanOf(t time.Time) (span, error) {
	zone, err := store.Zone(b.Zone)
	if err != nil {
		return span{}, err
	}
	const around = 40 * 24 * time.Hour
	days, err := store.NewBuckets(24*time.Hour, zone, t.Add(-around), t.Add(around))
	if err != nil {
		return span{}, err
	}
	begin := func(at time.Time) time.Time { return time.UnixMicro(days.Start(at.UnixMicro())).UTC() }
	year, month, day := begin(t).In(zone).Date()
	// Noon is in every day but those that a zone left out; of these the next day's is.
	noon := func(months, days int) time.Time {
		return time.Date(year, month+time.Month(months), days, 12, 0, 0, 0, zone)
	}
	if b.Period == Month {
		return span{begin(noon(0, 1)), begin(noon(1, 1))}, nil
	}
	return span{begin(t), begin(noon(0, day+1))}, nil
}

// late is for how long a period that has ended is still looked at: what is sent late belongs to when it began.
const late = 24 * time.Hour

// spans are the periods to look at: the present one, and the one before it while events of it may be late and the budget held then.
func (h *held) spans(now time.Time) ([]span, error) {
	is, err := h.spanOf(now)
	if err != nil {
		return nil, err
	}
	if now.Sub(is.from) >= late || !h.Since.Before(is.from) {
		return []span{is}, nil
	}
	before, err := h.spanOf(is.from.Add(-time.Microsecond))
	return []span{is, before}, err
}
