package pricing

import "github.com/brokle-ai/brokle-go/internal/entity"

// Reach is how far logs were: what was first heard of behind it is later. The log of a node alone is that of node 0.
type Reach struct {
	// After is the last event of the log of node 0.
	After entity.Seq `json:"after,omitempty"`
	// Others are those of other nodes, by their numbers; one that is not named had nothing.
	Others map[uint16]entity.Seq `json:"others,omitempty"`
}

// born is an event: a node, and a place in its log.
type born struct {
	node uint16
	seq  entity.Seq
}

// heard is where a call was heard of first: in the log of a node, and in those of others, each of which may have come first.
type heard struct {
	first  born
	others []born
}

func (h *heard) add(b born) {
	if b.node == h.first.node {
		h.first.seq = min(h.first.seq, b.seq)
		return
	}
	for i := range h.others {
		if is := &h.others[i]; is.node == b.node {
			is.seq = min(is.seq, b.seq)
			return
		}
	}
	h.others = append(h.others, b)
}

// all says that nothing was heard of before.
func (r *Reach) all() bool { return r.After == 0 && len(r.Others) == 0 }

// covers says whether a call was known then.
func (r *Reach) covers(h *heard) bool {
	if h.first.seq <= r.of(h.first.node) {
		return true
	}
	for _, b := range h.others {
		if b.seq <= r.of(b.node) {
			return true
		}
	}
	return false
}

// of is the last event of a node's log.
func (r *Reach) of(node uint16) entity.Seq {
	if node == 0 {
		return r.After
	}
	return r.Others[node]
}

// as is the reach of a node alone, once it has a number among others.
func (r *Reach) as(node uint16) Reach {
	if node == 0 || r.After == 0 || len(r.Others) > 0 {
		return *r
	}
	return Reach{Others: map[uint16]entity.Seq{node: r.After}}
}
