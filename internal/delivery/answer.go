package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/transport"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// settleAnswer settles the events of b as a 2xx says and returns those to send again.
func (p *Processor) settleAnswer(b *batch, ans *wire.BatchResponse) (*batch, *transport.RequestError) {
	if len(ans.Errors) == 0 && len(ans.DuplicateEventIDs) == 0 {
		p.settle(b, b.items, Delivered, "", nil)
		return nil, nil
	}
	errs := make(map[string]*wire.BatchEventError, len(ans.Errors))
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
	slices.Reverse(again)
	why := errs[b.id(&again[0])]
	return b.subset(again), &transport.RequestError{Method: http.MethodPost, Path: transport.PathBatch,
		StatusCode: http.StatusInternalServerError, Code: why.Code, Message: why.Message,
		Err: fmt.Errorf("%d of %d events to send again", len(again), len(b.items))}
}

func eventError(e *wire.BatchEventError, t wire.EventType) *EventError {
	msg := e.Message
	if e.Details != "" {
		msg = strings.TrimSpace(msg + ": " + e.Details)
	}
	return &EventError{EventID: e.EventID, Type: t, Code: e.Code, Message: msg, Retryable: e.Retryable}
}

// settleConflict settles a 409: the duplicates are duplicates, the rest was refused because of them.
func (p *Processor) settleConflict(b *batch, ans *wire.BatchResponse, re *transport.RequestError) {
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
func (p *Processor) reject(b *batch, items []item, re *transport.RequestError) {
	p.settle(b, items, Rejected, "", func(it *item) *EventError {
		return &EventError{EventID: b.id(it), Type: it.typ, Code: re.Code, Message: re.Message, Err: re}
	})
}

// drop settles all of b as given up.
func (p *Processor) drop(b *batch, why DropReason, err error) {
	if re, ok := errors.AsType[*transport.RequestError](err); ok {
		err = re
	}
	p.settle(b, b.items, Dropped, why, func(it *item) *EventError {
		return &EventError{EventID: b.id(it), Type: it.typ, Code: string(why), Err: err}
	})
}
