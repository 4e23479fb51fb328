package jsonbody

import "iter"

// Walk is a place in a body. After the first byte that is not JSON it gives empty values and
// ends every iteration; Object then answers for it.
type Walk struct {
	data  []byte
	pos   int
	open  []byte // the closing brackets of what is open; it begins in room
	room  [32]byte
	bad   bool // the body is no JSON
	high  int  // the most that was open at once since the value that is read began
	loose bool // it holds bytes that are no UTF-8
	words int  // NaN and Infinity so far

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
	w.space()
	if w.pos >= len(w.data) {
		return 0
	}
	return w.data[w.pos]
}

// Value reads the value that comes next.
func (w *Walk) Value() Value {
	w.space()
	start, level, high, words := w.pos, len(w.open), w.high, w.words
	w.high, w.loose = level, false
	w.value(level)
	if w.bad {
		return Value{}
	}
	v := Value{Raw: w.data[start:w.pos:w.pos], Depth: w.high - level, UTF8: !w.loose, words: w.words > words}
	w.high = max(high, w.high)
	return v
}

// Members reads the object that comes next and yields its keys, unescaped. A value that the
// loop does not read is read behind it. A loop that ends early must refuse the body.
func (w *Walk) Members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for more := w.enter('{', '}'); more; more = w.next() {
			key := unescaped(w.name())
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
		w.space()
		w.value(len(w.open))
	}
}

// enter goes into the container that comes next; more says that there is something in it.
func (w *Walk) enter(opener, closer byte) (more bool) {
	if w.Kind() != opener || w.bad {
		w.bad = true
		return false
	}
	w.push(closer)
	w.space()
	if w.pos < len(w.data) && w.data[w.pos] == closer {
		w.pop()
		return false
	}
	return !w.bad
}

// next goes behind the comma that comes next, or out of the container.
func (w *Walk) next() (more bool) {
	w.space()
	switch {
	case w.bad || w.pos >= len(w.data):
		w.bad = true
	case w.data[w.pos] == ',':
		w.pos++
		return true
	case w.data[w.pos] == w.open[len(w.open)-1]:
		w.pop()
	default:
		w.bad = true
	}
	return false
}

func (w *Walk) push(closer byte) {
	w.pos++
	w.open = append(w.open, closer)
	if n := len(w.open); n > w.high {
		w.high = n
		w.deepest = max(w.deepest, n)
		w.bad = w.bad || n > mostOpen
	}
}

func (w *Walk) pop() {
	w.pos++
	w.open = w.open[:len(w.open)-1]
}

func (w *Walk) space() {
	for w.pos < len(w.data) {
		switch w.data[w.pos] {
		case ' ', '\n', '\t', '\r':
			w.pos++
		default:
			return
		}
	}
}

// value reads the value that begins here, and leaves when level containers are open, as
// before it. It does not recurse, so that depth costs no stack.
func (w *Walk) value(level int) {
	for {
		w.begin()
		for !w.bad && len(w.open) > level && !w.next() { // out of all that ends here
		}
		if w.bad || len(w.open) == level {
			return
		}
		if w.open[len(w.open)-1] == '}' {
			w.name()
		}
	}
}

// begin reads a value, or the beginnings of containers up to the first value in them; an
// empty container is a value.
func (w *Walk) begin() {
	for !w.bad {
		w.space()
		if w.pos >= len(w.data) {
			w.bad = true
			return
		}
		var closer byte
		switch w.data[w.pos] {
		case '{':
			closer = '}'
		case '[':
			closer = ']'
		case '"':
			w.text()
			return
		default:
			w.scalar()
			return
		}
		if !w.enter(w.data[w.pos], closer) {
			return
		}
		if closer == '}' {
			w.name()
		}
	}
}

// name reads a name of an object and the colon behind it.
func (w *Walk) name() []byte {
	w.space()
	start := w.pos + 1
	if !w.text() {
		return nil
	}
	name := w.data[start : w.pos-1]
	w.space()
	if w.pos >= len(w.data) || w.data[w.pos] != ':' {
		w.bad = true
		return nil
	}
	w.pos++
	return name
}
