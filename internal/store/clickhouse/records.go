package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// fact is an event as it is folded.
type fact struct {
	project, entityID, traceID string
	kind                       entity.Kind
	entity.Fact
}

// facts reads the events that satisfy a condition, each fact once: with its lowest Seq.
func (w *Warehouse) facts(ctx context.Context, q *builder, condition string, each func(fact)) error {
	var project, entityID, trace, eventID, environment, said proto.ColStr
	var kind proto.ColUInt8
	var seq, content, form proto.ColUInt64
	var at proto.ColInt64
	result := proto.Results{
		{Name: "of_project", Data: &project}, {Name: "kind", Data: &kind}, {Name: "entity_id", Data: &entityID}, {Name: "trace_id", Data: &trace}, {Name: "event_id", Data: &eventID},
		{Name: "content", Data: &content}, {Name: "seq", Data: &seq}, {Name: "at", Data: &at}, {Name: "environment", Data: &environment}, {Name: "form", Data: &form}, {Name: "said", Data: &said},
	}
	var foreign []entity.Seq
	others := map[entity.Seq]fact{}
	text := `SELECT CAST(project, 'String') AS of_project, kind, entity_id, trace_id, event_id, content, seq, toUnixTimestamp64Micro(ts) AS at,
		CAST(batch_environment, 'String') AS environment, form, said FROM events WHERE ` + condition +
		" ORDER BY seq LIMIT 1 BY project, kind, entity_id, event_id, content"
	err := w.ask(ctx, q, text, result, func(i int) {
		f := fact{
			project: project.Row(i), entityID: entityID.Row(i), traceID: trace.Row(i), kind: entity.Kind(kind.Row(i)),
			Fact: entity.Fact{Seq: entity.Seq(seq.Row(i)), At: at.Row(i), EventID: eventID.Row(i), Environment: environment.Row(i), Row: entity.Row(said.Row(i))},
		}
		if form.Row(i) != ownForm {
			foreign, others[f.Seq] = append(foreign, f.Seq), f
			return
		}
		each(f)
	})
	if err != nil || len(foreign) == 0 {
		return err
	}
	recs, err := w.Records(ctx, foreign)
	for i := range recs {
		f := others[recs[i].Seq]
		f.Row = recs[i].Fields.AppendRow(nil)
		each(f)
	}
	return err
}

// Records reads events with their payloads and Fields, of whichever node, in the order asked. Those that are gone are left out.
func (w *Warehouse) Records(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	found := make(map[entity.Seq]entity.Record, len(seqs))
	read := func(condition string, q *builder, seqs []entity.Seq) error {
		var settings []ch.Setting
		if len(seqs) <= readAtOnce {
			settings = oneThread
		}
		return w.records(ctx, q, condition+"seq IN "+q.arg(uints(seqs)), settings, func(r entity.Record) { found[r.Seq] = r })
	}
	at, known, rest := w.whereabouts.find(seqs)
	if len(known) > 0 {
		q := &builder{}
		if err := read(q.keyed(at)+" AND ", q, known); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		for _, seq := range known {
			if _, there := found[seq]; !there {
				rest = append(rest, seq)
			}
		}
	}
	if len(rest) > 0 {
		if err := read("", &builder{}, rest); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
	}
	recs := make([]entity.Record, 0, len(found))
	for _, s := range seqs {
		r, ok := found[s]
		if !ok {
			continue
		}
		if r.Fields == nil {
			return nil, fmt.Errorf("read events: what event %d says cannot be read", s)
		}
		recs = append(recs, r)
	}
	return recs, nil
}

// records reads the events that satisfy a condition, as their rows have them.
func (w *Warehouse) records(ctx context.Context, q *builder, condition string, more []ch.Setting, each func(entity.Record)) error {
	var project, environment, batch, key, eventID, typ, payload, said proto.ColStr
	var seq, form, content proto.ColUInt64
	var ts, received proto.ColInt64
	notes := new(proto.ColStr).Array()
	result := proto.Results{
		{Name: "of_project", Data: &project}, {Name: "environment", Data: &environment}, {Name: "batch_id", Data: &batch}, {Name: "of_key", Data: &key}, {Name: "event_id", Data: &eventID},
		{Name: "type", Data: &typ}, {Name: "payload", Data: &payload}, {Name: "seq", Data: &seq}, {Name: "content", Data: &content}, {Name: "form", Data: &form}, {Name: "said", Data: &said},
		{Name: "at", Data: &ts}, {Name: "of_received", Data: &received}, {Name: "notes", Data: notes},
	}
	text := `SELECT CAST(project, 'String') AS of_project, CAST(batch_environment, 'String') AS environment, batch_id, CAST(key_id, 'String') AS of_key, event_id, CAST(event_type, 'String') AS type, payload,
		seq, content, form, said, toUnixTimestamp64Micro(ts) AS at, toUnixTimestamp64Micro(received) AS of_received, notes FROM events WHERE ` + condition
	return w.askSet(ctx, q, text, more, result, func(i int) {
		r := entity.Record{
			Seq: entity.Seq(seq.Row(i)), Project: project.Row(i), Environment: environment.Row(i), BatchID: batch.Row(i), KeyID: key.Row(i), ReceivedAt: microTime(received.Row(i)),
			Event: wire.Event{ID: eventID.Row(i), Type: wire.EventType(typ.Row(i)), Payload: json.RawMessage(payload.Row(i)), Timestamp: wire.At(microTime(ts.Row(i)))},
			Notes: slices.Clone(notes.Row(i)),
		}
		if form.Row(i) == ownForm {
			r.Row = entity.Row(said.Row(i))
		}
		if w.options.Extract != nil {
			if w.options.Extract(&r); r.Fields != nil {
				r.Fields.Content = content.Row(i) // as it was when it was accepted
			}
		}
		each(r)
	})
}
