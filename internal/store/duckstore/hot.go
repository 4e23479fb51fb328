package duckstore

import (
	"time"
	"unsafe"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// hot is events that were inserted and are in no table yet, in the order in which they came. They are
// held as bytes, in memory that the garbage collector need not look into and that is used again.
type hot struct {
	events []hotEvent
	pages  [][]byte // ids and rows; the last one is filled
	free   *pages
	size   int // bytes of ids and rows

	names  []string // projects, environments and types of events
	nameAt map[string]uint32

	upto  entity.Seq // the log is inserted up to here
	since time.Time  // when the first of it came
}

// hotEvent is one event; what is text in it is a place in names.
type hotEvent struct {
	seq, ts, received           int64 // times in µs since 1970
	fact                        uint64
	page, at, idLen, rowLen     uint32 // where the event's id stands, and behind it its row
	project, environment, type_ uint32
}

// pageBytes is the size of a page; a larger event has one of its own.
const pageBytes = 1 << 20

// mostFree is how many empty pages are kept. More are needed only while the writer is behind, and then go to the garbage collector.
const mostFree = 16

// pages are empty ones, which all hots take from.
type pages [][]byte

func newHot(free *pages) *hot { return &hot{free: free, nameAt: map[string]uint32{}} }

// reset makes it empty, to be used again.
func (h *hot) reset() {
	for _, p := range h.pages {
		if cap(p) == pageBytes && len(*h.free) < mostFree {
			*h.free = append(*h.free, p[:0])
		}
	}
	h.events, h.pages, h.size, h.upto, h.since = h.events[:0], nil, 0, 0, time.Time{}
	if len(h.names) > 10_000 {
		h.names, h.nameAt = nil, map[string]uint32{}
	}
}

// memory is about how many bytes it takes.
func (h *hot) memory() int { return h.size + len(h.events)*int(unsafe.Sizeof(hotEvent{})) }

// add takes in a record, which poison has passed.
func (h *hot) add(rec *entity.Record) {
	e := hotEvent{
		seq: int64(rec.Seq), ts: rec.Event.Timestamp.UnixMicro(), received: rec.ReceivedAt.UnixMicro(),
		fact:    factKey(rec.Event.ID, rec.Row.Content()),
		project: h.name(rec.Project), environment: h.name(rec.Environment), type_: h.name(string(rec.Event.Type)),
	}
	h.put(e, rec.Event.ID, rec.Row)
}

func (h *hot) put(e hotEvent, id string, row entity.Row) {
	p := h.room(len(id) + len(row))
	e.page, e.at, e.idLen, e.rowLen = uint32(len(h.pages)-1), uint32(len(*p)), uint32(len(id)), uint32(len(row))
	*p = append(append(*p, id...), row...)
	h.size += len(id) + len(row)
	h.events = append(h.events, e)
}

// room is the page with room for n bytes.
func (h *hot) room(n int) *[]byte {
	if last := len(h.pages) - 1; last < 0 || cap(h.pages[last])-len(h.pages[last]) < n {
		h.pages = append(h.pages, h.free.take(n))
	}
	return &h.pages[len(h.pages)-1]
}

// take is an empty page with room for n bytes.
func (f *pages) take(n int) []byte {
	last := len(*f) - 1
	if n > pageBytes || last < 0 {
		return make([]byte, 0, max(pageBytes, n))
	}
	p := (*f)[last]
	*f = (*f)[:last]
	return p
}

// name is the place of a text in names.
func (h *hot) name(s string) uint32 {
	at, known := h.nameAt[s]
	if !known {
		at = uint32(len(h.names))
		h.names = append(h.names, s)
		h.nameAt[s] = at
	}
	return at
}

// addAll takes in what another has, behind what it has itself.
func (h *hot) addAll(o *hot) {
	for i := range o.events {
		e := o.events[i]
		e.project, e.environment, e.type_ = h.name(o.names[e.project]), h.name(o.names[e.environment]), h.name(o.names[e.type_])
		h.put(e, o.id(i), o.row(i))
	}
	h.upto = max(h.upto, o.upto)
}

// id is the id of an event. It is the page's memory, as its row is.
func (h *hot) id(i int) string {
	e := &h.events[i]
	return unsafe.String(unsafe.SliceData(h.pages[e.page][e.at:]), e.idLen)
}

// row is what an event says.
func (h *hot) row(i int) entity.Row {
	e := &h.events[i]
	from := e.at + e.idLen
	return entity.Row(h.pages[e.page][from : from+e.rowLen : from+e.rowLen])
}

func (h *hot) project(i int) string { return h.names[h.events[i].project] }
