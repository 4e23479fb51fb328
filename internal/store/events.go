package store

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// EventRef says which events are looked for. One of its parts is given.
type EventRef struct {
	// EventID: those that were stored under this id, several when it was accepted again with other content.
	EventID string
	// TraceID: all that fold into the trace, its own, those of its observations and of its
	// scores. Of an observation whose id other traces have too, they are ObservationRow.Seqs of this trace.
	TraceID string
	// IDs with their Kind: each entity's own, of a trace without those of its observations and
	// scores, of an observation id those of all traces.
	IDs  []string
	Kind entity.Kind
}

// EventSeqs finds the stored events of that id, in order. ErrNotFound when there is none.
func EventSeqs(ctx context.Context, w Warehouse, project, eventID string) ([]entity.Seq, error) {
	return found(w.Events(ctx, project, EventRef{EventID: eventID}))
}

// TraceEvents returns all events that fold into the trace, in order. ErrNotFound when there is no such trace.
func TraceEvents(ctx context.Context, w Warehouse, project, traceID string) ([]entity.Seq, error) {
	return found(w.Events(ctx, project, EventRef{TraceID: traceID}))
}

// found is the only list of seqs.
func found(seqs map[string][]entity.Seq, err error) ([]entity.Seq, error) {
	if err != nil {
		return nil, err
	}
	for _, list := range seqs {
		return list, nil
	}
	return nil, ErrNotFound
}

// EntityEvents returns, by entity of the kind, its own events. Those that have none are not in it.
func EntityEvents(ctx context.Context, w Warehouse, project string, kind entity.Kind, ids []string) (map[string][]entity.Seq, error) {
	return w.Events(ctx, project, EventRef{Kind: kind, IDs: ids})
}
