package pricing

import (
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Join makes one journal of that of a node and of the one that all nodes share, which may be nil. The node is the number is among them, and had the numbers had before. Of a node that has
// said more than what it shared before, that is added. Of one with a journal of its own it is what it said of projects of which the others say nothing, and its book, when they do not
// have that.
func Join(own, shared []byte, is Number, had Numbers) ([]byte, error) {
	mine, err := parseJournal(own)
	if err != nil {
		return nil, err
	}
	all := &journal{}
	if shared != nil {
		if all, err = parseJournal(shared); err != nil {
			return nil, err
		}
	}
	if len(mine.Numbers) > 0 {
		had = mine.Numbers
	}
	common := 0
	for common < min(len(mine.Entries), len(all.Entries)) && same(mine.Entries[common], all.Entries[common]) {
		common++
	}
	twins := all.twins(mine.Entries[common:])
	elsewhere := common == 0 || twins > 0 // what it shared was in other tables, if it did
	switch {
	case mine.Version < SharedVersion || len(had) == 0 && !elsewhere:
		number(mine.Entries[common:], is.Node)
	case len(had) > 0 && (elsewhere || !had.names(is.Node)):
		all.learn(mine.Entries, is, had)
		had.renumber(mine.Entries[common:], is, elsewhere)
	}
	if shared == nil {
		all.Entries = mine.Entries
	} else if common == 0 && twins == 0 { // another history
		all.Entries = append(all.Entries, all.lack(mine)...)
	} else {
		for _, e := range mine.Entries[common:] {
			if all.twin(e) < 0 {
				all.Entries = append(all.Entries, e)
			}
		}
	}
	all.Version = SharedVersion
	return all.encode()
}

// number has entries of a node alone hold for the events of its log.
func number(entries []entry, node uint16) {
	for i := range entries {
		entries[i].Reach = entries[i].as(node)
	}
}

// twin is the entry of j that says the same, for whichever events; -1: none does.
func (j *journal) twin(e entry) int {
	e.Reach = Reach{}
	return slices.IndexFunc(j.Entries, func(has entry) bool {
		has.Reach = Reach{}
		return same(has, e)
	})
}

func (j *journal) twins(entries []entry) (n int) {
	for _, e := range entries {
		if j.twin(e) >= 0 {
			n++
		}
	}
	return n
}

// learn notes in the entries of j how far the node is was then, which had the numbers had, as its own journal says.
func (j *journal) learn(entries []entry, is Number, had Numbers) {
	for _, e := range entries {
		at := had.on(is, &e.Reach)
		if i := j.twin(e); i >= 0 && at > 0 && j.Entries[i].of(is.Node) == 0 {
			j.Entries[i].set(is.Node, at)
		}
	}
}

// on is a reach as a place of the log of the node is, which had these numbers: what it has under the new one begins behind is.After.
func (n Numbers) on(is Number, r *Reach) entity.Seq {
	at := n.within(r)
	if is.After > 0 {
		at = min(at, is.After)
	}
	return at
}

// renumber has entries hold for the events of the node is, which had these numbers; alone says that whatever other numbers they name are those of other tables.
func (n Numbers) renumber(entries []entry, is Number, alone bool) {
	for i := range entries {
		r := &entries[i].Reach
		if r.all() {
			continue
		}
		at := n.on(is, r)
		if alone {
			*r = Reach{}
		}
		r.set(is.Node, at)
	}
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
