package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// insertEvents adds the events of a block, or the part of it that is of one shard, at most once whenever it is tried again under a token. sent counts how often they were sent.
func (w *Warehouse) insertEvents(ctx context.Context, p *pool, recs []entity.Record, settings []ch.Setting, sent *int) error {
	if len(recs) == 0 {
		return nil
	}
	c, next := w.folding.events, 0
	defer c.in.Reset()
	q := insertQuery(w.local("events"), c.in, settings)
	q.OnInput = func(context.Context) error {
		if c.in.Reset(); next == len(recs) {
			return io.EOF
		}
		some := recs[next:min(next+sentRows, len(recs))]
		next += len(some)
		for i := range some {
			if err := c.add(w.self.id, w.self.inserting, &some[i]); err != nil {
				return err
			}
		}
		return nil
	}
	begin := func() {
		c.in.Reset()
		next = 0
		*sent++
	}
	if err := p.send(ctx, q, begin); err != nil {
		return fmt.Errorf("insert %d events: %w", len(recs), err)
	}
	return nil
}

// sentRows is how many events are sent in one piece. The server makes one block of all pieces of a statement.
const sentRows = 2048

// eventInput is events on their way to the server. Its memory is used again.
type eventInput struct {
	in                                      proto.Input
	project, environment, types             *proto.ColLowCardinality[string]
	kind, rank                              proto.ColUInt8
	entityID, eventID, batch, payload, said proto.ColStr
	content, seqs, steps, form              proto.ColUInt64
	nodes                                   proto.ColUInt16
	ts, received                            *proto.ColDateTime64Raw
	notes                                   *proto.ColArr[string]
	fields                                  *saidInput
	values                                  entity.Fields
}

func newEventInput() *eventInput {
	text := func() *proto.ColLowCardinality[string] { return new(proto.ColStr).LowCardinality() }
	c := &eventInput{project: text(), environment: text(), types: text(), ts: micros(), received: micros(), notes: new(proto.ColStr).Array(), fields: newSaidInput()}
	c.in = append(proto.Input{
		{Name: "project", Data: c.project}, {Name: "kind", Data: &c.kind}, {Name: "entity_id", Data: &c.entityID}, {Name: "event_id", Data: &c.eventID},
		{Name: "content", Data: &c.content}, {Name: "seq", Data: &c.seqs}, {Name: "node", Data: &c.nodes}, {Name: "step", Data: &c.steps}, {Name: "event_type", Data: c.types},
		{Name: "rank", Data: &c.rank}, {Name: "ts", Data: c.ts}, {Name: "received", Data: c.received}, {Name: "batch_environment", Data: c.environment},
		{Name: "batch_id", Data: &c.batch}, {Name: "notes", Data: c.notes}, {Name: "payload", Data: &c.payload}, {Name: "form", Data: &c.form}, {Name: "said", Data: &c.said},
	}, c.fields.in...)
	return c
}

func (c *eventInput) add(node uint16, step uint64, r *entity.Record) error {
	fs := &c.values
	if err := r.Row.View(fs); err != nil {
		return err
	}
	c.project.Append(r.Project)
	c.kind.Append(uint8(fs.Kind))
	c.entityID.Append(fs.EntityID)
	c.eventID.Append(r.Event.ID)
	c.content.Append(fs.Content)
	c.seqs.Append(uint64(Shared(node, r.Seq)))
	c.nodes.Append(node)
	c.steps.Append(step)
	c.types.Append(string(r.Event.Type))
	c.rank.Append(uint8(fs.Rank))
	c.ts.Append(proto.DateTime64(r.Event.Timestamp.UnixMicro()))
	c.received.Append(proto.DateTime64(r.ReceivedAt.UnixMicro()))
	c.environment.Append(cmp.Or(r.Environment, "default"))
	c.batch.Append(r.BatchID)
	c.notes.Append(r.Notes)
	c.payload.AppendBytes(r.Event.Payload)
	c.form.Append(ownForm)
	c.said.AppendBytes(r.Row)
	c.fields.add(fs)
	return nil
}

// touch is what an event touches.
type touch struct {
	project, id, trace string // the trace that it names
	kind               entity.Kind
}

// touchedSince are what the events touch that a node has inserted and not settled.
func (w *Warehouse) touchedSince(ctx context.Context, n node) (touched []touch, err error) {
	return w.touched(ctx, "node = %d AND step > %s AND step <= %s", n.id, n.settled, max(n.inserted, n.inserting))
}

// touched are what the events of a node touch that a condition is about.
func (w *Warehouse) touched(ctx context.Context, condition string, node uint16, of ...uint64) (touched []touch, err error) {
	var project, id, trace proto.ColStr
	var kind proto.ColUInt8
	q := &builder{}
	args := []any{node}
	for _, n := range of {
		args = append(args, q.arg(n))
	}
	text := fmt.Sprintf("SELECT DISTINCT CAST(project, 'String') AS of_project, kind, entity_id, if(kind = %d, trace_id, '') AS trace FROM events WHERE ", entity.ObservationKind) + fmt.Sprintf(condition, args...)
	result := proto.Results{{Name: "of_project", Data: &project}, {Name: "kind", Data: &kind}, {Name: "entity_id", Data: &id}, {Name: "trace", Data: &trace}}
	err = w.ask(ctx, q, text, result, func(i int) {
		touched = append(touched, touch{project.Row(i), id.Row(i), trace.Row(i), entity.Kind(kind.Row(i))})
	})
	return touched, err
}

// Resettle folds anew what events of this node touch that are behind a place in its Log and in the table: other prices hold for them.
func (w *Warehouse) Resettle(ctx context.Context, after entity.Seq) error {
	return w.resettle(ctx, after, logSeqs, func(touched []touch) []touch { return touched })
}

// resettle folds anew what events of this node in after < Seq ≤ upto touch, and more.
func (w *Warehouse) resettle(ctx context.Context, after, upto entity.Seq, more func([]touch) []touch) error {
	return w.locked(ctx, func() error {
		touched, err := w.touched(ctx, "node = %d AND seq > %s AND seq <= %s", w.self.id, uint64(Shared(w.self.id, after)), uint64(Shared(w.self.id, upto)))
		if err == nil && len(touched) > 0 {
			if err = w.step(ctx, w.self); err == nil { // so that what is settled now is in force
				err = w.settle(ctx, nil, more(touched))
			}
		}
		if err != nil {
			return fmt.Errorf("settle again: %w", err)
		}
		return nil
	})
}
