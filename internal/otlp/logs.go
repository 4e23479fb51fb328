package otlp

import (
	"errors"

	"github.com/brokle-ai/brokle-go/internal/otel"
)

// Log is a log record, with the span that it names.
type Log struct {
	TraceID, SpanID     string // "" when it names none
	Resource            []otel.Attribute
	Scope, ScopeVersion string
	Severity            string // as text
	SeverityNumber      int
	otel.Event
}

func logOf(b []byte, l *Log) error {
	var observed int64
	var t texts
	err := walk(b, func(m *message) (err error) {
		switch m.num {
		case 1:
			l.Time = int64(m.n)
		case 2:
			l.SeverityNumber = int(m.n)
		case 3:
			l.Severity, err = str(m.bytes)
		case 5:
			l.Body, err = t.value(m.bytes)
		case 6:
			err = t.attribute(m.bytes, &l.Attributes)
		case 9:
			l.TraceID, err = optionalID(&t, m.bytes, 16, "trace id")
		case 10:
			l.SpanID, err = optionalID(&t, m.bytes, 8, "span id")
		case 11:
			observed = int64(m.n)
		case 12:
			l.Name, err = str(m.bytes)
		}
		return err
	})
	l.settle(observed)
	return err
}

// settle fills in the time and the name that some send elsewhere.
func (l *Log) settle(observed int64) {
	if l.Time == 0 {
		l.Time = observed
	}
	if l.Name == "" {
		l.Name = eventName(l.Attributes)
	}
}

// eventName is the name of an event that was sent as an attribute, as before OTLP 1.6.
func eventName(attrs []otel.Attribute) string {
	for i := range attrs {
		if attrs[i].Key == "event.name" {
			return attrs[i].Value.String()
		}
	}
	return ""
}

func optionalID(t *texts, b []byte, size int, what string) (string, error) {
	text, err := t.id(b, size, what)
	if errors.Is(err, errNoID) {
		return "", nil
	}
	return text, err
}
