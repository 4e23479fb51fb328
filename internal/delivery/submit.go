package delivery

import (
	"errors"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Submit takes an event and returns its id: id, or a new ULID when that is empty. A zero
// time is now; body becomes a JSON object, before the call returns. It never blocks and never does input or output.
// The errors are ErrQueueFull, ErrClosed, ErrTooLarge, or an *EventError for what is no event; the event is then
// counted as refused.
func (p *Processor) Submit(id string, t wire.EventType, at time.Time, body any) (string, error) {
	auto, err := p.take(id, t, at, time.Time{}, body)
	switch {
	case err != nil:
		return "", err
	case id == "":
		return auto.String(), nil
	}
	return id, nil
}

// take is Submit; auto is the event's id when id is empty. now is a time that was read just before, or zero.
func (p *Processor) take(id string, t wire.EventType, at, now time.Time, body any) (auto ulid.ULID, err error) {
	if id != "" && !wire.ValidID(id) {
		p.gate.refused[refusedInvalid].Add(1)
		return auto, &EventError{Type: t, Code: "invalid_event_id", Message: "an id is 1 to 128 printable ASCII characters without space"}
	}
	if err := p.gate.check(); err != nil {
		return auto, err
	}
	typ, ok := t.Canonical()
	if !ok {
		p.gate.refused[refusedInvalid].Add(1)
		return auto, &EventError{EventID: id, Type: t, Code: "unknown_event_type", Message: "the types are those of EventType"}
	}
	s := p.scratch.Get()
	defer p.scratch.Put(s)
	ev := taken{id: id, typ: typ, at: at}
	if ev.Written, err = s.Write(body, p.later); err != nil || !ev.IsObject() {
		p.gate.refused[refusedInvalid].Add(1)
		return auto, &EventError{EventID: id, Type: t, Code: "invalid_payload", Message: "a payload must be a JSON object", Err: err}
	}
	if len(ev.Rest) == 0 && len(ev.Text) > p.opts.EventMaxBytes {
		p.gate.refused[refusedLarge].Add(1)
		return auto, ErrTooLarge
	}
	if now.IsZero() {
		now = time.Now()
	}
	if at.IsZero() {
		ev.at = now
	}
	ev.now = now.Sub(p.began)
	if id == "" {
		ev.auto = wire.NextID(uint64(now.UnixMilli()))
	}
	if p.sampler != nil && !p.sampler.keep(typ, id, ev.auto, ev.Text) {
		return ev.auto, p.acceptSampled(id, ev.auto, typ)
	}
	if strings.ContainsAny(id, `"\`) {
		ev.id = quoteID(id)
	}
	done, wake, err := p.enqueue(&ev)
	if !done { // too much waits to be written by the worker
		if ev.Written, err = s.Write(body, 0); err == nil {
			_, wake, err = p.enqueue(&ev)
		}
	}
	if wake {
		p.signal()
	}
	return ev.auto, err
}

// slackShare: what escapes may add to texts that are not written yet is at most half of the queue's bytes. Beyond it callers write
// events themselves.
const slackShare = 2

// enqueue copies the event into the queue, or refuses it. done is false when it must be written at once.
func (p *Processor) enqueue(ev *taken) (done, wake bool, err error) {
	n, slack := ev.size(), ev.Max-ev.Size
	p.mu.Lock()
	defer p.mu.Unlock()
	hold := len(ev.Rest) > 0
	if hold && (ev.id != "" || len(ev.Text) > bigEvent || p.slack+slack > p.opts.QueueMaxBytes/slackShare || p.held.bytes+p.slack+n+slack > p.opts.QueueMaxBytes) {
		return false, false, nil
	}
	if err := p.admit(n, slack); err != nil {
		return true, false, err
	}
	var e *entry
	if hold {
		e = p.tailForLater().hold(ev)
		p.slack += slack
	} else {
		e = p.tailFor(n).put(ev)
		n = len(e.data)
	}
	e.at, e.epoch = ev.now, p.epoch
	return true, p.accept(n, ev.now), nil
}

// Record is Submit for those who have nobody to return an error to: of an event that is not
// taken OnOutcome is told, and the log. now is a time that was read just before, or zero; invalid is what made the body unfit before
// it came here, or nil.
func (p *Processor) Record(t wire.EventType, now time.Time, body any, invalid error) {
	err := invalid
	if err == nil {
		_, err = p.take("", t, time.Time{}, now, body)
	} else {
		p.gate.refused[refusedInvalid].Add(1)
	}
	if err != nil {
		p.tell(Outcome{Type: t, Kind: Refused, Err: refusal(t, err)})
		p.log.warn("tracing", "telemetry event not taken", "type", string(t), "error", err)
	}
}

// refusal is the error of an event that was not taken, as OnOutcome gets it.
func refusal(t wire.EventType, err error) *EventError {
	if ee, ok := errors.AsType[*EventError](err); ok {
		return ee
	}
	code := "invalid_payload"
	switch err {
	case ErrQueueFull:
		code = "queue_full"
	case ErrClosed:
		code = "closed"
	case ErrTooLarge:
		code = "too_large"
	}
	return &EventError{Type: t, Code: code, Err: err}
}
