package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/egress"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Options are the settings of Alerts. Those without a default are required.
type Options struct {
	// Place has the rules, how they stand, and what is sent of them.
	Place document.Place
	// Lead says which of the nodes that share the Place looks and sends. nil: there is this one alone.
	Lead document.Place
	// Node tells these nodes apart; required with Lead.
	Node string
	// Ask answers as GET /v1/stats does.
	Ask func(ctx context.Context, project string, question url.Values) (*wire.Page[wire.StatRow], error)
	// Behind is for how long what was accepted has waited until it can be asked for. nil: it can be at once.
	Behind func() time.Duration
	// Timeout bounds one question. Default 30 s.
	Timeout time.Duration
	// Commands are the programs that messages can be given to, with their arguments, by name.
	Commands map[string][]string
	// Private lets messages go to private addresses, too.
	Private bool
	// Lease is for how long a node is the one that looks without saying so again. Default 30 s.
	Lease time.Duration
	// FirstBackoff and MaxBackoff are the pauses before a message is sent again. Defaults 1 s and 10 min.
	FirstBackoff, MaxBackoff time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger is told of changes, and of faults. Default: nobody.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Behind == nil {
		o.Behind = func() time.Duration { return 0 }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		field  *time.Duration
		absent time.Duration
	}{{&o.Timeout, 30 * time.Second}, {&o.Lease, 30 * time.Second}, {&o.FirstBackoff, time.Second}, {&o.MaxBackoff, 10 * time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.absent
		}
	}
	return o
}

// Alerts are those of all projects of a node. Its methods are safe for concurrent use; Run must be called at most once.
type Alerts struct {
	o      Options
	client *http.Client
	// looks and sends have room for one: there is something new to look at, or to send.
	looks, sends chan struct{}
	// trials has room for one: rules are tried out one after the other.
	trials chan struct{}

	kept document.List[held]

	mu    sync.Mutex // guards all below
	all   []held     // as the place has them; replaced, never changed in place
	lead  lead       // as its place has it
	due   map[id]time.Time
	found map[id]figure
	taken map[string]outcome // by its key: a delivery of which that could not be noted yet
	stats counts
}

// Open reads what is kept.
func Open(o Options) (*Alerts, error) {
	o = o.withDefaults()
	raw, err := o.Place.Read()
	var all []held
	if err == nil {
		all, err = parse("the file of alerts", raw)
	}
	if err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	a := &Alerts{
		o: o, all: all, due: map[id]time.Time{}, found: map[id]figure{}, taken: map[string]outcome{},
		looks: make(chan struct{}, 1), sends: make(chan struct{}, 1), trials: make(chan struct{}, 1),
		client: &http.Client{
			Transport: egress.Transport(o.Private, errPrivate, requestTime), Timeout: requestTime,
			// A redirection would take what is told to somebody else, and around the check of addresses.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	a.kept = document.List[held]{
		Place: o.Place, Take: a.adopt,
		Parse:  func(text []byte) ([]held, error) { return parse("what is kept of alerts", text) },
		Encode: func(all []held) ([]byte, error) { return encodeWithin(all, a.now()) },
	}
	return a, nil
}

// Put keeps the rule that text, a JSON object, says under this name, in the place of one that is there, and has it looked at. by is the id of the key that does.
// ErrInvalid says what is wrong, a line each. The answer shows the secrets that were made, once.
func (a *Alerts) Put(project, name, by string, text []byte) (Row, error) {
	rule, err := parseRule(name, text)
	if err != nil {
		return Row{}, err
	}
	made := map[string]string{}
	var next held
	now := a.now()
	err = a.kept.Change(func(all []held) ([]held, error) {
		i, found := find(all, id{project, name})
		next = held{Project: project, Made: now}
		if found {
			next = all[i]
		}
		if err := a.become(&next, rule, made); err != nil {
			return nil, err
		}
		next.UpdatedAt, next.UpdatedBy = now, by
		if found {
			all[i] = next
			return all, nil
		}
		if err := room(all, project); err != nil {
			return nil, err
		}
		return slices.Insert(all, i, next), nil
	})
	if err != nil {
		return Row{}, putting(err)
	}
	clock.Wake(a.looks)
	clock.Wake(a.sends)
	row := a.row(&next)
	for i := range row.Destinations {
		if secret := made[row.Destinations[i].ID]; secret != "" {
			row.Destinations[i].Secret = secret
		}
	}
	return row, nil
}

func putting(err error) error {
	if errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnknown) {
		return err
	}
	return fmt.Errorf("change alerts: %w", err)
}

// room says whether a project may have one rule more.
func room(all []held, project string) error {
	own := 0
	for i := range all {
		if all[i].Project == project {
			own++
		}
	}
	switch {
	case own >= MaxRules:
		return fmt.Errorf("%w: the project has %d alerts, which is as many as there may be", ErrInvalid, own)
	case len(all) >= maxAll:
		return fmt.Errorf("%w: the server has %d alerts of all projects, which is as many as there may be", ErrInvalid, len(all))
	}
	return nil
}

// become makes h what it is once it was set to a rule. made gets the secrets that were made, by the ids of their destinations.
func (a *Alerts) become(h *held, rule Rule, made map[string]string) error {
	rule.Destinations = slices.Clone(rule.Destinations)
	for i := range rule.Destinations {
		d := &rule.Destinations[i]
		if secret := d.fill(h.Destinations); secret != "" {
			made[d.ID] = secret
		}
	}
	errs := []error{rule.checkPut()}
	if errs[0] == nil {
		for i := range rule.Destinations {
			if err := a.hereFaults(&rule.Destinations[i]); err != nil {
				errs = append(errs, fmt.Errorf("destinations, %d: %w", i+1, err))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		if errs[0] == nil {
			err = fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		return err
	}
	was := h.Rule
	h.Rule = rule
	switch { // what was told is told to be over, by whom it was told
	case rule.Disabled:
		h.reset("the alert was disabled", a.now())
	case was.Question != "" && was.Question != rule.Question:
		h.reset("its question was changed", a.now())
	}
	for i := range h.Deliveries {
		s := &h.Deliveries[i]
		if s.State == pending && !slices.ContainsFunc(rule.Destinations, func(d Destination) bool { return d.ID == s.Destination }) {
			s.end(givenUp, "the destination was removed", a.now())
		}
	}
	return nil
}

// Delete removes the rule of this name, and what of it was still to be sent. ErrUnknown when there is none.
func (a *Alerts) Delete(project, name string) error {
	err := a.kept.Change(func(all []held) ([]held, error) {
		i, found := find(all, id{project, name})
		if !found {
			return nil, ErrUnknown
		}
		return slices.Delete(all, i, i+1), nil
	})
	if err != nil {
		return putting(err)
	}
	return nil
}

// change replaces one rule by what edit makes of it, when it is still as it was set at a time; the zero time is any. false: nothing is to be changed.
func (a *Alerts) change(of id, set time.Time, edit func(*held) bool) error {
	return a.kept.Change(func(all []held) ([]held, error) {
		i, found := find(all, of)
		if !found || !set.IsZero() && !all[i].UpdatedAt.Equal(set) || !edit(&all[i]) {
			return nil, document.ErrSame
		}
		return all, nil
	})
}

// adopt has rules hold. What was found of those that were set since is forgotten.
func (a *Alerts) adopt(all []held) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.all {
		was := &a.all[i]
		if k, found := find(all, was.id()); !found || !all[k].UpdatedAt.Equal(was.UpdatedAt) {
			delete(a.due, was.id())
			delete(a.found, was.id())
		}
	}
	a.all = all
}

// snapshot is all rules as they are.
func (a *Alerts) snapshot() []held {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all
}

// now is the time as it is kept.
func (a *Alerts) now() time.Time { return a.o.Now().UTC().Truncate(time.Microsecond) }

// Run looks and sends, where it is this node's to do that, until ctx ends; then it returns nil.
func (a *Alerts) Run(ctx context.Context) error {
	defer a.client.CloseIdleConnections()
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { a.deliver(ctx) })
	work.Go(func() {
		a.kept.Follow(ctx, a.o.Logger, "alerts", func() {
			clock.Wake(a.looks)
			clock.Wake(a.sends)
		})
	})
	if a.o.Lead != nil {
		work.Go(func() { a.leading(ctx) })
	}
	a.look(ctx)
	return nil
}
