package payload

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// object appends the members of a JSON object, leaving out what is zero.
type object struct {
	b  []byte
	ok bool
	// unread: it holds JSON from outside that has not been validated.
	unread bool
	err    error // of a value that cannot be JSON
	later  bool  // texts that are values of any type are left for later, in rest
	rest   []Held
}

func (o *object) begin() { o.b = append(o.b, '{') }

func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) text(name, v string) {
	if v != "" {
		o.name(name)
		o.b = AppendString(o.b, v)
	}
}

func (o *object) texts(name string, v []string) {
	if len(v) > 0 {
		o.name(name)
		o.b = appendTexts(o.b, v)
	}
}

// raw appends JSON as it is, unvalidated.
func (o *object) raw(name string, v json.RawMessage) {
	if len(v) > 0 {
		o.name(name)
		o.b = append(o.b, v...)
		o.unread = true
	}
}

// value appends a value of any type; nil is left out.
func (o *object) value(name string, v any) {
	if v == nil {
		return
	}
	if text, ok := v.(json.RawMessage); ok {
		o.raw(name, text)
		return
	}
	if text, ok := v.(string); ok && o.later && len(text) > shortText {
		o.name(name)
		o.rest = append(o.rest, Held{text, int32(len(o.b))})
		return
	}
	o.name(name)
	b, ok := appendValue(o.b, v, 0)
	if !ok {
		rest, err := encoded(v)
		if err != nil {
			o.err = err
			return
		}
		b = append(o.b, rest...)
	}
	o.b = b
}

func (o *object) int(name string, v *int64) {
	if v != nil {
		o.name(name)
		o.b = strconv.AppendInt(o.b, *v, 10)
	}
}

func (o *object) float(name string, v *float64) {
	if v == nil {
		return
	}
	if math.IsNaN(*v) || math.IsInf(*v, 0) {
		o.ok = false
		return
	}
	o.name(name)
	o.b = strconv.AppendFloat(o.b, *v, 'g', -1, 64)
}

func (o *object) time(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	o.name(name)
	var ok bool
	o.b, ok = appendTime(o.b, t)
	o.ok = o.ok && ok
}

// written is the object, but for what is left for later.
func (o *object) written() (w Written, ok bool, err error) {
	switch {
	case o.err != nil:
		return w, false, o.err
	case !o.ok:
		return w, false, errTyped
	}
	w = Written{Text: append(o.b, '}'), Rest: o.rest, Raw: o.unread}
	if len(o.rest) == 0 {
		return w.whole(), true, nil
	}
	return w.held(), true, nil
}
