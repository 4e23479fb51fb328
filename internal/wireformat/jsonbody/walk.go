package jsonbody

import (
	"iter"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Walk is a place in a body. After the first byte that is not JSON it gives empty values and
// ends every iteration; Object then answers for it.
type Walk struct {
	data    []byte
	pos     int
	open    []byte // the closing brackets of what is open; it begins in room
	room    [32]byte
	bad     bool // the body is no JSON
	high    int  // the most that was open at once since the value that is read began
	loose   bool // it holds bytes that are no UTF-8
	escaped bool // a string held an escape since this was set to false
	words   int  // NaN and Infinity so far

	deepest int // the most that was open at once in all of the body
}

// mostOpen is how deep a body may nest at all.
const mostOpen = 10_000

// Value is what was seen of one value.
type Value struct {
	Raw   []byte // as it was sent; it shares the body's memory
	Depth int    // how deep objects and lists nest in it, itself the first level; 0 for neither
	UTF8  bool
	words bool
}

// Kind is the first byte of a value, such as '{' or 'n'; 0 when there is none.
func (v *Value) Kind() byte {
	if len(v.Raw) == 0 {
		return 0
	}
	return v.Raw[0]
}

// Given says whether there is a value that is not null.
func (v *Value) Given() bool { return len(v.Raw) > 0 && v.Raw[0] != 'n' }

// Kind is the first byte of the value that comes next.
func (w *Walk) Kind() byte {
	w.pos = rawjson.SkipSpace(w.data, w.pos)
	if w.pos >= len(w.data) {
		return 0
	}
	return w.data[w.pos]
}

// Value reads the value that comes next.
func (w *Walk) Value() Value { return w.Noted(nil) }

// Noted is Value that tells of each member of an object: its key, unescaped, and where in Value.Raw its value
// begins and ends.
func (w *Walk) Noted(member func(key []byte, start, end int)) Value {
	object := w.Kind() == '{'
	begin, level, high, words := w.pos, len(w.open), w.high, w.words
	w.high, w.loose = level, false
	if member == nil || !object {
		w.value()
	} else {
		for key := range w.Members() {
			w.pos = rawjson.SkipSpace(w.data, w.pos)
			start := w.pos
			if w.value(); !w.bad {
				member(key, start-begin, w.pos-begin)
			}
		}
	}
	if w.bad {
		return Value{}
	}
	v := Value{Raw: w.data[begin:w.pos:w.pos], Depth: w.high - level, UTF8: !w.loose, words: w.words > words}
	w.high = max(high, w.high)
	return v
}

// Members reads the object that comes next and yields its keys, unescaped. A value that the
// loop does not read is read behind it. A loop that ends early must refuse the body.
func (w *Walk) Members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for more := w.enter('{', '}'); more; more = w.next() {
			key := w.key()
			at := w.pos
			if w.bad || !yield(key) {
				return
			}
			w.passed(at)
		}
	}
}

// Elements does the same for the elements of the list that comes next, which it counts.
func (w *Walk) Elements() iter.Seq[int] {
	return func(yield func(int) bool) {
		i := 0
		for more := w.enter('[', ']'); more; more = w.next() {
			at := w.pos
			if !yield(i) {
				return
			}
			w.passed(at)
			i++
		}
	}
}

// passed reads the value at a place that nobody has read.
func (w *Walk) passed(at int) {
	if w.pos == at && !w.bad {
		w.value()
	}
}

// enter goes into the container that comes next; more says that there is something in it.
func (w *Walk) enter(opener, closer byte) (more bool) {
	if w.Kind() != opener || w.bad {
		w.bad = true
		return false
	}
	w.pos++
	w.push(closer)
	if w.Kind() == closer {
		w.pop()
		w.pos++
		return false
	}
	return !w.bad
}

// next goes behind the comma that comes next, or out of the container.
func (w *Walk) next() (more bool) {
	switch c := w.Kind(); {
	case w.bad:
		return false
	case c == ',':
		more = true
	case c == w.open[len(w.open)-1]:
		w.pop()
	default:
		w.bad = true
		return false
	}
	w.pos++
	return more
}

// key reads a name of an object, which it unescapes, and the colon behind it.
func (w *Walk) key() []byte {
	w.escaped = false
	start := rawjson.SkipSpace(w.data, w.pos)
	end := w.text(start)
	behind := rawjson.Colon(w.data, end)
	if behind < 0 {
		w.bad = true
		return nil
	}
	w.pos = behind
	key := w.data[start+1 : end-1]
	if w.escaped {
		key = rawjson.Unescape(key)
	}
	return key
}

func (w *Walk) push(closer byte) {
	w.open = append(w.open, closer)
	if n := len(w.open); n > w.high {
		w.high = n
		w.deepest = max(w.deepest, n)
		w.bad = w.bad || n > mostOpen
	}
}

func (w *Walk) pop() { w.open = w.open[:len(w.open)-1] }
