package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// lateWait is how long a node that lives may take to insert what it has before it counts as one that is away.
const lateWait = 10 * time.Second

// CatchUpOthers waits until the tables have all that other nodes had accepted when it was called. late are the nodes that are away, or take too long.
func (w *Warehouse) CatchUpOthers(ctx context.Context) (late []uint16, err error) {
	if err := w.unready(); err != nil {
		return nil, err
	}
	began := time.Now()
	heads := map[uint16]entity.Seq{} // as they were said after that
	for {
		since, waits := time.Since(began), false // before it is asked how long ago they were heard of
		all, err := w.Nodes(ctx)
		if err != nil {
			return nil, err
		}
		late = nil
		for i := range all {
			n := &all[i]
			if n.Node == w.Node() {
				continue
			}
			if n.Seen < since && heads[n.Node] == 0 {
				heads[n.Node] = max(n.Head, n.Cursor, 1)
			}
			switch head, said := heads[n.Node]; {
			case said && n.Cursor >= head, said && n.Head == 0:
			case n.Away() || since > lateWait:
				late = append(late, n.Node)
			default:
				waits = true
			}
		}
		if !waits {
			return late, nil
		}
		if err := clock.Sleep(ctx, lockWait); err != nil {
			return nil, err
		}
	}
}

// Again is what a node that was away erases: a trace or a user of a project.
type Again struct {
	id                       string
	Project, UserID, TraceID string
	At                       time.Time // when others erased it
}

// AskAgain asks nodes to erase something once they are there.
func (w *Warehouse) AskAgain(ctx context.Context, nodes []uint16, what Again) error {
	for _, node := range nodes {
		random := make([]byte, 16)
		rand.Read(random) //nolint:errcheck // never fails (crypto/rand)
		what.id = hex.EncodeToString(random)
		if err := w.again(ctx, node, what, 0); err != nil {
			return fmt.Errorf("ask node %d to erase: %w", node, err)
		}
	}
	return nil
}

func (w *Warehouse) again(ctx context.Context, node uint16, what Again, done uint8) error {
	ids, project, user, trace := new(proto.ColStr), new(proto.ColStr), new(proto.ColStr), new(proto.ColStr)
	ids.Append(what.id)
	project.Append(what.Project)
	user.Append(what.UserID)
	trace.Append(what.TraceID)
	return w.insertBlock(ctx, "erasures", proto.Input{
		{Name: "node", Data: &proto.ColUInt16{node}}, {Name: "id", Data: ids}, {Name: "done", Data: &proto.ColUInt8{done}},
		{Name: "project", Data: project}, {Name: "user_id", Data: user}, {Name: "trace_id", Data: trace},
	}, nil)
}

// AskedAgain is what this node has to erase before it inserts, in the order in which it was asked.
func (w *Warehouse) AskedAgain(ctx context.Context) (all []Again, err error) {
	var id, project, user, trace proto.ColStr
	var at proto.ColInt64
	q := &builder{}
	text := "SELECT id, project, user_id, trace_id, " + us("at") + " AS at_us FROM erasures FINAL WHERE node = " + q.arg(uint64(w.Node())) + " AND done = 0 AND project != '' ORDER BY at"
	result := proto.Results{{Name: "id", Data: &id}, {Name: "project", Data: &project}, {Name: "user_id", Data: &user}, {Name: "trace_id", Data: &trace}, {Name: "at_us", Data: &at}}
	err = w.askFirst(ctx, q, text, result, func(i int) {
		all = append(all, Again{id.Row(i), project.Row(i), user.Row(i), trace.Row(i), time.UnixMicro(at.Row(i))})
	})
	if err != nil {
		return nil, fmt.Errorf("read what is to be erased again: %w", err)
	}
	return all, nil
}

// DidAgain says that this node has erased it, and forgets what it was.
func (w *Warehouse) DidAgain(ctx context.Context, a Again) error {
	err := w.again(ctx, w.Node(), Again{id: a.id}, 1)
	if err == nil {
		q := &builder{}
		err = w.mutate(ctx, w.pool, q, "ALTER TABLE erasures DELETE WHERE node = "+q.arg(uint64(w.Node()))+" AND id = "+q.arg(a.id)+" AND done = 0")
	}
	if err != nil {
		return fmt.Errorf("say what was erased: %w", err)
	}
	return nil
}

// gapAfter is after how long without a step others may take this node for one that is away. It is shorter than awayAfter.
const gapAfter = awayAfter - beatEvery/2

// Guard has this node insert nothing before Trust says that there is nothing that others erased while they took it for one that is away.
func (w *Warehouse) Guard() {
	w.guarded.Store(true)
	w.suspect.Store(true)
}

// Suspect says that inserts wait for Trust.
func (w *Warehouse) Suspect() bool { return w.suspect.Load() }

// Trust says that what others had erased before it was asked for is erased here.
func (w *Warehouse) Trust() { w.suspect.Store(false) }

// noteGap notes that others may have taken this node for one that is away. The turn is held.
func (w *Warehouse) noteGap() {
	if w.guarded.Load() && !w.heard.IsZero() && time.Since(w.heard) > gapAfter {
		w.suspect.Store(true)
		w.heard = time.Now() // once for each gap, or nobody could trust it again
	}
}

// errSuspect holds inserts up.
var errSuspect = fmt.Errorf("%w: what was erased while this node was away is erased first", store.ErrUnavailable)

// Skip has this node not insert events of its Log that were erased, whoever has read them already.
func (w *Warehouse) Skip(ctx context.Context, seqs []entity.Seq) error {
	return w.locked(ctx, func() error {
		w.hotMu.Lock()
		defer w.hotMu.Unlock()
		for _, seq := range seqs {
			if seq > w.self.cursor {
				w.hot.skip(seq)
			}
		}
		return nil
	})
}
