package segmentlog

import (
	"iter"
	"sort"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// block is a decoded block. It is immutable and shared by the cache's readers.
type block struct {
	blockHeader
	batches []batch
	ids     []string
	events  []wire.Event // nil when only the meta section was read, or when no event has a body
	rows    []entity.Row // by event, as far as they are known from acceptance; else nil
	body    []byte       // of a job's request or failure
	cost    int64        // bytes of memory, about
	length  int64        // bytes that it took when it was written, of one in the tail
}

// What an event and a block take in memory beside their bytes, about.
const (
	eventSize = 144
	blockSize = 512
)

// decodeSections decodes a block whose header h has been checked. stored holds
// meta and body as in the file, or meta alone when bodies is false.
func (c *codec) decodeSections(h *blockHeader, stored []byte, bodies bool) (*block, error) {
	meta := stored[:h.metaLen]
	if checksum(meta) != h.metaCRC {
		return nil, damaged("checksum of meta section")
	}
	raw := meta
	if h.metaLen != h.metaRaw {
		var err error
		if raw, err = c.inflate(meta, int(h.metaRaw), false); err != nil {
			return nil, err
		}
	}
	b := &block{blockHeader: *h, cost: blockSize + int64(h.metaRaw)}
	var err error
	if b.batches, b.ids, err = decodeMeta(h, raw); err != nil {
		return nil, err
	}
	if !bodies || h.bodyRaw == 0 {
		return b, nil
	}
	return b, c.decodeEvents(b, stored[h.metaLen:])
}

func (c *codec) decodeEvents(b *block, stored []byte) error {
	if checksum(stored) != b.bodyCRC {
		return damaged("checksum of body section")
	}
	body, err := c.inflate(stored, int(b.bodyRaw), b.s2)
	if err != nil {
		return err
	}
	b.cost += int64(b.bodyRaw)
	if b.kind != kindEvents {
		b.body = body
		return nil
	}
	b.cost += int64(len(b.ids)) * eventSize
	b.events, err = decodeBody(body, b.ids)
	return err
}

// each goes through the events of the block, and the batches that they belong to.
func (b *block) each() iter.Seq2[*batch, int] {
	return func(yield func(*batch, int) bool) {
		for i := range b.batches {
			t := &b.batches[i]
			for j := t.at; j < t.at+t.events; j++ {
				if !yield(t, j) {
					return
				}
			}
		}
	}
}

// live says whether event i of the block can be read: it was stored, and it was not erased.
func (b *block) live(i int) bool {
	return b.kind == kindEvents && b.events != nil && !b.dups.get(i) && !b.erased.get(i)
}

// erase marks event i of the block, which nobody else uses.
func (b *block) erase(i int) {
	if b.erased == nil {
		b.erased = make(bitmap, bitmapLen(len(b.ids)))
	}
	b.erased.set(i)
}

// shown says whether event i of the block, which belongs to t, can be read and has not expired.
func (b *block) shown(t *batch, i int, c *store.Cutoffs) bool {
	return b.live(i) && (c == nil || !c.Expired(t.project, b.events[i].Timestamp.UnixMicro(), t.received))
}

// find returns the batch that seq belongs to and the index of its event, or -1
// where the batch has none.
func (b *block) find(seq entity.Seq) (*batch, int) {
	i := sort.Search(len(b.batches), func(i int) bool { return b.batches[i].first > seq }) - 1
	if i < 0 {
		return nil, -1
	}
	t := &b.batches[i]
	if off := seq - t.first; off < entity.Seq(t.events) {
		return t, t.at + int(off)
	}
	return t, -1
}

// record is event i of the block, which belongs to t.
func (b *block) record(t *batch, i int) entity.Record {
	rec := entity.Record{
		Seq:         t.seq(i),
		Project:     t.project,
		Environment: t.env,
		BatchID:     t.id,
		KeyID:       t.key,
		ReceivedAt:  time.UnixMicro(t.received).UTC(),
		Event:       b.events[i],
	}
	if b.rows != nil {
		rec.Row = b.rows[i]
	}
	if len(t.notes) > 0 {
		rec.Notes = t.notesOf(rec.Event.ID)
	}
	return rec
}

// appendRecords appends the block's records after a Seq that are shown, at most room of them, and returns
// the position to continue from.
func (b *block) appendRecords(recs []entity.Record, after entity.Seq, room int, c *store.Cutoffs) ([]entity.Record, entity.Seq) {
	for t, i := range b.each() {
		if t.seq(i) <= after || !b.shown(t, i, c) {
			continue
		}
		if room == 0 {
			return recs, recs[len(recs)-1].Seq
		}
		recs = append(recs, b.record(t, i))
		room--
	}
	return recs, b.last()
}

// stored counts the events of t that were not duplicates, erased ones included,
// and collects the ids of those that were.
func (b *block) stored(t *batch) (n int, duplicates []string) {
	for i := t.at; i < t.at+t.events; i++ {
		if b.dups.get(i) {
			duplicates = append(duplicates, b.ids[i])
		} else {
			n++
		}
	}
	return n, duplicates
}
