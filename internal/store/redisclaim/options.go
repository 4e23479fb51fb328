package redisclaim

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options says which Redis to use and how patient to be. Only URL is required.
type Options struct {
	// URL names the Redis: see ParseURL for its forms.
	URL string
	// Timeout is how long one step of a batch may take, 10 ms to 10 s; default
	// 500 ms. Longer means degraded.
	Timeout time.Duration
	// Wait is how long Claim waits for what becomes of ids that other owners
	// hold, up to 10 s; default 1 s, negative: not at all.
	Wait time.Duration
	// Probe is how often a Redis that is not needed for requests is asked
	// whether it is there, 10 ms to 1 min; default 1 s.
	Probe time.Duration
	// Backlog is how many marks are kept for a Redis that is away, 0 to 10 million;
	// default 250 000 (about 50 bytes each). When it is full the oldest are dropped, and counted.
	Backlog int
	// Now is the clock by which marks in the backlog grow old; default time.Now.
	Now    func() time.Time
	Logger *slog.Logger // default discards
}

// Validate reports every field that is out of its range.
func (o Options) Validate() error {
	var errs []error
	if _, err := ParseURL(o.URL); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs,
		inRange("Timeout", o.Timeout, 10*time.Millisecond, 10*time.Second),
		inRange("Probe", o.Probe, 10*time.Millisecond, time.Minute))
	if o.Wait > 10*time.Second {
		errs = append(errs, fmt.Errorf("wait (Wait) is %s, must be at most 10s", o.Wait))
	}
	if o.Backlog < 0 || o.Backlog > 10_000_000 {
		errs = append(errs, fmt.Errorf("backlog (Backlog) is %d, must be 0 to 10000000", o.Backlog))
	}
	return errors.Join(errs...)
}

func inRange(name string, value, least, most time.Duration) error {
	if value == 0 || value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s is %s, must be %s to %s", name, value, least, most)
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field     *time.Duration
		otherwise time.Duration
	}{{&o.Timeout, 500 * time.Millisecond}, {&o.Wait, time.Second}, {&o.Probe, time.Second}} {
		if *d.field == 0 {
			*d.field = d.otherwise
		}
	}
	if o.Backlog == 0 {
		o.Backlog = 250_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
