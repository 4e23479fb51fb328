package outgoing

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otlp"
)

// Plan is a whole trace as OTLP of which nothing large is in memory: where each span and log record comes from. What it
// writes is what OfTrace makes of the same records.
type Plan struct {
	spans, logs planned
	project     string
	own         []entity.Seq // what did not come as spans or log records, in order
	outline     *entity.Outline
	over        stretch // of the observations that get spans of their own
	below       bool    // the trace gets one, too
	bytes       int64
}

// planned is a signal whose items are entries.
type planned struct {
	scopes, items string
	resources     group
	n             int
}

// entry is where an item comes from: an event, an observation of the outline, or the trace itself.
type entry struct {
	seq   entity.Seq // 0: another
	place int        // -1: the trace
	size  int32      // bytes of the event's payload
}

// NewPlan is the plan of nothing.
func NewPlan() *Plan {
	return &Plan{spans: planned{scopes: "scopeSpans", items: "spans"}, logs: planned{scopes: "scopeLogs", items: "logRecords"}}
}

// Add takes note of a record of the trace, which is read (extract.Fill), in the order of the Log.
func (p *Plan) Add(rec *entity.Record, traceID string) {
	p.project = rec.Project
	f := rec.Fields
	if f == nil {
		return
	}
	if !otlp.Stored(rec.Event.Payload) {
		if f.Kind == entity.TraceKind || f.Kind == entity.ObservationKind {
			p.own = append(p.own, rec.Seq)
			p.bytes += 8
		}
		return
	}
	if id, _ := f.Get(entity.TraceID); id.Text != traceID {
		return
	}
	_, item, isSpan, err := otlp.PartsOf(rec.Event.Payload)
	switch {
	case err != nil: // nothing of it was accepted
	case isSpan:
		p.bytes += p.spans.add(item, entry{seq: rec.Seq, size: int32(len(rec.Event.Payload))})
	default:
		p.bytes += p.logs.add(item, entry{seq: rec.Seq, size: int32(len(rec.Event.Payload))})
	}
}

// Fold adds the observations of which something did not come as a span, and the trace, where it says something of itself. o is the outline
// of all records that were added, without twins.
func (p *Plan) Fold(o *entity.Outline) {
	p.outline = o
	isOwn := func(seq entity.Seq) bool {
		_, own := slices.BinarySearch(p.own, seq)
		return own
	}
	var places []int
	for place := range o.Len() {
		if slices.ContainsFunc(o.Events(place)[:o.Own(place)], isOwn) {
			places = append(places, place)
		}
	}
	if p.below = slices.ContainsFunc(o.TraceEvents(), isOwn); p.below {
		p.bytes += p.spans.add(&otlp.Item{Resource: resourceOf(p.project, o.Trace.Environment), Scope: ownScope()}, entry{place: -1})
	}
	for i, place := range places {
		start, end, environment := o.Stretch(place)
		if i == 0 {
			p.over.start = start
		}
		p.over.with(start, end, o.Fails(place))
		p.bytes += p.spans.add(&otlp.Item{Resource: resourceOf(p.project, environment), Scope: ownScope()}, entry{place: place})
	}
}

// Spans is how many spans there are.
func (p *Plan) Spans() int { return p.spans.n }

// Bytes is about how much memory the plan takes.
func (p *Plan) Bytes() int64 { return p.bytes }

// add takes an entry under its resource and scope, and says about how many bytes that takes.
func (s *planned) add(i *otlp.Item, e entry) int64 {
	resource := s.resources.of(i.Resource, i.ResourceSchema)
	known := len(resource.under)
	scope := resource.of(i.Scope, i.ScopeSchema)
	scope.entries = append(scope.entries, e)
	s.n++
	bytes := int64(40)
	if len(resource.under) > known {
		bytes += 512 + 2*int64(len(i.Resource)+len(i.Scope))
	}
	return bytes
}
