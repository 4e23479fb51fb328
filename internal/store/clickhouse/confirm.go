package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// confirm asks the table of events whether it has of each plain entity the facts that are in memory, and no other row: not of another node, not of a time that was forgotten,
// none that was erased. What it has otherwise goes the long way. Blocks that are inserted later are settled with a greater version: see clock.go.
func (w *Warehouse) confirm(ctx context.Context, x *plain) error {
	var at proto.ColUInt32
	kinds, ids, counts, sums, squares := new(proto.ColUInt8), new(proto.ColStr), new(proto.ColInt64), new(proto.ColInt64), new(proto.ColInt64)
	for i := range x.entities {
		s := &x.entities[i]
		if s.long {
			continue
		}
		at.Append(uint32(i + 1))
		kinds.Append(uint8(s.kind))
		ids.Append(s.id)
		counts.Append(int64(s.facts))
		sums.Append(int64(s.sum))
		squares.Append(int64(s.square))
	}
	if at.Rows() == 0 {
		return nil
	}
	var other proto.ColUInt32
	q := &builder{}
	q.arg(x.project)
	const text = `SELECT max(at) AS place FROM
		(SELECT at, kind, id, n, s, z FROM held UNION ALL
		SELECT toUInt32(0) AS at, kind, entity_id AS id, toInt64(-1) AS n, -toInt64(seq) AS s, s * toInt64(seq) AS z FROM events WHERE project = {p1:String} AND (kind, entity_id) IN (SELECT kind, id FROM held))
		GROUP BY kind, id HAVING sum(n) != 0 OR sumWithOverflow(s) != 0 OR sumWithOverflow(z) != 0`
	err := w.askWith(ctx, q, text, proto.Results{{Name: "place", Data: &other}}, "held", proto.Input{
		{Name: "at", Data: &at}, {Name: "kind", Data: kinds}, {Name: "id", Data: ids}, {Name: "n", Data: counts}, {Name: "s", Data: sums}, {Name: "z", Data: squares},
	}, func(i int) { x.entities[other.Row(i)-1].long = true })
	if err != nil {
		return fmt.Errorf("ask which entities have other events: %w", err)
	}
	x.spread()
	return nil
}

// relative is an observation of a plain trace that the block does not touch.
type relative struct {
	row         observationRow
	first, last entity.Seq
}

// relatives reads them, by the place of their trace.
func (w *Warehouse) relatives(ctx context.Context, x *plain) (map[int32][]relative, error) {
	traces, ids := new(proto.ColStr), new(proto.ColStr)
	for i := range x.entities {
		s := &x.entities[i]
		switch {
		case s.long:
		case s.kind == entity.TraceKind && s.kins == 0:
			traces.Append(s.id)
			ids.Append("")
		case s.kind == entity.ObservationKind && s.trace >= 0:
			traces.Append(x.entities[s.trace].id)
			ids.Append(s.id)
		}
	}
	found := map[int32][]relative{}
	if traces.Rows() == 0 {
		return found, nil
	}
	q := &builder{}
	q.arg(x.project)
	with := proto.Input{{Name: "trace", Data: traces}, {Name: "id", Data: ids}}
	err := selectRowsWith(ctx, w, relativeTable, q, "trace_id IN (SELECT trace FROM folded) AND (trace_id, id) NOT IN (SELECT trace, id FROM folded)", "folded", with, func(seqs []uint64, row *observationRow) {
		at := x.find(entity.TraceKind, row.TraceID)
		if at < 0 || len(seqs) == 0 {
			return
		}
		r := relative{row: *row}
		r.first, r.last = ends(seqs)
		found[at] = append(found[at], r)
	})
	if err != nil {
		return nil, fmt.Errorf("read observations of the same traces: %w", err)
	}
	return found, nil
}

// askWith is ask with a table of the caller's, which the statement names.
func (w *Warehouse) askWith(ctx context.Context, q *builder, text string, result proto.Results, name string, with proto.Input, each func(row int)) error {
	return w.asker().do(ctx, ch.Query{
		Body: text, Parameters: q.params, Result: result, Settings: append(w.limits(ctx), w.wholeSettings()...), ExternalTable: name, ExternalData: with,
		OnResult: func(_ context.Context, b proto.Block) error {
			for i := range b.Rows {
				each(i)
			}
			return nil
		},
	})
}
