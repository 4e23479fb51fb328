package delivery

import (
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brokle-ai/brokle-go/internal/payload"
)

// later is what callers left for the worker to write: events of one chunk whose texts nobody can change any more. The worker
// writes them when a batch's worth waits or a batch is due, so that they hold nothing of the program for longer.
type later struct {
	events  []unwritten
	text    []byte         // of all events, but for their long texts
	rest    []payload.Held // these
	weighed int            // so many events have their exact size
}

// newLater has room for the events of a chunk, about.
func newLater() *later {
	return &later{events: make([]unwritten, 0, chunkEvents), text: make([]byte, 0, chunkSize/8), rest: make([]payload.Held, 0, 2*chunkEvents)}
}

// unwritten is an event that is not JSON yet, or not all of it. Its entry has no data yet.
type unwritten struct {
	auto  ulid.ULID
	at    int64 // Unix, µs
	entry int32 // of the chunk
	text  int32 // where it begins in later.text
	rest  int32 // and in later.rest
	size  int32 // counted for it
	slack int32 // how much more it may take
	whole bool  // see payload.Written
}

// hold puts an event without an id of its own into the chunk that is written later.
func (c *chunk) hold(ev *taken) *entry {
	l := c.later
	l.events = append(l.events, unwritten{auto: ev.auto, at: ev.at.UnixMicro(), entry: int32(len(c.entries)), text: int32(len(l.text)), rest: int32(len(l.rest)),
		size: int32(ev.size()), slack: int32(ev.Max - ev.Size), whole: ev.Whole})
	l.text = append(l.text, ev.Text...)
	l.rest = append(l.rest, ev.Rest...)
	c.entries = append(c.entries, entry{typ: ev.typ, raw: ev.Raw})
	return &c.entries[len(c.entries)-1]
}

// of is what there is of event i.
func (l *later) of(i int) (text []byte, rest []payload.Held) {
	if u := &l.events[i]; i+1 < len(l.events) {
		next := &l.events[i+1]
		return l.text[u.text:next.text], l.rest[u.rest:next.rest]
	} else {
		return l.text[u.text:], l.rest[u.rest:]
	}
}

// append appends event i, whose entry is e, as it goes on the wire.
func (l *later) append(dst []byte, i int, e *entry) []byte {
	u := &l.events[i]
	ev := taken{auto: u.auto, typ: e.typ, at: time.UnixMicro(u.at)}
	dst = ev.begin(dst, e)
	text, rest := l.of(i)
	if u.whole {
		dst = append(dst, rest[0].Text...)
	} else {
		dst = payload.AppendHeld(dst, text, rest)
	}
	return append(dst, '}')
}

// write writes what was left of c, and says how many bytes more than was counted that made and how many it might have made.
func (c *chunk) write(blocks *blocks) (more, slack int) {
	l := c.later
	for i := range l.events {
		u := &l.events[i]
		e := &c.entries[u.entry]
		size := int(u.size)
		dst := blocks.room(c, size+size/8)
		e.data = l.append(dst, i, e)
		if n := len(c.written) - 1; cap(e.data) == cap(dst) { // it fitted
			e.data = e.data[:len(e.data):len(e.data)]
			if size <= bigEvent {
				c.written[n] = c.written[n][:len(c.written[n])+len(e.data)]
			}
		}
		more += len(e.data) - size
		slack += int(u.slack)
	}
	c.later = nil
	return more, slack
}

// blocks are pieces of memory of the worker's, to be used again.
type blocks struct{ free [][]byte }

// room returns memory for n bytes: the rest of the last block of c, or of a new one. What is big has memory of its own.
func (b *blocks) room(c *chunk, n int) []byte {
	if n > bigEvent+bigEvent/8 {
		return make([]byte, 0, n)
	}
	last := len(c.written) - 1
	if last < 0 || cap(c.written[last])-len(c.written[last]) < n {
		var block []byte
		if k := len(b.free); k > 0 {
			block, b.free = b.free[k-1], b.free[:k-1]
		} else {
			block = make([]byte, 0, chunkSize)
		}
		c.written = append(c.written, block)
		last++
	}
	return c.written[last][len(c.written[last]):]
}

// take takes the blocks of c back.
func (b *blocks) take(c *chunk) {
	for _, block := range c.written {
		if len(b.free) < freeChunks {
			b.free = append(b.free, block[:0])
		}
	}
	clear(c.written)
	c.written = c.written[:0]
}

// weigh gives the events their exact sizes.
func (c *chunk) weigh() (more, slack int) {
	l := c.later
	if l == nil {
		return 0, 0
	}
	var scratch []byte
	for ; l.weighed < len(l.events); l.weighed++ {
		u := &l.events[l.weighed]
		e := c.entries[u.entry]
		scratch = l.append(scratch[:0], l.weighed, &e)
		more += len(scratch) - int(u.size)
		slack += int(u.slack)
		u.size, u.slack = int32(len(scratch)), 0
	}
	return more, slack
}

// empty makes l ready for another chunk; it holds nothing of the program then.
func (l *later) empty() {
	clear(l.events)
	clear(l.rest)
	*l = later{events: l.events[:0], text: l.text[:0], rest: l.rest[:0]}
}
