package pricing

import (
	"slices"
	"time"
)

// Join makes one journal of that of a node, which has a number now, and of the one that all nodes share, which may be nil. Of a node that has said more than what it shared
// before, that is added. Of one with a journal of its own it is what it said of projects of which the others say nothing, and its book, when they do not have that.
func Join(own, shared []byte, node uint16) ([]byte, error) {
	mine, err := parseJournal(own)
	if err != nil {
		return nil, err
	}
	for i := range mine.Entries {
		mine.Entries[i].Reach = mine.Entries[i].as(node)
	}
	if shared == nil {
		return mine.encode()
	}
	all, err := parseJournal(shared)
	if err != nil {
		return nil, err
	}
	common := 0
	for common < min(len(mine.Entries), len(all.Entries)) && same(mine.Entries[common], all.Entries[common]) {
		common++
	}
	more := mine.Entries[common:]
	if common == 0 { // another history
		more = all.lack(mine)
	}
	all.Entries = append(all.Entries, more...)
	return all.encode()
}

// lack is what another journal says of projects of which j says nothing, and its last book unless j has it.
func (j *journal) lack(other *journal) (more []entry) {
	for _, e := range other.Entries {
		if e.Project != "" && !slices.ContainsFunc(j.Entries, func(has entry) bool { return has.Project == e.Project }) {
			more = append(more, e)
		}
	}
	book, _ := other.last()
	if j.names(book) {
		return more
	}
	i := slices.IndexFunc(other.Entries, func(e entry) bool { return e.Book == book })
	e := other.Entries[i]
	if e.From.IsZero() {
		e.From = e.At.UTC().Truncate(time.Microsecond)
	}
	return append(more, e)
}

// names says whether j has a book, by its hash.
func (j *journal) names(book string) bool {
	return slices.ContainsFunc(j.Entries, func(e entry) bool { return e.Book == book })
}

// Texts are the hashes of the texts that a journal names.
func Texts(raw []byte) (hashes []string, err error) {
	j, err := parseJournal(raw)
	if err != nil {
		return nil, err
	}
	for _, e := range j.Entries {
		for _, hash := range []string{e.Book, e.Own} {
			if hash != "" && !slices.Contains(hashes, hash) {
				hashes = append(hashes, hash)
			}
		}
	}
	return hashes, nil
}
