package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// insertEvents adds the events of a block, at most once whenever it is tried again.
func (w *Warehouse) insertEvents(ctx context.Context, recs []entity.Record) error {
	if len(recs) == 0 {
		return nil
	}
	in, add := eventInput(w.self.id, w.self.inserting)
	for i := range recs {
		if err := add(&recs[i]); err != nil {
			return err
		}
	}
	token := ch.Setting{Key: "insert_deduplication_token", Value: w.self.token(recs), Important: true}
	if err := w.insertBlock(ctx, "events", in, []ch.Setting{token, ch.SettingInt("insert_deduplicate", 1)}); err != nil {
		return fmt.Errorf("insert %d events: %w", len(recs), err)
	}
	return nil
}

// eventInput is a block of events, and what adds one.
func eventInput(node uint16, step uint64) (in proto.Input, add func(*entity.Record) error) {
	project, environment, types := new(proto.ColStr).LowCardinality(), new(proto.ColStr).LowCardinality(), new(proto.ColStr).LowCardinality()
	kind, rank := new(proto.ColUInt8), new(proto.ColUInt8)
	entityID, eventID, batch, payload, said := new(proto.ColStr), new(proto.ColStr), new(proto.ColStr), new(proto.ColStr), new(proto.ColStr)
	content, seqs, steps, form, nodes := new(proto.ColUInt64), new(proto.ColUInt64), new(proto.ColUInt64), new(proto.ColUInt64), new(proto.ColUInt16)
	ts, received := micros(), micros()
	notes := new(proto.ColStr).Array()
	in = proto.Input{
		{Name: "project", Data: project}, {Name: "kind", Data: kind}, {Name: "entity_id", Data: entityID}, {Name: "event_id", Data: eventID},
		{Name: "content", Data: content}, {Name: "seq", Data: seqs}, {Name: "node", Data: nodes}, {Name: "step", Data: steps}, {Name: "event_type", Data: types},
		{Name: "rank", Data: rank}, {Name: "ts", Data: ts}, {Name: "received", Data: received}, {Name: "batch_environment", Data: environment},
		{Name: "batch_id", Data: batch}, {Name: "notes", Data: notes}, {Name: "payload", Data: payload}, {Name: "form", Data: form}, {Name: "said", Data: said},
	}
	fields := newSaidInput()
	in = append(in, fields.in...)
	var fs entity.Fields
	return in, func(r *entity.Record) error {
		if err := r.Row.View(&fs); err != nil {
			return err
		}
		project.Append(r.Project)
		kind.Append(uint8(fs.Kind))
		entityID.Append(fs.EntityID)
		eventID.Append(r.Event.ID)
		content.Append(fs.Content)
		seqs.Append(uint64(Shared(node, r.Seq)))
		nodes.Append(node)
		steps.Append(step)
		types.Append(string(r.Event.Type))
		rank.Append(uint8(fs.Rank))
		ts.Append(proto.DateTime64(r.Event.Timestamp.UnixMicro()))
		received.Append(proto.DateTime64(r.ReceivedAt.UnixMicro()))
		environment.Append(cmp.Or(r.Environment, "default"))
		batch.Append(r.BatchID)
		notes.Append(r.Notes)
		payload.AppendBytes(r.Event.Payload)
		form.Append(ownForm)
		said.AppendBytes(r.Row)
		fields.add(&fs)
		return nil
	}
}

// touch is what an event touches.
type touch struct {
	project, id, trace string // the trace that it names
	kind               entity.Kind
}

func touchedBy(recs []entity.Record) []touch {
	touched := make([]touch, 0, len(recs))
	for i := range recs {
		r := &recs[i]
		t := touch{project: strings.Clone(r.Project), id: string(r.Row.EntityID()), kind: r.Row.Kind()}
		if t.kind == entity.ObservationKind {
			t.trace = string(r.Row.Get(entity.TraceID))
		}
		touched = append(touched, t)
	}
	return touched
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
	return w.locked(ctx, func() error {
		touched, err := w.touched(ctx, "node = %d AND seq > %s", w.self.id, uint64(Shared(w.self.id, after)))
		if err == nil && len(touched) > 0 {
			if err = w.step(ctx, w.self); err == nil { // so that what is settled now is in force
				err = w.settle(ctx, touched)
			}
		}
		if err != nil {
			return fmt.Errorf("settle again: %w", err)
		}
		return nil
	})
}
