package textsearch

import (
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Hashes finds what a filter has to have of events, in one go: their words and their attributes. It is for one goroutine.
type Hashes struct {
	found      func(hash uint64)
	words      Words
	value, buf []byte // of an attribute
}

// NewHashes returns Hashes that tell found each hash: as Query.Hashes has it.
func NewHashes(found func(hash uint64)) *Hashes {
	return &Hashes{found: found, words: Words{Hashed: found}}
}

// Event finds the hashes of an event.
func (h *Hashes) Event(ev *wire.Event) {
	if !hasText(ev) {
		return
	}
	if otlp.Stored(ev.Payload) {
		said := otlp.SaidIn(ev.Payload)
		h.words.item(said.Item)
		saidAttributes(said, h.attribute)
		return
	}
	m := rawjson.MembersOf(ev.Payload)
	for {
		key, value, ok := m.Next()
		if !ok {
			return
		}
		switch {
		case says(key):
			h.words.value(value)
		case string(key) == ownAttributes:
			eachOwn(value, h.attribute)
		}
	}
}

func (h *Hashes) attribute(resource bool, key string, value []byte, plain func(to, value []byte) ([]byte, bool)) {
	text, ok := plain(h.value[:0], value)
	if h.value = text; ok {
		var hash uint64
		hash, h.buf = attributeHash(h.buf, resource, key, text)
		h.found(hash)
	}
}
