package brokle

import (
	"cmp"
	"context"
)

type contextKey struct{}

// scope is what a context carries: where the next observation belongs.
type scope struct {
	trace  *ActiveTrace
	parent *ActiveObservation
	client *Client // of what starts without a trace; see named
	named  bool    // client was chosen, even if it is nil: there is no way past it to the default
	// carried is said of the trace that starts, and travels; nil when nothing is.
	carried *carried
	remote  *remote // what began in another process; nil when nothing did
}

func (s scope) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, &s)
}

func scopeOf(ctx context.Context) scope {
	if s, ok := ctx.Value(contextKey{}).(*scope); ok {
		return *s
	}
	return scope{}
}

// started is an observation that has begun, and the context that carries it, in one piece of memory.
type started struct {
	context.Context
	scope  scope
	o      ActiveObservation
	digits [observationIDDigits]byte // of o's id, unless it was given
}

// Value implements context.Context.
func (s *started) Value(key any) any {
	if key == (contextKey{}) {
		return &s.scope
	}
	return s.Context.Value(key)
}

// TraceFromContext returns the trace that ctx carries, or nil.
func TraceFromContext(ctx context.Context) *ActiveTrace { return scopeOf(ctx).trace }

// ObservationFromContext returns the innermost observation that ctx carries, or nil.
func ObservationFromContext(ctx context.Context) *ActiveObservation { return scopeOf(ctx).parent }

// WithClient returns a context that carries c: what starts with it by StartGeneration,
// StartSpan, StartObservation or Observe, and has no trace in its context, is recorded by c. A trace
// that ctx carries stays, and goes before c. With a nil or disabled c nothing is recorded, whatever the default is.
func WithClient(ctx context.Context, c *Client) context.Context {
	s := scopeOf(ctx)
	s.client, s.named = c, true
	return s.in(ctx)
}

// WithObservation returns a context that carries o: what starts with it lies below o. It is for code whose context comes from elsewhere than
// from what started o, such as a callback's. A nil o leaves ctx as it is.
func WithObservation(ctx context.Context, o *ActiveObservation) context.Context {
	if o == nil {
		return ctx
	}
	return scope{trace: o.trace, parent: o, carried: scopeOf(ctx).carried}.in(ctx)
}

// ClientFromContext returns the client that records what starts with ctx: that of the trace that ctx
// carries, else that of WithClient, else the default; nil when there is none.
func ClientFromContext(ctx context.Context) *Client {
	c, _ := scopeOf(ctx).recorder()
	return c
}

// recorder is ClientFromContext; named is false when nobody chose a client.
func (s scope) recorder() (c *Client, named bool) {
	switch {
	case s.trace != nil:
		return s.trace.c, true
	case s.named:
		return s.client, true
	}
	c = process.client.Load()
	return c, c != nil
}

// StartTrace begins a trace and returns a context that carries it: the
// observations started with that context belong to it. ID, StartedAt, UserID, SessionID, Tags, Input,
// Metadata, CodeVersion, Release and Error are the options that mean something for a trace; what WithUser and its like put into ctx is
// said of it, too. A client that is nil or disabled
// returns a nil trace, and what starts with the returned context is recorded by no other client either.
func (c *Client) StartTrace(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveTrace) {
	if !c.enabled() {
		return c.shut(ctx), nil
	}
	d := c.gather(opts)
	defer c.free(d)
	return c.startTrace(ctx, name, d)
}

func (c *Client) startTrace(ctx context.Context, name string, d *details) (context.Context, *ActiveTrace) {
	d.name = name
	d.orNow(&d.start)
	if d.id == "" {
		d.id = newTraceID()
	}
	about := scopeOf(ctx).carried.with(d)
	t := &ActiveTrace{c: c, id: d.id}
	c.proc.Record(TraceCreate, d.now, d.trace(), d.err)
	return scope{trace: t, carried: about}.in(ctx), t
}

// shut returns a context in which nothing is recorded, for the trace of a client that is off:
// its parts must not go to another client. It costs nothing where no other client would get them.
func (c *Client) shut(ctx context.Context) context.Context {
	if !process.off.Load() {
		process.off.Store(true)
	}
	s := scopeOf(ctx)
	if other, _ := s.recorder(); !other.enabled() {
		return ctx
	}
	return scope{client: c, named: true, carried: s.carried}.in(ctx)
}

// StartGeneration begins an observation of type "generation": one call of a
// language model. See StartObservation.
func StartGeneration(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveObservation) {
	return StartObservation(ctx, TypeGeneration, name, opts...)
}

// StartGeneration begins an observation of type "generation": one call of a
// language model. See Client.StartObservation.
func (c *Client) StartGeneration(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveObservation) {
	return c.StartObservation(ctx, TypeGeneration, name, opts...)
}

// StartSpan begins an observation of type "span". See StartObservation.
func StartSpan(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveObservation) {
	return StartObservation(ctx, TypeSpan, name, opts...)
}

// StartSpan begins an observation of type "span". See Client.StartObservation.
func (c *Client) StartSpan(ctx context.Context, name string, opts ...Option) (context.Context, *ActiveObservation) {
	return c.StartObservation(ctx, TypeSpan, name, opts...)
}

// StartObservation begins an observation below what ctx carries, and returns a
// context that carries it. A context without a trace gets one of the same name from the client that ctx
// carries (WithClient), else from the default (SetDefault). Where there is neither, nothing is recorded, which is said
// once in slog's default log: the package makes no client of its own, whose Mask nobody set and which nobody closes.
func StartObservation(ctx context.Context, typ, name string, opts ...Option) (context.Context, *ActiveObservation) {
	s := scopeOf(ctx)
	c, named := s.recorder()
	if !named {
		sayUnnamed(name)
		return ctx, nil
	}
	return c.start(ctx, s, typ, name, opts)
}

// StartObservation begins an observation below what ctx carries, whichever client began that, and
// returns a context that carries it. A context without a trace gets one of the same name from c: it begins with the
// observation, and UserID, SessionID and Release are said of it.
func (c *Client) StartObservation(ctx context.Context, typ, name string, opts ...Option) (context.Context, *ActiveObservation) {
	return c.start(ctx, scopeOf(ctx), typ, name, opts)
}

func (c *Client) start(ctx context.Context, s scope, typ, name string, opts []Option) (context.Context, *ActiveObservation) {
	if s.trace == nil && !c.enabled() {
		return c.shut(ctx), nil
	}
	by := c
	if s.trace != nil {
		by = s.trace.c
	}
	d := by.gather(opts)
	d.orNow(&d.start)
	parent := s.parent.named()
	switch {
	case s.trace != nil:
	case s.remote != nil:
		s.trace, parent = &ActiveTrace{c: c, id: s.remote.trace}, s.remote.observation
	default:
		of := c.gather(nil)
		of.start, of.userID, of.sessionID, of.release = d.start, d.userID, d.sessionID, d.release
		ctx, s.trace = c.startTrace(ctx, name, of)
		c.free(of)
		s.carried = scopeOf(ctx).carried
	}
	d.name = name
	begun := &started{Context: ctx, o: ActiveObservation{trace: s.trace, id: d.id, start: d.start}}
	o := &begun.o
	if o.id == "" {
		o.id = newObservationID(&begun.digits)
	}
	begun.scope = scope{trace: s.trace, parent: o, carried: s.carried, remote: s.remote}
	told := d.observation(o.trace.id, o.id)
	told.Observation.Type, told.Observation.ParentObservationID = cmp.Or(d.typ, typ), parent
	o.submit(ObservationCreate, d, told)
	return begun, o
}

// Observe runs fn as a span and returns its error. A returned error and a
// panic, which goes on, become level ERROR, of the error as Error says. Type is an option. See StartObservation
// for where it is recorded; fn runs whether it is or not.
func Observe(ctx context.Context, name string, fn func(context.Context) error, opts ...Option) error {
	ctx, span := StartSpan(ctx, name, opts...)
	return span.observe(ctx, fn)
}

// Observe runs fn as a span and returns its error. See the function Observe, and Client.StartObservation for
// where it is recorded.
func (c *Client) Observe(ctx context.Context, name string, fn func(context.Context) error, opts ...Option) error {
	ctx, span := c.StartSpan(ctx, name, opts...)
	return span.observe(ctx, fn)
}

func (o *ActiveObservation) observe(ctx context.Context, fn func(context.Context) error) error {
	ended := false
	defer func() {
		if !ended { // a panic is on its way, or runtime.Goexit
			o.End(Level(LevelError), StatusMessage("panicked"))
		}
	}()
	err := fn(ctx)
	ended = true
	o.End(Error(err))
	return err
}

// Do runs fn as a span and returns its value and its error; a panic, which goes on, ends the span, too. What the value says is not
// recorded: ObservationFromContext in fn takes Output. See Observe.
func Do[T any](ctx context.Context, name string, fn func(context.Context) (T, error), opts ...Option) (T, error) {
	var v T
	err := Observe(ctx, name, func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		return err
	}, opts...)
	return v, err
}
