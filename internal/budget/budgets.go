package budget

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Options are the settings of Budgets. Those without a default are required.
type Options struct {
	File string // of the budgets and of what was told; it is made
	// Place has what is in the File, where that is not in the file alone. Default: the file.
	Place document.Place
	// Node tells the nodes apart that share a Place: an alert is sent by one of them. Default: there is this one alone.
	Node string
	// Stats answers as GET /v1/stats does.
	Stats func(ctx context.Context, project string, q store.StatsQuery) (*wire.Page[wire.StatRow], error)
	// Kept is for how long events of a project are kept; 0 is for ever. nil: all are.
	Kept func(project string) time.Duration
	// KeyName is the name of a key of a project by its id, which may be revoked; false when the project has none of that id. nil: there are no keys.
	KeyName func(project, id string) (name string, known bool)
	// Every is how far apart looks are. Default 1 minute. Looks never take more than a tenth of the time.
	Every time.Duration
	// Timeout bounds one question. Default 30 s.
	Timeout time.Duration
	// Webhook is where alerts of a project go; "" is nowhere. nil: nowhere.
	Webhook func(project string) string
	// Header is sent with alerts.
	Header http.Header
	// Transport carries the requests. Default: one of its own.
	Transport http.RoundTripper
	// FirstBackoff and MaxBackoff are the pauses before an alert is sent again. Defaults 1 s and 5 min.
	FirstBackoff, MaxBackoff time.Duration
	// Now is the clock of periods. Default time.Now.
	Now func() time.Time
	// Logger is told of levels that are reached, and of faults. Default: nobody.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Place == nil {
		o.Place = &document.File{Path: o.File}
	}
	if o.Kept == nil {
		o.Kept = func(string) time.Duration { return 0 }
	}
	if o.KeyName == nil {
		o.KeyName = func(string, string) (string, bool) { return "", false }
	}
	if o.Webhook == nil {
		o.Webhook = func(string) string { return "" }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	for _, d := range []struct {
		field  *time.Duration
		absent time.Duration
	}{{&o.Every, time.Minute}, {&o.Timeout, 30 * time.Second}, {&o.FirstBackoff, time.Second}, {&o.MaxBackoff, 5 * time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.absent
		}
	}
	return o
}

// Budgets are the budgets of all projects of a node. Its methods are safe for concurrent use; Run must be called at most once.
type Budgets struct {
	o      Options
	client *http.Client
	// look and send have room for one: there is something new to look at, or to send.
	look, send chan struct{}
	kept       document.List[held]

	mu      sync.Mutex // guards all below
	all     []held     // as the place has them; replaced, never changed in place
	figures map[id]figure
	stats   counts
	// refusals are why the last request to a project's webhook failed, where it did.
	refusals map[string]string
}

// id names a budget.
type id struct{ project, name string }

func (h *held) id() id { return id{h.Project, h.Name} }

// Open reads what is kept.
func Open(o Options) (*Budgets, error) {
	o = o.withDefaults()
	raw, err := o.Place.Read()
	var all []held
	if err == nil {
		all, err = parse(filepath.Base(o.File), raw)
	}
	if err != nil {
		return nil, fmt.Errorf("open budgets: %w", err)
	}
	b := &Budgets{
		o: o, all: all, figures: map[id]figure{}, refusals: map[string]string{}, look: make(chan struct{}, 1), send: make(chan struct{}, 1),
		client: &http.Client{
			Transport: o.Transport, Timeout: requestTime,
			// A redirection would take the headers, with their secrets, to somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	b.kept = document.List[held]{
		Place: o.Place, Encode: encode, Take: b.adopt,
		Parse: func(text []byte) ([]held, error) { return parse(filepath.Base(o.File), text) },
	}
	return b, nil
}

// Set puts the budgets of text in the place of all that the project has, and has them looked at. It returns when they are on the disk. What is wrong
// with the text is an ErrInvalid. A budget that counts what it counted keeps what was told of it.
func (b *Budgets) Set(project string, text []byte) error {
	list, err := Parse(text)
	if err != nil {
		return err
	}
	if err := b.knowKeys(project, list); err != nil {
		return err
	}
	now := b.o.Now()
	err = b.kept.Change(func(all []held) ([]held, error) { return with(all, project, list, now) })
	switch {
	case errors.Is(err, ErrInvalid):
		return err
	case err != nil:
		return fmt.Errorf("set budgets: %w", err)
	}
	clock.Wake(b.look)
	return nil
}

// with is all budgets with those of a project in the place of what it had.
func with(all []held, project string, list []Budget, now time.Time) (next []held, err error) {
	was := map[string]held{}
	for _, h := range all {
		if h.Project == project {
			was[h.Name] = h
		} else {
			next = append(next, h)
		}
	}
	if len(next)+len(list) > maxAll {
		return nil, fmt.Errorf("%w: a server has at most %d of all projects, and other projects have %d", ErrInvalid, maxAll, len(next))
	}
	for i := range list {
		before := was[list[i].Name]
		next = append(next, before.become(project, &list[i], now))
	}
	return next, nil
}

// knowKeys refuses budgets of keys that the project does not have: such a budget would count nothing for ever. What was sent is not
// repeated, for it may be the secret of one.
func (b *Budgets) knowKeys(project string, list []Budget) error {
	var wrong []error
	for i, is := range list {
		if is.KeyID == "" {
			continue
		}
		if _, known := b.o.KeyName(project, is.KeyID); !known {
			wrong = append(wrong, fmt.Errorf("budget %d (%s), key_id: the project has no key of this id; `brokle keys list` shows those it has, revoked ones too", i+1, is.Name))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// become is what h is once it was set to is.
func (h *held) become(project string, is *Budget, now time.Time) held {
	next := held{Project: project, Budget: *is, Since: now.UTC().Truncate(time.Microsecond)}
	if h.same(is) {
		next.Alerts, next.Sending = h.Alerts, h.Sending
		if equal(h.Warn, is.Warn) && equal(h.Stop, is.Stop) {
			next.Since = h.Since
		}
	}
	return next
}

func equal(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

// adopt has budgets hold. What a look found of others is forgotten.
func (b *Budgets) adopt(all []held) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.all {
		if !slices.ContainsFunc(all, func(is held) bool { return is.Project == h.Project && is.same(&h.Budget) }) {
			delete(b.figures, h.id())
		}
	}
	b.all = all
}

// change replaces one budget by what edit makes of it, when it is still there and counts the same. edit may be called several times; false: nothing is to be
// changed. b.mu is not held.
func (b *Budgets) change(of *held, edit func(*held) bool) error {
	return b.kept.Change(func(all []held) ([]held, error) {
		i := find(all, of)
		if i < 0 || !edit(&all[i]) {
			return nil, document.ErrSame
		}
		return all, nil
	})
}

// find is where the budget is that counts what h counts; -1: it is not there any more.
func find(all []held, h *held) int {
	return slices.IndexFunc(all, func(is held) bool { return is.Project == h.Project && is.same(&h.Budget) })
}

// snapshot is all budgets as they are.
func (b *Budgets) snapshot() []held {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all
}

// Run looks at the budgets and sends alerts until ctx ends; then it returns nil.
func (b *Budgets) Run(ctx context.Context) error {
	var sending sync.WaitGroup
	sending.Go(func() { b.deliver(ctx) })
	sending.Go(func() {
		b.kept.Follow(ctx, b.o.Logger, "budgets", func() {
			clock.Wake(b.look)
			clock.Wake(b.send)
		})
	})
	defer sending.Wait()
	for ctx.Err() == nil {
		began := b.o.Now()
		b.Look(ctx)
		rest := restFor * min(max(b.o.Now().Sub(began), 0), b.o.Timeout*maxAll)
		if !clock.Pause(ctx, rest, nil) || !clock.Pause(ctx, max(b.o.Every-rest, 0), b.look) {
			break
		}
	}
	return nil
}

// restFor is how many times as long as a look took nothing is asked.
const restFor = 9
