package delivery

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/transport"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// tries counts the failures of one batch.
type tries struct {
	failed     int // in a row
	refused    int // of those, answers that blame the batch and not the server's absence
	sinceClose int // of those, after Close began
}

// deliver sends b until every event of it is settled or in the spool. It runs on a
// sender, or on the spool's own goroutine for a batch that lies there.
func (p *Processor) deliver(b *batch) {
	var t tries
	for {
		if b.file == nil && p.spool.active() && p.park(b, "") == "" {
			return
		}
		if !p.waitTurn() {
			p.abandon(b)
			return
		}
		ans, reusable, err := p.opts.Post(p.ctx, b.body)
		b.reusable = b.reusable && reusable
		rest, why := p.judge(b, ans, err)
		if rest == nil {
			return
		}
		if len(rest.items) < len(b.items) { // progress
			t.failed = 0
		}
		b = rest
		t.failed++
		if !away(why) {
			t.refused++
		}
		if !p.again(b, &t, why) {
			return
		}
	}
}

// judge settles what the answer settles and returns the batch that has to be sent
// again, b itself or a part of it, and why; nil when nothing is left.
func (p *Processor) judge(b *batch, ans *wire.BatchResponse, err error) (*batch, *transport.RequestError) {
	if err == nil {
		p.failures.Store(0)
		p.mu.Lock()
		p.n.batches++
		p.mu.Unlock()
		p.log.debug("batch answered", "batch_id", ans.BatchID, "events", len(b.items))
		return p.settleAnswer(b, ans)
	}
	re, ok := errors.AsType[*transport.RequestError](err)
	if !ok { // 2xx, but not the body of this API: something else answered
		re = &transport.RequestError{Method: http.MethodPost, Path: transport.PathBatch, StatusCode: http.StatusInternalServerError, Code: "unreadable_answer", Message: "the answer is not that of a Brokle server", Err: err}
	}
	if p.ctx.Err() == nil {
		p.note(re, len(b.items))
	}
	switch {
	case re.StatusCode == http.StatusRequestEntityTooLarge && len(b.items) > 1:
		half := len(b.items) / 2
		p.deliver(b.subset(b.items[:half]))
		p.deliver(b.subset(b.items[half:]))
		return nil, nil
	case re.StatusCode == http.StatusConflict && ans != nil:
		p.settleConflict(b, ans, re)
		return nil, nil
	case !re.Retryable():
		p.reject(b, b.items, re)
		return nil, nil
	}
	return b, re
}

// note keeps the last failure for the metrics and the log.
func (p *Processor) note(re *transport.RequestError, events int) {
	p.failures.Add(1)
	p.log.warn("request", "telemetry request failed", "error", re, "events", events)
	p.mu.Lock()
	p.n.failed++
	p.n.lastError, p.n.lastErrorAt = re.Error(), time.Now()
	p.mu.Unlock()
	if re.RetryAfter > 0 { // whoever sends, the server asked for quiet
		p.notBefore.Store(int64(time.Since(p.began) + min(re.RetryAfter, maxRetryAfter)))
	}
}

// away says that the server as a whole cannot take requests now, whatever they hold.
func away(re *transport.RequestError) bool {
	return re.Retryable() && re.StatusCode != http.StatusInternalServerError
}

// maxRetryAfter bounds what a server may ask for.
const maxRetryAfter = 5 * time.Minute

// waitTurn waits until the server wants requests again; false when giving up.
func (p *Processor) waitTurn() bool {
	if wait := time.Duration(p.notBefore.Load()) - time.Since(p.began); wait > 0 {
		return clock.Sleep(p.ctx, wait) == nil
	}
	return p.ctx.Err() == nil
}

// again waits before the next try of b. False: b has been settled, spooled or given up instead.
func (p *Processor) again(b *batch, t *tries, re *transport.RequestError) bool {
	if p.ctx.Err() != nil {
		p.abandon(b)
		return false
	}
	if p.isClosing() {
		t.sinceClose++
	}
	wait, keepOn := p.opts.Retry.Next(t.failed, re)
	limit := max(0, p.opts.MaxRetries)
	switch {
	case t.refused > limit: // it is this batch that the server cannot take
		p.reject(b, b.items, re)
		return false
	case b.file != nil:
		if t.sinceClose > limit { // it stays where it is, for the next start
			return false
		}
	case !keepOn || t.failed > limit && (p.spool != nil || p.opts.MaxRetries < 0) || t.sinceClose > limit:
		why := p.park(b, DropUndeliverable)
		if why == "" {
			return false
		}
		if !keepOn || p.opts.MaxRetries < 0 || t.sinceClose > limit {
			p.drop(b, why, re)
			return false
		}
	}
	p.mu.Lock()
	p.n.retries++
	p.mu.Unlock()
	p.pause(wait)
	return true
}

// pause waits for the next try; Close ends it early, so that it costs no more
// than the tries themselves.
func (p *Processor) pause(wait time.Duration) {
	closed := p.closed
	if p.isClosing() {
		closed = nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closed:
	case <-p.ctx.Done():
	}
}

func (p *Processor) isClosing() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// abandon ends what is under way because Close's context ended.
func (p *Processor) abandon(b *batch) {
	if b.file != nil {
		return
	}
	if why := p.park(b, DropShutdown); why != "" {
		p.drop(b, why, context.Cause(p.ctx))
	}
}
