package segmentlog

import (
	"encoding/binary"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// batch is what a block says about one appended batch beside its events: the
// answer of its receipt. at is the index of its first event in the block.
type batch struct {
	first     entity.Seq
	at        int
	events    int
	committed int64 // Unix µs
	received  int64 // Unix µs
	project   string
	env       string
	id        string
	job       string
	format    string // of a job's request; "" is the first one
	dedup     bool
	ttl       time.Duration // whole milliseconds are kept
	failed    []wire.BatchEventError
	notes     []wire.EventNote
}

// notesOf are the notes about an event of the batch.
func (b *batch) notesOf(eventID string) []string {
	var notes []string
	for i := range b.notes {
		if b.notes[i].EventID == eventID {
			notes = append(notes, b.notes[i].Note)
		}
	}
	return notes
}

// What the last byte of an entry of the list of failed events says. Notes and formats have the form of
// a failure so that programs from before there were any can read the section.
const (
	entryFinal = iota
	entryRetryable
	entryNote   // no failure: the message is a note about an event that is stored
	entryFormat // no failure: the message is the format of a job's request
)

// span is the number of Seqs that the batch takes: one even without events,
// so that its first Seq names it.
func (b *batch) span() int { return max(b.events, 1) }

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendMeta writes the meta section of a block that starts at first and was
// committed at committed: the batches, then the ids of all their events.
func appendMeta(dst []byte, first entity.Seq, committed int64, batches []batch, ids []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(batches)))
	for i := range batches {
		b := &batches[i]
		dst = binary.AppendUvarint(dst, uint64(b.first-first))
		dst = binary.AppendUvarint(dst, uint64(b.events))
		dst = binary.AppendVarint(dst, b.committed-committed)
		dst = binary.AppendVarint(dst, b.received)
		for _, s := range [...]string{b.project, b.env, b.id, b.job} {
			dst = appendString(dst, s)
		}
		var flags uint64
		if b.dedup {
			flags = 1
		}
		dst = binary.AppendUvarint(dst, flags)
		dst = binary.AppendUvarint(dst, uint64(b.ttl.Milliseconds()))
		dst = appendEntries(dst, b)
	}
	for _, id := range ids {
		dst = binary.AppendUvarint(dst, uint64(len(id)))
	}
	for _, id := range ids {
		dst = append(dst, id...)
	}
	return dst
}

// appendEntries writes the failed events of the batch, then its notes and its format.
func appendEntries(dst []byte, b *batch) []byte {
	entry := func(kind byte, texts ...string) {
		for _, s := range texts {
			dst = appendString(dst, s)
		}
		dst = append(dst, kind)
	}
	n := len(b.failed) + len(b.notes)
	if b.format != "" {
		n++
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for i := range b.failed {
		f, kind := &b.failed[i], byte(entryFinal)
		if f.Retryable {
			kind = entryRetryable
		}
		entry(kind, f.EventID, f.Message, f.Details, f.Code)
	}
	for i := range b.notes {
		entry(entryNote, b.notes[i].EventID, b.notes[i].Note, "", "note")
	}
	if b.format != "" {
		entry(entryFormat, "", b.format, "", "format")
	}
	return dst
}

// entries reads what appendEntries wrote.
func (r *reader) entries(b *batch) {
	const least = 5
	n := r.count(least)
	if n > 0 {
		b.failed = make([]wire.BatchEventError, 0, n)
	}
	for range n {
		var f wire.BatchEventError
		for _, s := range [...]*string{&f.EventID, &f.Message, &f.Details, &f.Code} {
			*s = r.string()
		}
		switch v := r.bytes(1); {
		case len(v) == 1 && v[0] == entryNote:
			b.notes = append(b.notes, wire.EventNote{EventID: f.EventID, Note: f.Message})
		case len(v) == 1 && v[0] == entryFormat:
			b.format = f.Message
		default:
			f.Retryable = len(v) == 1 && v[0] != entryFinal
			b.failed = append(b.failed, f)
		}
	}
}

// reader takes values off a section. After the first bad one it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of things that take at least size bytes each.
func (r *reader) count(size int) int {
	v := r.uvarint()
	if v > uint64(len(r.b)/size) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(v)
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) string() string { return string(r.bytes(r.uvarint())) }

// decodeMeta reads a meta section, decompressed.
func decodeMeta(h *blockHeader, raw []byte) (batches []batch, ids []string, err error) {
	r := &reader{b: raw}
	const leastBatch = 11
	batches = make([]batch, r.count(leastBatch))
	events := 0
	end := h.first
	for i := range batches {
		b := &batches[i]
		b.first = h.first + entity.Seq(r.uvarint())
		b.events = int(min(r.uvarint(), maxEvents+1))
		b.at = events
		b.committed = h.committed + r.varint()
		b.received = r.varint()
		for _, s := range [...]*string{&b.project, &b.env, &b.id, &b.job} {
			*s = r.string()
		}
		b.dedup = r.uvarint()&1 != 0
		b.ttl = time.Duration(min(r.uvarint(), 1<<40)) * time.Millisecond
		r.entries(b)
		events += b.events
		if r.bad || events > int(h.events) || b.first < end || b.first+entity.Seq(b.span())-1 > h.last() {
			return nil, nil, damaged("meta section")
		}
		end = b.first + entity.Seq(b.span())
	}
	if len(batches) == 0 || events != int(h.events) {
		return nil, nil, damaged("meta section")
	}
	if ids, err = r.column(events); err != nil {
		return nil, nil, err
	}
	return batches, ids, nil
}

// column reads n lengths and then the n strings, which share one allocation;
// nothing may follow them.
func (r *reader) column(n int) ([]string, error) {
	if n > len(r.b) {
		return nil, damaged("ids")
	}
	out := make([]string, n)
	lens := *r
	var sum uint64
	for range n {
		l := lens.uvarint()
		if l > uint64(len(r.b)) {
			return nil, damaged("ids")
		}
		sum += l
	}
	if lens.bad || sum != uint64(len(lens.b)) {
		return nil, damaged("ids")
	}
	all := string(lens.b)
	for i := range out {
		l := int(r.uvarint())
		out[i], all = all[:l], all[l:]
	}
	return out, nil
}
