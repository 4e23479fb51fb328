package brokle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// tries counts the failures of one batch.
type tries struct {
	failed     int // in a row
	refused    int // of those, answers that blame the batch and not the server's absence
	sinceClose int // of those, after Close began
}

// deliver sends b until every event of it is settled or in the spool. It runs on a
// sender, or on the spool's own goroutine for a batch that lies there.
func (p *processor) deliver(b *batch) {
	var t tries
	for {
		if b.file == nil && p.spool.active() && p.park(b) {
			return
		}
		if !p.waitTurn() {
			p.abandon(b)
			return
		}
		ans, reusable, err := p.post(p.ctx, b.body)
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
		if !why.away() {
			t.refused++
		}
		if !p.again(b, &t, why) {
			return
		}
	}
}

// judge settles what the answer settles and returns the batch that has to be sent
// again, b itself or a part of it, and why; nil when nothing is left.
func (p *processor) judge(b *batch, ans *BatchResponse, err error) (*batch, *RequestError) {
	if err == nil {
		p.failures.Store(0)
		p.mu.Lock()
		p.n.batches++
		p.mu.Unlock()
		p.log.debug("batch answered", "batch_id", ans.BatchID, "events", len(b.items))
		return p.settleAnswer(b, ans)
	}
	re, ok := asRequestError(err)
	if !ok { // 2xx, but not the body of this API: something else answered
		re = &RequestError{Method: http.MethodPost, Path: pathBatch, StatusCode: http.StatusInternalServerError, Code: "unreadable_answer", Message: "the answer is not that of a Brokle server", Err: err}
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
func (p *processor) note(re *RequestError, events int) {
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

// maxRetryAfter bounds what a server may ask for.
const maxRetryAfter = 5 * time.Minute

// waitTurn waits until the server wants requests again; false when giving up.
func (p *processor) waitTurn() bool {
	if wait := time.Duration(p.notBefore.Load()) - time.Since(p.began); wait > 0 {
		return sleep(p.ctx, wait)
	}
	return p.ctx.Err() == nil
}

// again waits before the next try of b. False: b has been settled, spooled or given up instead.
func (p *processor) again(b *batch, t *tries, re *RequestError) bool {
	if p.ctx.Err() != nil {
		p.abandon(b)
		return false
	}
	if p.isClosing() {
		t.sinceClose++
	}
	wait, keepOn := p.cfg.Retry.Next(t.failed, re)
	limit := max(0, p.cfg.MaxRetries)
	switch {
	case t.refused > limit: // it is this batch that the server cannot take
		p.reject(b, b.items, re)
		return false
	case b.file != nil:
		if t.sinceClose > limit { // it stays where it is, for the next start
			return false
		}
	case !keepOn || t.failed > limit && (p.spool != nil || p.cfg.MaxRetries < 0) || t.sinceClose > limit:
		if p.park(b) {
			return false
		}
		if !keepOn || p.cfg.MaxRetries < 0 || t.sinceClose > limit {
			p.drop(b, p.parkReason(DropUndeliverable), re)
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
func (p *processor) pause(wait time.Duration) {
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

func (p *processor) isClosing() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// abandon ends what is under way because Close's context ended.
func (p *processor) abandon(b *batch) {
	if b.file != nil || p.park(b) {
		return
	}
	p.drop(b, p.parkReason(DropShutdown), context.Cause(p.ctx))
}

// settleAnswer settles the events of b as a 2xx says and returns those to send again.
func (p *processor) settleAnswer(b *batch, ans *BatchResponse) (*batch, *RequestError) {
	if len(ans.Errors) == 0 && len(ans.DuplicateEventIDs) == 0 {
		p.settle(b, b.items, Delivered, "", nil)
		return nil, nil
	}
	errs := make(map[string]*BatchEventError, len(ans.Errors))
	for i := range ans.Errors {
		errs[ans.Errors[i].EventID] = &ans.Errors[i]
	}
	dups := make(map[string]int, len(ans.DuplicateEventIDs))
	for _, id := range ans.DuplicateEventIDs {
		dups[id]++
	}
	var delivered, duplicate, rejected, again []item
	for i := len(b.items) - 1; i >= 0; i-- { // of one id twice in a batch the later is the duplicate
		it := b.items[i]
		id := b.id(&it)
		e := errs[id]
		switch {
		case dups[id] > 0:
			dups[id]--
			duplicate = append(duplicate, it)
		case e == nil:
			delivered = append(delivered, it)
		case e.Retryable:
			again = append(again, it)
		default:
			rejected = append(rejected, it)
		}
	}
	p.settle(b, delivered, Delivered, "", nil)
	p.settle(b, duplicate, Duplicate, "", nil)
	p.settle(b, rejected, Rejected, "", func(it *item) *EventError {
		return eventError(errs[b.id(it)], it.typ)
	})
	if len(again) == 0 {
		return nil, nil
	}
	reverse(again)
	why := errs[b.id(&again[0])]
	return b.subset(again), &RequestError{Method: http.MethodPost, Path: pathBatch,
		StatusCode: http.StatusInternalServerError, Code: why.Code, Message: why.Message,
		Err: fmt.Errorf("%d of %d events to send again", len(again), len(b.items))}
}

func eventError(e *BatchEventError, t EventType) *EventError {
	msg := e.Message
	if e.Details != "" {
		msg = strings.TrimSpace(msg + ": " + e.Details)
	}
	return &EventError{EventID: e.EventID, Type: t, Code: e.Code, Message: msg, Retryable: e.Retryable}
}

func reverse(items []item) {
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
}

// settleConflict settles a 409: the duplicates are duplicates, the rest was refused because of them.
func (p *processor) settleConflict(b *batch, ans *BatchResponse, re *RequestError) {
	dups := make(map[string]bool, len(ans.DuplicateEventIDs))
	for _, id := range ans.DuplicateEventIDs {
		dups[id] = true
	}
	var duplicate, refused []item
	for _, it := range b.items {
		if dups[b.id(&it)] {
			duplicate = append(duplicate, it)
		} else {
			refused = append(refused, it)
		}
	}
	p.settle(b, duplicate, Duplicate, "", nil)
	p.reject(b, refused, re)
}

// reject settles items with a request's error.
func (p *processor) reject(b *batch, items []item, re *RequestError) {
	p.settle(b, items, Rejected, "", func(it *item) *EventError {
		return &EventError{EventID: b.id(it), Type: it.typ, Code: re.Code, Message: re.Message, Err: re}
	})
}

// drop settles all of b as given up.
func (p *processor) drop(b *batch, why DropReason, err error) {
	var re *RequestError
	if errors.As(err, &re) {
		err = re
	}
	p.settle(b, b.items, Dropped, why, func(it *item) *EventError {
		return &EventError{EventID: b.id(it), Type: it.typ, Code: string(why), Err: err}
	})
}
