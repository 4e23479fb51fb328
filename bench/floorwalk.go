package main

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// floorWalk is a place in a body: what the server's decoder was at commit e2d5f73, as far as a batch
// needs it. After the first byte that is not JSON it stands still.
type floorWalk struct {
	data []byte
	pos  int
	open []byte // the closing brackets of what is open
	bad  bool
}

func (w *floorWalk) space() {
	for w.pos < len(w.data) {
		switch w.data[w.pos] {
		case ' ', '\n', '\t', '\r':
			w.pos++
		default:
			return
		}
	}
}

func (w *floorWalk) kind() byte {
	w.space()
	if w.pos >= len(w.data) {
		return 0
	}
	return w.data[w.pos]
}

// enter goes into the container that comes next; more says that there is something in it.
func (w *floorWalk) enter(opener, closer byte) (more bool) {
	if w.kind() != opener || w.bad {
		w.bad = true
		return false
	}
	w.pos++
	w.open = append(w.open, closer)
	if w.kind() == closer {
		w.leave()
		return false
	}
	return true
}

func (w *floorWalk) leave() {
	w.pos++
	w.open = w.open[:len(w.open)-1]
}

// next goes behind the comma that comes next, or out of the container.
func (w *floorWalk) next() (more bool) {
	switch c := w.kind(); {
	case w.bad || c == 0:
		w.bad = true
	case c == ',':
		w.pos++
		return true
	case c == w.open[len(w.open)-1]:
		w.leave()
	default:
		w.bad = true
	}
	return false
}

// value reads the value that comes next, without recursion.
func (w *floorWalk) value() []byte {
	w.space()
	start, level := w.pos, len(w.open)
	for {
		w.begin()
		for !w.bad && len(w.open) > level && !w.next() { // out of all that ends here
		}
		if w.bad || len(w.open) == level {
			break
		}
		if w.open[len(w.open)-1] == '}' {
			w.name()
		}
	}
	if w.bad {
		return nil
	}
	return w.data[start:w.pos:w.pos]
}

// begin reads a value, or the beginnings of containers up to the first value in them.
func (w *floorWalk) begin() {
	for !w.bad {
		switch w.kind() {
		case '{':
			if !w.enter('{', '}') {
				return
			}
			w.name()
		case '[':
			if !w.enter('[', ']') {
				return
			}
		case '"':
			w.text()
			return
		default:
			w.scalar()
			return
		}
	}
}

// name reads a name of an object and the colon behind it.
func (w *floorWalk) name() []byte {
	w.space()
	start := w.pos + 1
	w.text()
	if w.bad {
		return nil
	}
	name := w.data[start : w.pos-1]
	if w.kind() != ':' {
		w.bad = true
		return nil
	}
	w.pos++
	return name
}

// Eight bytes are looked at as one number.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text reads the string that begins here.
func (w *floorWalk) text() {
	b, i := w.data, w.pos+1
	if w.pos >= len(b) || b[w.pos] != '"' {
		w.bad = true
		return
	}
	var wide uint64 // a high bit is set when a byte was not ASCII
	for {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			quote, slash := x^ones*'"', x^ones*'\\'
			// The lowest bit that is set stands for a quote, a backslash or a control character.
			special := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs
			if special != 0 {
				wide |= x & (special&-special - 1)
				i += bits.TrailingZeros64(special) / 8
				break
			}
			wide |= x
			i += 8
		}
		for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' { // the last bytes of the body
			wide |= uint64(b[i])
			i++
		}
		switch {
		case i+1 >= len(b) || b[i] < ' ':
			w.bad = true
			return
		case b[i] == '"':
			w.bad = wide&highs != 0 && !utf8.Valid(b[w.pos:i])
			w.pos = i + 1
			return
		}
		n := escapeLen(b[i:])
		if n == 0 {
			w.bad = true
			return
		}
		i += n
	}
}

// escapeLen is the length of the escape that b begins with; 0 for none.
func escapeLen(b []byte) int {
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, c := range b[2:6] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// scalar reads a number, true, false or null.
func (w *floorWalk) scalar() {
	start := w.pos
	for w.pos < len(w.data) {
		switch w.data[w.pos] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			w.bad = !isScalar(w.data[start:w.pos])
			return
		}
		w.pos++
	}
	w.bad = true
}

// isScalar follows the grammar of RFC 8259.
func isScalar(b []byte) bool {
	switch string(b) {
	case "true", "false", "null":
		return true
	}
	digits := func() bool {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n > 0
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9' || !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		return digits() && len(b) == 0
	}
	return len(b) == 0
}
