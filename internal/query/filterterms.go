package query

import (
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// Search is what is looked for in the events.
type Search struct {
	Query *textsearch.Query
	Not   bool
	Words bool   // of a text, not of attributes or metadata
	Param string // by which it was asked: filter, or what else
}

// filterReader makes conditions of the terms of a filter about a subject.
type filterReader struct {
	*filterScanner
	subject    string
	conditions []store.Condition
	searches   []Search
	words      []string // that must all be there, as a search takes them
}

// ReadFilter reads a filter of what is listed or counted: traces, observations, scores, sessions, users or events. The error is a *FilterError.
func ReadFilter(subject, text string) ([]store.Condition, []Search, error) {
	terms, err := parseFilter(text)
	if err != nil {
		return nil, nil, err
	}
	r := &filterReader{filterScanner: &filterScanner{text: text}, subject: subject}
	for i := range terms {
		if err := r.read(&terms[i]); err != nil {
			return nil, nil, err
		}
	}
	if len(r.words) > 0 {
		q, err := textsearch.Parse(strings.Join(r.words, " "))
		if err != nil {
			return nil, nil, r.fail(0, len(text), "other words", "its words %s", err)
		}
		r.searches = append(r.searches, Search{Query: q, Words: true, Param: FilterParam})
	}
	if len(r.searches) > MaxSearches {
		return nil, nil, r.fail(0, len(text), "at most "+strconv.Itoa(MaxSearches)+" of words, and of metadata and attributes", "it looks for %d things in the events", len(r.searches))
	}
	return r.conditions, r.searches, nil
}

// FilterParam is the parameter that has a filter.
const FilterParam = "filter"

func (r *filterReader) read(t *term) error {
	switch t.name {
	case "":
		return r.text(t)
	case "has":
		return r.has(t)
	}
	f, err := r.field(t.name, t.at, t)
	if err != nil {
		return err
	}
	if err := r.keyed(f, t); err != nil {
		return err
	}
	return r.compare(f, t)
}

// field finds the field that a term names; at is where.
func (r *filterReader) field(name string, at int, t *term) (FilterField, error) {
	if t.not && at == t.at {
		at++
	}
	f, found, here := fieldOf(r.subject, name)
	if here {
		return f, nil
	}
	names := namesFor(r.subject)
	expected := strings.Join(names, ", ") + " or has"
	if near := nearest(name, names); near != "" {
		expected = near
	}
	if found {
		return f, r.fail(at, at+len(name), expected, "%s have no field %s", r.subject, name)
	}
	return f, r.fail(at, at+len(name), expected, "there is no field %q", name)
}

func (r *filterReader) keyed(f FilterField, t *term) error {
	plain, takes := keyless(f.Names[0])
	switch {
	case takes && !t.keyed:
		return r.fail(t.at, t.valueAt, "a point and a key, as in "+f.Names[0], "%s needs a key", plain)
	case !takes && t.keyed:
		return r.fail(t.at, t.valueAt, "a colon", "%s has no keys", plain)
	case len(t.key) > textsearch.MaxBytes:
		return r.fail(t.at, t.valueAt, "a shorter key", "the key has more than %d bytes", textsearch.MaxBytes)
	}
	return nil
}

// text takes words, which are looked for in the events.
func (r *filterReader) text(t *term) error {
	word := t.values[0].text()
	if r.subject == "scores" || r.subject == "sessions" || r.subject == "users" {
		return r.fail(t.at, t.end, "a field and a colon before it", "%s cannot be searched for words", r.subject)
	}
	if strings.ContainsRune(word, '"') || t.values[0].quoted {
		word = `"` + strings.ReplaceAll(word, `"`, " ") + `"`
	}
	q, err := textsearch.Parse(word)
	if err != nil {
		return r.fail(t.at, t.end, "a word: letters or digits", "this %s", err)
	}
	if t.not {
		r.searches = append(r.searches, Search{Query: q, Not: true, Words: true, Param: FilterParam})
		return nil
	}
	r.words = append(r.words, word)
	return nil
}

// has takes has:FIELD.
func (r *filterReader) has(t *term) error {
	v := &t.values[0]
	if len(t.values) > 1 || t.keyed || t.op != "" || v.ranged || v.starred() {
		return r.fail(t.valueAt, t.end, "the name of one field", "has: asks whether there is a value")
	}
	name, key, keyed := strings.Cut(v.text(), ".")
	name = strings.ToLower(name)
	f, err := r.field(name, v.at, t)
	if err != nil {
		return err
	}
	c := store.Condition{Column: f.column, Not: t.not, Op: store.Known}
	switch f.Form {
	case ScoreNumber:
		c.Op, c.Value = store.HasScore, key
	case PathText:
		asked := *t
		asked.key, asked.keyed = key, keyed
		if err := r.keyed(f, &asked); err != nil {
			return err
		}
		return r.search(f, &asked, textsearch.Test{})
	case Truth:
		c.Op, c.Value, c.Not = store.Equal, !t.not, false
	case PlainText, UpperText:
		c.Op = store.Present
	}
	if keyed && f.Form != ScoreNumber {
		return r.fail(v.at, v.end, "the name without a key", "%s has no keys", name)
	}
	r.conditions = append(r.conditions, c)
	return nil
}

// search takes a term that the events answer.
func (r *filterReader) search(f FilterField, t *term, test textsearch.Test) error {
	test.In, test.Key = f.place, t.key
	r.searches = append(r.searches, Search{Query: textsearch.Testing(test), Not: t.not, Param: FilterParam})
	return nil
}

// compare takes a term of a field and values.
func (r *filterReader) compare(f FilterField, t *term) error {
	c := store.Condition{Column: f.column, Not: t.not}
	var err error
	switch f.Form {
	case PlainText, UpperText:
		err = r.texts(f, t, &c)
	case Truth:
		var yes bool
		if yes, err = r.truth(t); err == nil {
			c.Value, c.Not = yes != t.not, false
		}
	case ScoreNumber:
		c.Op = store.HasScore
		err = r.score(f, t, &c)
	case PathText:
		return r.path(f, t)
	default:
		err = r.numbers(f, t, &c)
	}
	r.conditions = append(r.conditions, c)
	return err
}

// texts reads values that are texts or patterns.
func (r *filterReader) texts(f FilterField, t *term, c *store.Condition) error {
	if t.op != "" {
		return r.fail(t.valueAt, t.end, "a text, without "+t.op, "%s is a text and has no order", f.Names[0])
	}
	var is store.Texts
	for i := range t.values {
		v := &t.values[i]
		if v.ranged {
			return r.fail(v.at, v.end, "a text with two points in quotes", "%s is a text and has no ranges", f.Names[0])
		}
		text := v.text()
		if f.Form == UpperText {
			text = strings.ToUpper(text)
		}
		switch {
		case text == "":
			return r.fail(v.at, v.end, "a text, or -has:"+t.name+" for what has none", "the value is empty")
		case v.starred() && strings.Trim(text, "*") == "" && !v.quoted && len(t.values) == 1:
			c.Op = store.Present
			return nil
		case v.starred():
			is.Like = append(is.Like, likePattern(v.parts))
		default:
			is.Equal = append(is.Equal, text)
		}
	}
	if c.Op, c.Value = store.OneOf, is; len(is.Equal) == 1 && is.Like == nil {
		c.Op, c.Value = store.Equal, is.Equal[0]
	}
	return nil
}

// likePattern is a pattern as store.Texts has it.
func likePattern(parts []string) string {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(lowerASCII(part))
	}
	return strings.Join(escaped, "%")
}

// lowerASCII has the letters of ASCII in lower case.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

func (r *filterReader) truth(t *term) (bool, error) {
	if len(t.values) == 1 && t.op == "" && !t.values[0].ranged {
		switch strings.ToLower(t.values[0].text()) {
		case "true", "yes", "1":
			return true, nil
		case "false", "no", "0":
			return false, nil
		}
	}
	return false, r.fail(t.valueAt, t.end, "true or false", "%s is yes or no", t.name)
}

// path reads a condition on what only the events say: of texts, or, when it compares or is a range, of numbers.
func (r *filterReader) path(f FilterField, t *term) error {
	var test textsearch.Test
	if v := &t.values[0]; t.op != "" || v.ranged {
		s, err := r.span(FilterField{Names: f.Names, Form: PlainNumber}, t)
		if err != nil {
			return err
		}
		if n, ok := s.Least.(float64); ok {
			test.Least = &n
		}
		if n, ok := s.Most.(float64); ok {
			test.Most = &n
		}
		return r.search(f, t, test)
	}
	for i := range t.values {
		switch v := &t.values[i]; {
		case v.text() == "":
			return r.fail(v.at, v.end, "a text, or -has:"+t.name+".KEY for what has none", "the value is empty")
		case v.starred() && strings.Trim(v.text(), "*") == "" && len(t.values) == 1:
			return r.search(f, t, test)
		case v.starred():
			test.Like = append(test.Like, lowerASCII(strings.Join(v.parts, textsearch.Star)))
		default:
			test.Equal = append(test.Equal, v.text())
		}
	}
	return r.search(f, t, test)
}
