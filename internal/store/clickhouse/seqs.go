package clickhouse

import "github.com/brokle-ai/brokle-go/internal/entity"

// Each node has a Log of its own, whose Seqs begin at 1. In tables that they share, and in all that a Warehouse answers, the node stands in the upper
// bits, so that those of node 0 are the Log's.
const (
	nodeShift = 48
	mostNode  = 1<<(63-nodeShift) - 1
	logSeqs   = entity.Seq(1)<<nodeShift - 1
)

// Shared is a Seq of a node's Log as the Warehouse has it.
func Shared(node uint16, seq entity.Seq) entity.Seq { return entity.Seq(node)<<nodeShift | seq }

// Own is the node of a shared Seq and its Seq in that node's Log.
func Own(seq entity.Seq) (node uint16, own entity.Seq) {
	return uint16(seq >> nodeShift), seq & logSeqs
}

func uints(seqs []entity.Seq) []uint64 {
	out := make([]uint64, len(seqs))
	for i, s := range seqs {
		out[i] = uint64(s)
	}
	return out
}
