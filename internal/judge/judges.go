package judge

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
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Server is what judges ask of the server that they are in, for a project.
type Server interface {
	// Traces answers as GET /v1/traces does.
	Traces(ctx context.Context, project string, values url.Values) (*wire.Page[wire.TraceSummary], error)
	// Scores answers as GET /v1/scores does.
	Scores(ctx context.Context, project string, values url.Values) (*wire.Page[wire.Score], error)
	// Trace is a trace with its input, output and metadata, without observations.
	Trace(ctx context.Context, project, id string) (*wire.Trace, error)
	// Send stores events, as if the key had sent them to an environment.
	Send(ctx context.Context, project, key, environment string, events []wire.Event) error
	// Cost is what events of calls of models cost, in US dollars, as far as their prices are known.
	Cost(project string, events []wire.Event) float64
}

// Options are the settings of Judges. Those without a default are required.
type Options struct {
	Place  document.Place  // has the rules, and how far they are
	Lease  *document.Lease // says which of the nodes that share the Place judges; nil: there is this one alone
	Server Server
	// Transport carries requests, only to where they may go.
	Transport http.RoundTripper
	// Refuse says why requests may not go to an address, as far as it tells by itself.
	Refuse func(u *url.URL) error
	Every  time.Duration    // how far apart looks are. Default 2 s
	Late   time.Duration    // for how long after its start a trace may come in. Default 10 min
	Reach  time.Duration    // for how long after its start a trace may go on. Default 24 h
	First  time.Duration    // the pause before a second attempt; others are four times as long as the one before. Default 2 s
	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // default: nobody
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Refuse == nil {
		o.Refuse = func(*url.URL) error { return nil }
	}
	for _, d := range []struct {
		field  *time.Duration
		absent time.Duration
	}{{&o.Every, 2 * time.Second}, {&o.Late, 10 * time.Minute}, {&o.Reach, 24 * time.Hour}, {&o.First, 2 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.absent
		}
	}
	return o
}

// Judges are those of all projects of a node. Its methods are safe for concurrent use; Run must be called at most once.
type Judges struct {
	o      Options
	client *http.Client
	looks  chan struct{} // has room for one: something changed

	kept document.List[held]

	mu    sync.Mutex // guards what follows
	all   []held     // replaced, never changed in place
	known map[id]*memory
	fault map[id]string // why the last look or the last call of a rule failed
}

// Open reads what is kept.
func Open(o Options) (*Judges, error) {
	o = o.withDefaults()
	raw, err := o.Place.Read()
	var all []held
	if err == nil {
		all, err = parse("the file of judges", raw)
	}
	if err != nil {
		return nil, fmt.Errorf("open judges: %w", err)
	}
	j := &Judges{
		o: o, all: all, looks: make(chan struct{}, 1), known: map[id]*memory{}, fault: map[id]string{},
		client: &http.Client{
			Transport: o.Transport, Timeout: callTime,
			// A redirection would take what is judged to somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	j.kept = document.List[held]{
		Place: o.Place, Encode: encode, Take: j.adopt,
		Parse: func(text []byte) ([]held, error) { return parse("what is kept of judges", text) },
	}
	return j, nil
}

// Standing is a rule and how it stands. Its key and the path of its address are masked.
type Standing struct {
	Judge
	UpdatedAt time.Time `json:"updated_at"` // when it was last put
	UpdatedBy string    `json:"updated_by"` // the id of the key that did
	Today     Spending  `json:"today"`
	Total     Decided   `json:"total"`
	Fault     string    `json:"fault"` // why the last look or call failed; "" when it did not
}

// Spending is what was spent of the budget, of the day that it is in UTC.
type Spending struct {
	Calls int64   `json:"calls"` // made, failed ones too
	Cost  float64 `json:"cost"`  // US dollars, of those whose price is known
}

// List is the rules of a project by name, and how they stand.
func (j *Judges) List(project string) []Standing {
	rows := []Standing{}
	for _, h := range j.snapshot() {
		if h.Project == project {
			rows = append(rows, j.row(&h))
		}
	}
	return rows
}

// Get is one of them.
func (j *Judges) Get(project, name string) (Standing, error) {
	all := j.snapshot()
	i, found := find(all, id{project, name})
	if !found {
		return Standing{}, ErrUnknown
	}
	return j.row(&all[i]), nil
}

func (j *Judges) row(h *held) Standing {
	j.mu.Lock()
	fault := j.fault[h.id()]
	j.mu.Unlock()
	s := h.today(j.o.Now())
	r := Standing{Judge: h.Judge, UpdatedAt: h.UpdatedAt, UpdatedBy: h.UpdatedBy, Today: Spending{s.Calls, s.Cost}, Total: h.Total, Fault: fault}
	r.URL = maskedURL(r.URL)
	if r.Key != "" {
		r.Key = masked
	}
	return r
}

func (j *Judges) snapshot() []held {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all
}

// Put keeps the rule that text, a JSON object, says under this name, in the place of one that is there. by is the id of the key that does. ErrInvalid says what is wrong, a line
// each. A rule judges what starts after it was first put.
func (j *Judges) Put(project, name, by string, text []byte) (Standing, error) {
	rule, err := parseRule(name, text)
	if err != nil {
		return Standing{}, err
	}
	if err := rule.filterFault(); err != nil {
		return Standing{}, err
	}
	now := j.o.Now().UTC().Truncate(time.Microsecond)
	var out held
	err = j.change(func(all []held) ([]held, error) {
		i, found := find(all, id{project, name})
		next := held{Project: project, From: now}
		if found {
			next = all[i]
		}
		rule := rule
		rule.keep(&next.Judge)
		if err := rule.check(); err != nil {
			return nil, err
		}
		if u, err := url.Parse(rule.URL); err == nil {
			if err := j.o.Refuse(u); err != nil {
				return nil, fmt.Errorf("%w: url: %w", ErrInvalid, err)
			}
		}
		if next.Disabled && !rule.Disabled {
			next.From = now // what came meanwhile is not judged
		}
		next.Judge, next.UpdatedAt, next.UpdatedBy = rule, now, by
		out = next
		if found {
			all[i] = next
			return all, nil
		}
		if own := slices.DeleteFunc(slices.Clone(all), func(h held) bool { return h.Project != project }); len(own) >= MaxRules || len(all) >= maxAll {
			return nil, fmt.Errorf("%w: there are as many judges as there may be: %d of a project", ErrInvalid, MaxRules)
		}
		return slices.Insert(all, i, next), nil
	})
	if err != nil {
		return Standing{}, err
	}
	clock.Wake(j.looks)
	return j.row(&out), nil
}

// keep gives a rule that was sent what is masked in it, from the one that is there. A key goes to no other address than the one that it was given for.
func (r *Judge) keep(had *Judge) {
	if had.URL != "" && (r.URL == "" || r.URL == maskedURL(had.URL)) {
		r.URL = had.URL
	}
	switch {
	case r.Key != "" && r.Key != masked:
	case r.URL == had.URL:
		r.Key = had.Key
	case r.Key == masked:
		r.Key = ""
	}
}

// Delete removes the rule of this name. Scores that it gave stay.
func (j *Judges) Delete(project, name string) error {
	return j.change(func(all []held) ([]held, error) {
		i, found := find(all, id{project, name})
		if !found {
			return nil, ErrUnknown
		}
		return slices.Delete(all, i, i+1), nil
	})
}

// change has hold what edit makes of the newest rules; its error is returned, but for document.ErrSame.
func (j *Judges) change(edit func([]held) ([]held, error)) error {
	switch err := j.kept.Change(edit); {
	case err == nil, errors.Is(err, ErrInvalid), errors.Is(err, ErrUnknown):
		return err
	default:
		return fmt.Errorf("change judges: %w", err)
	}
}

// one changes one rule that is still as it was put at a time.
func (j *Judges) one(of *held, edit func(*held)) error {
	return j.change(func(all []held) ([]held, error) {
		i, found := find(all, of.id())
		if !found || !all[i].UpdatedAt.Equal(of.UpdatedAt) {
			return nil, document.ErrSame
		}
		edit(&all[i])
		return all, nil
	})
}

// adopt has rules hold.
func (j *Judges) adopt(all []held) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.all {
		was := &j.all[i]
		if k, found := find(all, was.id()); !found || !all[k].UpdatedAt.Equal(was.UpdatedAt) {
			delete(j.known, was.id())
			delete(j.fault, was.id())
		}
	}
	j.all = all
}

// Run judges, where it is this node's to do that, until ctx ends; then it returns nil.
func (j *Judges) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait() // also for calls, which end with ctx
	work.Go(func() { j.kept.Follow(ctx, j.o.Logger, "judges", nil) })
	if j.o.Lease != nil {
		work.Go(func() { j.o.Lease.Run(ctx) })
	}
	for clock.Pause(ctx, j.o.Every, j.looks) {
		if !j.o.Lease.Held() {
			continue
		}
		for _, h := range j.snapshot() {
			if m := j.free(&h); m != nil { // a slow judge keeps no other waiting
				work.Go(func() {
					j.look(ctx, &h, m)
					j.done(m)
				})
			}
		}
	}
	return nil
}

// Health is the line of /readyz: whether what is decided can be kept. What a rule asks is its project's matter.
func (j *Judges) Health() store.Health {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := store.Health{Part: "judges", OK: true, Detail: fmt.Sprintf("%d are there", len(j.all))}
	if lost := j.kept.Fault(); lost != "" {
		h.OK, h.Detail = false, "the file of judges cannot be written: "+lost
	}
	return h
}

// Gauge is how one rule stands, for those who measure.
type Gauge struct {
	Project, Name string
	Decided       Decided
	Today         Spending
}

// Stats is how all rules stand.
type Stats struct {
	Judges []Gauge
	Leads  bool // this node judges
	Fault  bool // the last write failed
}

// Stats says how it stands.
func (j *Judges) Stats() Stats {
	s := Stats{Leads: j.o.Lease.Held()}
	for _, h := range j.snapshot() {
		today := h.today(j.o.Now())
		s.Judges = append(s.Judges, Gauge{h.Project, h.Name, h.Total, Spending{today.Calls, today.Cost}})
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s.Fault = j.kept.Fault() != ""
	return s
}
