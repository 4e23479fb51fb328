package delivery

import (
	"context"
)

// seal ends the current epoch and returns all that have pending events. p.mu is held.
func (p *Processor) seal() []*epoch {
	if p.epoch.pending > 0 {
		p.epoch.done = make(chan struct{})
		p.sealed = append(p.sealed, p.epoch)
		p.epoch = &epoch{}
	}
	p.flushTo = p.passed
	return append([]*epoch(nil), p.sealed...)
}

// Flush has everything sent at once and returns when each event accepted before the call has
// an outcome, or a *PendingError when ctx ends first.
func (p *Processor) Flush(ctx context.Context) error {
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

// Close takes no more events, flushes, and ends the goroutines. Each batch is tried at most
// MaxRetries more times; what is left goes to the spool or is dropped, and when ctx ends, that happens at once. Every call
// returns when the processor is closed; only the first may return a *PendingError.
func (p *Processor) Close(ctx context.Context) error {
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
		if n := p.Metrics().Pending; n > 0 {
			err = &PendingError{Pending: int(n), Err: context.Cause(ctx)}
		}
	}
	p.cancel()
	<-p.ended
	if !first {
		return nil
	}
	if p.spool != nil {
		_ = p.spool.dir.Close() // what it held is sent, or found by the next start
	}
	spooled := int(p.Metrics().Spooled)
	if pe, ok := err.(*PendingError); ok {
		pe.Spooled = spooled
	} else if spooled > 0 {
		err = &PendingError{Pending: spooled, Spooled: spooled}
	}
	return err
}
