package price

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Own is a price that somebody set, for a name or a pattern of names.
type Own struct {
	Project string // "" is every project
	Name    string // as in a book: exactly so, ^beginning or ~regular expression, in lower case
	Entry   Entry  // Provider "" is every provider
}

// mostOwn is how many own prices a file may have.
const mostOwn = 10_000

// ParseOwn reads own prices: a JSON array of objects with model and prices of a million tokens in US dollars, and what narrows them
// (docs/costs.md has all keys). Source names the file in entries. The errors name lines and models; all that are found are joined.
func ParseOwn(source string, data []byte) ([]Own, error) {
	r := ownReader{source: source, data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	if err := r.readAll(); err != nil {
		return nil, fmt.Errorf("own prices, line %d: %w", r.line(), err)
	}
	if len(r.wrong) > 0 {
		return nil, fmt.Errorf("own prices: %w", errors.Join(r.wrong...))
	}
	if err := succeed(r.list); err != nil {
		return nil, fmt.Errorf("own prices: %w", err)
	}
	return r.list, nil
}

type ownReader struct {
	source string
	data   []byte
	dec    *json.Decoder
	list   []Own
	wrong  []error
}

// line is where the reader is.
func (r *ownReader) line() int {
	return 1 + bytes.Count(r.data[:min(int(r.dec.InputOffset()), len(r.data))], []byte("\n"))
}

func (r *ownReader) readAll() error {
	if err := r.expect('['); err != nil {
		return err
	}
	for r.dec.More() {
		if len(r.list) >= mostOwn {
			return fmt.Errorf("there are more than %d", mostOwn)
		}
		if err := r.expect('{'); err != nil {
			return err
		}
		if err := r.readOne(); err != nil {
			return err
		}
	}
	if _, err := r.dec.Token(); err != nil { // the end of the array
		return syntax(err)
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the array")
	}
	return nil
}

func (r *ownReader) expect(d json.Delim) error {
	t, err := r.dec.Token()
	if err != nil {
		return syntax(err)
	}
	if t != d {
		return fmt.Errorf("want %q, not %v: own prices are an array of objects", d.String(), t)
	}
	return nil
}

// syntax is an error of the decoder, without its own position.
func syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}

// readOne reads the members of one object. What is wrong with a value goes to wrong, and reading goes on.
func (r *ownReader) readOne() error {
	o := Own{Entry: Entry{Rates: unpriced(), Source: r.source, Line: r.line(), from: math.MinInt64, until: math.MaxInt64}}
	seen := map[string]bool{}
	var wrong []error
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return syntax(err)
		}
		line := r.line()
		value, err := r.dec.Token()
		if err != nil {
			return syntax(err)
		}
		if d, ok := value.(json.Delim); ok {
			return fmt.Errorf("%v: want a text or a number, not %q", key, d.String())
		}
		name, _ := key.(string)
		switch err := o.set(name, value); {
		case seen[name]:
			wrong = append(wrong, fmt.Errorf("line %d, %s: it is there twice", line, name))
		case err != nil:
			wrong = append(wrong, fmt.Errorf("line %d, %s: %w", line, name, err))
		}
		seen[name] = true
	}
	if _, err := r.dec.Token(); err != nil { // the end of the object
		return syntax(err)
	}
	if len(wrong) == 0 {
		if err := o.check(); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %w", o.Entry.Line, err))
		}
	}
	for _, err := range wrong {
		r.wrong = append(r.wrong, fmt.Errorf("%q: %w", o.Name, err))
	}
	r.list = append(r.list, o)
	return nil
}

// check says what is wrong with the whole.
func (o *Own) check() error {
	if o.Entry.until <= o.Entry.from {
		return errors.New("until is not after from")
	}
	if o.Entry.Rates == unpriced() {
		return errors.New("it has no price; one that is free has input and output 0")
	}
	return checkName(o.Name)
}

// conditions are what two own prices for one name may not have in common, but for the time from which they hold.
type conditions struct {
	project, provider, name, tier string
	above                         int64
	hours                         Hours
	days                          Days
}

// succeed ends each price where the next one for the same begins.
func succeed(list []Own) error {
	groups := map[conditions][]*Own{}
	for i := range list {
		o := &list[i]
		c := conditions{o.Project, o.Entry.Provider, o.Name, o.Entry.Tier, o.Entry.Above, o.Entry.Hours, o.Entry.Days}
		groups[c] = append(groups[c], o)
	}
	var wrong []error
	for _, g := range groups {
		slices.SortStableFunc(g, func(a, b *Own) int {
			if a.Entry.from < b.Entry.from {
				return -1
			}
			return 1
		})
		for i, o := range g[1:] {
			before := g[i]
			switch {
			case before.Entry.from == o.Entry.from:
				wrong = append(wrong, fmt.Errorf("%q: lines %d and %d hold from the same time", o.Name, before.Entry.Line, o.Entry.Line))
			case before.Entry.until > o.Entry.from:
				before.Entry.Until, before.Entry.until = o.Entry.From, o.Entry.from
			}
		}
	}
	return errors.Join(wrong...)
}
