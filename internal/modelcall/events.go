package modelcall

import "bytes"

// keptLine bounds one event of a stream; of a longer one nothing is read.
const keptLine = 4 << 20

// events cuts a stream of Server-Sent Events (WHATWG HTML §9.2) into the data of its events, as its bytes pass.
type events struct {
	line, data []byte
	long       bool // the line is beyond the bound
	bare       bool // what comes is JSON without the field's name
	cr         bool // the last byte was a carriage return
}

// take reads on, and calls found for the data of each event that is whole.
func (e *events) take(p []byte, found func(data []byte)) {
	for len(p) > 0 {
		if e.cr && p[0] == '\n' {
			p = p[1:]
		}
		e.cr = false
		i := lineEnd(p)
		if i < 0 {
			e.grow(p)
			return
		}
		e.grow(p[:i])
		e.cr = p[i] == '\r'
		p = p[i+1:]
		e.end(found)
	}
}

// lineEnd is where the first line of p ends; -1: it does not.
func lineEnd(p []byte) int {
	i := bytes.IndexByte(p, '\n')
	if i >= 0 {
		p = p[:i]
	}
	if cr := bytes.IndexByte(p, '\r'); cr >= 0 {
		return cr
	}
	return i
}

func (e *events) grow(p []byte) {
	if len(e.line)+len(p) > keptLine {
		e.long = true
		return
	}
	e.line = append(e.line, p...)
}

// end takes a line.
func (e *events) end(found func(data []byte)) {
	line, long := e.line, e.long
	e.line, e.long = e.line[:0], false
	if len(line) == 0 && !long {
		e.flush(found)
		return
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	if !long && (e.bare || len(e.data) == 0 && line[0] == '{') { // Gemini's error in the middle of a stream, and others' that answer so
		e.bare = true
		name, value = []byte("data"), line
	}
	if long || string(name) != "data" || len(e.data)+len(value) > keptLine {
		return
	}
	if len(e.data) > 0 {
		e.data = append(e.data, '\n')
	}
	e.data = append(e.data, bytes.TrimPrefix(value, []byte(" "))...)
}

// flush ends an event. The end of a stream ends one, too: some servers leave the last blank line out.
func (e *events) flush(found func(data []byte)) {
	e.bare = false
	if len(e.data) > 0 {
		found(e.data)
		e.data = e.data[:0]
	}
}

// rest ends the stream.
func (e *events) rest(found func(data []byte)) {
	if len(e.line) > 0 {
		e.end(found)
	}
	e.flush(found)
}
