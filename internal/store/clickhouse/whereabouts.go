package clickhouse

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// whereabouts remembers of which entities events are that were found lately. The table of events is in the order of these, and is asked for Seqs: an index says in which pieces of it a Seq
// may be, but to look into that takes the longer the more events there are. What was found is nearly always what is read next.
//
// It has two generations: when the young one is full it becomes the old one. An event is of one entity for ever; who does not find it there all the same looks everywhere.
type whereabouts struct {
	mu         sync.Mutex // guards what follows
	young, old map[entity.Seq]eventKey
}

// mostWhereabouts is how many events a generation has, of about 150 bytes each.
const mostWhereabouts = 30_000

// eventKey is where the table has events of an entity.
type eventKey struct {
	project string
	kind    entity.Kind
	id      string
}

// note remembers where events are.
func (h *whereabouts) note(at eventKey, seqs ...entity.Seq) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, seq := range seqs {
		if h.young == nil || len(h.young) >= mostWhereabouts {
			h.young, h.old = map[entity.Seq]eventKey{}, h.young
		}
		h.young[seq] = at
	}
}

// find says where events are, and of which it does not know that.
func (h *whereabouts) find(seqs []entity.Seq) (at map[eventKey]bool, known, unknown []entity.Seq) {
	at = map[eventKey]bool{}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, seq := range seqs {
		key, there := h.young[seq]
		if !there {
			key, there = h.old[seq]
		}
		if !there {
			unknown = append(unknown, seq)
			continue
		}
		at[key], known = true, append(known, seq)
	}
	return at, known, unknown
}

// keyed is the condition that events are at one of these places.
func (q *builder) keyed(at map[eventKey]bool) string {
	kinds, ids := map[string][]uint64{}, map[string][]string{}
	for key := range at {
		kinds[key.project], ids[key.project] = append(kinds[key.project], uint64(key.kind)), append(ids[key.project], key.id)
	}
	var all []string
	for _, project := range slices.Sorted(maps.Keys(ids)) {
		all = append(all, fmt.Sprintf("project = %s AND (kind, entity_id) IN arrayZip(%s, %s)", q.arg(project), q.arg(kinds[project]), q.arg(ids[project])))
	}
	return "(" + strings.Join(all, " OR ") + ")"
}
