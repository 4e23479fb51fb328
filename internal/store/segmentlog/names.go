package segmentlog

import (
	"slices"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// names says whether the Log has this id at seq: the id index asks where a hash is known, so that two ids with one hash are
// told apart. What was trimmed is believed; what is damaged is lost, and a retry of it no duplicate.
func (l *Log) names(kind idindex.Kind, seq entity.Seq, project, id string) (bool, error) {
	b, err := l.named.block(l, seq)
	if b == nil && err == nil && l.awaitShown(seq) {
		b, err = l.named.block(l, seq)
	}
	if err != nil {
		return false, err
	}
	if b == nil {
		l.mu.RLock()
		defer l.mu.RUnlock()
		return len(l.segs) > 0 && seq < l.segs[0].base, nil
	}
	t, i := b.find(seq)
	if t == nil || t.project != project {
		return false, nil
	}
	switch kind {
	case idindex.KindEvent:
		return i >= 0 && b.ids[i] == id, nil
	case idindex.KindFailed:
		return slices.ContainsFunc(t.failed, func(f wire.BatchEventError) bool { return f.EventID == id }), nil
	case idindex.KindBatch:
		return t.id == id || t.job != "", nil // the end of a job need not name the batch
	default:
		return t.job == id, nil
	}
}

// awaitShown returns when the Log shows seq, if it had to wait: the committer tells the index what it wrote, and
// readers right after that.
func (l *Log) awaitShown(seq entity.Seq) (waited bool) {
	for l.serving && seq <= l.index.Cursor() {
		l.mu.RLock()
		head, news := l.head, l.news
		l.mu.RUnlock()
		if seq <= head {
			break
		}
		<-news
		waited = true
	}
	return waited
}

// jobReceived is when a job's request was received, Unix µs; now when that is not known.
func (l *Log) jobReceived(project, jobID string) int64 {
	if seq, ok, err := l.index.Job(project, jobID); err == nil && ok {
		if b, err := l.named.block(l, seq); err == nil && b != nil && b.kind == kindJob {
			return b.batches[0].received
		}
	}
	return l.o.Now().UnixMicro()
}

// namedBlocks are blocks of which only the meta section was read, those asked for last. An id's Seq never
// changes, so they are right even when their segment was rewritten.
type namedBlocks struct {
	mu     sync.Mutex // guards all below
	blocks [64]*block
	next   int
	bytes  int64
}

// block returns the block that holds seq; nil when the Log has none that can be read.
func (n *namedBlocks) block(l *Log, seq entity.Seq) (*block, error) {
	if b := n.get(seq); b != nil {
		return b, nil
	}
	b, err := l.find(seq, false)
	if err == nil && b != nil {
		n.put(b)
	}
	return b, err
}

func (n *namedBlocks) get(seq entity.Seq) *block {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, b := range n.blocks {
		if b != nil && b.holds(seq) {
			return b
		}
	}
	return nil
}

// put keeps b in the place of the one that has been there longest, and of others while they are too large together. One that is
// too large by itself is kept alone, for many of its ids may be asked for.
func (n *namedBlocks) put(b *block) {
	const most = 4 << 20 // bytes
	n.mu.Lock()
	defer n.mu.Unlock()
	for first := true; first || n.bytes > 0 && n.bytes+b.cost > most; first = false {
		n.next = (n.next + 1) % len(n.blocks)
		if old := n.blocks[n.next]; old != nil {
			n.bytes -= old.cost
			n.blocks[n.next] = nil
		}
	}
	n.blocks[n.next] = b
	n.bytes += b.cost
}
