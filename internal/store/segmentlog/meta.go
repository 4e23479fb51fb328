package segmentlog

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/varint"
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
	key       string // the id of the key that brought it; "" when that is not known
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

// said is about how many bytes the failed events and the notes take.
func (b *batch) said() (n int) {
	for i := range b.failed {
		f := &b.failed[i]
		n += len(f.EventID) + len(f.Message) + len(f.Details) + len(f.Code) + 9
	}
	for i := range b.notes {
		n += len(b.notes[i].EventID) + len(b.notes[i].Note) + 9
	}
	return n
}

// What the last byte of an entry of the list of failed events says. Notes and formats have the form of
// a failure so that programs from before there were any can read the section.
const (
	entryFinal = iota
	entryRetryable
	entryNote   // no failure: the message is a note about an event that is stored
	entryFormat // no failure: the message is the format of a job's request
)

// The flags of a batch. What an id of a key is written as, where one is known, the flag says.
const (
	batchDedup   = 1 << iota // its ids were looked up and are marked
	batchKey                 // the id is keyPrefix and 8 bytes in hexadecimal digits: those bytes follow, as every key's do
	batchKeyText             // the id follows as a string
)

const keyPrefix = "key_"

// keyBytes is what follows keyPrefix in an id, as bytes; nil of one that has another form.
func keyBytes(id string) []byte {
	digits, ok := strings.CutPrefix(id, keyPrefix)
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != 8 || hex.EncodeToString(b) != digits {
		return nil
	}
	return b
}

// appendFlags writes the flags, the ttl of the marks, and the key.
func (b *batch) appendFlags(dst []byte) []byte {
	var flags uint64
	if b.dedup {
		flags |= batchDedup
	}
	short := keyBytes(b.key)
	switch {
	case short != nil:
		flags |= batchKey
	case b.key != "":
		flags |= batchKeyText
	}
	dst = binary.AppendUvarint(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(b.ttl.Milliseconds()))
	if dst = append(dst, short...); flags&batchKeyText != 0 {
		dst = varint.AppendString(dst, b.key)
	}
	return dst
}

// readFlags reads what appendFlags wrote. A flag that it does not know is one of no release.
func (b *batch) readFlags(r *varint.Reader) {
	flags := r.Uvarint()
	b.dedup = flags&batchDedup != 0
	b.ttl = time.Duration(min(r.Uvarint(), 1<<40)) * time.Millisecond
	switch {
	case flags&batchKey != 0:
		b.key = keyPrefix + hex.EncodeToString(r.Take(8))
	case flags&batchKeyText != 0:
		b.key = string(r.Bytes())
	}
}

// seq is that of event i of the block, which belongs to b.
func (b *batch) seq(i int) entity.Seq { return b.first + entity.Seq(i-b.at) }

// span is the number of Seqs that the batch takes: one even without events,
// so that its first Seq names it.
func (b *batch) span() int { return max(b.events, 1) }

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
			dst = varint.AppendString(dst, s)
		}
		dst = b.appendFlags(dst)
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
			dst = varint.AppendString(dst, s)
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

// readEntries reads what appendEntries wrote.
func readEntries(r *varint.Reader, b *batch) {
	const least = 5
	n := r.Count(least)
	if n > 0 {
		b.failed = make([]wire.BatchEventError, 0, n)
	}
	for range n {
		var f wire.BatchEventError
		for _, s := range [...]*string{&f.EventID, &f.Message, &f.Details, &f.Code} {
			*s = string(r.Bytes())
		}
		switch v := r.Take(1); {
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

// decodeMeta reads a meta section, decompressed.
func decodeMeta(h *blockHeader, raw []byte) (batches []batch, ids []string, err error) {
	r := &varint.Reader{B: raw}
	const leastBatch = 11
	batches = make([]batch, r.Count(leastBatch))
	events := 0
	end := h.first
	for i := range batches {
		b := &batches[i]
		b.first = h.first + entity.Seq(r.Uvarint())
		b.events = int(min(r.Uvarint(), maxEvents+1))
		b.at = events
		b.committed = h.committed + r.Varint()
		b.received = r.Varint()
		for _, s := range [...]*string{&b.project, &b.env, &b.id, &b.job} {
			*s = string(r.Bytes())
		}
		b.readFlags(r)
		readEntries(r, b)
		events += b.events
		if r.Bad || events > int(h.events) || b.first < end || b.first+entity.Seq(b.span())-1 > h.last() {
			return nil, nil, damaged("meta section")
		}
		end = b.first + entity.Seq(b.span())
	}
	if len(batches) == 0 || events != int(h.events) {
		return nil, nil, damaged("meta section")
	}
	if ids, err = column(r, events); err != nil {
		return nil, nil, err
	}
	return batches, ids, nil
}

// column reads n lengths and then the n strings, which share one allocation;
// nothing may follow them.
func column(r *varint.Reader, n int) ([]string, error) {
	if n > len(r.B) {
		return nil, damaged("ids")
	}
	out := make([]string, n)
	lens := *r
	var sum uint64
	for range n {
		l := lens.Uvarint()
		if l > uint64(len(r.B)) {
			return nil, damaged("ids")
		}
		sum += l
	}
	if lens.Bad || sum != uint64(len(lens.B)) {
		return nil, damaged("ids")
	}
	all := string(lens.B)
	for i := range out {
		l := int(r.Uvarint())
		out[i], all = all[:l], all[l:]
	}
	return out, nil
}
