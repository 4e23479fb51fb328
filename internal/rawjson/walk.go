package rawjson

import "bytes"

// Members walks the members of one JSON object in order, without decoding or
// copying the values. It is meant for JSON whose syntax was checked before: it
// does not check all of it again, but whatever the bytes are it ends and stays
// inside them.
type Members struct{ walk }

// Elements walks the elements of one JSON array as Members does an object's.
type Elements struct{ walk }

// walk is a place in a container that ends with the byte closer.
type walk struct {
	data   []byte
	pos    int
	End    int // of the value last returned
	closer byte
	done   bool
	broken bool
}

func startWalk(data []byte, opener, closer byte) walk {
	w := walk{data: data, closer: closer, pos: SkipSpace(data, 0)}
	if w.pos >= len(data) || data[w.pos] != opener {
		w.fail()
		return w
	}
	w.pos++
	return w
}

// MembersOf starts a walk over object.
func MembersOf(object []byte) Members { return Members{startWalk(object, '{', '}')} }

// ElementsOf starts a walk over array.
func ElementsOf(array []byte) Elements { return Elements{startWalk(array, '[', ']')} }

// Broken reports, after the walk has ended, that the bytes were no such container.
func (w *walk) Broken() bool { return w.broken }

func (w *walk) fail() { w.done, w.broken = true, true }

// more moves to the next entry, or ends the walk.
func (w *walk) more() bool {
	if w.done {
		return false
	}
	w.pos = SkipSpace(w.data, w.pos)
	if w.pos >= len(w.data) {
		w.fail()
		return false
	}
	if w.data[w.pos] == w.closer {
		w.pos++
		w.done = true
		w.broken = SkipSpace(w.data, w.pos) != len(w.data)
		return false
	}
	return true
}

// Value returns the value that comes next, as it is written.
func (w *walk) Value() ([]byte, bool) {
	start := SkipSpace(w.data, w.pos)
	end := skipValue(w.data, start)
	if end < 0 {
		w.fail()
		return nil, false
	}
	w.End = end
	if !w.after(end) {
		return nil, false
	}
	return w.data[start:end], true
}

// after moves behind a value that ended at end, and the comma behind it, if any.
func (w *walk) after(end int) bool {
	w.pos = SkipSpace(w.data, end)
	if w.pos < len(w.data) && w.data[w.pos] == ',' {
		w.pos++
	} else if w.pos >= len(w.data) || w.data[w.pos] != w.closer {
		w.fail()
		return false
	}
	return true
}

// Key moves to the next member and returns its key, unescaped; Value must follow.
// ok is false at the end.
func (m *Members) Key() (key []byte, ok bool) {
	if !m.more() {
		return nil, false
	}
	end := SkipString(m.data, m.pos)
	if end < 0 {
		m.fail()
		return nil, false
	}
	key = m.data[m.pos+1 : end-1]
	m.pos = SkipSpace(m.data, end)
	if m.pos >= len(m.data) || m.data[m.pos] != ':' {
		m.fail()
		return nil, false
	}
	m.pos++
	if bytes.IndexByte(key, '\\') >= 0 {
		key = Unescape(key)
	}
	return key, true
}

// Next returns the next member: its key unescaped, its value as it is written.
// Both may share memory with the object. ok is false at the end.
func (m *Members) Next() (key, value []byte, ok bool) {
	if key, ok = m.Key(); !ok {
		return nil, nil, false
	}
	value, ok = m.Value()
	return key, value, ok
}

// Next returns the next element as it is written. ok is false at the end.
func (e *Elements) Next() (value []byte, ok bool) {
	if !e.more() {
		return nil, false
	}
	return e.Value()
}

const shortString = 24

// SkipSpace is the index of the first byte from i that is no space.
func SkipSpace(data []byte, i int) int {
	for i < len(data) && data[i] <= ' ' && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// SkipString returns the index behind the string that starts at i, or -1. A
// quote ends the string when an even number of backslashes stands before it.
func SkipString(data []byte, i int) int {
	if i >= len(data) || data[i] != '"' {
		return -1
	}
	first := i + 1
	// Most strings are short keys, enums and ids: a loop ends sooner than a call.
	for i, most := first, min(first+shortString, len(data)); i < most && data[i] != '\\'; i++ {
		if data[i] == '"' {
			return i + 1
		}
	}
	for i = first; ; i++ {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		escapes := 0
		for i-escapes > first && data[i-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

// skipValue returns the index behind the value that starts at i, or -1.
func skipValue(data []byte, i int) int {
	if i >= len(data) {
		return -1
	}
	switch data[i] {
	case '"':
		return SkipString(data, i)
	case '{', '[':
		return skipContainer(data, i)
	}
	start := i
	for i < len(data) {
		switch data[i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r', ':', '"', '{', '[':
			if i == start {
				return -1
			}
			return i
		}
		i++
	}
	return i
}

// skipContainer counts brackets instead of recursing, so that depth costs no stack.
func skipContainer(data []byte, i int) int {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"':
			end := SkipString(data, i)
			if end < 0 {
				return -1
			}
			i = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}
