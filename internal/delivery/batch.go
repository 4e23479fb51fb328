package delivery

import (
	"encoding/json"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// batch is the body of one request, assembled by appending encoded events, and
// where each of them lies in it.
type batch struct {
	body  []byte
	items []item
	keys  []uint32 // what ordering.claim took for it
	// suffix is what follows the events: it is shared and never changed.
	suffix []byte
	// file is where the batch lies in the spool; nil when it is in memory only.
	file *spooled
	// reusable is false while something may still read body: an HTTP
	// transport may do so after it has returned an error.
	reusable bool
}

// item is one event of a batch.
type item struct {
	off, end int // in body
	idLen    int // as written
	typ      wire.EventType
	epoch    *epoch
	held     int // bytes it holds of the queue's bound
}

const envelopePrefix = `{"events":[`

func envelopeSuffix(opts *Options) []byte {
	env, _ := json.Marshal(opts.Environment) // strings, numbers and bools always can
	dedup, _ := json.Marshal(opts.Deduplication)
	return []byte(`],"environment":` + string(env) + `,"deduplication":` + string(dedup) + `}`)
}

func (b *batch) reset() {
	clear(b.items)
	*b = batch{body: b.body[:0], items: b.items[:0], keys: b.keys[:0]}
}

// hasRoom says whether e fits into the limits; a batch takes its first event whatever its size.
func (b *batch) hasRoom(opts *Options, e *entry) bool {
	return len(b.items) == 0 || len(b.items) < opts.BatchMaxSize && len(b.body)+len(e.data) < opts.BatchMaxBytes
}

// add appends e, written as data.
func (b *batch) add(e *entry, data []byte) {
	b.append(data, item{idLen: e.idEnd - idStart, typ: e.typ, epoch: e.epoch, held: len(e.data)})
}

func (b *batch) append(data []byte, it item) {
	if len(b.items) == 0 {
		b.body = append(b.body[:0], envelopePrefix...)
		b.reusable = true
	} else {
		b.body = append(b.body, ',')
	}
	it.off = len(b.body)
	b.body = append(b.body, data...)
	it.end = len(b.body)
	b.items = append(b.items, it)
}

func (b *batch) seal(suffix []byte) {
	b.suffix = suffix
	b.body = append(b.body, suffix...)
}

// id returns the id of an item as it was given.
func (b *batch) id(it *item) string {
	return unquoteID(b.body[it.off+idStart : it.off+idStart+it.idLen])
}

// subset is a new batch of some of b's items, with the same bytes.
func (b *batch) subset(items []item) *batch {
	out := &batch{file: b.file}
	for _, it := range items {
		out.append(b.body[it.off:it.end], it)
	}
	out.seal(b.suffix)
	return out
}

// quoteID writes an id as it stands inside a JSON string: it is ASCII without
// control characters, so only these two can need it.
func quoteID(id string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(id) }

func unquoteID(b []byte) string {
	s := string(b)
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s)
}
