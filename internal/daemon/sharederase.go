package daemon

import (
	"context"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// eraseAsked erases from this node's log what other nodes have erased from the tables.
func (n *node) eraseAsked(ctx context.Context) error {
	asked, err := n.shared.Asked(ctx)
	for i := 0; err == nil && i < len(asked); i++ {
		var told removal.Erasure
		for _, seq := range asked[i].Seqs {
			told.Seqs = append(told.Seqs, clickhouse.Shared(n.shared.Node(), seq))
		}
		n.eraser.Tell(told)
		if err = n.log.Erase(ctx, asked[i].Seqs); err == nil {
			if err = n.indexer.Forget(asked[i].Seqs); err == nil {
				err = n.shared.Did(ctx, asked[i])
			}
		}
	}
	return err
}

// lateSlack is how much later than an erasure an event may have been received that goes with it: clocks differ.
const lateSlack = 5 * time.Second

// eraseLate erases what others erased while they took this node for one that is away. Nothing is inserted before.
func (n *node) eraseLate(ctx context.Context) error {
	all, err := n.shared.AskedAgain(ctx)
	if err == nil && len(all) > 0 {
		late := make([]removal.Late, len(all))
		for i := range all {
			a := &all[i]
			late[i] = removal.Late{Asked: removal.Asked{Project: a.Project, TraceID: a.TraceID, UserID: a.UserID}, Before: a.At.Add(lateSlack)}
		}
		err = n.eraser.Again(ctx, late)
	}
	for i := 0; err == nil && i < len(all); i++ {
		if err = n.shared.DidAgain(ctx, all[i]); err == nil {
			n.logger.Info("what was erased while this node was away is erased here, too", "project", all[i].Project)
		}
	}
	if err == nil {
		n.shared.Trust()
	}
	return err
}

// otherNodes are the nodes that share the warehouse, as erasures see them.
type otherNodes struct{ warehouse *clickhouse.Warehouse }

func (o otherNodes) CatchUp(ctx context.Context) (late []uint16, err error) {
	return o.warehouse.CatchUpOthers(ctx)
}

func (o otherNodes) Ask(ctx context.Context, late []uint16, what removal.Asked) error {
	return o.warehouse.AskAgain(ctx, late, clickhouse.Again{Project: what.Project, UserID: what.UserID, TraceID: what.TraceID})
}

// sharedLog is the log of a node as erasures see it: what all nodes have, by the Seqs of the warehouse.
type sharedLog struct {
	*segmentlog.Log
	warehouse *clickhouse.Warehouse
}

// Mentioning finds events in the tables, and those of this node that are not there: in quarantine, or not yet inserted.
func (l sharedLog) Mentioning(ctx context.Context, project string, of []entity.Mention, upto entity.Seq, found func(*entity.Record)) error {
	met := map[entity.Seq]bool{}
	err := l.warehouse.Mentioning(ctx, project, of, upto, func(r *entity.Record) {
		met[r.Seq] = true
		found(r)
	})
	if err != nil {
		return err
	}
	node := l.warehouse.Node()
	return l.Log.Mentioning(ctx, project, of, upto, func(r *entity.Record) {
		if r.Seq = clickhouse.Shared(node, r.Seq); !met[r.Seq] {
			found(r)
		}
	})
}

// Erase erases what is this node's from its log, and asks the others for the rest.
func (l sharedLog) Erase(ctx context.Context, seqs []entity.Seq) error {
	own, others := l.divide(seqs)
	if err := l.Log.Erase(ctx, own); err != nil {
		return err
	}
	return l.warehouse.Ask(ctx, others)
}

// own are those of this node, as its log has them.
func (l sharedLog) own(seqs []entity.Seq) []entity.Seq {
	own, _ := l.divide(seqs)
	return own
}

func (l sharedLog) divide(seqs []entity.Seq) (own, others []entity.Seq) {
	for _, seq := range seqs {
		if at, mine := l.warehouse.Own(seq); mine {
			own = append(own, at)
		} else {
			others = append(others, seq)
		}
	}
	return own, others
}

// sharedIndexer is the indexer of a node as erasures see it.
type sharedIndexer struct {
	*indexer.Indexer
	log sharedLog
}

// Forget drops what is this node's from its quarantine, and from what it is about to insert.
func (x sharedIndexer) Forget(seqs []entity.Seq) error {
	own, _ := x.log.divide(seqs)
	if err := x.log.warehouse.Skip(context.Background(), own); err != nil {
		return err
	}
	return x.Indexer.Forget(own)
}
