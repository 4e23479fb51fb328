package delivery

import (
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brokle-ai/brokle-go/internal/payload"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// entry is one accepted event in memory: its bytes as they go on the wire, and what
// settling it needs.
type entry struct {
	data    []byte // the event object; its payload ends one byte before the end
	payload int    // where the payload starts in data
	idEnd   int    // where the id ends in data, as written; it starts at idStart
	typ     wire.EventType
	raw     bool          // the payload came as bytes and has not been validated
	at      time.Duration // when it was accepted, since the processor began
	epoch   *epoch
}

// chunk is a stretch of the queue: events are encoded straight into its arena, or left for the worker.
// Chunks are filled by callers, emptied by the worker and used again.
type chunk struct {
	arena   []byte
	entries []entry
	later   *later   // nil when all of it is written
	written [][]byte // blocks in which the worker wrote what was left
}

const (
	chunkSize = 128 << 10
	// bigEvent is the size from which an event gets memory of its own.
	bigEvent = chunkSize / 4
	// chunkEvents of 1 KB are in a chunk, about.
	chunkEvents = chunkSize / 1024
	// freeChunks are kept for the next burst: 8 MiB.
	freeChunks = 32
)

const (
	openID  = `{"event_id":"`
	idStart = len(openID)
)

func newChunk() *chunk { return &chunk{entries: make([]entry, 0, chunkEvents)} }

func (c *chunk) reset() {
	clear(c.entries) // lets go of epochs and big events
	c.arena, c.entries = c.arena[:0], c.entries[:0]
}

// fits says whether n more bytes go into the arena.
func (c *chunk) fits(n int) bool { return cap(c.arena)-len(c.arena) >= n }

// takesLater says whether one more event goes into the chunk that is written later.
func (c *chunk) takesLater() bool { return c.later == nil || len(c.later.events) < chunkEvents }

// eventOverhead is what the envelope of one event takes at most, beside id, type and payload.
const eventOverhead = len(openID) + len(`","event_type":"","timestamp":253402300799.999999,"payload":}`)

// put encodes an event at the end of the chunk. The caller made sure that it fits, or is big.
func (c *chunk) put(ev *taken) *entry {
	dst := c.arena[len(c.arena):]
	room := ev.size()
	big := room > bigEvent
	if big {
		dst = make([]byte, 0, room)
	}
	e := entry{typ: ev.typ, raw: ev.Raw}
	dst = ev.begin(dst, &e)
	dst = append(dst, ev.Text...)
	dst = append(dst, '}')
	e.data = dst
	if !big {
		c.arena = c.arena[:len(c.arena)+len(dst)]
	}
	c.entries = append(c.entries, e)
	return &c.entries[len(c.entries)-1]
}

// taken is an event on its way into the queue.
type taken struct {
	payload.Written
	id   string    // as it is written; "": auto
	auto ulid.ULID // its id when nobody gave one
	typ  wire.EventType
	at   time.Time
	now  time.Duration // when it was taken, since the processor began
}

// size is what the event takes, unless texts need escapes.
func (ev *taken) size() int {
	return eventOverhead + max(len(ev.id), ulid.EncodedSize) + len(ev.typ) + ev.Size
}

// begin appends what goes before the payload, and notes in e where it stands.
func (ev *taken) begin(dst []byte, e *entry) []byte {
	start := len(dst)
	dst = append(dst, openID...)
	if ev.id == "" {
		var text [ulid.EncodedSize]byte
		_ = ev.auto.MarshalTextTo(text[:]) // the size is right
		dst = append(dst, text[:]...)
	} else {
		dst = append(dst, ev.id...)
	}
	e.idEnd = len(dst) - start
	dst = append(dst, `","event_type":"`...)
	dst = append(dst, ev.typ...)
	dst = append(dst, `","timestamp":`...)
	dst = wire.Timestamp{Time: ev.at}.AppendJSON(dst)
	dst = append(dst, `,"payload":`...)
	e.payload = len(dst) - start
	return dst
}

// id returns the event's id as it was given.
func (e *entry) id() string { return unquoteID(e.data[idStart:e.idEnd]) }

// body returns the payload.
func (e *entry) body() []byte { return e.data[e.payload : len(e.data)-1] }

// state of the queue, for the caller's first look without the lock.
const (
	stateOpen int32 = iota
	stateFull
	stateClosed
)

// gate refuses events in a few nanoseconds, without a lock and before anything is marshalled.
type gate struct {
	state   atomic.Int32
	refused [numRefusals]atomic.Int64
}

func (g *gate) check() error {
	switch g.state.Load() {
	case stateFull:
		g.refused[refusedFull].Add(1)
		return ErrQueueFull
	case stateClosed:
		g.refused[refusedClosed].Add(1)
		return ErrClosed
	}
	return nil
}
