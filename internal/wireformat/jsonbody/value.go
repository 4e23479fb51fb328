package jsonbody

import (
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// value reads the value that comes next. It does not recurse, so that depth costs no stack.
// Places in the data are indexes here; that behind something that is no JSON is -1.
func (w *Walk) value() {
	b, i, level := w.data, w.pos, len(w.open)
	for more := true; more && i >= 0 && !w.bad; {
		if i = rawjson.SkipSpace(b, i); i >= len(b) {
			i = -1
			break
		}
		switch b[i] {
		case '"':
			i = w.text(i)
		case '{':
			w.push('}')
			if i = rawjson.SkipSpace(b, i+1); i >= len(b) || b[i] != '}' {
				i = rawjson.Colon(b, w.text(i))
				continue
			}
			w.pop()
			i++
		case '[':
			w.push(']')
			if i = rawjson.SkipSpace(b, i+1); i >= len(b) || b[i] != ']' {
				continue
			}
			w.pop()
			i++
		default:
			i = w.scalar(i)
		}
		i, more = w.behind(i, level)
	}
	if w.bad = w.bad || i < 0; !w.bad {
		w.pos = i
	}
}

// behind goes on where a value has ended: out of the containers that end with it, down to level, or to the
// value that comes next in one; more says that there is one.
func (w *Walk) behind(i, level int) (at int, more bool) {
	b := w.data
	for len(w.open) > level {
		if i < 0 {
			return -1, false
		}
		if i = rawjson.SkipSpace(b, i); i >= len(b) {
			return -1, false
		}
		closer := w.open[len(w.open)-1]
		switch c := b[i]; {
		case c == closer:
			w.pop()
			i++
		case c != ',':
			return -1, false
		case closer == '}':
			return rawjson.Colon(b, w.text(rawjson.SkipSpace(b, i+1))), true
		default:
			return i + 1, true
		}
	}
	return i, false
}

// text is the index behind the string that begins at i.
func (w *Walk) text(i int) int {
	end, ascii, escaped := rawjson.Text(w.data, i)
	if end >= 0 && !ascii && !utf8.Valid(w.data[i:end]) {
		w.loose = true
	}
	w.escaped = w.escaped || escaped
	return end
}

// scalar is the index behind the number, true, false, null, NaN or Infinity that begins at i.
func (w *Walk) scalar(i int) int {
	rest := w.data[i:]
	n := 0
	switch c := rest[0]; {
	case c >= '0' && c <= '9':
		n = rawjson.SkipNumber(rest)
	case c == '-' && len(rest) > 1 && rest[1] > '9': // minus a word
		if n = word(rest[1:]); n > 0 {
			n++
			w.words++
		}
	case c == '-':
		n = rawjson.SkipNumber(rest)
	case c == 't':
		n = literal(rest, "true")
	case c == 'f':
		n = literal(rest, "false")
	case c == 'n':
		n = literal(rest, "null")
	default:
		if n = word(rest); n > 0 {
			w.words++
		}
	}
	if n == 0 {
		return -1
	}
	return i + n
}
