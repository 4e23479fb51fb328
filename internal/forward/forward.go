package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Options are the settings of a Forwarder. Those without a default are required.
type Options struct {
	Log       store.Log
	Warehouse store.Warehouse
	// Indexed waits until everything that the Log has now is in the Warehouse.
	Indexed func(context.Context) error
	// Gone counts the events that were stored behind one place and up to another and cannot be read any
	// more. nil: nobody counts them.
	Gone func(after, upto entity.Seq) (int64, error)
	// Make makes a request of records of one project.
	Make func([]entity.Record) Request
	// Target is where it sends.
	Target Target
	// Cursor is the file of the cursor; it is made.
	Cursor string
	// Transport carries the requests. Default: one of its own.
	Transport http.RoundTripper
	// Now is the clock of cursors and Retry-After. Default time.Now.
	Now func() time.Time
	// Logger is told of what was dropped and of a target that fails. Default: nobody.
	Logger *slog.Logger
	// MaxRecords and MaxBytes (of payloads) bound one request; one larger record goes alone. Defaults 512 and 4 MiB.
	MaxRecords int
	MaxBytes   int
	// Gather is how long records are collected after the first. Default 200 ms.
	Gather time.Duration
	// FirstBackoff and MaxBackoff are the pauses before a request is sent again. Defaults 500 ms and 30 s.
	FirstBackoff, MaxBackoff time.Duration
}

// Request is spans and log records of OTLP in JSON; a body is nil when there are none of its kind.
type Request struct {
	Traces, Logs   []byte
	Spans, Records int
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 2
		o.Transport = t
	}
	for _, d := range []struct {
		field  *time.Duration
		absent time.Duration
	}{{&o.Gather, 200 * time.Millisecond}, {&o.FirstBackoff, 500 * time.Millisecond}, {&o.MaxBackoff, 30 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.absent
		}
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = 512
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 20
	}
	return o
}

// Forwarder follows the Log. Its methods are safe for concurrent use; Run must be called at most once.
type Forwarder struct {
	o      Options
	client *http.Client
	before entity.Seq // nothing is counted as gone up to here

	mu      sync.Mutex // guards all below
	stats   store.ForwardStats
	saved   entity.Seq // what the file says
	at      time.Time  // when it was written
	told    time.Time  // when the log was told of what was dropped
	quiet   int64      // dropped since
	failing bool       // the last request failed
}

// New reads the cursor. A file that cannot be read is an error; one of another target begins again.
func New(o Options) (*Forwarder, error) {
	o = o.withDefaults()
	cursor, err := readCursor(o.Cursor, o.Target.mark())
	if err != nil {
		return nil, err
	}
	f := &Forwarder{o: o, saved: cursor, client: &http.Client{
		Transport: o.Transport, Timeout: requestTime,
		// A redirection would take the headers, with their secrets, to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	f.stats.Cursor = cursor
	if cursor == 0 {
		f.before = o.Log.Head() // what was gone before there was a target is nobody's loss
	}
	f.stats.Dropped = map[string]int64{}
	return f, nil
}

// requestTime is how long one request may take.
const requestTime = 60 * time.Second

// readAgain is how long a Log that cannot be read is left alone.
const readAgain = time.Second

// Run forwards until ctx ends, and then returns nil. Whatever fails is tried again.
func (f *Forwarder) Run(ctx context.Context) error {
	defer f.o.closeIdle()
	for ctx.Err() == nil {
		f.mu.Lock()
		at := f.stats.Cursor
		f.mu.Unlock()
		b, err := f.gather(ctx, at)
		if err == nil {
			err = f.forward(ctx, b)
		}
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, store.ErrClosed):
			return f.save(true)
		default:
			f.o.Logger.Warn("forwarding is held up; it is tried again", "error", err)
			f.fault(err.Error())
			_ = clock.Sleep(ctx, readAgain) // its end is the loop's
		}
	}
	return f.save(true)
}

func (o *Options) closeIdle() {
	if t, ok := o.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// forward delivers a batch, a piece at a time, and moves the cursor behind each.
func (f *Forwarder) forward(ctx context.Context, b batch) error {
	for _, piece := range b.pieces(f.o.MaxRecords, f.o.MaxBytes) {
		if piece.own {
			f.indexed(ctx)
		}
		for _, seqs := range piece.projects {
			for _, s := range signals {
				if err := f.deliver(ctx, s, seqs); err != nil {
					return err
				}
			}
		}
		if err := f.advance(piece.upto); err != nil {
			return err
		}
	}
	return nil
}

// indexed waits for the Warehouse, which knows what else is stored of an observation. One that does not
// come along is not waited for: then its events are sent as they came.
func (f *Forwarder) indexed(ctx context.Context) {
	const most = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	_ = f.o.Indexed(ctx) // said by the Warehouse's own line in /readyz
}

// advance moves the cursor, in memory at once and in the file now and then.
func (f *Forwarder) advance(to entity.Seq) error {
	f.mu.Lock()
	f.stats.Cursor = to
	f.stats.Fault = ""
	f.mu.Unlock()
	return f.save(false)
}

// saveEvery is how far apart writings of the cursor are: what was sent since is sent again after a crash.
const saveEvery = time.Second

// save writes the cursor to its file, when it is time, or now.
func (f *Forwarder) save(now bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	cursor, at := f.stats.Cursor, f.o.Now()
	if cursor == f.saved || !now && at.Sub(f.at) < saveEvery && at.After(f.at) {
		return nil
	}
	if err := writeCursor(f.o.Cursor, f.o.Target.mark(), cursor); err != nil {
		return fmt.Errorf("write the cursor of forwarding: %w", err)
	}
	f.saved, f.at = cursor, at
	return nil
}

func (f *Forwarder) fault(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Fault = why
}

// Stats counts what was done since New, and says how it stands now.
func (f *Forwarder) Stats() store.ForwardStats {
	head := f.o.Log.Head()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stats
	s.Dropped = make(map[string]int64, len(f.stats.Dropped))
	for why, n := range f.stats.Dropped {
		s.Dropped[why] = n
	}
	if head > s.Cursor {
		s.Lag = head - s.Cursor
	}
	return s
}

// Health is the line of /readyz. Nothing that is accepted waits for forwarding, so it never blocks.
func (f *Forwarder) Health() store.Health {
	s := f.Stats()
	h := store.Health{Part: "forwarding", OK: s.Fault == "", Detail: fmt.Sprintf("%d events behind", s.Lag)}
	for _, why := range reasons {
		if n := s.Dropped[why]; n > 0 {
			h.Detail += fmt.Sprintf(", %d dropped (%s)", n, why)
		}
	}
	if s.Gone > 0 {
		h.Detail += fmt.Sprintf(", %d gone before they were sent", s.Gone)
	}
	if s.Fault != "" {
		h.Detail += ", last error: " + s.Fault
	}
	return h
}
