package segmentlog

import (
	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// filters are those of a segment file, made of its blocks as they are written or read.
type filters struct {
	list []stretch // with their filters; the last has none before it is full, or close

	set     hashSet            // of the last stretch
	hashes  *textsearch.Hashes // nil: words are left out
	fields  entity.Fields
	mention []byte // memory of one
}

// newFilters makes filters of words and of whom events name, or of these alone.
func newFilters(words bool) *filters {
	f := &filters{}
	if words {
		f.hashes = textsearch.NewHashes(f.set.add)
	}
	return f
}

// add takes in the block that lies at off.
func (f *filters) add(b *block, off int64) {
	if b.kind != kindEvents || b.bodyRaw == 0 {
		return
	}
	if n := len(f.list); n > 0 && !f.list[n-1].takes(&b.blockHeader) {
		f.close()
	}
	f.list = join(f.list, &b.blockHeader, off)
	for i := range b.batches {
		f.set.add(projectHash(b.batches[i].project))
	}
	for t, i := range b.each() {
		if b.live(i) {
			if f.hashes != nil {
				f.hashes.Event(&b.events[i])
			}
			f.mentions(t.project, b, i)
		}
	}
	if f.list[len(f.list)-1].raw >= stretchBytes {
		f.close()
	}
}

// mentions adds whom an event of the project names.
func (f *filters) mentions(project string, b *block, i int) {
	ev, fields := &b.events[i], &f.fields
	if b.rows == nil || b.rows[i] == nil || b.rows[i].View(fields) != nil {
		if extract.Into(fields, ev) != nil {
			fields = nil // nothing in it can be read
		}
	}
	m := extract.MentionsOf(ev, fields)
	m.Each(func(one entity.Mention) {
		f.mention = appendMention(f.mention[:0], project, one)
		f.set.add(textsearch.WordHash(f.mention))
	})
}

// close makes the filter of the last stretch.
func (f *filters) close() {
	if !f.open() {
		return
	}
	s := &f.list[len(f.list)-1]
	s.mem = f.set.appendFilter(nil, s.raw+mentionBytes*int64(s.events))
	s.lines = uint32(len(s.mem) / bloom.LineBytes)
	f.set.reset()
}

// open says whether the last stretch has no filter yet.
func (f *filters) open() bool {
	n := len(f.list)
	return n > 0 && f.list[n-1].mem == nil
}
