package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a filter may be.
const (
	MaxFilterBytes = 2048
	MaxTerms       = 32
	MaxValues      = 64 // of one term
	MaxSearches    = 5  // terms that are answered by the events: words, and what is not of a column
)

// FilterError says what is wrong with a filter, and where.
type FilterError struct {
	Message  string
	Expected string // what could stand there
	At, Long int    // the piece at fault, in characters: how many stand before it, and its length
}

func (e *FilterError) Error() string {
	return fmt.Sprintf("filter, character %d: %s; expected %s", e.At+1, e.Message, e.Expected)
}

// term is one term of a filter: words, when it has no name.
type term struct {
	not     bool
	name    string
	key     string // behind the first point of the name
	keyed   bool
	op      string // before the only value: < <= > >= or none
	values  []value
	at, end int // in bytes
	valueAt int
}

// value is one of the values behind a colon.
type value struct {
	parts   []string // the texts around stars: one more than there are stars
	to      string   // behind two points, of a range
	ranged  bool
	quoted  bool // a part of it was in quotes
	at, end int
}

// text is a value without stars.
func (v *value) text() string { return strings.Join(v.parts, "*") }

// starred says whether it is a pattern.
func (v *value) starred() bool { return len(v.parts) > 1 }

// any says whether a term asks for any value at all: stars alone.
func (t *term) any() bool {
	v := &t.values[0]
	return len(t.values) == 1 && v.starred() && !v.ranged && strings.Trim(v.text(), "*") == ""
}

// filterScanner reads a filter. The grammar is in docs/api.md.
type filterScanner struct {
	text string
	at   int
}

// fail is an error about the bytes from at to end.
func (s *filterScanner) fail(at, end int, expected, format string, args ...any) error {
	return &FilterError{Message: fmt.Sprintf(format, args...), Expected: expected,
		At: utf8.RuneCountInString(s.text[:at]), Long: utf8.RuneCountInString(s.text[at:max(at, end)])}
}

// parseFilter reads all terms.
func parseFilter(text string) ([]term, error) {
	s := &filterScanner{text: text}
	switch {
	case len(text) > MaxFilterBytes:
		return nil, s.fail(0, 0, fmt.Sprintf("at most %d bytes", MaxFilterBytes), "it has %d bytes", len(text))
	case !Clean(text):
		return nil, &FilterError{Message: "it is no text", Expected: "UTF-8 without NUL"}
	}
	var terms []term
	for s.blanks(); s.at < len(s.text); s.blanks() {
		if len(terms) == MaxTerms {
			return nil, s.fail(s.at, len(s.text), fmt.Sprintf("at most %d terms", MaxTerms), "there are more")
		}
		t, err := s.term()
		if err != nil {
			return nil, err
		}
		terms = append(terms, *t)
	}
	return terms, nil
}

func (s *filterScanner) blanks() {
	s.at += len(s.text[s.at:]) - len(strings.TrimLeftFunc(s.text[s.at:], unicode.IsSpace))
}

// peek is the next character, 0 at the end.
func (s *filterScanner) peek() rune {
	if s.at == len(s.text) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.at:])
	return r
}

// ended says whether a term ends here.
func (s *filterScanner) ended() bool { return s.at == len(s.text) || unicode.IsSpace(s.peek()) }

func (s *filterScanner) term() (*term, error) {
	t := &term{at: s.at}
	if t.not = s.peek() == '-'; t.not {
		if s.at++; s.ended() {
			return nil, s.fail(t.at, s.at, "a condition or a word right behind it", "a - stands alone")
		}
	}
	begin := s.at
	name, keyed, err := s.name()
	if err != nil {
		return nil, err
	}
	if s.peek() == ':' {
		return t, s.condition(t, begin, name, keyed)
	}
	s.at = begin
	return t, s.words(t)
}

// name reads what stands before a colon: a name and, behind a point, a key. Where there is no colon it was none.
func (s *filterScanner) name() (name string, key *string, err error) {
	begin := s.at
	for s.at < len(s.text) && isName(s.text[s.at]) {
		s.at++
	}
	name = s.text[begin:s.at]
	if name == "" || s.peek() != '.' {
		return name, nil, nil
	}
	s.at++
	var b strings.Builder
	for !s.ended() && s.peek() != ':' {
		if err := s.piece(&b); err != nil {
			return "", nil, err
		}
	}
	k := b.String()
	return name, &k, nil
}

func isName(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// piece reads a text in quotes, or one character.
func (s *filterScanner) piece(to *strings.Builder) error {
	if s.peek() != '"' {
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		to.WriteRune(r)
		s.at += n
		return nil
	}
	begin := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		c := s.text[s.at]
		switch {
		case c == '"':
			s.at++
			return nil
		case c == '\\' && s.at+1 < len(s.text) && (s.text[s.at+1] == '"' || s.text[s.at+1] == '\\'):
			s.at++
			c = s.text[s.at]
		}
		to.WriteByte(c)
	}
	return s.fail(begin, len(s.text), `a " at its end`, "the quotes are not closed")
}

// words reads a word, or several in quotes.
func (s *filterScanner) words(t *term) error {
	var b strings.Builder
	quoted := s.peek() == '"'
	if quoted {
		if err := s.piece(&b); err != nil {
			return err
		}
		if !s.ended() {
			return s.fail(s.at, len(s.text), "a blank behind the quotes", "a term goes on behind words in quotes")
		}
	}
	for begin := s.at; !quoted && !s.ended(); {
		switch s.peek() {
		case ':':
			return s.fail(begin, s.at, "the name of a field before the colon; words with a colon stand in quotes", "%q is no name", s.text[begin:s.at])
		case '"':
			return s.fail(s.at, s.at+1, "a blank before the quotes", "quotes within a word")
		}
		if err := s.piece(&b); err != nil {
			return err
		}
	}
	t.end = s.at
	t.values = []value{{parts: []string{b.String()}, quoted: quoted, at: t.at, end: t.end}}
	return nil
}

// condition reads what stands behind a name.
func (s *filterScanner) condition(t *term, begin int, name string, key *string) error {
	if t.name = strings.ToLower(name); name == "" {
		return s.fail(begin, s.at+1, "the name of a field", "a colon without a name before it")
	}
	if key != nil {
		if t.key, t.keyed = *key, true; t.key == "" {
			return s.fail(s.at, s.at, "a key behind the point", "there is no key")
		}
	}
	s.at++
	t.valueAt = s.at
	for _, op := range []string{">=", "<=", ">", "<"} {
		if strings.HasPrefix(s.text[s.at:], op) {
			t.op = op
			s.at += len(op)
			break
		}
	}
	for {
		v, err := s.value()
		if err != nil {
			return err
		}
		if len(t.values) == MaxValues {
			return s.fail(v.at, v.end, fmt.Sprintf("at most %d values", MaxValues), "there are more")
		}
		t.values = append(t.values, *v)
		if s.peek() != ',' {
			break
		}
		s.at++
	}
	if t.end = s.at; len(t.values) > 1 && (t.op != "" || t.values[0].ranged || t.values[len(t.values)-1].ranged) {
		return s.fail(t.valueAt, t.end, "one value, or several without a comparison or a range", "a comparison or a range in a list")
	}
	return nil
}

// value reads up to a comma or the end of the term.
func (s *filterScanner) value() (*value, error) {
	v := &value{at: s.at}
	var b strings.Builder
	for !s.ended() && s.peek() != ',' {
		switch {
		case s.peek() == '*':
			v.parts = append(v.parts, b.String())
			b.Reset()
			s.at++
			continue
		case s.peek() == '"':
			v.quoted = true
		case !v.ranged && !v.quoted && !v.starred() && len(v.parts) == 0 && strings.HasPrefix(s.text[s.at:], ".."):
			v.ranged = true
			v.to = b.String() // the first end, until the second is read
			b.Reset()
			s.at += 2
			continue
		}
		if err := s.piece(&b); err != nil {
			return nil, err
		}
	}
	if v.parts, v.end = append(v.parts, b.String()), s.at; v.ranged {
		first := v.to
		v.to, v.parts[0] = strings.Join(v.parts, "*"), first
	}
	if v.end == v.at {
		return nil, s.fail(v.at, v.end, "a value", "there is no value")
	}
	return v, nil
}
