package otlp

import (
	"errors"
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// TooLarge is the error of what has more bytes than it may have.
type TooLarge struct{ Bytes int }

func (e *TooLarge) Error() string { return strconv.Itoa(e.Bytes) + " bytes are too many" }

// maxGroups is how many resources and scopes a request may have: each costs time, even without a span.
const maxGroups = 100_000

var errGroups = errors.New("more than " + strconv.Itoa(maxGroups) + " resources and scopes")

// groups counts them.
type groups int

func (n *groups) next() error {
	if *n++; *n > maxGroups {
		return errGroups
	}
	return nil
}

// reads calls read for what stands under g and has at most most bytes with it, without what may be media in it; unread for the rest.
func (g *group) reads(most int, b []byte, read, unread func(*group, []byte) error) error {
	if len(b)+g.size() > most && medium.Beside(b)+g.size() > most {
		return unread(g, b)
	}
	return read(g, b)
}

// jsonItems walks the three levels of a request.
func jsonItems(most int, body []byte, resources, scopes, items string, read, unread func(*group, []byte) error) error {
	var n groups
	return list(body, resources, func(r []byte) error {
		if err := n.next(); err != nil {
			return err
		}
		resource := rawjson.Compact(member(r, "resource"))
		return list(r, scopes, func(sc []byte) error {
			if err := n.next(); err != nil {
				return err
			}
			g := groupOf(resource, rawjson.Compact(member(sc, "scope")), most)
			g.resourceSchema, g.scopeSchema = textOf(member(r, "schemaUrl")), textOf(member(sc, "schemaUrl"))
			return list(sc, items, func(item []byte) error {
				return g.reads(most, item, read, unread)
			})
		})
	})
}

// protobufItems does the same in protobuf: spans and log records stand at the same numbers.
func protobufItems(most int, body []byte, read, unread func(*group, []byte) error) error {
	var n groups
	return messages(body, 1, func(of []byte) error {
		if err := n.next(); err != nil {
			return err
		}
		g := group{}
		g.readResource(of, most)
		return messages(of, 2, func(of []byte) error {
			if err := n.next(); err != nil {
				return err
			}
			g := g
			g.readScope(of, most)
			return messages(of, 2, func(item []byte) error {
				return g.reads(most, item, read, unread)
			})
		})
	})
}

// messages calls each for the messages at a number, until it has an error.
func messages(b []byte, num int32, each func([]byte) error) error {
	return walk(b, func(m *message) error {
		if int32(m.num) != num || m.bytes == nil {
			return nil
		}
		return each(m.bytes)
	})
}

// size is how many bytes each item under the group has with it.
func (g *group) size() int {
	return len(g.rawResource) + len(g.rawScope) + len(g.resourceSchema) + len(g.scopeSchema)
}

// unread is an item that was not read because it is too large.
func (g *group) unread(b []byte, i *Item) *Item {
	i.Sent, i.Err = b, g.err
	i.note(&TooLarge{len(b) + g.size()})
	return i
}

// unreadProtobuf is a span of which only the ids are read.
func unreadProtobuf(b []byte) *otel.Span {
	s := &otel.Span{}
	m := message{rest: b}
	for m.next() {
		switch m.num {
		case 1:
			s.TraceID, _ = new(texts).id(m.bytes, 16, "")
		case 2:
			s.SpanID, _ = new(texts).id(m.bytes, 8, "")
		}
	}
	return s
}

func unreadJSON(raw []byte) *otel.Span {
	s := &otel.Span{}
	s.TraceID, _ = jsonID(member(raw, "traceId"), 16, "")
	s.SpanID, _ = jsonID(member(raw, "spanId"), 8, "")
	return s
}
