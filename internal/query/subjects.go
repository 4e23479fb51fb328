package query

import "slices"

// Subject is what statistics can be of.
type Subject struct {
	Name    string
	Groups  []string // the columns to group by
	Metrics []string
	Scored  bool // there are also score_avg:NAME and score_count:NAME
}

// Subjects are all of them, in the order in which documents name them.
func Subjects() []Subject {
	var all []Subject
	for _, s := range subjects() {
		all = append(all, Subject{s.name, slices.Clone(s.groups), slices.Clone(s.metrics), s.scored})
	}
	return all
}
