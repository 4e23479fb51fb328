package entity

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// maxTreeDepth bounds how deep observations nest in an answer: readers of JSON
// give up on deep nesting (Go's at 10 000), and each level is two of theirs.
const maxTreeDepth = 500

// tree hangs the observations of one trace below their parents and returns the roots.
func (r *rolled) tree() []*wire.Observation {
	hung := hang(r.parents)
	for i, children := range hung.children {
		for _, c := range children {
			r.rows[i].Children = append(r.rows[i].Children, &r.rows[c].Observation)
		}
	}
	roots := make([]*wire.Observation, len(hung.roots))
	for i, root := range hung.roots {
		roots[i] = &r.rows[root].Observation
	}
	return roots
}

// forest is how observations hang, by their places.
type forest struct {
	roots    []int
	children [][]int // of each place
}

// hang walks from the roots down without recursion. All lists are in the order of the places.
func hang(parents []int32) forest {
	below := make([][]int, len(parents))
	type place struct{ index, depth int }
	var queue []place
	for i, p := range parents {
		if p < 0 {
			queue = append(queue, place{i, 1})
		} else {
			below[p] = append(below[p], i)
		}
	}
	f := forest{roots: []int{}, children: below}
	for len(queue) > 0 {
		here := queue[0]
		queue = queue[1:]
		if here.depth == 1 {
			f.roots = append(f.roots, here.index)
		}
		for _, c := range below[here.index] {
			if here.depth == maxTreeDepth {
				queue = append(queue, place{c, 1})
				continue
			}
			queue = append(queue, place{c, here.depth + 1})
		}
		if here.depth == maxTreeDepth {
			below[here.index] = nil
		}
	}
	slices.Sort(f.roots)
	return f
}
