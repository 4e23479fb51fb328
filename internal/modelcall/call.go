package modelcall

import (
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// call is one request and its answer.
type call struct {
	r       *Recorder
	shape   *shape
	ctx     context.Context
	started time.Time
	model   string // that the path names
	url     *url.URL
	retry   string // which try it is, where the client says so
	outer   *Outer // the step that callbacks told of; nil when they told of none

	mu       sync.Mutex // guards all below
	sent     capture
	began    bool
	inside   bool // it goes on in what outer began
	o        *brokle.ActiveObservation
	status   int
	unread   string // why the answer is not read
	stream   bool
	events   events
	received capture
	a        answer
	ended    bool
	stop     func() bool // ends the watch on ctx
}

// guarded runs read under the mutex. What goes wrong in it is ours, and must not reach the program: then the call has
// what was read before.
func (c *call) guarded(read func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			c.unread = "it could not be read"
		}
	}()
	read()
}

// begin starts the observation, with what was sent so far. It does so once: at the end of the body, or with the answer.
func (c *call) begin() {
	if c.began {
		return
	}
	c.began = true
	c.inside = c.outer != nil && c.outer.Observation != nil && c.shape.typ == brokle.TypeGeneration && !c.outer.taken.Swap(true)
	asked := c.shape.ask(c.sent.head, c.content())
	asked.model = cmp.Or(asked.model, c.model)
	name := c.shape.operation
	if asked.model != "" {
		name += " " + asked.model
	}
	opts := []brokle.Option{brokle.Provider(c.shape.providerOf(c.url)), brokle.RequestedModel(asked.model)}
	if asked.input != nil {
		opts = append(opts, brokle.Input(asked.input))
	}
	if len(asked.params) > 0 {
		params := make(map[string]any, len(asked.params))
		for key, v := range asked.params {
			params[key] = v
		}
		opts = append(opts, brokle.ModelParameters(params))
	}
	if c.sent.cut() {
		opts = append(opts, brokle.Attribute("brokle.input_cut", true))
	}
	if n, err := strconv.Atoi(c.retry); err == nil && n > 0 {
		opts = append(opts, brokle.Attribute("http.request.resend_count", n)) // OpenTelemetry's semantic conventions for HTTP
	}
	c.start(name, opts)
}

// start begins the observation, or goes on in the one that a callback began.
func (c *call) start(name string, opts []brokle.Option) {
	ctx := c.ctx
	switch {
	case c.inside:
		c.o = c.outer.Observation
		c.o.Update(append(slices.Clip(c.r.Options), opts...)...)
		return
	case c.outer != nil:
		ctx = c.outer.Below
	}
	_, c.o = c.r.Start(ctx, c.shape.typ, name, append(opts, brokle.StartedAt(c.started.UTC())))
}

// content says whether what was said is recorded.
func (c *call) content() bool { return !c.r.NoContent && !(c.inside && c.outer.NoContent) }

// broke ends a call that got no answer.
func (c *call) broke(err error) {
	c.guarded(func() { c.end(err) })
}

// answers begins to watch an answer.
func (c *call) answers(resp *http.Response) {
	c.guarded(func() {
		c.begin()
		c.status = resp.StatusCode
		kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
		c.stream = kind == "text/event-stream" && c.shape.piece != nil
		if coding := resp.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
			c.unread = "its coding is " + coding
		}
		if resp.Body == nil || resp.Body == http.NoBody {
			c.end(io.EOF)
			return
		}
		resp.Body = &answerBody{resp.Body, c}
		c.stop = context.AfterFunc(c.ctx, func() { c.left(context.Cause(c.ctx)) })
	})
}

// take reads what the program got: p, and the error that came with it.
func (c *call) take(p []byte, err error) {
	c.guarded(func() {
		if c.ended {
			return
		}
		switch {
		case c.unread != "":
		case c.stream:
			c.events.take(p, c.piece)
		default:
			c.received.take(p)
		}
		if err != nil {
			c.end(err)
		}
	})
}

func (c *call) piece(data []byte) {
	begun := c.a.first
	if c.shape.piece(&c.a, data); c.a.first && !begun {
		c.o.FirstToken()
	}
}

// left ends a call that the program left before the end of its answer: it closed the body, or its context ended.
func (c *call) left(why error) {
	c.guarded(func() { c.end(why) })
}

// errLeft says that the program closed the body.
var errLeft = errors.New("closed")

// end ends the observation, once. err is why nothing more comes: io.EOF when that is all.
func (c *call) end(err error) {
	if c.ended {
		return
	}
	c.ended = true
	if c.stop != nil {
		c.stop()
	}
	c.begin()
	c.finish()
	opts := c.said()
	c.sent, c.received, c.events = capture{}, capture{}, events{}
	switch {
	case c.a.failed || c.status >= http.StatusBadRequest:
		c.o.End(append(opts, c.refusal()...)...)
	case c.a.done && (err == io.EOF || err == errLeft || errors.Is(err, context.Canceled)):
		c.o.End(opts...)
	case err == errLeft || errors.Is(err, context.Canceled):
		c.o.Abort(opts...)
	case err == io.EOF && (!c.stream || c.unread != ""):
		c.o.End(opts...)
	case err == io.EOF:
		c.o.End(append(opts, brokle.Error(io.ErrUnexpectedEOF), brokle.ErrorType("IncompleteStream"), brokle.StatusMessage("the stream ended before the answer"))...)
	case err == nil:
		c.o.End(append(opts, brokle.Level(brokle.LevelError), brokle.StatusMessage("no answer"))...)
	default:
		c.o.End(append(opts, brokle.Error(bare(err)))...)
	}
}

// finish reads what is known only now: the whole of an answer that did not stream, the last event of one that did.
func (c *call) finish() {
	switch {
	case c.unread != "":
	case c.stream:
		c.events.rest(c.piece)
	case c.status >= http.StatusBadRequest:
		members := membersOf(c.received.head)
		if c.a.fail(members["error"]); !c.a.failed {
			c.a.fail(members["message"])
		}
	default:
		if c.shape.whole(&c.a, c.received.head); c.received.cut() {
			c.a.ofTail(append(c.received.head[max(0, len(c.received.head)-keptTail):], c.received.tail...))
		}
	}
	if c.stream && c.shape.built != nil && c.a.output == nil {
		c.a.output = c.shape.built(&c.a)
	}
}

// said is what an answer said, as options.
func (c *call) said() (opts []brokle.Option) {
	a := &c.a
	opts = append(opts, brokle.Model(a.model), brokle.ResponseID(a.id), brokle.ServiceTier(a.tier))
	if a.finish != "" {
		opts = append(opts, brokle.FinishReason(a.finish))
	}
	if len(a.usage) > 0 {
		opts = append(opts, brokle.ProviderUsage(a.usage))
	}
	if a.output != nil && c.content() {
		opts = append(opts, brokle.Output(a.output))
	}
	if c.received.cut() {
		opts = append(opts, brokle.Attribute("brokle.output_cut", true))
	}
	if c.unread != "" {
		opts = append(opts, brokle.Attribute("brokle.unread", c.unread))
	}
	if c.status != 0 {
		opts = append(opts, brokle.Attribute("http.response.status_code", c.status))
	}
	return opts
}

// refusal is the error that the provider answered.
func (c *call) refusal() []brokle.Option {
	typ, text := c.a.errorType, c.a.errorText
	if c.status >= http.StatusBadRequest {
		typ, text = cmp.Or(typ, strconv.Itoa(c.status)), cmp.Or(text, http.StatusText(c.status))
	}
	if !c.content() {
		text = typ
	}
	return []brokle.Option{brokle.Level(brokle.LevelError), brokle.ErrorType(typ), brokle.StatusMessage(text)}
}

// bare is err without the address that net/http puts around it, which may hold a key.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
