package entity

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// maxTreeDepth bounds how deep observations nest in an answer: readers of JSON
// give up on deep nesting (Go's at 10 000), and each level is two of theirs.
const maxTreeDepth = 500

// tree hangs the observations of one trace, sorted by (start_time, id), below their
// parents and returns the roots.
func tree(sorted []*wire.Observation) []*wire.Observation {
	return hang(sorted, parentsOf(sorted))
}

// parentsOf finds the place of each one's parent, −1 for a root. Each observation of
// the trace is there once, so an id names one place.
func parentsOf(sorted []*wire.Observation) []int {
	at := make(map[string]int, len(sorted))
	for i, o := range sorted {
		at[o.ID] = i
	}
	parents := make([]int, len(sorted))
	for i, o := range sorted {
		parents[i] = -1
		if p, known := at[o.ParentObservationID]; known && o.ParentObservationID != "" {
			parents[i] = p
		}
	}
	breakCycles(parents)
	return parents
}

// breakCycles makes the lowest index of every cycle a root (parent −1).
func breakCycles(parents []int) {
	seen := make([]int, len(parents)) // the number of the walk that passed here first; 0 is none
	for i := range parents {
		walk, n := i+1, i
		for n >= 0 && seen[n] == 0 {
			seen[n] = walk
			n = parents[n]
		}
		if n < 0 || seen[n] != walk {
			continue // ended at a root, or where an earlier walk was
		}
		lowest := n
		for m := parents[n]; m != n; m = parents[m] {
			lowest = min(lowest, m)
		}
		parents[lowest] = -1
	}
}

// hang walks from the roots down without recursion. As both lists are filled in
// the order of sorted, children stand in that order too.
func hang(sorted []*wire.Observation, parents []int) []*wire.Observation {
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
