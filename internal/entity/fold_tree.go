package entity

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// maxTreeDepth bounds how deep observations nest in an answer: readers of JSON
// give up on deep nesting (Go's at 10 000), and each level is two of theirs.
const maxTreeDepth = 500

// hang hangs the observations of one trace, sorted by (start_time, id), below their
// parents and returns the roots. It walks from the roots down without recursion. As both lists are filled in
// the order of sorted, children stand in that order too.
func hang(sorted []*wire.Observation, parents []int32) []*wire.Observation {
	children := make([][]int, len(sorted))
	type place struct{ index, depth int }
	var queue []place
	for i, p := range parents {
		if p < 0 {
			queue = append(queue, place{i, 1})
		} else {
			children[p] = append(children[p], i)
		}
	}
	roots := []*wire.Observation{}
	for len(queue) > 0 {
		here := queue[0]
		queue = queue[1:]
		o := sorted[here.index]
		if here.depth == 1 {
			roots = append(roots, o)
		}
		for _, c := range children[here.index] {
			if here.depth == maxTreeDepth {
				queue = append(queue, place{c, 1})
				continue
			}
			o.Children = append(o.Children, sorted[c])
			queue = append(queue, place{c, here.depth + 1})
		}
	}
	slices.SortFunc(roots, byStart)
	return roots
}
