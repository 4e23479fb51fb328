package live

import (
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// event is one event on its way to any number of streams.
type event struct {
	rec *entity.Record

	reading sync.Once  // makes row
	row     entity.Row // what the filters ask for; nil for an event that cannot be read

	writing sync.Once // makes message
	message []byte    // as it is sent; nil for an event that cannot be
}

// Message is the data of a message of a stream: an event and where it came from.
type Message struct {
	wire.Event
	ReceivedAt  time.Time `json:"received_at"`
	BatchID     string    `json:"batch_id"`
	Environment string    `json:"environment"`
	TraceID     string    `json:"trace_id,omitempty"`
	EntityID    string    `json:"entity_id,omitempty"`
}

// read finds out what the event says, the first time; false for one that no query can show either.
func (e *event) read() bool {
	e.reading.Do(func() {
		if e.row = e.rec.Row; e.row != nil {
			return
		}
		if fields, failure := extract.Of(e.rec); failure == nil {
			e.row = fields.AppendRow(nil)
		}
	})
	return e.row != nil
}

// encoded is the message, which is made for the first stream that shows it.
func (e *event) encoded(o *Options) []byte {
	e.writing.Do(func() {
		data, err := o.Encode(Message{
			Event: e.rec.Event, ReceivedAt: e.rec.ReceivedAt, BatchID: e.rec.BatchID,
			Environment: e.environment(), TraceID: e.traceID(), EntityID: string(e.row.EntityID()),
		})
		if err != nil {
			o.Logger.Error("encode a streamed event", "seq", e.rec.Seq, "error", err)
			return
		}
		// A line break between two tokens of a payload would end the message's line.
		for i, b := range data {
			if b == '\n' || b == '\r' {
				data[i] = ' '
			}
		}
		e.message = slices.Concat([]byte("id: "+o.ID(e.rec.Project, e.rec.Seq)+"\nevent: event\ndata: "), data, []byte("\n\n"))
	})
	return e.message
}

func (e *event) text(f entity.Field) string { return string(e.row.Get(f)) }

func (e *event) environment() string {
	if env := e.text(entity.Environment); env != "" {
		return env
	}
	return e.rec.Environment
}

func (e *event) traceID() string {
	if e.row.Kind() == entity.TraceKind {
		return string(e.row.EntityID())
	}
	return e.text(entity.TraceID)
}

// failed says what lists ask of a row: whether an observation has the level ERROR, or a trace says of itself that it failed.
func (e *event) failed() bool {
	if e.row.Kind() == entity.TraceKind {
		return e.text(entity.Status) == entity.StatusError
	}
	return e.text(entity.Level) == "ERROR"
}

// Filter is what a stream shows: the events that meet all of its conditions. One that is "" or nil is none.
type Filter struct {
	store.Filter                  // of which only what a single event says: its environment and trace are also those of what it is about
	EventTypes   []wire.EventType // one of these; all when there are none
}

// takes says whether an event that was read meets all conditions.
func (f *Filter) takes(e *event) bool {
	for _, c := range [...]struct {
		want string
		of   entity.Field
	}{
		{f.Name, entity.Name}, {f.UserID, entity.UserID}, {f.SessionID, entity.SessionID},
		{f.Model, entity.Model}, {f.KeyID, entity.KeyID}, {f.Type, entity.ObservationType}, {f.Level, entity.Level},
	} {
		if c.want != "" && e.text(c.of) != c.want {
			return false
		}
	}
	if f.Environment != "" && e.environment() != f.Environment || f.TraceID != "" && e.traceID() != f.TraceID {
		return false
	}
	if f.Tag != "" {
		var fields entity.Fields
		if e.row.View(&fields) != nil {
			return false
		}
		if tags, _ := fields.Get(entity.Tags); !slices.Contains(tags.List, f.Tag) {
			return false
		}
	}
	if f.HasError != nil && *f.HasError != e.failed() {
		return false
	}
	return len(f.EventTypes) == 0 || slices.Contains(f.EventTypes, e.rec.Event.Type)
}
