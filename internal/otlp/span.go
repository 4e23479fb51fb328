package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// spanReader reads spans one after the other, and makes JSON of protobuf in the same pass. What a span
// needs only while somebody looks at it is used again for the next.
type spanReader struct {
	item  Item
	s     otel.Span
	out   object // the span in JSON
	texts texts
}

// begin makes room for a span of the group.
func (r *spanReader) begin(g *group) *Item {
	r.s = otel.Span{Resource: g.resource, Scope: g.scope, ScopeVersion: g.version, Attributes: r.s.Attributes[:0]}
	r.item = *g.item(nil)
	r.item.Span = &r.s
	return &r.item
}

// json reads a span in JSON.
func (r *spanReader) json(g *group, raw []byte) *Item {
	i := r.begin(g)
	i.Sent, i.Raw = raw, rawjson.Compact(raw)
	i.note(SpanOfJSON(i.Raw, i.Span))
	return i
}

// protobuf reads a span in protobuf.
func (r *spanReader) protobuf(g *group, b []byte) *Item {
	i := r.begin(g)
	i.Sent = b
	i.note(r.span(b))
	if i.Err == nil {
		i.Raw = r.out.to
	}
	return i
}

// span reads b into r.s, and writes it to r.out.
func (r *spanReader) span(b []byte) error {
	r.out = openObject(r.out.to[:0])
	o := &r.out
	m := message{rest: b}
	for m.next() {
		f := fieldOf(spanKind, m.num)
		if f == nil {
			continue
		}
		if !o.field(m.num, f) {
			return r.scattered(b)
		}
		var err error
		if m.num == 9 {
			o.to, err = r.attribute(o.to, m.bytes)
		} else if err = r.field(&m); err == nil {
			o.to, err = appendField(o.to, f, &m, 0)
		}
		if err != nil {
			return err
		}
	}
	o.close()
	if m.err == nil && (r.s.TraceID == "" || r.s.SpanID == "") {
		return errNoID
	}
	return m.err
}

// scattered reads a span whose repeated fields do not lie together, in two passes.
func (r *spanReader) scattered(b []byte) error {
	r.s.Attributes, r.s.Events = r.s.Attributes[:0], nil
	m := message{rest: b}
	for m.next() {
		if err := r.field(&m); err != nil {
			return err
		}
	}
	if m.err != nil {
		return m.err
	}
	if r.s.TraceID == "" || r.s.SpanID == "" {
		return errNoID
	}
	var err error
	r.out.to, err = AppendSpan(r.out.to[:0], b)
	return err
}

// field reads a field of a span.
func (r *spanReader) field(m *message) (err error) {
	s := &r.s
	switch m.num {
	case 1:
		s.TraceID, err = r.texts.id(m.bytes, 16, "trace id")
	case 2:
		s.SpanID, err = r.texts.id(m.bytes, 8, "span id")
	case 4:
		if s.ParentID, err = r.texts.id(m.bytes, 8, "parent span id"); errors.Is(err, errNoID) {
			err = nil // a root
		}
	case 5:
		s.Name, err = str(m.bytes)
	case 6:
		s.Kind = otel.Kind(m.n)
	case 7:
		s.Start = int64(m.n)
	case 8:
		s.End = int64(m.n)
	case 9:
		err = r.texts.attribute(m.bytes, &s.Attributes)
	case 10:
		s.Dropped = int(int32(m.n))
	case 11:
		err = within("event", r.texts.event(m.bytes, &s.Events))
	case 15:
		err = within("status", status(m.bytes, s))
	}
	return err
}

// attribute reads an attribute, and appends it as JSON.
func (r *spanReader) attribute(to, b []byte) ([]byte, error) {
	const key, value, both = 1, 2, 3
	attrs := &r.s.Attributes
	var name, held []byte
	next := protowire.Number(key)
	m := message{rest: b}
	for ; m.next() && m.num == next; next++ {
		if m.num == key {
			name = m.bytes
		} else {
			held = m.bytes
		}
	}
	if next != both || len(m.rest) > 0 || m.err != nil || held == nil { // not as all exporters write it
		if err := r.texts.attribute(b, attrs); err != nil {
			return to, err
		}
		return appendMessage(to, b, keyValueKind, 1)
	}
	a := otel.Attribute{}
	var err error
	if a.Key, err = str(name); err == nil {
		to = append(appendText(append(to, `{"key":`...), a.Key), `,"value":`...)
		to, err = r.value(to, held, &a.Value)
	}
	*attrs = append(*attrs, a)
	if err != nil {
		return to, within("attribute "+strconv.Quote(a.Key), err)
	}
	return append(to, '}'), nil
}

// value reads an AnyValue, and appends it as JSON.
func (r *spanReader) value(to, b []byte, v *otel.Value) ([]byte, error) {
	m := message{rest: b}
	m.next()
	err := m.err
	if len(m.rest) == 0 && err == nil {
		switch m.num {
		case 1:
			v.Type = otel.String
			v.Text, err = str(m.bytes)
			return append(appendText(append(to, `{"stringValue":`...), v.Text), '}'), err
		case 3:
			*v = otel.Value{Type: otel.Int, Int: int64(m.n)}
			return append(strconv.AppendInt(append(to, `{"intValue":"`...), v.Int, 10), `"}`...), nil
		}
	}
	if *v, err = r.texts.value(b); err != nil {
		return to, err
	}
	return appendMessage(to, b, valueKind, 2)
}

// texts is memory for the texts that a body does not hold as they are. It is never written twice,
// so that they can be kept.
type texts struct{ room []byte }

// need makes room for a text of about n bytes.
func (t *texts) need(n int) {
	const least, most = 256, 8192
	if cap(t.room)-len(t.room) < n {
		t.room = make([]byte, 0, max(n, least, min(2*cap(t.room), most)))
	}
}

// since is the text that stands behind what was there.
func (t *texts) since(start int) string { return rawjson.Alias(t.room[start:len(t.room):len(t.room)]) }

// id is the hex of an id of size bytes.
func (t *texts) id(b []byte, size int, what string) (string, error) {
	if len(b) == 0 || allZero(b) {
		return "", within(what, errNoID)
	}
	if len(b) != size {
		return "", within(what, errors.New("must be "+strconv.Itoa(size)+" bytes, not "+strconv.Itoa(len(b))))
	}
	t.need(2 * size)
	start := len(t.room)
	t.room = hex.AppendEncode(t.room, b)
	return t.since(start), nil
}

func (t *texts) event(b []byte, events *[]otel.Event) error {
	var e otel.Event
	err := walk(b, func(m *message) (err error) {
		switch m.num {
		case 1:
			e.Time = int64(m.n)
		case 2:
			e.Name, err = str(m.bytes)
		case 3:
			err = t.attribute(m.bytes, &e.Attributes)
		}
		return err
	})
	*events = append(*events, e)
	return err
}

func (t *texts) attribute(b []byte, attrs *[]otel.Attribute) error {
	var a otel.Attribute
	var err error
	m := message{rest: b}
	for m.next() && err == nil {
		switch m.num {
		case 1:
			a.Key, err = str(m.bytes)
		case 2:
			a.Value, err = t.value(m.bytes)
		}
	}
	if err == nil {
		err = m.err
	}
	*attrs = append(*attrs, a)
	if err != nil {
		return within("attribute "+strconv.Quote(a.Key), err)
	}
	return nil
}

// value reads an AnyValue; lists and maps become JSON.
func (t *texts) value(b []byte) (v otel.Value, err error) {
	m := message{rest: b}
	for m.next() && err == nil {
		switch m.num {
		case 1:
			v.Type = otel.String
			v.Text, err = str(m.bytes)
		case 2:
			v = otel.Value{Type: otel.Bool, Int: int64(min(m.n, 1))}
		case 3:
			v = otel.Value{Type: otel.Int, Int: int64(m.n)}
		case 4:
			v = otel.Value{Type: otel.Double, Num: math.Float64frombits(m.n)}
		case 5, 6:
			v.Type = otel.List
			if m.num == 6 {
				v.Type = otel.Map
			}
			t.need(len(m.bytes))
			start := len(t.room)
			t.room, err = appendContainer(t.room, m.bytes, v.Type, 0)
			v.Text = t.since(start)
		case 7:
			t.need(base64.StdEncoding.EncodedLen(len(m.bytes)))
			start := len(t.room)
			t.room = base64.StdEncoding.AppendEncode(t.room, m.bytes)
			v = otel.Value{Type: otel.Bytes, Text: t.since(start)}
		}
	}
	if err == nil {
		err = m.err
	}
	return v, err
}
