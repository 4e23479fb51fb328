package segmentlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// readBytes bounds the decoded blocks that one Read from disk goes through.
const readBytes = 16 << 20

// Read implements store.Log. Records that come from memory carry the rows they were
// appended with. One call returns at most about 16 MiB from disk.
func (l *Log) Read(ctx context.Context, after entity.Seq, limit int) ([]entity.Record, entity.Seq, error) {
	limit = max(limit, 1)
	for {
		l.mu.RLock()
		head, news := l.head, l.news
		l.mu.RUnlock()
		if after < head {
			recs, upto, err := l.readNow(after, head, limit)
			if err != nil {
				return nil, after, fmt.Errorf("read log: %w", err)
			}
			if upto > after {
				return recs, upto, nil
			}
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, after, ctx.Err()
		case <-l.closing:
			return nil, after, fmt.Errorf("read log: %w", store.ErrClosed)
		}
	}
}

func (l *Log) readNow(after, head entity.Seq, limit int) ([]entity.Record, entity.Seq, error) {
	if err := l.enter(); err != nil {
		return nil, after, err
	}
	defer l.exit()
	if recs, upto, ok := l.tail.read(after, limit, l.hidden.Load()); ok {
		return recs, upto, nil
	}
	var recs []entity.Record
	bytes := int64(0)
	for after < head && len(recs) < limit && bytes < readBytes {
		v, err := l.view(after + 1)
		if err != nil {
			return nil, after, err
		}
		if v == nil {
			return recs, head, nil // nothing behind it is left
		}
		var n int64
		recs, after, n, err = v.read(recs, max(after, v.seg.base-1), limit, readBytes-bytes)
		v.release()
		if err != nil {
			return nil, after, err
		}
		bytes += n
	}
	return recs, after, nil
}

// view is a segment with what of it is durable, open for reading.
type view struct {
	*Log
	seg  *segment
	h    *handle
	end  int64
	last entity.Seq
}

// view opens the segment that holds seq, or the first one behind it; nil
// when there is none. The segment stays readable, whatever replaces it, until release.
func (l *Log) view(seq entity.Seq) (*view, error) {
	v, err := l.viewAt(seq)
	if err != nil || v == nil {
		return nil, err
	}
	return v, v.load()
}

// viewAt is view for who goes through the file alone: what is known of its blocks is not made complete.
func (l *Log) viewAt(seq entity.Seq) (*view, error) {
	l.mu.RLock() // the path is still this segment's
	defer l.mu.RUnlock()
	i := sort.Search(len(l.segs), func(i int) bool { return l.segs[i].last >= seq })
	if i == len(l.segs) {
		return nil, nil
	}
	return l.openView(l.segs[i])
}

// viewOf opens a segment that the caller keeps from being replaced.
func (l *Log) viewOf(seg *segment) (*view, error) {
	l.mu.RLock()
	v, err := l.openView(seg)
	l.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	return v, v.load()
}

func (l *Log) openView(seg *segment) (*view, error) {
	h, err := l.handles.acquire(seg.id, seg.path)
	if err != nil {
		return nil, err
	}
	return &view{Log: l, seg: seg, h: h, end: seg.end, last: seg.last}, nil
}

// load makes the segment's marks complete. It releases the view on error.
func (v *view) load() error {
	lost, holes, missing, err := v.seg.load(v.h, v.end)
	if err != nil {
		v.release()
		return err
	}
	v.report(v.seg, lost, holes)
	v.reportMissing(v.seg, missing)
	return nil
}

func (v *view) release() { v.handles.release(v.h) }

// read appends the segment's live records after a Seq until there are limit of
// them or about most bytes were decoded.
func (v *view) read(recs []entity.Record, after entity.Seq, limit int, most int64) ([]entity.Record, entity.Seq, int64, error) {
	sc := v.seg.from(after+1, v.h, v.end, scanAhead)
	bytes := int64(0)
	for len(recs) < limit && bytes < most {
		h, off, ok := sc.next()
		if !ok {
			return recs, max(after, v.last), bytes, sc.err
		}
		if h.last() <= after {
			continue
		}
		var b *block
		if h.kind == kindEvents {
			var err error
			if b, err = v.decode(sc, &h, off, true); err != nil {
				return recs, after, bytes, err
			}
		}
		if b == nil {
			after = h.last()
			continue
		}
		bytes += b.cost
		recs, after = b.appendRecords(recs, after, limit-len(recs), v.hidden.Load())
		if after < h.last() {
			v.blocks.put(blockKey{v.seg.id, off}, b) // the next Read begins in it
		}
	}
	return recs, after, bytes, nil
}

// decode returns the block at off, with bodies from the cache when it is there. A damaged
// block is reported and counted, and answered with nil.
func (v *view) decode(sc *scanner, h *blockHeader, off int64, bodies bool) (*block, error) {
	if bodies {
		if b := v.blocks.get(blockKey{v.seg.id, off}); b != nil {
			return b, nil
		}
	}
	stored, err := sc.sections(h, off, bodies)
	if err == nil {
		var b *block
		if b, err = v.codec.decodeSections(h, stored, bodies); err == nil {
			return b, nil
		}
	}
	if errors.Is(err, errDamaged) {
		v.report(v.seg, h.size(), 1)
		return nil, nil
	}
	return nil, err
}

// find returns the block that holds seq, without bodies its meta section only; nil when the Log has none that can be read.
func (l *Log) find(seq entity.Seq, bodies bool) (*block, error) {
	v, err := l.view(seq)
	if err != nil || v == nil {
		return nil, err
	}
	defer v.release()
	if seq < v.seg.base {
		return nil, nil
	}
	sc := v.seg.from(seq, v.h, v.end, headerAhead)
	if bodies {
		if b := l.blocks.get(blockKey{v.seg.id, sc.off}); b != nil && b.holds(seq) {
			return b, nil
		}
	}
	for h, off := range sc.blocks() {
		if h.first > seq {
			break
		}
		if !h.holds(seq) {
			continue
		}
		b, err := v.decode(sc, &h, off, bodies)
		if bodies && b != nil {
			l.blocks.put(blockKey{v.seg.id, off}, b)
		}
		return b, err
	}
	return nil, sc.err
}

// Get implements store.Log.
func (l *Log) Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	return call(l, "get records", func() ([]entity.Record, error) { return l.get(ctx, seqs) })
}

func (l *Log) get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	recs := make([]entity.Record, 0, len(seqs))
	var b *block
	inTail := false
	c := l.hidden.Load()
	for _, seq := range seqs {
		if b == nil || !b.holds(seq) {
			var err error
			if b, inTail = l.tail.next(seq); !inTail {
				b, err = l.find(seq, true)
			}
			if err = errors.Join(err, ctx.Err()); err != nil {
				return nil, err
			}
			if b == nil {
				continue
			}
		}
		if t, i := b.find(seq); i >= 0 && b.shown(t, i, c) {
			rec := b.record(t, i)
			if !inTail { // whose blocks are in memory anyway
				rec.Event.Payload = b.unpinned(rec.Event.Payload)
			}
			recs = append(recs, rec)
		}
	}
	return recs, nil
}

// unpinned is a payload of b's in memory of its own: it would keep all of the block there. One that is much of it does so.
func (b *block) unpinned(payload json.RawMessage) json.RawMessage {
	if int64(len(payload)) > int64(b.bodyRaw)/4 {
		return payload
	}
	return bytes.Clone(payload)
}
