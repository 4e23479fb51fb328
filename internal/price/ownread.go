package price

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ownReader reads own prices. What is wrong with a value goes to wrong, and reading goes on behind it: only what is no JSON ends it.
type ownReader struct {
	source string
	data   []byte
	dec    *json.Decoder
	rule   func(o *Own, key, value string) error // of a text, beside what it must be to be read
	list   []Own                                 // those that nothing is wrong with
	wrong  []wrong

	at, lines int // up to where lines were counted, and how many
}

// wrong is a thing that is wrong.
type wrong struct {
	line int
	text string
}

func newOwnReader(source string, data []byte, rule func(o *Own, key, value string) error) *ownReader {
	r := &ownReader{source: source, data: data, dec: json.NewDecoder(bytes.NewReader(data)), rule: rule}
	r.dec.UseNumber()
	return r
}

// line is where the reader is.
func (r *ownReader) line() int {
	at := min(int(r.dec.InputOffset()), len(r.data))
	r.lines += bytes.Count(r.data[r.at:at], []byte("\n"))
	r.at = at
	return 1 + r.lines
}

func (r *ownReader) fail(line int, format string, args ...any) {
	r.wrong = append(r.wrong, wrong{line, fmt.Sprintf(format, args...)})
}

// readAll reads the array.
func (r *ownReader) readAll() {
	if err := r.readArray(); err != nil {
		r.fail(r.line(), "line %d: %v", r.line(), err)
	}
}

func (r *ownReader) readArray() error {
	first, err := r.dec.Token()
	if err != nil {
		return syntax(err)
	}
	if first != json.Delim('[') {
		return errors.New("want an array of objects, as in docs/costs.md: [{\"model\": \"gpt-4o\", \"input\": 2.5, \"output\": 10}]")
	}
	for n := 0; r.dec.More(); n++ {
		if n == mostOwn {
			return fmt.Errorf("there are more than %d prices", mostOwn)
		}
		if err := r.readElement(); err != nil {
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

// syntax is an error of the decoder in words of ours.
func syntax(err error) error {
	var wrong *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends too early")
	case errors.As(err, &wrong):
		return fmt.Errorf("this is no JSON: %w", err)
	}
	return err
}

func (r *ownReader) readElement() error {
	t, err := r.dec.Token()
	if err != nil {
		return syntax(err)
	}
	line := r.line()
	if t == json.Delim('{') {
		return r.readObject(blankOwn(r.source, line))
	}
	r.fail(line, "line %d: want an object with a model and its prices, not %s", line, kindOfToken(t))
	return r.skip(t)
}

// readObject reads the members of one price.
func (r *ownReader) readObject(o Own) error {
	said := map[string]bool{}
	all, broken := r.readMembers(&o, said)
	if broken == nil {
		for _, err := range o.check(said) {
			all = append(all, wrong{o.Entry.Line, fmt.Sprintf("line %d: %v", o.Entry.Line, err)})
		}
	}
	for _, w := range all { // only now its name is known
		r.fail(w.line, "%s%s", named(o.Name), w.text)
	}
	if len(all) == 0 {
		r.list = append(r.list, o)
	}
	return broken
}

// readMembers reads up to the end of the object. said becomes the keys that it has.
func (r *ownReader) readMembers(o *Own, said map[string]bool) (all []wrong, broken error) {
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return all, syntax(err)
		}
		line := r.line()
		value, err := r.dec.Token()
		if err != nil {
			return all, syntax(err)
		}
		name, _ := key.(string)
		if err := r.readMember(o, name, value, said); err != nil {
			all = append(all, wrong{line, fmt.Sprintf("line %d, %s: %v", line, name, err)})
		}
		if err := r.skip(value); err != nil {
			return all, err
		}
		said[name] = true
	}
	if _, err := r.dec.Token(); err != nil { // the end of the object
		return all, syntax(err)
	}
	return all, nil
}

// named begins what is said of a model.
func named(model string) string {
	if model == "" {
		return ""
	}
	return fmt.Sprintf("%q: ", model)
}

func (r *ownReader) readMember(o *Own, key string, value any, said map[string]bool) error {
	if said[key] {
		return errors.New("it is there twice")
	}
	if err := o.set(key, value); err != nil {
		return err
	}
	text, _ := value.(string)
	return r.rule(o, key, text)
}

// skip passes over the rest of a value that began with a token.
func (r *ownReader) skip(t json.Token) error {
	for depth := 0; ; {
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if t, err = r.dec.Token(); err != nil {
			return syntax(err)
		}
	}
}

// kindOfToken is what begins with a token, in words.
func kindOfToken(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case json.Delim:
		if t == '[' {
			return "an array"
		}
		return "an object"
	case string:
		return "a text"
	case bool:
		return "true or false"
	}
	return "a number"
}
