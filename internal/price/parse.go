package price

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// parser reads the text of a book, line by line.
type parser struct {
	layer   layer
	tables  map[string]table
	sources map[string]string // what letters of tables are written out as
	pages   map[string]string // by provider
	names   []string
	current *model
	line    int
}

type table struct{ name, version, read string }

// Parse reads the text of a book. Its form is said at the head of the built-in one. Errors name the line.
func Parse(text string) (*Book, error) {
	p := parser{layer: layer{}, tables: map[string]table{}, sources: map[string]string{}, pages: map[string]string{}}
	for line := range strings.SplitSeq(text, "\n") {
		p.line++
		if line == "" || line[0] == '#' {
			continue
		}
		if err := p.read(line); err != nil {
			return nil, fmt.Errorf("price book, line %d: %w", p.line, err)
		}
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("price book, line %d: %w", p.line, err)
	}
	p.layer.finish(false)
	return newBook(p.version(), text, p.layer), nil
}

func (p *parser) read(line string) error {
	if line[0] == ' ' {
		if p.current == nil {
			return errors.New("prices before a model")
		}
		return p.readEntry(line[1:])
	}
	if err := p.end(); err != nil {
		return err
	}
	first, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	switch {
	case first == "table" && len(words) == 4:
		p.tables[words[0]] = table{words[1], words[2], words[3]}
	case first == "provider" && len(words) == 2:
		p.pages[words[0]] = words[1]
	case first != "table" && first != "provider" && len(words) > 0:
		p.current, p.names = &model{provider: first, name: strings.TrimLeft(words[0], "=")}, words
	default:
		return fmt.Errorf("%q is no line of a book", line)
	}
	return nil
}

// end puts the model that was read into the layer.
func (p *parser) end() error {
	m := p.current
	if m == nil {
		return nil
	}
	p.current = nil
	if len(m.entries) == 0 {
		return fmt.Errorf("%s has no prices", m.name)
	}
	for _, n := range p.names {
		if err := checkName(n); err != nil {
			return err
		}
	}
	p.layer.put(m, p.names)
	return nil
}

// checkName says what is wrong with a name or a pattern.
func checkName(n string) error {
	if n == "" || len(n) == 1 && strings.ContainsAny(n, "=^~") {
		return errors.New("an empty name")
	}
	if n[0] == signPattern {
		if _, err := regexp.Compile(n[1:]); err != nil {
			return fmt.Errorf("the pattern %q: %w", n, err)
		}
	}
	return nil
}

func (p *parser) readEntry(line string) error {
	m := p.current
	e := Entry{Provider: m.provider, Model: m.name, Rates: unpriced(), URL: p.pages[m.provider], Line: p.line, from: math.MinInt64, until: math.MaxInt64}
	for line != "" {
		word := line
		word, line, _ = strings.Cut(line, " ")
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return fmt.Errorf("%q is no key=value", word)
		}
		if err := p.readCell(&e, key, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if e.Rates == unpriced() {
		return errors.New("an entry without a price")
	}
	m.entries = append(m.entries, e)
	return nil
}

func (p *parser) readCell(e *Entry, key, value string) (err error) {
	switch key {
	case "src":
		e.Source, err = p.source(value)
	case "page":
		e.URL = value
	case "why":
		e.Reason = why(value)
	case "other":
		e.Other, err = p.other(value)
	default:
		return e.set(key, value)
	}
	return err
}

// source writes out the letters of tables.
func (p *parser) source(letters string) (string, error) {
	if text, ok := p.sources[letters]; ok {
		return text, nil
	}
	text := ""
	for i := range len(letters) {
		t, ok := p.tables[letters[i:i+1]]
		if !ok {
			return "", fmt.Errorf("there is no table %q", letters[i:i+1])
		}
		if i > 0 {
			text += ", "
		}
		text += t.name + " " + t.version
	}
	p.sources[letters] = text
	return text, nil
}

func (p *parser) other(value string) (*Other, error) {
	letter, list, _ := strings.Cut(value, ":")
	source, err := p.source(letter)
	if err != nil {
		return nil, err
	}
	e := Entry{Rates: unpriced()}
	for cell := range strings.SplitSeq(list, ",") {
		key, price, _ := strings.Cut(cell, "=")
		if err := e.set(key, price); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return &Other{Source: source, Rates: e.Rates}, nil
}

// why writes out the reason for which one source was taken and not the other.
func why(word string) string {
	switch word {
	case "page":
		return "it names the provider's own page for this entry"
	case "name":
		return "the other has no such name, only a pattern for it"
	case "tables":
		return "the other names no page of the provider for this entry"
	}
	return word
}

// version names the tables that the book was made from.
func (p *parser) version() string {
	text := ""
	for _, letter := range []string{"g", "l"} {
		if t, ok := p.tables[letter]; ok {
			if text != "" {
				text += ", "
			}
			text += t.name + " " + t.version + " of " + t.read
		}
	}
	return text
}
