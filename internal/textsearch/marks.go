package textsearch

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Piece is a part of a text; Match says that it is a word that was searched for.
type Piece struct {
	Text  string
	Match bool
}

// What a mark shows of a text: so many bytes before the first word, about so many in all, of at most so much of a text.
const (
	beforeMark = 48
	markLength = 160
	markedText = 256 << 10
)

// Marker finds the words of queries in texts, for people to see where they are. It is for one goroutine.
type Marker struct {
	words map[string]bool
	split Words
	found bool
}

// NewMarker returns a Marker of the words of all queries.
func NewMarker(queries ...*Query) *Marker {
	m := &Marker{words: map[string]bool{}}
	for _, q := range queries {
		for _, w := range q.words {
			m.words[string(w)] = true
		}
	}
	m.split.Found = func(word []byte) { m.found = m.found || m.words[string(word)] }
	return m
}

// JSON returns what stands around the first words in a string of a JSON value; nil when there are none. Keys of objects are not looked at.
func (m *Marker) JSON(value string) []Piece {
	for i := 0; i < len(value); {
		switch c := value[i]; {
		case c == '"':
			end := rawjson.SkipString(rawjson.Bytes(value), i)
			if end < 0 {
				return nil
			}
			next := rawjson.SkipSpace(rawjson.Bytes(value), end)
			if next >= len(value) || value[next] != ':' {
				text, _ := rawjson.Unquote(rawjson.Bytes(value[i:end]))
				if pieces := m.Text(text); pieces != nil {
					return pieces
				}
			}
			i = next
		case c == '-' || '0' <= c && c <= '9':
			end := i + 1
			for end < len(value) && (wordASCII[value[end]] != 0 || value[end] == '.' || value[end] == '-' || value[end] == '+') {
				end++
			}
			if pieces := m.Text(value[i:end]); pieces != nil {
				return pieces
			}
			i = end
		default:
			i++
		}
	}
	return nil
}

// Text returns what stands around the first words in a text; nil when there are none.
func (m *Marker) Text(text string) []Piece {
	text = text[:min(len(text), markedText)]
	from, to, ok := m.next(text, 0)
	if !ok {
		return nil
	}
	var pieces []Piece
	begin := max(0, from-beforeMark)
	for begin < from && !utf8.RuneStart(text[begin]) {
		begin++
	}
	end := min(len(text), max(to, begin+markLength))
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	at := begin
	for ok && from < end {
		if from > at {
			pieces = append(pieces, Piece{Text: text[at:from]})
		}
		pieces = append(pieces, Piece{Text: text[from:to], Match: true})
		at = to
		from, to, ok = m.next(text, at)
	}
	if at < end {
		pieces = append(pieces, Piece{Text: text[at:end]})
	}
	if begin > 0 {
		pieces = slices.Insert(pieces, 0, Piece{Text: "…"})
	}
	if at = max(at, end); at < len(text) {
		pieces = append(pieces, Piece{Text: "…"})
	}
	return pieces
}

// next is the next word at or behind a place that was searched for.
func (m *Marker) next(text string, at int) (from, to int, ok bool) {
	for at < len(text) {
		r, n := utf8.DecodeRuneInString(text[at:])
		if separates(r) {
			at += n
			continue
		}
		from = at
		for at < len(text) {
			r, n = utf8.DecodeRuneInString(text[at:])
			if separates(r) || at > from && unspaced(r) && !unicode.IsMark(r) {
				break
			}
			at += n
			if unspaced(r) {
				break
			}
		}
		m.found = false
		if m.split.Plain([]byte(text[from:at])); m.found {
			return from, at, true
		}
	}
	return 0, 0, false
}
