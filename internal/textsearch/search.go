package textsearch

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Limits of a search's text.
const (
	MaxBytes = 1024
	MaxWords = 32 // at most 32: a Matcher has one bit for each
)

// Query is a parsed search text: words and phrases that must all be in one event; and the attributes
// that it must have.
type Query struct {
	words  [][]byte // distinct
	masks  []uint32 // by word: its places among all words of all phrases
	starts uint32   // places that begin a phrase
	ends   uint32   // places that end one

	attributes []Attribute
	test       *Test // what Testing made; the words are then those that what passes it has
}

// Parse reads words that must all occur, in any order and case, and phrases
// in double quotes, whose words must follow one another. A run of characters that are
// words each (see Words) is a phrase, too. A quote that is not closed goes to the end. The error is
// for people: no UTF-8, no word, or more than the limits.
func Parse(text string) (*Query, error) {
	refuse := func(format string, args ...any) (*Query, error) {
		return nil, fmt.Errorf(format, args...)
	}
	if len(text) > MaxBytes {
		return refuse("must not be longer than %d bytes", MaxBytes)
	}
	if !utf8.ValidString(text) {
		return refuse("must be UTF-8")
	}
	p := textParser{q: &Query{}}
	for rest, quoted := []byte(text), false; len(rest) > 0; quoted = !quoted {
		part, after, _ := bytes.Cut(rest, []byte{'"'})
		rest = after
		if quoted {
			p.phrase(part)
			continue
		}
		for _, word := range bytes.FieldsFunc(part, separates) {
			p.phrase(word)
		}
	}
	if p.places > MaxWords {
		return refuse("must not have more than %d words", MaxWords)
	}
	if p.places == 0 {
		return refuse("must hold a word: letters or digits")
	}
	return p.q, nil
}

func separates(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
}

type textParser struct {
	q      *Query
	places int
}

// phrase adds the words of part, which must follow one another.
func (p *textParser) phrase(part []byte) {
	first := p.places
	w := Words{Found: func(word []byte) {
		if word == nil {
			return
		}
		if p.places < MaxWords {
			p.q.masks[p.word(word)] |= 1 << p.places
		}
		p.places++
	}}
	w.Plain(part)
	if p.places > first && p.places <= MaxWords {
		p.q.starts |= 1 << first
		p.q.ends |= 1 << (p.places - 1)
	}
}

// word is the index of a word among the distinct ones.
func (p *textParser) word(word []byte) int {
	for i, w := range p.q.words {
		if bytes.Equal(w, word) {
			return i
		}
	}
	p.q.words = append(p.q.words, bytes.Clone(word))
	p.q.masks = append(p.q.masks, 0)
	return len(p.q.words) - 1
}

// Hashes are the WordHashes of the words, each once, and the hashes of the attributes.
func (q *Query) Hashes() []uint64 {
	out := make([]uint64, len(q.words), len(q.words)+len(q.attributes)+1)
	for i, w := range q.words {
		out[i] = WordHash(w)
	}
	var buf []byte
	for _, a := range q.attributes {
		var h uint64
		h, buf = attributeHash(buf, a.Resource, a.Key, []byte(a.Value))
		out = append(out, h)
	}
	return out
}

// ASCII are the words that have no other letters than those of ASCII, in lower case: an event that matches has each of them as it is, in whatever case, in its payload, unless
// that has bytes beyond ASCII or escapes of JSON by number (\u).
func (q *Query) ASCII() (words []string) {
	for _, w := range q.words {
		if bytes.IndexFunc(w, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
			words = append(words, string(w))
		}
	}
	return words
}

// Matcher compares events with a Query. It is for one goroutine.
type Matcher struct {
	q     *Query
	words Words
	first [256]bool // bytes that a word of q begins with
	at    uint32    // places up to which a phrase was just followed
	hits  uint32    // ends of the phrases found
	plain []byte    // the value of an attribute
}

// NewMatcher returns a Matcher of q.
func NewMatcher(q *Query) *Matcher {
	m := &Matcher{q: q}
	for _, w := range q.words {
		m.first[w[0]] = true
	}
	m.words.Found = m.found
	return m
}

// Matches says whether all words and phrases are in the event's text, and all attributes among its own.
func (m *Matcher) Matches(ev *wire.Event) bool {
	if len(m.q.attributes) > 0 && !m.has(ev) || m.q.test != nil && !m.q.test.holds(ev) {
		return false
	}
	if len(m.q.words) == 0 {
		return true
	}
	m.at, m.hits = 0, 0
	m.words.Event(ev)
	return m.hits == m.q.ends
}

// found moves each phrase on by the word, or back to its start (the Shift-And
// algorithm of Baeza-Yates and Gonnet, over words).
func (m *Matcher) found(word []byte) {
	var mask uint32
	if len(word) > 0 && m.first[word[0]] {
		for i, w := range m.q.words {
			if string(w) == string(word) {
				mask = m.q.masks[i]
				break
			}
		}
	}
	m.at = (m.at<<1 | m.q.starts) & mask
	m.hits |= m.at & m.q.ends
}
