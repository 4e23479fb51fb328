package brokle

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"
	"unicode/utf8"
)

// maxLogName is how many characters of a record's message are the name of its observation.
const maxLogName = 200

// LogHandler is a slog.Handler that puts each record below the observation, or the trace, that its context carries: as an
// observation of type "event" with the record's time, level and message, and its attributes as metadata. A record without such a
// context only goes on. The zero value records from INFO on, and passes nothing on. It is safe for concurrent use, and not changed after its first use.
type LogHandler struct {
	// Next gets every record, too; nil when there is no other.
	Next slog.Handler
	// Level is the lowest that is recorded. Default: slog.LevelInfo. What Next takes is its own matter.
	Level slog.Leveler

	with []logWith
}

// logWith is one call of WithGroup, or else of WithAttrs.
type logWith struct {
	group string
	attrs []slog.Attr
}

// Enabled says whether a record of the level is recorded or passed on.
func (h *LogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.records(ctx, level) || h.Next != nil && h.Next.Enabled(ctx, level)
}

func (h *LogHandler) records(ctx context.Context, level slog.Level) bool {
	lowest := slog.LevelInfo
	if h.Level != nil {
		lowest = h.Level.Level()
	}
	at := scopeOf(ctx)
	return level >= lowest && (at.trace != nil || at.remote != nil && ClientFromContext(ctx).enabled())
}

// Handle records r, and passes it on. The error is that of Next.
func (h *LogHandler) Handle(ctx context.Context, r slog.Record) error {
	if h.records(ctx, r.Level) {
		h.record(ctx, r)
	}
	if h.Next == nil || !h.Next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Next.Handle(ctx, r)
}

func (h *LogHandler) record(ctx context.Context, r slog.Record) {
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	s := scopeOf(ctx)
	to, c := s.at(), ClientFromContext(ctx)
	d := c.gather([]Option{StartedAt(at.UTC()), EndedAt(at.UTC()), Level(levelOfLog(r.Level))})
	if d.name = r.Message; utf8.RuneCountInString(r.Message) > maxLogName {
		d.name = string([]rune(r.Message)[:maxLogName]) + "…"
		Output(r.Message)(d)
	}
	if d.name == "" {
		d.name = "log"
	}
	if m := h.attributes(r); len(m) > 0 {
		Metadata(m)(d)
	}
	told := d.observation(to.trace, newObservationID(new([observationIDDigits]byte)))
	told.Observation.Type, told.Observation.ParentObservationID = TypeEvent, to.observation
	c.proc.Record(ObservationCreate, d.now, told, d.err)
	c.free(d)
}

func levelOfLog(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return LevelError
	case l >= slog.LevelWarn:
		return LevelWarn
	case l >= slog.LevelInfo:
		return LevelInfo
	}
	return LevelDebug
}

// WithAttrs returns a handler whose records have these attributes, too.
func (h *LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.and(logWith{attrs: attrs}, func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) })
}

// WithGroup returns a handler whose records have all further attributes in a group.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.and(logWith{group: name}, func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

func (h *LogHandler) and(w logWith, next func(slog.Handler) slog.Handler) *LogHandler {
	all := &LogHandler{Next: h.Next, Level: h.Level, with: append(slices.Clip(h.with), w)}
	if h.Next != nil {
		all.Next = next(h.Next)
	}
	return all
}

// attributes are those of the handler and the record as one object. A group without attributes is left out.
func (h *LogHandler) attributes(r slog.Record) map[string]any {
	own := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		own = append(own, a)
		return true
	})
	for _, w := range slices.Backward(h.with) {
		if w.group != "" {
			own = []slog.Attr{{Key: w.group, Value: slog.GroupValue(own...)}}
		} else {
			own = slices.Concat(w.attrs, own)
		}
	}
	return logObject(own)
}

func logObject(attrs []slog.Attr) map[string]any {
	m := make(map[string]any, len(attrs))
	for _, a := range attrs {
		v := a.Value.Resolve()
		switch {
		case v.Kind() == slog.KindGroup:
			group := logObject(v.Group())
			if a.Key == "" { // its attributes stand where it stands
				for key, v := range group {
					m[key] = v
				}
			} else if len(group) > 0 {
				m[a.Key] = group
			}
		case !a.Equal(slog.Attr{}):
			m[a.Key] = logValue(v)
		}
	}
	return m
}

// logValue is what JSON can say of a value: errors and what cannot be encoded are texts.
func logValue(v slog.Value) any {
	switch v.Kind() {
	case slog.KindDuration:
		return v.Duration().String()
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			return x.Error()
		case json.RawMessage:
			return x
		default:
			if _, err := json.Marshal(x); err != nil {
				return fmt.Sprint(x)
			}
			return x
		}
	case slog.KindFloat64:
		if _, err := json.Marshal(v.Float64()); err != nil {
			return fmt.Sprint(v.Float64())
		}
	}
	return v.Any()
}
