package clickhouse

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/cespare/xxhash/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A node works in steps, which it counts, and writes into the table nodes before it does the next thing:
//
//	inserting  it will insert the events of its Log behind cursor up to upto, under a token of this step
//	inserted   these events are in the table
//	settled    what they touched is folded and written, and the cursor has moved
//
// The sum of the steps of all nodes is the clock: it never falls, and each version of a row is the clock as it was read
// before the events were read of which the row was made. So of two rows of one entity the one with the greater version knows every
// event whose block was in the table when the clock was read. A block that it does not know came into the table later; then its
// own node, which read the clock later still, writes a row with a greater version. Whoever of several nodes
// writes last, what is in force in the end knows all events.
//
// A row is also made of other rows (a trace of its observations, a duplicate of the one that is kept). These are in step with their events once
// all blocks are settled; so who settles also settles what other nodes have inserted and not settled yet, be they still at it or dead.

// node is a row of the table nodes.
type node struct {
	id         uint16
	steps      uint64
	generation uint64 // when it was made, in Unix µs: what tells the tokens of two lives of the tables apart
	cursor     entity.Seq
	upto       entity.Seq // of the block that it inserts
	inserting  uint64     // the step of that block; its events have it too
	inserted   uint64     // the last block that is in the table
	settled    uint64     // the last block that is settled
	head       entity.Seq // of its Log, when it wrote this
	process    string     // that wrote this
}

// pending says that a block was begun and not settled.
func (n *node) pending() bool { return n.inserting > n.settled }

// token names the insert of the block that is begun. It is the same whenever that is tried again, and no other block has it: the server drops
// whatever comes under a token that it remembers, also what is not the same. So the Seqs are part of it.
func (n *node) token(recs []entity.Record) string {
	var d xxhash.Digest
	d.Reset()
	var seq [8]byte
	for i := range recs {
		binary.LittleEndian.PutUint64(seq[:], uint64(recs[i].Seq))
		d.Write(seq[:]) //nolint:errcheck // it never fails
	}
	return fmt.Sprintf("%s step %d, %d events %016x", n.tokens(), n.inserting, len(recs), d.Sum64())
}

// tokens is how those of all its blocks begin.
func (n *node) tokens() string { return fmt.Sprintf("node %d, generation %d,", n.id, n.generation) }

// loadSelf reads what this node did before.
func (w *Warehouse) loadSelf(ctx context.Context) error {
	all, err := w.nodes(ctx)
	if err != nil {
		return err
	}
	self := node{id: w.options.Node}
	if w.options.Identity != "" {
		if self, err = w.numbered(ctx, all); err != nil {
			return err
		}
	}
	self.generation = uint64(time.Now().UnixMicro())
	for _, n := range all {
		if n.id == self.id {
			self = n
		}
	}
	w.self, w.resumes, w.there = self, self.pending(), nil
	w.number.Store(uint32(self.id))
	w.reached.Store(uint64(self.cursor))
	w.began.Store(uint64(self.cursor))
	if self.steps == 0 {
		return nil
	}
	if err := w.each(func(_ int, p *pool) error { return w.quiet(ctx, p, w.self.tokens()) }); err != nil {
		return err
	}
	w.there, err = w.begun(ctx, w.asker(), "events")
	return err
}

// begun reads which events are in a table of these servers, by their Seqs, that the cursor has not reached, or were of a block that was begun since one was settled. What was sent and
// not confirmed may be there: a process that was given fewer events begins such a block anew, and has settled that since.
func (w *Warehouse) begun(ctx context.Context, p *pool, table string) (there map[uint64]bool, err error) {
	var seq proto.ColUInt64
	there = map[uint64]bool{}
	q := &builder{}
	err = w.askAt(ctx, p, q, w.begunText(q, table), w.wholeSettings(), proto.Results{{Name: "seq", Data: &seq}}, func(i int) { there[seq.Row(i)] = true })
	if err != nil {
		return nil, fmt.Errorf("read which events are in the table: %w", err)
	}
	return there, nil
}

// begunText selects them: each of the two conditions by itself, because each has an index that says where nothing satisfies it, and none says that of both.
func (w *Warehouse) begunText(q *builder, table string) string {
	return fmt.Sprintf("SELECT seq FROM %s WHERE node = %d AND %s > %s UNION ALL SELECT seq FROM %[1]s WHERE node = %[2]d AND step > %[5]s",
		table, w.self.id, ownSeq, q.arg(uint64(w.self.cursor)), q.arg(w.self.settled))
}

// nodes reads what all nodes have done.
func (w *Warehouse) nodes(ctx context.Context) (all []node, err error) {
	var id proto.ColUInt16
	var steps, generation, cursor, upto, inserting, inserted, settled, head proto.ColUInt64
	var process proto.ColStr
	result := proto.Results{
		{Name: "node", Data: &id}, {Name: "steps", Data: &steps}, {Name: "generation", Data: &generation}, {Name: "cursor", Data: &cursor}, {Name: "upto", Data: &upto},
		{Name: "inserting", Data: &inserting}, {Name: "inserted", Data: &inserted}, {Name: "settled", Data: &settled}, {Name: "head", Data: &head}, {Name: "process", Data: &process},
	}
	err = w.askFirst(ctx, &builder{}, "SELECT node, steps, generation, cursor, upto, inserting, inserted, settled, head, process FROM nodes FINAL ORDER BY node", result, func(i int) {
		all = append(all, node{
			id.Row(i), steps.Row(i), generation.Row(i), entity.Seq(cursor.Row(i)), entity.Seq(upto.Row(i)), inserting.Row(i), inserted.Row(i), settled.Row(i), entity.Seq(head.Row(i)), process.Row(i),
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read what the nodes have done: %w", err)
	}
	return all, nil
}

// step writes what this node is about to do, or has done.
func (w *Warehouse) step(ctx context.Context, next node) error {
	next.steps++
	next.process = w.process
	if next.head = next.cursor; w.options.Head != nil {
		next.head = w.options.Head()
	}
	fresh := w.fresh
	if next.cursor >= next.head {
		fresh = time.Now()
	}
	process := new(proto.ColStr)
	process.Append(next.process)
	one := func(n uint64) *proto.ColUInt64 { return &proto.ColUInt64{n} }
	in := proto.Input{
		{Name: "node", Data: &proto.ColUInt16{next.id}}, {Name: "steps", Data: one(next.steps)}, {Name: "generation", Data: one(next.generation)},
		{Name: "cursor", Data: one(uint64(next.cursor))}, {Name: "upto", Data: one(uint64(next.upto))},
		{Name: "inserting", Data: one(next.inserting)}, {Name: "inserted", Data: one(next.inserted)}, {Name: "settled", Data: one(next.settled)},
		{Name: "head", Data: one(uint64(next.head))}, {Name: "process", Data: process}, {Name: "lag", Data: one(lagOf(fresh))},
	}
	if err := w.insertBlock(ctx, "nodes", in, nil); err != nil {
		return fmt.Errorf("write the node's step: %w", err)
	}
	w.self, w.fresh = next, fresh
	w.noteGap()
	w.heard = time.Now()
	w.reached.Store(uint64(next.cursor))
	return nil
}

// lagOf is for how many ms the tables have been without something that the Log has.
func lagOf(fresh time.Time) uint64 {
	if fresh.IsZero() {
		return 0
	}
	return uint64(max(0, time.Since(fresh).Milliseconds()))
}

// instant is the clock as it was read, and which nodes have inserted what they have not settled: others, and this one in the life before.
type instant struct {
	version uint64
	behind  []node
}

func (w *Warehouse) now(ctx context.Context) (instant, error) {
	all, err := w.nodes(ctx)
	// Rows of a clock that was read later are priced by no less: what other nodes say of prices after this holds for who reads the clock then.
	if err == nil && w.options.Refresh != nil {
		err = w.options.Refresh()
	}
	var at instant
	for _, n := range all {
		if n.id == w.self.id && n.process != w.process && n.steps > w.self.steps {
			return at, fmt.Errorf("%w: another process works as node %d: its data directory is a copy of this one's", store.ErrUnavailable, n.id)
		}
		at.version += n.steps
		if n.id == w.self.id && w.resumes || n.id != w.self.id && n.inserted > n.settled {
			at.behind = append(at.behind, n)
		}
	}
	return at, err
}
