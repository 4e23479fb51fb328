package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// A server whose disk was filled by others may lose what it had confirmed, files of events and files of rows (docs/reliability.md). A node's Log has a day of it still. So what the table of
// events lacks is inserted again, as a block of its own that ends where the cursor is: who dies in it leaves a block that was begun, which the next start settles. And whatever the Log's
// events touch is folded anew, because a row that is there may be the one before the one that is gone.

// errBegun is that of a node whose last block has not come to its end.
var errBegun = errors.New("the node ended in the middle of a block: start it, which ends that, and stop it again")

// Restore inserts records of this node's Log that the tables lack, which have their Rows, and settles what they touch. They are behind none that the tables must have.
func (w *Warehouse) Restore(ctx context.Context, recs []entity.Record) error {
	err := w.locked(ctx, func() error {
		if w.self.pending() && w.self.upto > w.self.cursor {
			return errBegun
		}
		for len(recs) > 0 {
			n := 1
			for n < len(recs) && n < blockRows && day(recs[n].ReceivedAt) == day(recs[0].ReceivedAt) {
				n++
			}
			if err := w.restoreBlock(ctx, recs[:n:n]); err != nil {
				return err
			}
			recs = recs[n:]
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("insert events again: %w", err)
	}
	return nil
}

// restoreBlock is write of a block that moves no cursor.
func (w *Warehouse) restoreBlock(ctx context.Context, recs []entity.Record) error {
	next := w.self
	next.inserting, next.upto = next.steps+1, next.cursor
	if err := w.step(ctx, next); err != nil {
		return err
	}
	if err := w.putEvents(ctx, recs); err != nil {
		return err
	}
	return w.settleBlock(ctx, block{recs: recs, n: len(recs), upto: w.self.cursor})
}

// Refold folds anew all that this node's events in after < Seq ≤ upto touch, as the table has them.
func (w *Warehouse) Refold(ctx context.Context, after, upto entity.Seq) error {
	return w.resettle(ctx, after, upto, func(touched []touch) []touch {
		for _, t := range touched {
			if t.trace != "" {
				touched = append(touched, touch{project: t.project, kind: entity.TraceKind, id: t.trace})
			}
		}
		return touched
	})
}

// rowsAtOnce is of how many Seqs rows are compared in one statement, which the server has in memory.
const rowsAtOnce = 1_000_000

// VerifyRows adds to v the events of this node's Log in after < Seq ≤ upto that no row is made of, and how many traces of which there are observations have no row.
func (w *Warehouse) VerifyRows(ctx context.Context, after, upto entity.Seq, v *Verified) error {
	for ; after < upto; after += rowsAtOnce {
		if err := w.verifyRows(ctx, Shared(w.Node(), after), Shared(w.Node(), min(after+rowsAtOnce, upto)), v); err != nil {
			return fmt.Errorf("verify rows: %w", err)
		}
	}
	slices.Sort(v.Unsettled)
	return nil
}

func (w *Warehouse) verifyRows(ctx context.Context, after, upto entity.Seq, v *Verified) error {
	var lack []uint64
	for kind, table := range map[entity.Kind]string{entity.ObservationKind: observationTable.name, entity.TraceKind: traceTable.name, entity.ScoreKind: scoreTable.name} {
		var seq proto.ColUInt64
		q := &builder{}
		from, to := q.arg(uint64(after)), q.arg(uint64(upto))
		text := fmt.Sprintf("SELECT seq FROM events WHERE seq > %[1]s AND seq <= %[2]s AND kind = %[3]d AND seq NOT IN (SELECT of FROM (SELECT arrayJoin(seqs) AS of FROM %[4]s FINAL) WHERE of > %[1]s AND of <= %[2]s)", from, to, kind, table)
		if err := w.ask(ctx, q, text, proto.Results{{Name: "seq", Data: &seq}}, func(i int) { lack = append(lack, seq.Row(i)) }); err != nil {
			return err
		}
	}
	slices.Sort(lack)
	for some := range slices.Chunk(slices.Compact(lack), idsAtOnce) {
		if err := w.firstOfTheirFacts(ctx, some, v); err != nil {
			return err
		}
	}
	var n proto.ColUInt64
	q := &builder{}
	text := fmt.Sprintf(`SELECT count() AS n FROM (SELECT DISTINCT project, trace_id FROM %[1]s FINAL WHERE trace_id != '' AND arrayExists(s -> s > %[3]s AND s <= %[4]s, seqs))
		WHERE (project, trace_id) NOT IN (SELECT project, id FROM %[2]s FINAL WHERE (project, id) IN (SELECT project, trace_id FROM %[1]s WHERE arrayExists(s -> s > %[3]s AND s <= %[4]s, seqs)))`,
		observationTable.name, traceTable.name, q.arg(uint64(after)), q.arg(uint64(upto)))
	return w.ask(ctx, q, text, proto.Results{{Name: "n", Data: &n}}, func(i int) { v.Rowless += int64(n.Row(i)) })
}

// firstOfTheirFacts adds to v those of the events that count: of several of one fact rows are made of the one with the lowest Seq.
func (w *Warehouse) firstOfTheirFacts(ctx context.Context, seqs []uint64, v *Verified) error {
	var first proto.ColUInt64
	q := &builder{}
	const fact = "project, kind, entity_id, event_id, content"
	text := fmt.Sprintf("SELECT min(seq) AS first FROM events WHERE (%[1]s) IN (SELECT %[1]s FROM events WHERE seq IN %[2]s) GROUP BY %[1]s HAVING first IN %[2]s", fact, q.arg(seqs))
	return w.ask(ctx, q, text, proto.Results{{Name: "first", Data: &first}}, func(i int) {
		_, own := Own(entity.Seq(first.Row(i)))
		v.Unsettled = append(v.Unsettled, own)
	})
}
