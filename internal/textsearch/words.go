package textsearch

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Words cuts the text of events into words, as text search understands them: a
// word is a run of Unicode letters, digits and combining marks. Case, accents and forms
// that only look otherwise (NFKC) are folded: "Straße" is strasse, "café" cafe and "ﬁle" file. Of
// scripts that put no space between words (Chinese, Japanese, Korean, Thai, Lao,
// Khmer, Burmese) each character is a word of its own.
//
// The zero Words with Found or Hashed set is ready; it is for one goroutine.
type Words struct {
	// Found gets each word, valid during the call, and nil at the end of each
	// text: a phrase does not go on from one text into the next.
	Found func(word []byte)
	// Hashed gets the WordHash of each word instead, which takes less time.
	Hashed func(hash uint64)

	buf  []byte // the word in the making; when wide, all since the last ASCII that separates words
	wide bool   // buf has more than ASCII
	fold caseFolder
}

// Event finds the words of an event's name, input, output, status message, tags and metadata: of
// all strings and numbers in them, but not of the keys of objects. Of a span or a log record of
// OpenTelemetry they are those of what it says (see item). A score has no text.
// Whatever the payload is, it ends and stays inside it.
func (w *Words) Event(ev *wire.Event) {
	if !hasText(ev) {
		return
	}
	if otlp.Stored(ev.Payload) {
		w.item(otlp.SaidIn(ev.Payload).Item)
		return
	}
	m := rawjson.MembersOf(ev.Payload)
	for {
		key, value, ok := m.Next()
		if !ok {
			return
		}
		if says(key) {
			w.value(value)
		}
	}
}

// hasText says whether an event of that type has words and attributes.
func hasText(ev *wire.Event) bool {
	kind, _, ok := entity.Shape(ev.Type)
	return ok && kind != entity.ScoreKind
}

// says is whether the values of a key of our own events have words.
func says(key []byte) bool {
	switch string(key) {
	case "name", "input", "output", "status_message", "tags", "metadata":
		return true
	}
	return false
}

// Plain finds the words of s, which is text, not JSON.
func (w *Words) Plain(s []byte) { w.text(s, false) }

// value goes through any JSON value without recursion: a string before a colon is a key.
func (w *Words) value(v []byte) {
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '"':
			end := rawjson.SkipString(v, i)
			if end < 0 {
				return
			}
			next := rawjson.SkipSpace(v, end)
			if next >= len(v) || v[next] != ':' {
				w.text(v[i+1:end-1], true)
			}
			i = next
		case c == '-' || '0' <= c && c <= '9':
			end := i + 1
			for end < len(v) && (wordASCII[v[end]] != 0 || v[end] == '.' || v[end] == '-' || v[end] == '+') {
				end++
			}
			w.text(v[i:end], false)
			i = end
		default: // punctuation, and the letters of true, false and null
			i++
		}
	}
}

// wordASCII is the lower case of each ASCII letter and digit, 0 for what separates words.
var wordASCII = func() (table [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		table[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = c, c
	}
	return table
}()

func (w *Words) text(s []byte, escapes bool) {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case wordASCII[c] != 0:
			if w.Hashed != nil && len(w.buf) == 0 {
				if end := w.hash(s, i, escapes); end > i {
					i = end
					continue
				}
			}
			w.buf = append(w.buf, wordASCII[c])
			i++
		case c == '\\' && escapes:
			i += w.escape(s[i:])
		case c < utf8.RuneSelf:
			w.end()
			i++
		default:
			r, n := utf8.DecodeRune(s[i:])
			w.add(r)
			i += n
		}
	}
	w.end()
	if w.Hashed == nil {
		w.Found(nil)
	}
}

// hash hashes the words from i on as it reads them, as long as they are ASCII, and returns where it stopped: at the end, at what
// is no ASCII, at an escape, or at a word that may go on with such.
func (w *Words) hash(s []byte, i int, escapes bool) int {
	for start := i; ; start = i {
		h := uint64(hashBegin)
		for i < len(s) && wordASCII[s[i]] != 0 {
			h = (h ^ uint64(wordASCII[s[i]])) * hashPrime
			i++
		}
		if i < len(s) && (s[i] >= utf8.RuneSelf || escapes && s[i] == '\\' && (i+1 == len(s) || s[i+1] == 'u')) {
			return start
		}
		w.Hashed(hashEnd(h))
		for i < len(s) && wordASCII[s[i]] == 0 {
			if s[i] >= utf8.RuneSelf || s[i] == '\\' {
				return i
			}
			i++
		}
		if i == len(s) {
			return i
		}
	}
}

func (w *Words) found(word []byte) {
	if w.Hashed != nil {
		w.Hashed(WordHash(word))
		return
	}
	w.Found(word)
}

// escape reads the escape (RFC 8259 section 7) at the start of s and returns its length.
func (w *Words) escape(s []byte) int {
	if len(s) < 2 || s[1] != 'u' {
		w.end() // an escaped control character, quote or slash
		return min(2, len(s))
	}
	r, rest := rawjson.UnescapeRune(s[2:])
	w.add(r)
	return len(s) - len(rest)
}

// add takes one character. One beyond ASCII is kept as it is until the end: what it is, its neighbours say.
func (w *Words) add(r rune) {
	if r >= utf8.RuneSelf {
		w.buf, w.wide = utf8.AppendRune(w.buf, r), true
		return
	}
	if c := wordASCII[r]; c != 0 {
		w.buf = append(w.buf, c)
		return
	}
	w.end()
}

func (w *Words) end() {
	if w.wide {
		w.split(w.fold.fold(w.buf))
		w.buf, w.wide = w.buf[:0], false
		return
	}
	if len(w.buf) > 0 {
		w.found(w.buf)
		w.buf = w.buf[:0]
	}
}

// split finds the words of text that is folded.
func (w *Words) split(text []byte) {
	begin := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		single := unspaced(r)
		if single || !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			if begin < i {
				w.found(text[begin:i])
			}
			if single {
				w.found(text[i : i+n])
			}
			begin = i + n
		}
		i += n
	}
	if begin < len(text) {
		w.found(text[begin:])
	}
}

// caseFolder makes texts equal that people take for the same. The zero value is ready.
type caseFolder struct {
	caser      cases.Caser
	ready      bool
	apart, out []byte
}

// fold returns s with case (also ß as ss), compatible forms and accents folded, composed again.
// It is valid until the next call.
func (f *caseFolder) fold(s []byte) []byte {
	if !f.ready {
		f.caser, f.ready = cases.Fold(), true
	}
	f.apart = norm.NFKD.Append(f.apart[:0], f.caser.Bytes(norm.NFKD.Bytes(s))...) // folding makes new characters
	kept := f.apart[:0]
	for i := 0; i < len(f.apart); {
		r, n := utf8.DecodeRune(f.apart[i:])
		if !accent(r) {
			kept = append(kept, f.apart[i:i+n]...)
		}
		i += n
	}
	f.out = norm.NFC.Append(f.out[:0], kept...)
	return f.out
}

// accent says whether r only adorns the letter before it. Marks that belong to one
// script, such as the vowels of Devanagari, do not.
func accent(r rune) bool {
	return 0x300 <= r && r <= 0x36f || 0x1ab0 <= r && r <= 0x1aff || 0x1dc0 <= r && r <= 0x1dff || 0x20d0 <= r && r <= 0x20ff || 0xfe20 <= r && r <= 0xfe2f
}

// unspaced says whether r is of a script without spaces between words, or a sign that
// several of them share, which Unicode counts to none: those of long vowels, voiced sounds and 〆.
func unspaced(r rune) bool {
	const thai = 0x0e00 // the first of them
	if r < thai {
		return false
	}
	switch r {
	case 'ー', '〆', 0x3099, 0x309a:
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) &&
		(unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r))
}

// WordHash is a 64-bit hash of a word, never 0 and the same in every process: what
// filters on disk are made of. (FNV-1a, and a mix of its bits as in MurmurHash3.)
func WordHash(word []byte) uint64 {
	h := uint64(hashBegin)
	for _, c := range word {
		h = (h ^ uint64(c)) * hashPrime
	}
	return hashEnd(h)
}

const (
	hashBegin = 14695981039346656037
	hashPrime = 1099511628211
)

func hashEnd(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return max(h, 1)
}
