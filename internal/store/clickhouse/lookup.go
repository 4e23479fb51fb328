package clickhouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Events finds the events that of means. Entities know theirs.
func (w *Warehouse) Events(ctx context.Context, project string, of store.EventRef) (seqs map[string][]entity.Seq, err error) {
	find, what := (*view).entityEvents, "find the events of entities"
	switch {
	case of.TraceID != "":
		find, what = (*view).traceEvents, "find the events of a trace"
	case of.EventID != "":
		find, what = (*view).event, "find an event"
	}
	err = w.question(ctx, project, what, func(ctx context.Context, v *view) error {
		seqs = map[string][]entity.Seq{}
		return find(v, ctx, of, func(id string, own []uint64) {
			for _, s := range own {
				seqs[id] = append(seqs[id], entity.Seq(s))
			}
		})
	})
	if err != nil {
		return nil, err
	}
	for _, list := range seqs {
		slices.Sort(list)
	}
	return seqs, nil
}

// event finds the facts of an event's id.
func (v *view) event(ctx context.Context, of store.EventRef, each func(string, []uint64)) error {
	var seq proto.ColUInt64
	var kind proto.ColUInt8
	var id proto.ColStr
	q := v.query()
	text := "SELECT kind, entity_id, min(seq) AS first FROM events WHERE project = {p1:String} AND event_id = " + q.arg(of.EventID) + " GROUP BY kind, entity_id, content"
	return v.rows(ctx, q, text, proto.Results{{Name: "kind", Data: &kind}, {Name: "entity_id", Data: &id}, {Name: "first", Data: &seq}}, func(i int) {
		own := []uint64{seq.Row(i)}
		v.found(entity.Kind(kind.Row(i)), id.Row(i), own)
		each(of.EventID, own)
	})
}

// entityEvents finds the own events of entities.
func (v *view) entityEvents(ctx context.Context, of store.EventRef, each func(string, []uint64)) error {
	if of.Kind == entity.GenericKind {
		return nil // it has no entities
	}
	var id proto.ColStr
	seqs := new(proto.ColUInt64).Array()
	q := v.query()
	text := "SELECT id, seqs FROM " + tableOf(of.Kind) + " FINAL WHERE project = {p1:String} AND notEmpty(seqs) AND id IN " + q.arg(of.IDs)
	return v.rows(ctx, q, text, proto.Results{{Name: "id", Data: &id}, {Name: "seqs", Data: seqs}}, func(i int) {
		v.found(of.Kind, id.Row(i), seqs.Row(i))
		each(id.Row(i), seqs.Row(i))
	})
}

// found remembers of which entity events are.
func (v *view) found(kind entity.Kind, id string, seqs []uint64) {
	at := eventKey{v.project, kind, id}
	for _, seq := range seqs {
		v.w.whereabouts.note(at, entity.Seq(seq))
	}
}

// traceEvents finds all events that fold into a trace.
func (v *view) traceEvents(ctx context.Context, of store.EventRef, each func(string, []uint64)) error {
	const isObservation, isTrace, isScore, isLooseScore = 0, 1, 2, 3
	var what proto.ColUInt8
	var id proto.ColStr
	seqs := new(proto.ColUInt64).Array()
	q := v.query()
	trace := q.arg(of.TraceID)
	text := fmt.Sprintf(`SELECT toUInt8(%d) AS what, id, seqs FROM traces FINAL WHERE project = {p1:String} AND id = %[3]s
		UNION ALL SELECT toUInt8(%[2]d) AS what, id, seqs FROM observations FINAL WHERE project = {p1:String} AND trace_id = %[3]s
		UNION ALL `, isTrace, isObservation, trace)
	ofScores := fmt.Sprintf("toUInt8(if(trace_id = '', %d, %d)) AS what, id, seqs", isLooseScore, isScore)
	there := false
	var found [][]uint64
	var loose []string
	looseSeqs := map[string][]uint64{}
	result := proto.Results{{Name: "what", Data: &what}, {Name: "id", Data: &id}, {Name: "seqs", Data: seqs}}
	err := v.scoresAbout(ctx, q, text, ofScores, "("+trace+")", result, func(i int) bool { return what.Row(i) == isLooseScore }, func(i int) {
		own := slices.Clone(seqs.Row(i))
		v.found([...]entity.Kind{isObservation: entity.ObservationKind, isTrace: entity.TraceKind, isScore: entity.ScoreKind, isLooseScore: entity.ScoreKind}[what.Row(i)], id.Row(i), own)
		if what.Row(i) == isLooseScore {
			loose = append(loose, id.Row(i))
			looseSeqs[id.Row(i)] = own
			return
		}
		there = there || what.Row(i) == isTrace
		found = append(found, own)
	})
	if err != nil || !there {
		return err
	}
	in, err := v.placed(ctx, loose)
	if err != nil {
		return err
	}
	for _, id := range loose {
		if in[id] == of.TraceID {
			found = append(found, looseSeqs[id])
		}
	}
	for _, own := range found {
		each(of.TraceID, own)
	}
	return nil
}

// Twins finds the duplicates among the observations that of means, and those of which they are kept.
func (w *Warehouse) Twins(ctx context.Context, project string, of store.EventRef) (twins entity.Twins, err error) {
	column, kept, values := "id", "duplicate_of", of.IDs
	if of.TraceID != "" {
		column, kept, values = "trace_id", "duplicate_of_trace", []string{of.TraceID}
	}
	err = w.question(ctx, project, "find twins", func(ctx context.Context, v *view) error {
		twins = entity.Twins{}
		// Nearly always there are none, which rows as they lie say in half the time.
		var trace, id, ofTrace, ofID proto.ColStr
		var traces, lying []string
		q := v.query()
		ids := q.arg(values)
		text := fmt.Sprintf(`SELECT trace_id, id FROM observations WHERE project = {p1:String} AND duplicate_of != '' AND %s IN %s UNION ALL SELECT trace_id, id FROM observations WHERE project = {p1:String} AND duplicate_of != '' AND %s IN %[2]s`, column, ids, kept)
		err := v.few(ctx, q, text, proto.Results{{Name: "trace_id", Data: &trace}, {Name: "id", Data: &id}}, func(i int) {
			traces, lying = append(traces, trace.Row(i)), append(lying, id.Row(i))
		})
		if err != nil || len(lying) == 0 {
			return err
		}
		q = v.query()
		ids = q.arg(values)
		text = fmt.Sprintf("SELECT trace_id, id, duplicate_of_trace, duplicate_of FROM observations FINAL WHERE project = {p1:String} AND duplicate_of != '' AND (%s IN %s OR %s IN %[2]s) AND (trace_id, id) IN arrayZip(%[4]s, %[5]s)", column, ids, kept, q.arg(traces), q.arg(lying))
		result := proto.Results{{Name: "trace_id", Data: &trace}, {Name: "id", Data: &id}, {Name: "duplicate_of_trace", Data: &ofTrace}, {Name: "duplicate_of", Data: &ofID}}
		return v.rows(ctx, q, text, result, func(i int) {
			twins[entity.Ref{TraceID: trace.Row(i), ID: id.Row(i)}] = entity.Ref{TraceID: ofTrace.Row(i), ID: ofID.Row(i)}
		})
	})
	return twins, err
}
