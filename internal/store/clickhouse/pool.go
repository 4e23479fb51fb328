package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// pool keeps connections that nobody uses at the moment, and opens others. It is safe for concurrent use.
type pool struct {
	options   ch.Options
	addresses []string
	// fault is asked before each statement, in tests: an error is that of the statement, which is not sent.
	fault func(statement string) error

	mu     sync.Mutex // guards what follows
	idle   []*ch.Client
	at     int // of addresses: the server that answered last
	closed bool
}

// mostIdle is how many connections are kept.
const mostIdle = 8

func newPool(o Options) *pool {
	return &pool{
		addresses: o.Addresses,
		options: ch.Options{
			Database: o.Database, User: o.User, Password: o.Password, TLS: o.TLS, ClientName: "brokle", Compression: ch.CompressionLZ4,
			DialTimeout: 5 * time.Second, HandshakeTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		},
	}
}

// do runs one statement. What is sent may be sent twice: a connection that was kept may have died meanwhile, which shows only when it is used.
func (p *pool) do(ctx context.Context, q ch.Query) error { return p.send(ctx, q, func() {}) }

// send is do of what is sent in pieces; begin is called before each time that it is sent.
func (p *pool) send(ctx context.Context, q ch.Query, begin func()) error {
	if p.fault != nil {
		if err := p.fault(q.Body); err != nil {
			return err
		}
	}
	for {
		c, kept, err := p.get(ctx)
		if err != nil {
			return err
		}
		answered := false
		once := q
		if q.OnResult != nil {
			once.OnResult = func(ctx context.Context, b proto.Block) error {
				answered = true
				return q.OnResult(ctx, b)
			}
		}
		begin()
		err = c.Do(ctx, once)
		p.put(c, err)
		if err == nil || !kept || answered || ctx.Err() != nil || ch.IsException(err) {
			return explained(ctx, err)
		}
	}
}

// explained is the error as its receiver must understand it.
func explained(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case ch.IsErr(err, memoryLimitExceeded, proto.ErrTooManyRowsOrBytes):
		return fmt.Errorf("%w: %w", store.ErrStarved, err)
	case ch.IsErr(err, proto.ErrTimeoutExceeded):
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	case ch.IsException(err):
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// memoryLimitExceeded is the server's code for a statement that needs more memory than it may have.
const memoryLimitExceeded = 241

func (p *pool) get(ctx context.Context) (c *ch.Client, kept bool, err error) {
	p.mu.Lock()
	at := p.at
	if p.closed {
		p.mu.Unlock()
		return nil, false, store.ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c, p.idle = p.idle[n-1], p.idle[:n-1]
		p.mu.Unlock()
		return c, true, nil
	}
	p.mu.Unlock()
	var failed []error
	for i := range p.addresses {
		next := (at + i) % len(p.addresses)
		o := p.options
		o.Address = p.addresses[next]
		c, err := ch.Dial(ctx, o)
		if err == nil {
			p.mu.Lock()
			p.at = next
			p.mu.Unlock()
			return c, false, nil
		}
		if ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		failed = append(failed, fmt.Errorf("%s: %w", o.Address, err))
	}
	return nil, false, notConnected(errors.Join(failed...))
}

// connectError says why there is no connection. /readyz shows it to whoever asks, so that it names no server; the log has what is below it.
type connectError struct {
	says  string
	cause error
}

func (e *connectError) Error() string   { return e.says }
func (e *connectError) Unwrap() []error { return []error{store.ErrUnavailable, e.cause} }

func notConnected(cause error) error {
	says := "clickhouse cannot be reached"
	switch {
	case ch.IsErr(cause, proto.ErrAuthenticationFailed, proto.ErrUnknownUser, proto.ErrWrongPassword, proto.ErrRequiredPassword):
		says = "clickhouse refuses the user or the password"
	case ch.IsErr(cause, proto.ErrUnknownDatabase):
		says = "clickhouse has no database of that name"
	case ch.IsException(cause):
		says = "clickhouse refuses the connection"
	}
	return &connectError{says, cause}
}

// causeOf is what is below an error, for the log.
func causeOf(err error) error {
	var is *connectError
	if errors.As(err, &is) {
		return is.cause
	}
	return err
}

// put takes a connection back, unless it may be in the middle of something.
func (p *pool) put(c *ch.Client, err error) {
	if err != nil || c.IsClosed() {
		_ = c.Close() // whatever it says, it is not used again
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= mostIdle {
		_ = c.Close()
		return
	}
	p.idle = append(p.idle, c)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		_ = c.Close()
	}
	p.idle = nil
}
