package idindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/varint"
	"github.com/cockroachdb/pebble/v2"
)

// sweepChunk is how many ids Sweep looks at while it holds Apply up.
const sweepChunk = 128

// due returns the minute at which something that expires at micros is swept,
// and makes sure that Sweep looks there. x.mu is held.
func (x *Index) due(kind byte, micros int64) int64 {
	m := dueMinute(micros)
	x.first[kind-kindMarkDue] = min(x.first[kind-kindMarkDue], m)
	return m
}

// Sweep deletes entries that have expired at now, oldest first, and
// returns how many; it stops after the block with which limit is reached. An id marked
// again since keeps its new mark. Look-ups do not depend on Sweep, only the size of
// the index does. It runs beside Apply and holds it up for one chunk of ids at a time.
func (x *Index) Sweep(now time.Time, limit int) (int, error) {
	x.sweeping.Lock()
	defer x.sweeping.Unlock()
	if err := x.work.refuse(x.db, x.most); err != nil {
		return 0, fmt.Errorf("sweep id index: %w", err)
	}
	n, err := x.sweepKind(kindMarkDue, now.UnixMicro(), limit)
	if err == nil && n < limit {
		var m int
		m, err = x.sweepKind(kindReceiptDue, now.UnixMicro(), limit-n)
		n += m
	}
	if err != nil {
		return n, fmt.Errorf("sweep id index: %w", err)
	}
	return n, nil
}

func (x *Index) sweepKind(kind byte, now int64, limit int) (n int, err error) {
	from, end := x.sweepRange(kind, now)
	if from >= end {
		return 0, nil
	}
	reached := from // until it is known better: begin here next time
	defer func() { x.sweptTo(kind, reached) }()
	it, err := x.db.NewIter(&pebble.IterOptions{
		LowerBound: appendDueKey(nil, kind, from, 0),
		UpperBound: appendDueKey(nil, kind, end, 0),
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.First(); it.Valid(); it.Next() {
		if n >= limit {
			reached = dueKeyMinute(it.Key())
			return n, nil
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return n, err
		}
		m, err := x.sweepBlock(it.Key(), v, now)
		n += m
		if err != nil {
			return n, err
		}
	}
	if err := it.Error(); err != nil {
		return n, err
	}
	reached = end
	return n, nil
}

// sweepRange returns the minutes to walk. It takes them as swept before the walk
// begins, so that a block which Apply files there meanwhile moves the mark back.
func (x *Index) sweepRange(kind byte, now int64) (from, end int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	first := &x.first[kind-kindMarkDue]
	from, end = *first, now/minuteMicros+1
	*first = max(from, end)
	return from, end
}

// sweptTo is the end of a walk: everything before minute to is done.
func (x *Index) sweptTo(kind byte, to int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	first := &x.first[kind-kindMarkDue]
	*first = min(*first, to)
}

// sweepBlock deletes what one due key lists, and then the key.
func (x *Index) sweepBlock(dueKey, list []byte, now int64) (removed int, err error) {
	w := sweeper{x: x, now: now, dueKey: dueKey, list: varint.Reader{B: list}}
	project := w.list.Bytes()
	for _, kind := range [...]byte{kindMark, kindFailed, kindBatch, kindJob} {
		w.prefix[kind&0xf] = appendPrefix(nil, kind, string(project))
	}
	for done := false; !done; {
		if done, err = w.some(); err != nil {
			return w.removed, err
		}
	}
	return w.removed, nil
}

// sweeper deletes the expired ids of one due key, a chunk at a time.
type sweeper struct {
	x       *Index
	now     int64
	dueKey  []byte
	list    varint.Reader
	prefix  [4][]byte // of keys, by kind
	marks   int64     // listed so far
	removed int
}

// some handles the next sweepChunk ids. The last chunk's batch deletes the due key
// and counts the marks off, so that a list which is walked again
// after a crash is counted once.
func (w *sweeper) some() (done bool, err error) {
	x := w.x
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.db.NewBatch()
	defer b.Close() //nolint:errcheck // gives memory back; always nil
	it, err := x.db.NewIter(&pebble.IterOptions{UseL6Filters: true})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	removed := 0
	for i := 0; i < sweepChunk && len(w.list.B) > 0; i++ {
		gone, err := w.next(it, b)
		if err != nil {
			return false, err
		}
		if gone {
			removed++
		}
	}
	left := x.marks.Load()
	if done = len(w.list.B) == 0; done {
		left -= w.marks
		x.buf = appendCursor(x.buf[:0], x.Cursor(), left)
		if err := errors.Join(b.Delete(w.dueKey, nil), b.Set([]byte{format, kindCursor}, x.buf, nil)); err != nil {
			return false, err
		}
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return false, err
	}
	x.marks.Store(left)
	w.removed += removed
	return done, nil
}

// next looks at the next id of the list and deletes its entry if that has expired.
func (w *sweeper) next(it *pebble.Iterator, b *pebble.Batch) (bool, error) {
	kind, id := w.list.Byte(), w.list.Bytes()
	if w.list.Bad || kind < kindMark || kind > kindJob {
		return false, fmt.Errorf("due list: %w", errCorrupt)
	}
	if kind == kindMark {
		w.marks++
	}
	x := w.x
	x.buf = append(append(x.buf[:0], w.prefix[kind&0xf]...), id...)
	gone, err := expired(it, x.buf, w.now)
	if err != nil || !gone {
		return false, err
	}
	return true, b.Delete(x.buf, nil)
}

// expired says whether key is there and has expired.
func expired(it *pebble.Iterator, key []byte, now int64) (bool, error) {
	if !it.SeekPrefixGE(key) {
		return false, it.Error()
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return false, err
	}
	e, err := parseExpiry(v)
	return err == nil && !live(e, now), err
}

func dueKeyMinute(k []byte) int64 {
	if len(k) != dueKeyLen {
		return 0
	}
	return int64(binary.BigEndian.Uint64(k[2:]))
}

const (
	dueKeyLen     = 2 + 8 + 8
	pendingKeyLen = 2 + 8
)
