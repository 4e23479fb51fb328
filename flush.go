package brokle

import (
	"context"
)

// Flush sends everything at once and returns when each event accepted before
// the call has an outcome. When ctx ends first it returns a *PendingError that says how many
// have none. Without a deadline and a server it waits as long as the server is away.
func (c *Client) Flush(ctx context.Context) error {
	if !c.enabled() {
		return nil
	}
	return c.proc.flush(ctx)
}

// Close takes no more events, flushes, and ends the client's goroutines. Each
// batch is tried at most MaxRetries more times; what is then still undelivered goes to the spool where
// there is one and is dropped otherwise. When ctx ends first, that happens at once. It returns a
// *PendingError when events went to the spool or ctx ended before all had their outcome. Every call of Close returns when
// the client is closed, and only the first one may return that error.
func (c *Client) Close(ctx context.Context) error {
	if !c.enabled() {
		return nil
	}
	defer c.transport.close()
	return c.proc.close(ctx)
}

// seal ends the current epoch and returns all that have pending events. p.mu is held.
func (p *processor) seal() []*epoch {
	if p.epoch.pending > 0 {
		p.epoch.done = make(chan struct{})
		p.sealed = append(p.sealed, p.epoch)
		p.epoch = &epoch{}
	}
	p.flushTo = p.passed
	return append([]*epoch(nil), p.sealed...)
}

func (p *processor) flush(ctx context.Context) error {
	p.mu.Lock()
	epochs := p.seal()
	p.mu.Unlock()
	p.signal()
	for _, e := range epochs {
		select {
		case <-e.done:
		case <-ctx.Done():
			p.mu.Lock()
			defer p.mu.Unlock()
			if n := pendingOf(epochs); n > 0 {
				return &PendingError{Pending: n, Spooled: p.n.spooled, Err: context.Cause(ctx)}
			}
			return nil
		}
	}
	return nil
}

func pendingOf(epochs []*epoch) (n int) {
	for _, e := range epochs {
		n += e.pending
	}
	return n
}

func (p *processor) close(ctx context.Context) error {
	p.mu.Lock()
	first := !p.closing
	started := p.started
	if first {
		p.closing = true
		p.gate.state.Store(stateClosed)
		close(p.closed)
		p.seal()
		if !started {
			close(p.ended)
		}
	}
	p.mu.Unlock()
	p.signal()
	var err error
	select {
	case <-p.ended:
	case <-ctx.Done():
		if n := p.metrics().Pending; n > 0 {
			err = &PendingError{Pending: int(n), Err: context.Cause(ctx)}
		}
	}
	p.cancel()
	<-p.ended
	if !first {
		return nil
	}
	if p.spool != nil {
		p.spool.close()
	}
	spooled := int(p.metrics().Spooled)
	if pe, ok := err.(*PendingError); ok {
		pe.Spooled = spooled
	} else if spooled > 0 {
		err = &PendingError{Pending: spooled, Spooled: spooled}
	}
	return err
}
