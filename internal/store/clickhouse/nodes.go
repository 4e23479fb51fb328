package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// nodeMarks are the marks of the nodes' numbers: the turn is the number, the owner whose it is.
const nodeMarks = "node"

// numbered is this node under the number that its identity has, or gets now. A node whose Log has less than the tables have of it is another one
// from there on: what it stores next must not have the Seqs of what is there.
func (w *Warehouse) numbered(ctx context.Context, all []node) (node, error) {
	for {
		marks, err := w.marks(ctx, nodeMarks)
		if err != nil {
			return node{}, err
		}
		lives := 0
		var self node
		taken := map[uint64]bool{}
		for _, n := range all {
			taken[uint64(n.id)] = true
		}
		for _, m := range marks {
			taken[m.turn] = true
			if identity, life := lifeOf(m.owner); identity == w.options.Identity && life >= lives {
				self, lives = node{id: uint16(m.turn)}, life+1
			}
		}
		for _, n := range all {
			if lives > 0 && n.id == self.id {
				self = n
			}
		}
		head := self.cursor
		if w.options.Head != nil {
			head = w.options.Head()
		}
		if lives > 0 && self.cursor <= head {
			return self, nil
		}
		free := uint64(0)
		for taken[free] {
			free++
		}
		if free > mostNode {
			return node{}, fmt.Errorf("all %d numbers of nodes are taken", mostNode+1)
		}
		is, err := w.claim(ctx, mark{name: nodeMarks, turn: free, owner: fmt.Sprintf("%s#%d", w.options.Identity, lives)}, 0)
		if err != nil {
			return node{}, err
		}
		if identity, life := lifeOf(is.owner); identity != w.options.Identity || life != lives {
			continue // another one was first
		}
		if lives == 0 {
			return node{id: uint16(free)}, nil
		}
		w.options.Logger.Error("the log ends before what clickhouse has of this node: it goes on under another number", "number", free, "had", self.id, "log_head", uint64(head), "cursor", uint64(self.cursor))
		return node{id: uint16(free), cursor: head, generation: uint64(time.Now().UnixMicro())}, nil
	}
}

// lifeOf is the identity and the life of it that an owner is.
func lifeOf(owner string) (identity string, life int) {
	identity, text, _ := strings.Cut(owner, "#")
	_, _ = fmt.Sscanf(text, "%d", &life)
	return identity, life
}

// NodeState is how a node stands, as it has written itself.
type NodeState struct {
	Node   uint16     `json:"node"`
	Cursor entity.Seq `json:"cursor"` // of its Log, up to which the tables have everything
	Head   entity.Seq `json:"head"`   // of its Log, when it wrote that
	// Seen is how long ago it wrote that, by the server's clock.
	Seen time.Duration `json:"seen"`
	// Behind is for how long the tables have been without something that its Log had then.
	Behind time.Duration `json:"behind"`
}

// awayAfter is after how long a node is away that said nothing: a live one says something each beatEvery.
const awayAfter = 3 * beatEvery

// Away says that the node has stopped, or cannot reach the servers.
func (n *NodeState) Away() bool { return n.Seen > awayAfter }

// Missing is how many events of its Log the tables did not have when it was heard of last.
func (n *NodeState) Missing() entity.Seq { return max(n.Head, n.Cursor) - n.Cursor }

// Nodes is how all nodes stand that ever wrote, in the order of their numbers.
func (w *Warehouse) Nodes(ctx context.Context) (all []NodeState, err error) {
	var id proto.ColUInt16
	var cursor, head, lag proto.ColUInt64
	var seen proto.ColInt64
	result := proto.Results{{Name: "node", Data: &id}, {Name: "cursor", Data: &cursor}, {Name: "head", Data: &head}, {Name: "lag", Data: &lag}, {Name: "seen", Data: &seen}}
	text := "SELECT node, cursor, head, lag, toUnixTimestamp64Micro(now64(6)) - toUnixTimestamp64Micro(at) AS seen FROM nodes FINAL ORDER BY node"
	err = w.askFirst(ctx, &builder{}, text, result, func(i int) {
		n := NodeState{Node: id.Row(i), Cursor: entity.Seq(cursor.Row(i)), Head: entity.Seq(head.Row(i)), Seen: max(0, time.Duration(seen.Row(i))*time.Microsecond)}
		if n.Missing() > 0 {
			n.Behind = time.Duration(lag.Row(i)) * time.Millisecond
		}
		all = append(all, n)
	})
	if err != nil {
		return nil, fmt.Errorf("read how the nodes stand: %w", err)
	}
	return all, nil
}

// heard is how the nodes stood at a time.
type heard struct {
	all []NodeState
	at  time.Time
}

// Heads is how far the Logs of the other nodes were, as far as this one has heard.
func (w *Warehouse) Heads() map[uint16]entity.Seq {
	heads := map[uint16]entity.Seq{}
	if last := w.others.Load(); last != nil {
		for _, n := range last.all {
			if n.Node != w.Node() {
				heads[n.Node] = max(n.Head, n.Cursor)
			}
		}
	}
	return heads
}

// Freshness is how far lists may be behind what the other nodes have accepted: they know everything up to that long ago of the nodes that live, and are without
// missing events of nodes that are away.
func (w *Warehouse) Freshness() (behind time.Duration, missing entity.Seq) {
	last := w.others.Load()
	if last == nil {
		return 0, 0
	}
	for _, n := range last.all {
		switch {
		case n.Node == w.Node():
		case n.Away():
			missing += n.Missing()
		default:
			behind = max(behind, n.Seen+n.Behind+time.Since(last.at))
		}
	}
	return behind, missing
}
