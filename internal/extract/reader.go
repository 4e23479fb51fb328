package extract

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Reader reads the events of a request one after another, in memory that it uses again. Whoever walks
// over a payload anyway tells it of the members, so that it does not look for them: Begin, Member for
// each of them, and Extract. It is for one goroutine.
type Reader struct {
	x      extractor
	fields entity.Fields
}

// Begin forgets the members of the payload before.
func (r *Reader) Begin() { r.x.found = slots{} }

// Member says where the value of a key, unescaped, stands in the payload: its first byte, and the one
// behind it. Of a key that comes twice the last counts. A payload has at most 1 GiB.
func (r *Reader) Member(key []byte, start, end int) { r.x.member(key, start, end) }

// Extract is the function of that name for an event of whose payload every member was told, or, when
// noted is false, none. The Fields are good until the next call.
func (r *Reader) Extract(ev *wire.Event, noted bool) (*entity.Fields, *wire.BatchEventError) {
	x := &r.x
	x.out, x.given, x.failure, x.strict = &r.fields, slots{}, nil, false
	if !noted {
		r.Begin()
	}
	if failure := x.event(ev, noted); failure != nil {
		return nil, failure
	}
	return x.out, nil
}
