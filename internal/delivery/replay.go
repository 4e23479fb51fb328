package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// spoolPause is how long the spool rests after a batch that the retry policy gave up.
const spoolPause = 30 * time.Second

// replay sends what lies in the spool, oldest first, until Close and then
// until it is empty or the tries are used up.
func (p *Processor) replay() {
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
		b, err := p.spool.load(f)
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
func (p *Processor) loseFile(f *spooled, err error) {
	for range f.left {
		p.tell(Outcome{Kind: Dropped, Reason: DropSpoolError, Err: &EventError{Code: string(DropSpoolError), Err: err}})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n.dropped[DropSpoolError] += int64(f.left)
	for f.left > 0 {
		lost := f.epochs[len(f.epochs)-f.left]
		p.free1(0, f)
		p.endOne(lost)
	}
}

// load reads f back.
func (q *spoolQueue) load(f *spooled) (*batch, error) {
	raw, err := q.dir.Read(f.file)
	if err != nil {
		return nil, err
	}
	return f.parse(raw)
}

// parse makes a batch with the same bytes of what lies in f.
func (f *spooled) parse(raw []byte) (*batch, error) {
	var req struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(raw, &req); err != nil {
		return nil, fmt.Errorf("spool file: %w", err)
	}
	end := bytes.LastIndex(raw, []byte(`],"environment":`))
	if end < 0 || len(req.Events) != len(f.epochs) {
		return nil, fmt.Errorf("spool file: %d events, its name says %d", len(req.Events), len(f.epochs))
	}
	b := &batch{file: f}
	for i, data := range req.Events {
		var head struct {
			Type wire.EventType `json:"event_type"`
		}
		if err := json.Unmarshal(data, &head); err != nil {
			return nil, fmt.Errorf("spool file: %w", err)
		}
		if !bytes.HasPrefix(data, []byte(openID)) {
			return nil, errors.New("spool file: an event does not begin with its id")
		}
		b.append(data, item{idLen: rawjson.SkipString(data, idStart-1) - 1 - idStart, typ: head.Type, epoch: f.epochs[i]})
	}
	b.seal(bytes.Clone(raw[end:]))
	return b, nil
}
