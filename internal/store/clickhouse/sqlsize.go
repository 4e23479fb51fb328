package clickhouse

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// The server puts what a name stands for in the place of the name, each time: a text in which each SELECT of WITH reads the one before it twice, or each name of a
// value has the one before it twice, becomes a tree of any size, and neither the deadline nor the bounds of memory are looked at while it grows. So it is counted first.
const (
	// mostNodes is how many nodes a statement may come to.
	mostNodes = 40_000
	// ofView is how many a view counts for, where it is read.
	ofView = 400
)

// sqlSizes counts what the tree of a text comes to.
type sqlSizes struct {
	named map[string][]*sqlNode // by name, the values and the SELECTs that are called so anywhere
	known map[string]int        // what they come to; 0 while it is counted
}

// checkSize refuses a text that comes to too much. A name is counted for the largest of what is called so, wherever it stands.
func (n *sqlNode) checkSize() error {
	s := sqlSizes{named: map[string][]*sqlNode{}, known: map[string]int{}}
	_ = n.walk(nil, func(n *sqlNode, _ []*sqlNode) error {
		for _, name := range []string{n.says["alias"], n.says["cte_name"]} {
			if name != "" {
				s.named[name] = append(s.named[name], n)
			}
		}
		return nil
	})
	if s.of(n) > mostNodes {
		return store.SQLErrorf("the statement comes to more than %d parts, where a view counts as %d, and each name of WITH and AS as what it stands for, each time", mostNodes, ofView)
	}
	return nil
}

// of is what a node comes to.
func (s *sqlSizes) of(n *sqlNode) int {
	size := 1
	if n.kind == "IDENTIFIER" {
		size += s.ofName(n.says["identifier"])
	}
	for _, below := range n.below {
		size = min(size+s.of(below), mostNodes+1)
	}
	return size
}

// ofName is what a name comes to.
func (s *sqlSizes) ofName(name string) int {
	if known, ok := s.known[name]; ok {
		return known
	}
	s.known[name] = 0 // while it is counted: a name that stands in what it stands for is that of a column there
	size := 0
	for _, view := range sqlview.Views() {
		if view.Name == name {
			size = ofView
		}
	}
	for _, what := range s.named[name] {
		size = max(size, s.of(what))
	}
	if first, _, of := strings.Cut(name, "."); of && len(s.named[name]) == 0 {
		size = max(size, s.ofName(first)) // a part of a value that has parts
	}
	s.known[name] = min(size, mostNodes+1)
	return s.known[name]
}
