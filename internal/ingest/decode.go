package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Request is what one body says. Its events share the body's memory: the body
// must not change or be reused afterwards.
type Request struct {
	wire.BatchRequest
	// Faults are the events that could not be read, by rising Index into Events;
	// what could be read of them stands at that place in Events.
	Faults []Fault
	// Notes are about events that could be read, by rising Index.
	Notes []Note
	// Dedup is Deduplication with the defaults filled in.
	Dedup store.Dedup
	// Degraded is set by Submit: other nodes could not be asked or told, so the
	// batch was compared with what this node knows.
	Degraded bool
}

// Note says what of the event at Index of a request is read otherwise than it was sent. It
// must not repeat a value.
type Note struct {
	Index int
	Text  string
}

// Fault says why the event at Index of a request failed.
type Fault struct {
	Index int
	Err   wire.BatchEventError
	Type  wire.EventType // as sent, cut; "" when it could not be read
}

// syntax is the JSON that is taken: a duplicate name or a bad byte inside an
// event must not refuse the events beside it.
var syntax = jsontext.AllowInvalidUTF8(true)

// Decode reads the body of POST /v1/telemetry/batch. The error is a
// *RequestError when the body as a whole is unreadable; an event that is
// unreadable becomes a Fault.
func (l Limits) Decode(body []byte) (*Request, error) {
	l = l.withDefaults()
	body, mend, err := l.readable(body)
	if err != nil {
		return nil, err
	}
	r := &Request{Dedup: resolve(wire.DefaultDeduplication())}
	var kind byte // of the value of events; 0 when there is none
	var async []byte
	members := rawjson.MembersOf(body)
	for {
		key, ok := members.Key()
		if !ok {
			break
		}
		if string(key) == "events" {
			if kind = members.Kind(); kind == '[' {
				if err := l.readEvents(r, &members, len(body), mend); err != nil {
					return nil, err
				}
				continue
			}
		}
		value, ok := members.Value()
		if !ok {
			break
		}
		switch string(key) {
		case "environment":
			err = r.readEnvironment(value)
		case "metadata":
			r.Metadata = value
			if mended := finite(value); mend && mended != nil {
				r.Metadata = mended
			}
		case "deduplication":
			err = r.readDeduplication(value)
		case "async_mode":
			async = value
		case "async": // what some clients call it; async_mode beats it
			if async == nil {
				async = value
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if members.Broken() { // cannot be after readable; never store half of a request
		return nil, syntaxError(body)
	}
	if r.AsyncMode, err = flag("async_mode", async, false, CodeInvalidField); err != nil {
		return nil, err
	}
	if err := someEvents(kind, len(r.Events)); err != nil {
		return nil, err
	}
	return r, nil
}

// someEvents refuses a batch whose events are not a list of at least one.
func someEvents(kind byte, n int) error {
	switch {
	case kind == 0 || kind == 'n':
		return &RequestError{Code: CodeEmptyBatch, Message: "events is missing; a batch holds at least one event"}
	case kind != '[':
		return &RequestError{Code: CodeInvalidField, Message: "events must be a list"}
	case n == 0:
		return emptyList("events")
	}
	return nil
}

func emptyList(field string) error {
	return &RequestError{Code: CodeEmptyBatch, Message: field + " is empty; a batch holds at least one event"}
}

// readable checks that body is one JSON object, but for a byte-order mark before it, which
// is cut off, and for numbers that are none, which are JSON to some programs: with mend what
// is taken from it must go through finite. jsontext gives up on nesting far beyond any limit
// of ours; as only the events that nest so may fail, what is too deep anyway is cut out and
// the check made again.
func (l Limits) readable(body []byte) (_ []byte, mend bool, err error) {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if !valid(body) {
		const envelope = 8 // more levels than stand above a payload
		kept := body
		if pruned, cut := prune(body, l.MaxDepth+envelope); cut {
			kept = pruned
		}
		if !valid(kept) {
			if mended := finite(kept); len(mended) == 0 || !valid(mended) {
				return nil, false, syntaxError(body)
			}
			mend = true
		}
		body = kept
	}
	if first := bytes.TrimLeft(body, " \t\r\n"); first[0] != '{' {
		return nil, false, &RequestError{Code: CodeInvalidJSON, Message: "the body must be a JSON object"}
	}
	return body, mend, nil
}

func valid(body []byte) bool {
	return jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), syntax)
}

// syntaxError says where the body stops being JSON, without repeating any of it.
func syntaxError(body []byte) error {
	e := &RequestError{Code: CodeInvalidJSON, Message: "the body is not valid JSON"}
	if len(bytes.TrimSpace(body)) == 0 {
		e.Message = "the body is empty; it must be a JSON object"
		return e
	}
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), syntax)
	_, err := dec.ReadValue()
	at := dec.InputOffset() // behind the value, where something else stands
	if s := (*jsontext.SyntacticError)(nil); errors.As(err, &s) {
		at = s.ByteOffset
	} else if err != nil {
		at = int64(len(body))
	}
	e.Message += fmt.Sprintf(" at byte %d", at)
	return e
}

// readEvents reads the list that comes next in the envelope. size, of the body, is
// a hint of how many events there are; mend says that their payloads may hold numbers that are none.
func (l Limits) readEvents(r *Request, envelope *rawjson.Members, size int, mend bool) error {
	const typical = 600 // bytes of an event
	r.Events, r.Faults = make([]wire.Event, 0, min(l.MaxEvents, size/typical+4)), nil
	elements := envelope.List()
	for elements.More() {
		i := len(r.Events)
		if i == l.MaxEvents {
			return l.tooMany()
		}
		r.Events = append(r.Events, wire.Event{})
		fault, noTime := readEvent(&r.Events[i], &elements)
		if fault != nil {
			r.Faults = append(r.Faults, Fault{Index: i, Err: *fault})
			continue
		}
		if noTime {
			r.Notes = append(r.Notes, Note{i, noteTime})
		}
		if mend {
			r.mend(i)
		}
	}
	envelope.Leave(&elements)
	return nil
}

func (l Limits) tooMany() error {
	return &RequestError{Code: CodeBatchTooLarge, Details: CountLimit{l.MaxEvents},
		Message: "the batch holds more than " + strconv.Itoa(l.MaxEvents) + " events, the most for one request"}
}

func (r *Request) readEnvironment(raw []byte) error {
	r.Environment = ""
	if raw[0] == 'n' {
		return nil
	}
	text, ok := rawjson.Unquote(raw)
	if !ok {
		return badEnvironment()
	}
	r.Environment = text
	_, err := Environment(text, "")
	return err
}

func (r *Request) readDeduplication(raw []byte) error {
	d := wire.DefaultDeduplication()
	r.Deduplication, r.Dedup = nil, resolve(d)
	if raw[0] == 'n' {
		return nil
	}
	if raw[0] != '{' {
		return &RequestError{Code: CodeInvalidDeduplication, Message: "deduplication must be an object"}
	}
	members := rawjson.MembersOf(raw)
	for {
		key, value, ok := members.Next()
		if !ok {
			break
		}
		var err error
		switch string(key) {
		case "enabled":
			d.Enabled, err = flag("deduplication.enabled", value, true, CodeInvalidDeduplication)
		case "ttl":
			d.TTL, err = ttl(value)
		case "use_redis_cache":
			d.UseRedisCache, err = flag("deduplication.use_redis_cache", value, true, CodeInvalidDeduplication)
		case "fail_on_duplicate":
			d.FailOnDuplicate, err = flag("deduplication.fail_on_duplicate", value, false, CodeInvalidDeduplication)
		}
		if err != nil {
			return err
		}
	}
	r.Deduplication, r.Dedup = &d, resolve(d)
	return nil
}

func resolve(d wire.Deduplication) store.Dedup {
	return store.Dedup{Enabled: d.Enabled, TTL: time.Duration(d.TTL) * time.Second,
		FailOnDuplicate: d.FailOnDuplicate, LocalOnly: !d.UseRedisCache}
}

func ttl(raw []byte) (int, error) {
	if raw[0] == 'n' {
		return wire.DefaultDedupTTL, nil
	}
	n, ok := extract.WholeNumber(raw)
	if !ok || n < wire.MinDedupTTL || n > wire.MaxDedupTTL {
		return 0, &RequestError{Code: CodeInvalidDeduplication,
			Message: "deduplication.ttl must be a whole number of seconds from 60 to 86400"}
	}
	return int(n), nil
}

func flag(field string, raw []byte, otherwise bool, code string) (bool, error) {
	switch string(raw) {
	case "", "null":
		return otherwise, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, &RequestError{Code: code, Message: field + " must be true or false"}
}
