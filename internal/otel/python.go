package otel

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pythonLiteral reads what repr prints of dicts, lists, tuples, strings, numbers, booleans and
// None; ok is false for anything else, such as a repr of an object.
// Source: The Python Language Reference, sections 2.4 and 6.2.
func pythonLiteral(text string) (v any, ok bool) {
	p := &python{rest: text}
	v, ok = p.value(0)
	p.space()
	return v, ok && p.rest == ""
}

const maxPythonDepth = 64

type python struct{ rest string }

func (p *python) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *python) take(c byte) bool {
	p.space()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *python) value(depth int) (any, bool) {
	p.space()
	if p.rest == "" || depth > maxPythonDepth {
		return nil, false
	}
	switch c := p.rest[0]; c {
	case '{':
		return p.dict(depth)
	case '[':
		return p.items('[', ']', depth)
	case '(':
		return p.items('(', ')', depth)
	case '\'', '"':
		return p.str()
	}
	for word, v := range map[string]any{"None": nil, "True": true, "False": false} {
		if rest, ok := strings.CutPrefix(p.rest, word); ok {
			p.rest = rest
			return v, true
		}
	}
	return p.number()
}

func (p *python) dict(depth int) (any, bool) {
	p.take('{')
	o := object{}
	for !p.take('}') {
		if len(o) > 0 && !p.take(',') {
			return nil, false
		}
		if p.take('}') {
			break
		}
		key, ok := p.value(depth + 1)
		name, isText := key.(string)
		if !ok || !isText || !p.take(':') {
			return nil, false
		}
		if o[name], ok = p.value(depth + 1); !ok {
			return nil, false
		}
	}
	return o, true
}

func (p *python) items(open, end byte, depth int) (any, bool) {
	p.take(open)
	l := list{}
	for !p.take(end) {
		if len(l) > 0 && !p.take(',') {
			return nil, false
		}
		if p.take(end) {
			break
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		l = append(l, v)
	}
	return l, true
}

func (p *python) number() (any, bool) {
	n := strings.IndexFunc(p.rest, func(c rune) bool { return !strings.ContainsRune("+-.0123456789eE_", c) })
	if n < 0 {
		n = len(p.rest)
	}
	word := strings.ReplaceAll(p.rest[:n], "_", "")
	if _, err := strconv.ParseFloat(word, 64); err != nil {
		return nil, false
	}
	p.rest = p.rest[n:]
	return json.Number(word), true
}

// str reads a string in single or double quotes with its escapes.
func (p *python) str() (any, bool) {
	quote := p.rest[0]
	var b strings.Builder
	for s := p.rest[1:]; s != ""; {
		switch c := s[0]; {
		case c == quote:
			p.rest = s[1:]
			return b.String(), true
		case c == '\\' && len(s) > 1:
			r, tail, ok := pythonEscape(s[1:])
			if !ok {
				return nil, false
			}
			b.WriteString(r)
			s = tail
		default:
			_, size := utf8.DecodeRuneInString(s)
			b.WriteString(s[:size])
			s = s[size:]
		}
	}
	return nil, false
}

// pythonEscape reads what follows a backslash.
func pythonEscape(s string) (text, tail string, ok bool) {
	const from, to = `nrtabfv0\'"`, "\n\r\t\a\b\f\v\x00\\'\""
	if i := strings.IndexByte(from, s[0]); i >= 0 {
		return to[i : i+1], s[1:], true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	if digits == 0 || len(s) < 1+digits {
		return "\\" + s[:1], s[1:], true
	}
	n, err := strconv.ParseUint(s[1:1+digits], 16, 32)
	if err != nil {
		return "", "", false
	}
	return string(rune(n)), s[1+digits:], true
}
