package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// pool keeps connections that nobody uses at the moment, and opens others. It is safe for concurrent use.
type pool struct {
	servers *servers
	o       Options
	silence time.Duration // for how long a server may say nothing
	// logged says of which servers the log knows that they are away: lookAround's.
	logged []bool
	// fault is asked before each statement, in tests: an error is that of the statement, which is not sent.
	fault func(statement string) error
	// refuse is asked in its place by whoever has a connection for it, in tests: what it says is as if the server, by its place, had said it.
	refuse func(server int, statement string) error

	mu     sync.Mutex // guards what follows
	idle   []*conn
	closed bool
}

// conn is a connection to one of the servers.
type conn struct {
	session
	line   *line
	server int
}

// mostIdle is how many connections are kept.
const mostIdle = 8

func newPool(o Options) *pool {
	wait := silence
	if len(o.Addresses) == 1 {
		wait = aloneSilence
	}
	return &pool{silence: wait, o: o, servers: newServers(o.Addresses), logged: make([]bool, len(o.Addresses))}
}

// do runs one statement. What is sent may be sent twice: a connection that was kept may have died meanwhile, which shows only when it is used, and a server that
// does not answer is passed over for the next one.
func (p *pool) do(ctx context.Context, q ch.Query) error { return p.send(ctx, q, func() {}) }

// send is do of what is sent in pieces; begin is called before each time that it is sent.
func (p *pool) send(ctx context.Context, q ch.Query, begin func()) error {
	if p.fault != nil {
		if err := p.fault(q.Body); err != nil {
			return err
		}
	}
	began := time.Now()
	for failed := 0; ; {
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
		err = p.once(ctx, c, once)
		p.put(c, err)
		if ch.IsErr(err, proto.ErrUnsatisfiedQuorumForPreviousWrite) && time.Since(began) < quorumTime && clock.Sleep(ctx, rand.N(quorumWait)) == nil {
			continue
		}
		switch {
		case err == nil || ctx.Err() != nil || ch.IsException(err) && !p.another(err):
			return explained(ctx, err)
		case kept && !errors.Is(err, errSilent) && !ch.IsException(err):
			if answered {
				return explained(ctx, err)
			}
			continue
		}
		p.passOver(c.server, err)
		if failed++; answered || failed >= len(p.servers.addresses) {
			return explained(ctx, err)
		}
	}
}

// once has one connection run a statement, and waits no longer than the server may say nothing.
func (p *pool) once(ctx context.Context, c *conn, q ch.Query) error {
	wait := p.silence
	if longer, ok := ctx.Value(patience{}).(time.Duration); ok {
		wait = longer
	}
	if p.refuse != nil {
		if err := p.refuse(c.server, q.Body); err != nil {
			return err
		}
	}
	c.line.expect(wait)
	defer context.AfterFunc(ctx, c.line.hangUp)()
	return c.Do(ctx, q)
}

// Replicas that are asked with sequential consistency take one insert into a table at a time, and refuse the others: of nodes that insert at once one comes first.
const (
	quorumTime = time.Minute
	quorumWait = 200 * time.Millisecond // at most, before it is tried again
)

// another says that another of several servers may do what this one refuses: a replica that has no room left, has lost its Keeper, or is behind the others.
func (p *pool) another(err error) bool {
	return len(p.servers.addresses) > 1 && (noWrites(err) != "" || ch.IsErr(err, proto.ErrTooManySimultaneousQueries, proto.ErrReplicaIsNotInQuorum))
}

// passOver has the other servers asked from now on, and gives up what is kept of this one.
func (p *pool) passOver(server int, why error) {
	p.servers.failed(server, why)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = slices.DeleteFunc(p.idle, func(c *conn) bool {
		if c.server == server {
			_ = c.Close() // it is not used again
		}
		return c.server == server
	})
}

func (p *pool) get(ctx context.Context) (c *conn, kept bool, err error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, false, store.ErrClosed
	}
	order := p.servers.order()
	for i, c := range slices.Backward(p.idle) {
		if c.server == order[0] {
			p.idle = slices.Delete(p.idle, i, i+1)
			p.mu.Unlock()
			return c, true, nil
		}
	}
	p.mu.Unlock()
	var failed []error
	for _, n := range order {
		c, err := p.dial(ctx, n)
		if err == nil {
			p.servers.answered(n)
			return c, false, nil
		}
		if ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		p.servers.failed(n, err)
		failed = append(failed, fmt.Errorf("%s: %w", p.servers.addresses[n], err))
	}
	return nil, false, notConnected(errors.Join(failed...))
}

// dial opens a connection to a server.
func (p *pool) dial(ctx context.Context, server int) (*conn, error) {
	d, open := &lineDialer{}, dialNative
	if p.o.HTTP {
		open = dialHTTP
	}
	within, cancel := context.WithTimeout(ctx, dialTime+handshakeTime)
	defer cancel()
	defer context.AfterFunc(within, func() {
		if l := d.made.Load(); l != nil {
			l.hangUp()
		}
	})()
	s, err := open(within, d, &p.o, p.servers.addresses[server])
	if err != nil {
		return nil, err
	}
	return &conn{s, d.made.Load(), server}, nil
}

// put takes a connection back, unless it may be in the middle of something.
func (p *pool) put(c *conn, err error) {
	if err != nil || c.IsClosed() {
		_ = c.Close() // whatever it says, it is not used again
		return
	}
	c.line.expect(0) // nobody asks
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= mostIdle || c.server != p.servers.inUse() {
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
