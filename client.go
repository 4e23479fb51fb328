package brokle

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/delivery"
	"github.com/brokle-ai/brokle-go/internal/payload"
	"github.com/brokle-ai/brokle-go/internal/transport"
)

// Client records telemetry and reads it back. It is safe for concurrent use;
// a process may have any number of them, and they share nothing; one of them may be the default (SetDefault). A nil Client, one
// without a key and a disabled one take every call of the writing side and do nothing.
type Client struct {
	cfg       Config
	transport *transport.Transport // nil when disabled
	proc      *delivery.Processor  // nil when disabled
	err       error
	said      sync.Pool // of *details
	prompts   prompts

	// Traces, Observations, Scores, Sessions, Users and Environments read what the server kept.
	Traces       *Traces
	Observations *Observations
	Scores       *Scores
	Sessions     *Sessions
	Users        *Users
	Environments *Environments
	// Events reads the stored events themselves.
	Events *Events
}

// New makes a client from cfg, the environment and the defaults, in this order.
// The error joins a *ConfigError for every bad field; the client is then nil,
// and a nil client is safe to use. New opens nothing but the spool directory, where one is
// set; goroutines start with the first event. Close ends them.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.resolve(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg}
	c.Traces, c.Observations, c.Scores = &Traces{c}, &Observations{c}, &Scores{c}
	c.Sessions, c.Users, c.Environments = &Sessions{c}, &Users{c}, &Environments{c}
	c.Events = &Events{c}
	if cfg.APIKey == "" || cfg.Disabled {
		c.err = ErrDisabled
		return c, nil
	}
	t := transport.New(cfg.transport())
	c.proc, err = delivery.Open(cfg.delivery(t))
	if err != nil {
		return nil, err
	}
	c.transport = t
	return c, nil
}

// Err says why the client does nothing: ErrDisabled, or for GetClient what is wrong
// in the environment. It is nil for a client that works.
func (c *Client) Err() error {
	if c == nil {
		return ErrDisabled
	}
	return c.err
}

// Recording says whether what starts in the client is taken: it has a key, is not disabled, and nobody has begun to close it.
func (c *Client) Recording() bool { return c.enabled() && c.proc.Open() }

func (c *Client) enabled() bool { return c != nil && c.transport != nil }

// SendBatch sends req in one request and returns the server's answer, waiting
// for it but not trying twice: after a *RequestError that is Retryable the same request may
// be sent again, and its ids make sure that nothing is counted twice. For that, events without an
// ID get one in place. A nil Deduplication and an empty Environment are
// those of the Config; Mask is applied.
//
// With AsyncMode the answer has a JobID for Job and WaitJob. When the server refuses the
// batch because it holds duplicates (409), both the answer, which lists them, and the error are returned.
func (c *Client) SendBatch(ctx context.Context, req *BatchRequest) (*BatchResponse, error) {
	if !c.enabled() {
		return nil, ErrDisabled
	}
	r := *req
	if r.Environment == "" {
		r.Environment = c.cfg.Environment
	}
	if r.Deduplication == nil {
		d := c.cfg.deduplication()
		r.Deduplication = &d
	}
	for i := range r.Events {
		if r.Events[i].ID == "" {
			r.Events[i].ID = NewID()
		}
	}
	if c.cfg.Mask != nil {
		masked, err := c.maskEvents(r.Events)
		if err != nil {
			return nil, err
		}
		r.Events = masked
	}
	body, err := payload.Encode(&r)
	if err != nil {
		return nil, fmt.Errorf("brokle: encode batch: %w", err)
	}
	ans, _, err := c.transport.PostBatch(ctx, body)
	return ans, err
}

// maskEvents returns copies of events with masked payloads. It fails closed:
// one payload that cannot be masked stops the batch.
func (c *Client) maskEvents(events []Event) ([]Event, error) {
	out := make([]Event, len(events))
	for i, ev := range events {
		p, err := payload.Mask(c.cfg.Mask, ev.Type, ev.Payload)
		if err != nil {
			return nil, &EventError{EventID: ev.ID, Type: ev.Type, Code: "mask_failed", Err: err}
		}
		ev.Payload = p
		out[i] = ev
	}
	return out, nil
}
