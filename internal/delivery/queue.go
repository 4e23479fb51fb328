package delivery

import (
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

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

// chunk is a stretch of the queue: events are encoded straight into its arena.
// Chunks are filled by callers, emptied by the worker and used again.
type chunk struct {
	arena   []byte
	entries []entry
}

const (
	chunkSize = 128 << 10
	// bigEvent is the size from which an event gets memory of its own.
	bigEvent = chunkSize / 4
	// freeChunks are kept for the next burst: 4 MiB.
	freeChunks = 32
)

const (
	openID  = `{"event_id":"`
	idStart = len(openID)
)

func (c *chunk) reset() {
	clear(c.entries) // lets go of epochs and big events
	c.arena, c.entries = c.arena[:0], c.entries[:0]
}

// fits says whether n more bytes go into the arena.
func (c *chunk) fits(n int) bool { return cap(c.arena)-len(c.arena) >= n }

// eventOverhead is what the envelope of one event takes at most, beside id, type and payload.
const eventOverhead = len(openID) + len(`","event_type":"","timestamp":253402300799.999999,"payload":}`)

// put encodes an event at the end of the chunk. The caller made sure that it fits, or is big.
func (c *chunk) put(id string, auto ulid.ULID, t wire.EventType, at wire.Timestamp, payload []byte) *entry {
	dst := c.arena[len(c.arena):]
	room := eventOverhead + max(len(id), ulid.EncodedSize) + len(t) + len(payload)
	big := room > bigEvent
	if big {
		dst = make([]byte, 0, room)
	}
	dst = append(dst, openID...)
	if id == "" {
		dst = dst[:idStart+ulid.EncodedSize]
		_ = auto.MarshalTextTo(dst[idStart:]) // the size is right
	} else {
		dst = append(dst, id...)
	}
	e := entry{idEnd: len(dst), typ: t}
	dst = append(dst, `","event_type":"`...)
	dst = append(dst, t...)
	dst = append(dst, '"')
	if !at.IsZero() {
		dst = append(dst, `,"timestamp":`...)
		dst = at.AppendJSON(dst)
	}
	dst = append(dst, `,"payload":`...)
	e.payload = len(dst)
	dst = append(dst, payload...)
	dst = append(dst, '}')
	e.data = dst
	if !big {
		c.arena = c.arena[:len(c.arena)+len(dst)]
	}
	c.entries = append(c.entries, e)
	return &c.entries[len(c.entries)-1]
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
