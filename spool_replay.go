package brokle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// spoolPause is how long the spool rests after a batch that the retry policy gave up.
const spoolPause = 30 * time.Second

// adopt counts what was found in the spool as accepted, and starts the
// goroutines if there is any. It runs before the processor is shared.
func (p *processor) adopt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.spool.files {
		f.left = f.events
		p.n.accepted += int64(f.events)
		p.n.spooled += f.events
		p.epoch.pending += f.events
		for range f.events {
			f.epochs = append(f.epochs, p.epoch)
		}
	}
	if len(p.spool.files) > 0 {
		p.start()
	}
}

// park moves b to the spool. False when there is none or it did not take it.
func (p *processor) park(b *batch) bool {
	if p.spool == nil {
		return false
	}
	f := p.spool.write(b)
	if f == nil {
		p.log.warn("spool", "spool did not take a batch", "reason", p.spool.refusal(), "events", len(b.items))
		return false
	}
	p.mu.Lock()
	f.left = len(b.items)
	p.n.spooled += len(b.items)
	for i := range b.items {
		p.held.events--
		p.held.bytes -= b.items[i].held
	}
	p.reopen()
	p.mu.Unlock()
	p.spool.add(f)
	return true
}

// parkReason is why a batch is lost that the spool did not take; without a spool it is other.
func (p *processor) parkReason(other DropReason) DropReason {
	if p.spool == nil {
		return other
	}
	return p.spool.refusal()
}

// replay sends what lies in the spool, oldest first, until Close and then
// until it is empty or the tries are used up.
func (p *processor) replay() {
	for p.ctx.Err() == nil {
		f := p.spool.head()
		if f == nil {
			select {
			case <-p.spool.changed:
				continue
			case <-p.ctx.Done():
			case <-p.spool.draining:
				if p.spool.head() != nil {
					continue
				}
			}
			return
		}
		b, err := f.load()
		if err != nil {
			p.log.warn("spool file", "spooled batch is unreadable", "error", err)
			p.loseFile(f, err)
		} else {
			p.deliver(b)
		}
		p.mu.Lock()
		left := f.left
		p.mu.Unlock()
		switch {
		case left == 0:
			if err := p.spool.remove(f); err != nil {
				p.log.warn("spool file", "spooled batch was sent but not removed", "error", err)
			}
		case p.isClosing():
			return
		default:
			p.pause(spoolPause)
		}
	}
}

// loseFile settles the events of a file that cannot be read: their ids are lost with it.
func (p *processor) loseFile(f *spoolFile, err error) {
	for range f.left {
		p.tell(Outcome{Kind: Dropped, Reason: DropSpoolError, Err: &EventError{Code: string(DropSpoolError), Err: err}})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n.dropped[DropSpoolError] += int64(f.left)
	for f.left > 0 {
		p.free1(f.epochs[len(f.epochs)-f.left], 0, f)
	}
}

// load reads a file back into a batch with the same bytes.
func (f *spoolFile) load() (*batch, error) {
	raw, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	var req struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(raw, &req); err != nil {
		return nil, fmt.Errorf("spool file: %w", err)
	}
	end := bytes.LastIndex(raw, []byte(`],"environment":`))
	if end < 0 || len(req.Events) != f.events {
		return nil, fmt.Errorf("spool file: %d events, its name says %d", len(req.Events), f.events)
	}
	b := &batch{file: f}
	for i, data := range req.Events {
		var head struct {
			Type EventType `json:"event_type"`
		}
		if err := json.Unmarshal(data, &head); err != nil {
			return nil, fmt.Errorf("spool file: %w", err)
		}
		if !bytes.HasPrefix(data, []byte(openID)) {
			return nil, errors.New("spool file: an event does not begin with its id")
		}
		b.append(data, item{idLen: stringEnd(data, idStart-1) - idStart, typ: head.Type, epoch: f.epochs[i]})
	}
	b.seal(bytes.Clone(raw[end:]))
	return b, nil
}
